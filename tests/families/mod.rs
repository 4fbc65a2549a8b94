//! Sample hosts of each family of distributions and kind of installation: paths and verdicts are
//! theirs, and no plan touches what is not.

use seaworthy::audit::judge;
use seaworthy::catalog::{Catalog, Selection};
use seaworthy::change::Activation;
use seaworthy::checks::installation::Installation;
use seaworthy::checks::{Layout, Outcome, Place};
use seaworthy::facts::{Facts, Kind};
use seaworthy::plan::{self, Options, Plan};
use seaworthy::policy::Policy;
use serde_json::json;
use std::collections::BTreeMap;

const TODAY: &str = "2026-11-22";

pub(crate) const HOSTS: [&str; 15] = [
    "alpine-3.20",
    "alpine-3.20-image",
    "amazon-linux-2023",
    "arch",
    "busy-debian-13",
    "debian-12",
    "debian-13",
    "fedora-41",
    "fedora-coreos",
    "nixos-24.11",
    "opensuse-leap-15.6",
    "ubuntu-24.04-desktop",
    "ubuntu-24.04-docker-ce",
    "ubuntu-24.04-rootless",
    "ubuntu-24.04-snap",
];

fn sample(name: &str, overlay: &serde_json::Value) -> Facts {
    crate::versions::sample(name, overlay, &Catalog::embedded().unwrap())
}

fn planned(facts: &Facts, allow_disruption: bool) -> Plan {
    let options = Options {
        allow_disruption,
        ..Options::default()
    };
    let catalog = Catalog::embedded().unwrap();
    plan::plan(&catalog, facts, &Policy::default(), &options, TODAY)
}

fn outcomes(facts: &Facts) -> BTreeMap<String, Outcome> {
    let catalog = Catalog::embedded().unwrap();
    judge(
        &catalog,
        facts,
        &Policy::default(),
        &Selection::default(),
        TODAY,
    )
    .into_iter()
    .map(|one| (one.control.id.clone(), one.judgement.outcome))
    .collect()
}

#[test]
fn every_sample_is_in_the_list() {
    let folder = format!("{}/tests/fixtures/hosts", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.strip_suffix(".toml").unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, HOSTS);
}

/// What kind it is, and the files of daemon.json, data root, API socket, service, dockerd and
/// containerd's socket.
#[test]
fn places_are_those_of_the_family() {
    let config = "/etc/docker/daemon.json";
    let data = "/var/lib/docker";
    let socket = "/run/docker.sock";
    let unit = "/usr/lib/systemd/system/docker.service";
    let containerd = "/run/containerd/containerd.sock";
    for (name, kind, places) in [
        (
            "debian-12",
            "systemd",
            [
                config,
                data,
                socket,
                "/lib/systemd/system/docker.service",
                "/usr/sbin/dockerd",
                containerd,
            ],
        ),
        (
            "ubuntu-24.04-docker-ce",
            "systemd",
            [config, data, socket, unit, "/usr/bin/dockerd", containerd],
        ),
        (
            "fedora-41",
            "systemd",
            [config, data, socket, unit, "/usr/bin/dockerd", containerd],
        ),
        (
            "amazon-linux-2023",
            "systemd",
            [config, data, socket, unit, "/usr/bin/dockerd", containerd],
        ),
        (
            "opensuse-leap-15.6",
            "systemd",
            [config, data, socket, unit, "/usr/bin/dockerd", containerd],
        ),
        (
            "arch",
            "systemd",
            [config, data, socket, unit, "/usr/bin/dockerd", containerd],
        ),
        (
            "alpine-3.20",
            "OpenRC",
            [
                config,
                data,
                socket,
                "/etc/init.d/docker",
                "/usr/bin/dockerd",
                "/var/run/docker/containerd/containerd.sock",
            ],
        ),
        (
            "ubuntu-24.04-snap",
            "snap",
            [
                "/var/snap/docker/current/config/daemon.json",
                "/var/snap/docker/common/var-lib-docker",
                socket,
                "/etc/systemd/system/snap.docker.dockerd.service",
                "/snap/docker/current/bin/dockerd",
                "/run/snap.docker/containerd/containerd.sock",
            ],
        ),
        (
            "ubuntu-24.04-rootless",
            "rootless",
            [
                "/home/alice/.config/docker/daemon.json",
                "/home/alice/.local/share/docker",
                "/run/user/1000/docker.sock",
                "/home/alice/.config/systemd/user/docker.service",
                "/usr/bin/dockerd",
                "/run/user/1000/docker/containerd/containerd.sock",
            ],
        ),
        (
            "nixos-24.11",
            "systemd",
            [
                "/nix/store/8v1yk5f1m3bbc0k8gcl8q0x9rj7dg0z1-daemon.json",
                data,
                socket,
                "/etc/systemd/system/docker.service",
                "/nix/store/kq3wz0c9xkyl1xq2i5m4j4v7nvn3r6dz-moby-27.5.1/bin/dockerd",
                "/var/run/docker/containerd/containerd.sock",
            ],
        ),
    ] {
        let facts = sample(name, &json!({}));
        let layout = Layout::of(&facts);
        let seen = match layout.installation {
            Installation::Systemd => "systemd",
            Installation::OpenRc => "OpenRC",
            Installation::Snap => "snap",
            Installation::Rootless(_) => "rootless",
            Installation::Desktop => "Desktop",
            Installation::ByHand => "by hand",
            Installation::None => "none",
        };
        assert_eq!(seen, kind, "{name}");
        let all = [
            Place::DaemonJson,
            Place::DataRoot,
            Place::ApiSocket,
            Place::DockerService,
            Place::Dockerd,
            Place::ContainerdSocket,
        ];
        let found = all.map(|place| layout.paths(&place).join(" "));
        assert_eq!(found, places.map(str::to_owned), "{name}");
    }
    // A user's daemon is not asked unless it is named; starting the host's would not help.
    let rootless = sample("ubuntu-24.04-rootless", &json!({}));
    let catalog = Catalog::embedded().unwrap();
    let control = catalog.get("daemon-experimental").unwrap();
    let judged = control.check.judge(&rootless, &Policy::default());
    assert_eq!(
        judged.evidence[1].hint.as_deref(),
        Some("DOCKER_HOST=unix:///run/user/1000/docker.sock seaworthy audit")
    );
    let desktop = sample("ubuntu-24.04-desktop", &json!({}));
    assert_eq!(Layout::of(&desktop).installation, Installation::Desktop);
}

#[test]
fn verdicts_where_families_differ() {
    use Outcome::{Fail, NotApplicable, Pass, Unknown};
    for (name, expected) in [
        (
            "ubuntu-24.04-docker-ce",
            // /etc/default/docker says otherwise, and nobody reads it.
            &[
                ("daemon-icc", Fail),
                ("daemon-live-restore", Fail),
                ("audit-default-docker", Fail),
                ("audit-sysconfig-docker", NotApplicable),
                ("daemon-storage-aufs", NotApplicable),
            ][..],
        ),
        (
            "fedora-41",
            &[
                ("daemon-live-restore", Pass),
                ("daemon-icc", Fail),
                ("audit-sysconfig-docker", Fail),
                ("audit-default-docker", NotApplicable),
                ("sysconfig-docker-mode", Pass),
                ("daemon-json", Pass),
            ],
        ),
        (
            "amazon-linux-2023",
            &[
                ("daemon-live-restore", Fail),
                ("audit-sysconfig-docker", Fail),
                ("daemon-storage-devicemapper", NotApplicable),
            ],
        ),
        (
            "opensuse-leap-15.6",
            &[
                ("daemon-icc", Fail),
                ("audit-docker-socket", NotApplicable),
                ("docker-socket-mode", NotApplicable),
                ("audit-runc", Fail),
                ("daemon-json", Pass),
            ],
        ),
        (
            "arch",
            &[
                ("audit-docker-socket", Fail),
                ("audit-dockerd", Fail),
                ("daemon-icc", Fail),
            ],
        ),
        (
            "alpine-3.20",
            &[
                ("daemon-icc", Fail),
                // A script must be executable.
                ("docker-service-mode", Pass),
                ("docker-service-ownership", Pass),
                ("docker-socket-mode", NotApplicable),
                ("audit-docker-service", Fail),
                ("audit-dockerd", Fail),
            ],
        ),
        (
            "ubuntu-24.04-snap",
            &[
                ("daemon-icc", Fail),
                ("audit-dockerd", Fail),
                ("etc-docker-mode", NotApplicable),
                ("docker-service-mode", Pass),
            ],
        ),
        (
            "ubuntu-24.04-rootless",
            &[
                // Alice's daemon runs, and could not be asked.
                ("daemon-icc", Fail),
                ("daemon-log-level", Fail),
                ("daemon-userns-remap", NotApplicable),
                ("daemon-experimental", Unknown),
                ("daemon-json-ownership", NotApplicable),
                ("audit-daemon-json", NotApplicable),
                ("api-socket-ownership", NotApplicable),
                ("audit-api-socket", NotApplicable),
                ("audit-data-root", NotApplicable),
                ("containerd-socket-mode", NotApplicable),
                ("audit-dockerd", Fail),
            ],
        ),
        (
            "ubuntu-24.04-desktop",
            &[
                ("daemon-icc", Unknown),
                ("daemon-json", Unknown),
                ("daemon-tls", Unknown),
                ("audit-dockerd", NotApplicable),
                ("audit-etc-docker", NotApplicable),
                ("daemon-json-mode", NotApplicable),
                ("content-trust", Fail),
            ],
        ),
        (
            "nixos-24.11",
            &[("daemon-live-restore", Pass), ("daemon-icc", Fail)],
        ),
    ] {
        let facts = sample(name, &json!({}));
        let outcomes = outcomes(&facts);
        for (control, expected) in expected {
            assert_eq!(outcomes[*control], *expected, "{name}: {control}");
        }
    }
}

/// Folders in which a plan may write at all on a host of the usual kind.
const USUAL: [&str; 7] = [
    "/etc/audit/",
    "/etc/docker",
    "/etc/environment",
    "/etc/systemd/system/docker.s",
    "/etc/tmpfiles.d/seaworthy.conf",
    "/etc/containerd",
    "/run/docker.sock",
];

#[test]
fn no_plan_writes_what_is_not_of_the_family() {
    for name in HOSTS {
        let allowed: &[&str] = match name {
            "nixos-24.11" => &[],
            "ubuntu-24.04-snap" => &["/etc/environment", "/etc/audit/rules.d/"],
            "ubuntu-24.04-desktop" => &["/etc/environment"],
            "alpine-3.20" => &["/etc/environment", "/run/docker.sock"],
            "alpine-3.20-image" => &[
                "/etc/environment",
                "/etc/audit/audit.rules",
                "/etc/docker/daemon.json",
            ],
            "ubuntu-24.04-rootless" => &["/etc/environment", "/etc/audit/", "/etc/tmpfiles.d/"],
            _ => &USUAL,
        };
        let facts = sample(name, &json!({}));
        for allow_disruption in [false, true] {
            let plan = planned(&facts, allow_disruption);
            for step in &plan.steps {
                assert!(
                    allowed
                        .iter()
                        .any(|path| step.action.path.starts_with(path)),
                    "{name}: {}",
                    step.action.path
                );
            }
            // Nobody's docker.service is restarted where there is none, or none that we watch.
            let restarts = plan.activates(Activation::RestartDocker);
            assert_eq!(restarts, allowed == USUAL, "{name}");
            let shows_config = |back: &plan::HeldBack| {
                back.changes
                    .iter()
                    .any(|action| action.path.ends_with("daemon.json"))
            };
            if matches!(name, "ubuntu-24.04-snap" | "alpine-3.20") {
                assert!(plan.held_back.iter().any(shows_config), "{name}");
            }
            for back in &plan.held_back {
                assert!(
                    !back.reason.is_empty() && !back.release.is_empty(),
                    "{name}: {back:?}"
                );
            }
        }
    }
}

#[test]
fn what_is_held_back_says_why_and_what_helps() {
    let bad_unit = |path: &str| json!({ "files": { path: { "mode": "0666" } } });
    for (name, overlay, control, reason, release) in [
        (
            "ubuntu-24.04-snap",
            json!({}),
            "daemon-icc",
            "Docker is a snap here",
            "snap restart docker",
        ),
        (
            "ubuntu-24.04-snap",
            json!({}),
            "audit-dockerd",
            "a watch stays with the revision",
            "snap list --all docker",
        ),
        (
            "ubuntu-24.04-rootless",
            json!({}),
            "daemon-icc",
            "belong to alice",
            "systemctl --user --machine=alice@ restart docker",
        ),
        (
            "alpine-3.20",
            json!({}),
            "daemon-icc",
            "OpenRC runs Docker here",
            "editor /etc/docker/daemon.json && rc-service docker restart",
        ),
        (
            "alpine-3.20",
            json!({}),
            "audit-dockerd",
            "OpenRC runs auditd here",
            "rc-service auditd reload_rules",
        ),
        (
            "alpine-3.20",
            json!({}),
            "audit-api-socket",
            "OpenRC runs auditd here",
            "rc-service auditd reload_rules",
        ),
        (
            "nixos-24.11",
            json!({}),
            "daemon-icc",
            "NixOS generates",
            "nixos-rebuild switch",
        ),
        (
            "fedora-coreos",
            bad_unit("/usr/lib/systemd/system/docker.service"),
            "docker-service-mode",
            "read-only",
            "/usr/lib/systemd/system/docker.service",
        ),
    ] {
        let plan = planned(&sample(name, &overlay), true);
        let back = plan
            .held_back
            .iter()
            .find(|back| back.control == control)
            .unwrap_or_else(|| panic!("{name}: {control}: {:?}", plan.held_back));
        assert!(back.reason.contains(reason), "{name}: {}", back.reason);
        assert!(back.release.contains(release), "{name}: {}", back.release);
    }
    // In an image of ostree nothing is mounted.
    let facts = sample(
        "fedora-coreos",
        &json!({
            "host": { "live": false },
            "files": {
                "/run/ostree-booted": { "kind": "absent" },
                "/usr/lib/systemd/system/docker.service": { "mode": "0666", "fixed": null },
            }
        }),
    );
    let plan = planned(&facts, true);
    let back = plan
        .held_back
        .iter()
        .find(|back| back.control == "docker-service-mode")
        .unwrap();
    assert!(back.reason.contains("ostree"), "{}", back.reason);
}

#[test]
fn on_a_running_openrc_files_are_changed_and_no_service_is_told() {
    let facts = sample(
        "alpine-3.20",
        &json!({ "files": { "/etc/docker": { "mode": "0777" } } }),
    );
    let plan = planned(&facts, false);
    let paths: Vec<&str> = plan
        .steps
        .iter()
        .map(|step| step.action.path.as_str())
        .collect();
    assert_eq!(paths, ["/etc/docker"]);
    assert!(plan.activations.is_empty());
    // It is looked at that the daemon still runs.
    assert!(plan.expect.docker_runs);
}

#[test]
fn an_image_of_openrc_gets_its_one_rules_file() {
    let facts = sample("alpine-3.20-image", &json!({}));
    let plan = planned(&facts, false);
    let rules = plan.forecast.text("/etc/audit/audit.rules").unwrap();
    assert!(rules.contains("-w /usr/bin/dockerd -p"), "{rules}");
    // Nothing makes that folder before the rules are loaded.
    assert!(!rules.contains("/containerd.sock"), "{rules}");
    assert!(!plan.activates(Activation::LoadAuditRules));
    let config = plan.forecast.text("/etc/docker/daemon.json").unwrap();
    assert!(config.contains("\"icc\": false"), "{config}");
    assert_eq!(
        facts.node("/etc/audit/rules.d").known().unwrap().kind,
        Kind::Absent
    );
}
