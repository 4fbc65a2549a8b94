//! Whatever feeds the daemon is seen, and a unit that systemd refuses is not passed over.

use super::image::Image;
use super::{DROP_IN, SERVICE, planned, verdicts};
use seaworthy::checks::Outcome;

const SOCKET: &str = "/etc/systemd/system/docker-tcp.socket";
const TCP: &str =
    "[Socket]\nListenStream=2375\nService=docker.service\n[Install]\nWantedBy=sockets.target\n";
const WANTED: &str = "/etc/systemd/system/sockets.target.wants/docker-tcp.socket";

fn tls(image: &Image) -> Outcome {
    verdicts(&image.facts())["daemon-tls"]
}

#[test]
fn every_socket_of_the_daemon_is_seen() {
    let own = "/usr/lib/systemd/system/docker.socket";
    let enabled = |text: &str| Image::debian().file(SOCKET, text).link(WANTED, SOCKET);
    let unnamed = TCP.replace("Service=docker.service\n", "");
    for (what, image, outcome) in [
        ("none", Image::debian(), Outcome::NotApplicable),
        ("one more", enabled(TCP), Outcome::Fail),
        (
            "of another service",
            enabled(&TCP.replace("docker.service", "x.service")),
            Outcome::NotApplicable,
        ),
        (
            "switched off",
            Image::debian().file(SOCKET, TCP),
            Outcome::NotApplicable,
        ),
        (
            "without [Install]",
            Image::debian().file(SOCKET, TCP.split("[Install]").next().unwrap()),
            Outcome::Fail,
        ),
        (
            "masked",
            Image::debian().link(SOCKET, "/dev/null"),
            Outcome::NotApplicable,
        ),
        (
            "that the service asks for",
            Image::debian()
                .file(SOCKET, TCP)
                .append(SERVICE, "[Unit]\nWants=docker-tcp.socket\n"),
            Outcome::Fail,
        ),
        (
            "named by the service alone",
            enabled(&unnamed).append(
                SERVICE,
                "[Service]\nSockets=docker.socket docker-tcp.socket\n",
            ),
            Outcome::Fail,
        ),
        (
            "named in a drop-in of the socket",
            enabled(&unnamed).file(
                "/etc/systemd/system/docker-tcp.socket.d/a.conf",
                "[Socket]\nService=docker.service\n",
            ),
            Outcome::Fail,
        ),
        (
            "an address in a drop-in of all sockets named so",
            enabled(&TCP.replace("ListenStream=2375", "ListenStream=/run/x.sock")).file(
                "/etc/systemd/system/docker-.socket.d/a.conf",
                "[Socket]\nListenStream=[::]:2375\n",
            ),
            Outcome::Fail,
        ),
        (
            "a second address",
            Image::debian().append(own, "ListenStream=127.0.0.1:2375\n"),
            Outcome::Fail,
        ),
        (
            "taken back",
            Image::debian().append(
                own,
                "ListenStream=2375\nListenStream=\nListenStream=/run/docker.sock\n",
            ),
            Outcome::NotApplicable,
        ),
        (
            "below %t",
            Image::debian().append(own, "ListenStream=%t/x.sock\n"),
            Outcome::NotApplicable,
        ),
        (
            "with a specifier",
            Image::debian().append(own, "ListenStream=%i:2375\n"),
            Outcome::Unknown,
        ),
        (
            "a virtual machine's",
            Image::debian().append(own, "ListenStream=vsock::2375\n"),
            Outcome::Fail,
        ),
    ] {
        assert_eq!(tls(&image), outcome, "{what}");
    }
}

#[test]
fn the_managers_environment_is_a_source_of_flags() {
    let conf = |text: &str| Image::debian().file("/etc/systemd/system.conf.d/a.conf", text);
    let default = "[Manager]\nDefaultEnvironment=\"DOCKER_OPTS=-H tcp://0.0.0.0:2375\"\n";
    assert_eq!(tls(&conf(default)), Outcome::Fail);
    assert_eq!(
        tls(&conf(&default.replace("DOCKER_OPTS", "OTHER"))),
        Outcome::NotApplicable
    );
    assert_eq!(
        tls(&conf(&default.replace("tcp://0.0.0.0:2375", "unix://%t/x"))),
        Outcome::Unknown
    );
    // What is closer to the service wins.
    let own = conf(default).file("/etc/default/docker", "DOCKER_OPTS=\n");
    assert_eq!(tls(&own), Outcome::NotApplicable);
    // A flag that comes from there is replaced, not repeated.
    let icc = conf("[Manager]\nDefaultEnvironment=DOCKER_OPTS=--icc=true\n");
    let plan = planned(&icc.facts(), &["daemon-icc"]);
    let paths: Vec<&str> = plan
        .steps
        .iter()
        .map(|step| step.action.path.as_str())
        .collect();
    assert!(
        paths
            .iter()
            .any(|path| path.ends_with("docker.service.d/zz-seaworthy.conf")),
        "{paths:?} {:?}",
        plan.held_back
    );
}

#[test]
fn no_plan_passes_over_a_unit_that_systemd_refuses() {
    let second = "[Service]\nExecStart=/usr/sbin/dockerd -H fd:// --icc=true\n";
    let optional = "EnvironmentFile=-/etc/default/docker";
    for (image, reason) in [
        (
            Image::debian().file(DROP_IN, second),
            "more than one ExecStart=",
        ),
        (
            Image::debian().file(DROP_IN, "[Service]\nExecStart=\n"),
            "no ExecStart=",
        ),
        (
            Image::debian().replace(SERVICE, "/usr/sbin/dockerd", "sbin/dockerd"),
            "neither an absolute path",
        ),
        (
            Image::debian().replace(SERVICE, "$DOCKER_OPTS", "\"--x"),
            "quotes are not balanced",
        ),
        (
            Image::debian().replace(SERVICE, "$DOCKER_OPTS", "--label=%Z"),
            "no specifier",
        ),
        (
            Image::debian().replace(SERVICE, optional, "EnvironmentFile=/etc/docker/site.env"),
            "/etc/docker/site.env does not exist",
        ),
        (
            Image::debian()
                .append(SERVICE, "[Unit]\nRequires=docker.socket\n")
                .file(
                    "/usr/lib/systemd/system/docker.socket",
                    "[Socket]\nSocketMode=0660\n",
                ),
            "no ListenStream=",
        ),
    ] {
        let facts = image.facts();
        assert_eq!(verdicts(&facts)["daemon-unit"], Outcome::Fail, "{reason}");
        let plan = planned(&facts, &["daemon-live-restore", "daemon-unit"]);
        assert_eq!(plan.steps, [], "{reason}");
        let told = plan
            .held_back
            .iter()
            .filter(|held| held.reason.contains(reason));
        assert!(told.count() >= 1, "{reason}: {:?}", plan.held_back);
    }
    assert_eq!(
        verdicts(&Image::debian().facts())["daemon-unit"],
        Outcome::Pass
    );
}

#[test]
fn whoever_may_write_a_drop_in_is_root() {
    let folder = "/etc/systemd/system/docker.service.d";
    let base = || Image::debian().file(DROP_IN, "[Service]\nEnvironment=A=1\n");
    let socket = "/etc/systemd/system/docker.socket.d";
    let with_socket = || base().file(&format!("{socket}/a.conf"), "[Socket]\nSocketMode=0600\n");
    for (image, path, control) in [
        (base().mode(DROP_IN, 0o666), DROP_IN, "docker-service-mode"),
        (base().mode(folder, 0o777), folder, "docker-service-mode"),
        (
            base().mode("/etc/default/docker", 0o664),
            "/etc/default/docker",
            "docker-service-mode",
        ),
        (
            base().mode("/etc/default", 0o775),
            "/etc/default",
            "docker-service-mode",
        ),
        (base().mode("/etc", 0o777), "/etc", "docker-service-mode"),
        (
            Image::debian().folder(folder).mode(folder, 0o777),
            folder,
            "docker-service-mode",
        ),
        (
            with_socket().mode(socket, 0o777),
            socket,
            "docker-socket-mode",
        ),
        (
            base().file(SOCKET, TCP).mode(SOCKET, 0o646),
            SOCKET,
            "docker-socket-mode",
        ),
    ] {
        let facts = image.facts();
        assert_eq!(verdicts(&facts)[control], Outcome::Fail, "{path}");
        let plan = planned(&facts, &[control]);
        let step = plan.steps.iter().find(|step| step.action.path == path);
        let step = step.unwrap_or_else(|| panic!("{path}: {:?}", plan.held_back));
        let mode = step.action.after.attributes().unwrap().mode.0;
        assert_eq!(mode & 0o022, 0, "{path}");
        assert_eq!(verdicts(&plan.forecast)[control], Outcome::Pass, "{path}");
    }
    let clean = verdicts(&base().facts());
    assert_eq!(clean["docker-service-mode"], Outcome::Pass);
    assert_eq!(clean["docker-service-ownership"], Outcome::Pass);
}
