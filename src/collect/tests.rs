mod daemon;
mod openrc;
mod setuid;
mod silent;
mod stopped;

use super::*;
use crate::facts::{Cause, Kind, Look, Node, RuleLoader};
use crate::host::{DockerAnswers, LinuxHost, Output};
use serde_json::json;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;

/// A running host from tables, which counts how often a path was looked at.
#[derive(Default)]
struct Model {
    files: BTreeMap<String, Node>,
    outputs: BTreeMap<String, Output>,
    root: bool,
    docker: Option<DockerAnswers>,
    silence: Cause,
    looks: RefCell<BTreeMap<String, Vec<Look>>>,
    asked: RefCell<Vec<String>>,
}

impl Model {
    fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.to_owned(), Node::file(text));
        self
    }

    /// A process whose third descriptor is a socket.
    fn process(mut self, pid: u32, argv: &[&str], inode: u32) -> Self {
        let folder = format!("/proc/{pid}/fd");
        let node = |kind| Node {
            kind,
            ..Node::default()
        };
        let names = ["0", "10", "3"].map(str::to_owned).to_vec();
        let fds = Node {
            entries: Some(names),
            ..node(Kind::Folder)
        };
        let socket = Node {
            target: Some(format!("socket:[{inode}]")),
            ..node(Kind::Link)
        };
        self.files.insert(folder.clone(), fds);
        self.files.insert(format!("{folder}/3"), socket);
        let line = argv.join("\0") + "\0";
        self.file(&format!("/proc/{pid}/cmdline"), &line)
    }

    fn prints(mut self, command: &str, stdout: &str) -> Self {
        let output = Output {
            status: Some(0),
            stdout: stdout.to_owned(),
            stderr: String::new(),
        };
        self.outputs.insert(command.to_owned(), output);
        self
    }
}

impl ReadHost for Model {
    fn is_live(&self) -> bool {
        true
    }

    fn is_root(&self) -> bool {
        self.root
    }

    fn node(&self, path: &str, look: Look) -> Result<Node, HostError> {
        let mut looks = self.looks.borrow_mut();
        looks.entry(path.to_owned()).or_default().push(look);
        if path.starts_with("/root/") {
            let source = std::io::ErrorKind::PermissionDenied.into();
            return Err(HostError::file(path, "read", source));
        }
        let below = format!("{path}/");
        let names: BTreeSet<String> = self
            .files
            .keys()
            .filter_map(|other| other.strip_prefix(&below)?.split('/').next())
            .map(str::to_owned)
            .collect();
        let folder = || Node {
            kind: Kind::Folder,
            entries: Some(names.iter().cloned().collect()),
            ..Node::default()
        };
        let mut node = match self.files.get(path) {
            Some(node) => node.clone(),
            None if names.is_empty() => Node::absent(),
            None => folder(),
        };
        if look < Look::Content {
            node.content = None;
        }
        Ok(node)
    }

    fn report(&self, program: &str, arguments: &[&str]) -> Result<Output, HostError> {
        let first = arguments.first().copied().unwrap_or_default();
        self.outputs
            .get(&format!("{program} {first}"))
            .cloned()
            .ok_or_else(|| HostError::NotInstalled {
                program: program.to_owned(),
            })
    }

    fn program(&self, name: &str) -> Option<String> {
        let installed = self.outputs.keys().any(|it| it.starts_with(name));
        installed.then(|| format!("/usr/sbin/{name}"))
    }

    fn docker(&self, socket: &str) -> Result<DockerAnswers, HostError> {
        self.asked.borrow_mut().push(socket.to_owned());
        self.docker.clone().ok_or_else(|| HostError::Docker {
            socket: socket.to_owned(),
            reason: "no".to_owned(),
            cause: self.silence,
        })
    }

    fn wall_clock(&self, monotonic: u64) -> i64 {
        1_000_000 + i64::try_from(monotonic).unwrap()
    }

    fn since_boot(&self, since_boot: u64) -> i64 {
        i64::try_from(since_boot).unwrap()
    }
}

const SHOW: &str = "\
Id=docker.service
LoadState=loaded
FragmentPath=/usr/lib/systemd/system/docker.service
DropInPaths=/etc/systemd/system/docker.service.d/10-a.conf /etc/systemd/system/docker.service.d/b.conf
ActiveState=active
MainPID=812
ExecStart={ path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd -H fd:// --label a b $DOCKER_OPTS ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }
Environment=
EnvironmentFiles=/etc/default/docker (ignore_errors=yes)
RefuseManualStop=no
NeedDaemonReload=no
UnitFileState=enabled
ExecMainStartTimestampMonotonic=77

Id=docker.socket
LoadState=loaded
FragmentPath=/usr/lib/systemd/system/docker.socket
DropInPaths=
ActiveState=active
MainPID=0
Listen=/run/docker.sock (Stream)
RefuseManualStop=no
NeedDaemonReload=yes
UnitFileState=enabled

Id=containerd.service
LoadState=not-found
ActiveState=inactive

Id=auditd.service
LoadState=loaded
FragmentPath=/lib/systemd/system/auditd.service
DropInPaths=
ActiveState=active
MainPID=300
ExecStart={ path=/sbin/auditd ; argv[]=/sbin/auditd ; ignore_errors=no ; start_time=[n/a] }
ExecStartPost={ path=/sbin/augenrules ; argv[]=/sbin/augenrules --load ; ignore_errors=yes ; start_time=[n/a] }
RefuseManualStop=yes
NeedDaemonReload=no
UnitFileState=enabled
ExecMainStartTimestampMonotonic=70

Id=audit-rules.service
LoadState=not-found
ActiveState=inactive

Id=snap.docker.dockerd.service
LoadState=not-found
ActiveState=inactive
";

fn model() -> Model {
    Model {
        root: true,
        docker: Some(DockerAnswers {
            version: json!({ "Version": "26.1.5" }),
            ..DockerAnswers::default()
        }),
        ..Model::default()
    }
    .prints("systemctl show", SHOW)
    .prints("docker --version", "Docker version 26.1.5+dfsg1, build a72d7cd\n")
    .prints("auditctl -l", "-w /etc/docker -p wa -k docker\n-a never,task\n")
    .prints("auditctl -s", "enabled 2\nfailure 1\npid 300\n")
    .file("/proc/sys/kernel/hostname", "ship\n")
    .file("/etc/machine-id", "0123\n")
    .file("/etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n")
    .file("/run/docker.sock", "")
    .file("/etc/default/docker", "DOCKER_OPTS=\"--debug --log-level warn\"\n")
    .file(
        "/usr/lib/systemd/system/docker.service",
        "[Service]\nEnvironmentFile=-/etc/default/docker\nExecStart=/usr/sbin/dockerd -H fd:// --label 'a b' $DOCKER_OPTS\n",
    )
    .file(
        "/etc/systemd/system/docker.service.d/10-a.conf",
        "[Service]\nEnvironment=\"X=1 2\"\n",
    )
    .file(
        "/etc/systemd/system/docker.service.d/b.conf",
        "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// --label 'a b' $DOCKER_OPTS --pidfile ${X}\n",
    )
    .file("/usr/lib/systemd/system/docker.socket", "[Socket]\nListenStream=/var/run/docker.sock\n")
}

fn collected(host: &dyn ReadHost) -> Facts {
    collect(host, None, &|_| Requests::new(), &mut |_| {})
}

#[test]
fn a_running_host() {
    let host = model();
    let facts = collected(&host);
    let identity = HostIdentity {
        name: "ship".to_owned(),
        machine_id: "0123".to_owned(),
        os: "Debian GNU/Linux 13 (trixie)".to_owned(),
        live: true,
        root: true,
    };
    assert_eq!(facts.host, identity);
    let docker = &facts.units["docker.service"];
    assert_eq!(
        *docker.argv,
        [
            "/usr/sbin/dockerd",
            "-H",
            "fd://",
            "--label",
            "a b",
            "--debug",
            "--log-level",
            "warn",
            "--pidfile",
            "1 2"
        ]
    );
    let origins: Vec<String> = docker.origins.iter().map(ToString::to_string).collect();
    let drop_in = "in /etc/systemd/system/docker.service.d/b.conf:3";
    let mut expected = vec![drop_in.to_owned(); docker.argv.len()];
    expected[5..8].fill("from DOCKER_OPTS in /etc/default/docker:1".to_owned());
    assert_eq!(origins, expected);
    assert_eq!(docker.drop_ins.len(), 2);
    assert_eq!(docker.environment_files, ["/etc/default/docker"]);
    assert_eq!((docker.main_pid, docker.started), (812, 1_000_077));
    assert!(docker.is_active());
    let socket = &facts.units["docker.socket"];
    assert_eq!(socket.listen.as_deref(), Some("/run/docker.sock"));
    assert!(socket.needs_reload);
    assert!(!facts.units.contains_key("containerd.service"));
    // Its file is not there: what the manager says has to do.
    let auditd = &facts.units["auditd.service"];
    assert_eq!(*auditd.argv, ["/sbin/auditd"]);
    assert_eq!(auditd.start_post, ["/sbin/augenrules --load"]);
    assert!(auditd.refuses_stop);
    assert_eq!(facts.auditing.loader, RuleLoader::Augenrules);
    let rules = facts.auditing.kernel_rules.known().unwrap();
    assert_eq!(*rules, ["-w /etc/docker -p wa -k docker", "-a never,task"]);
    assert!(facts.auditing.is_locked());
    assert_eq!(facts.docker.known().unwrap().version, "26.1.5");
    assert_eq!(facts.docker_version, Seen::Known("26.1.5".to_owned()));
    let client = Some("26.1.5+dfsg1".to_owned());
    assert_eq!(facts.docker_client, Seen::Known(client));
    assert_eq!(*host.asked.borrow(), ["/run/docker.sock"]);
    assert!(facts.files.contains_key("/etc/default/docker"));
}

#[test]
fn no_path_is_read_twice_and_requests_lead_to_requests() {
    let host = model()
        .file("/etc/docker/daemon.json", "/srv/docker")
        .file("/srv/docker", "");
    let wanted = |facts: &Facts| {
        let mut requests = Requests::from([
            ("/etc/docker/daemon.json".to_owned(), Look::Content),
            ("/etc/default/docker".to_owned(), Look::Content),
            ("/etc/os-release".to_owned(), Look::Attributes),
            ("/run/docker.sock".to_owned(), Look::Attributes),
            ("/root/secret".to_owned(), Look::Content),
        ]);
        if let Some(path) = facts.text("/etc/docker/daemon.json") {
            requests.insert(path.to_owned(), Look::Attributes);
        }
        if facts.exists("/srv/docker") {
            requests.insert("/srv/docker".to_owned(), Look::Content);
        }
        requests
    };
    let facts = collect(&host, None, &wanted, &mut |_| {});
    assert_eq!(facts.text("/srv/docker"), Some(""));
    assert_eq!(
        facts.node("/root/secret"),
        Seen::Unseen(
            Unseen::new("permission denied", "sudo seaworthy audit").because(Cause::NotPermitted)
        )
    );
    for (path, looks) in host.looks.borrow().iter() {
        let expected = match path.as_str() {
            "/srv/docker" => vec![Look::Attributes, Look::Content],
            path => vec![looks[0]; usize::from(!path.is_empty())],
        };
        assert_eq!(*looks, expected, "{path}");
    }
}

#[test]
fn a_daemon_is_asked_only_where_that_cannot_start_it() {
    let down = SHOW.replacen("ActiveState=active", "ActiveState=inactive", 1);
    let gone = SHOW.replacen("LoadState=loaded", "LoadState=not-found", 1);
    for (show, docker_host, asked) in [
        (SHOW, None, Some("/run/docker.sock")),
        (SHOW, Some("tcp://1.2.3.4:2375"), Some("/run/docker.sock")),
        (
            SHOW,
            Some("unix:///var/run/docker.sock"),
            Some("/var/run/docker.sock"),
        ),
        (down.as_str(), None, None),
        (down.as_str(), Some("unix:///var/run/docker.sock"), None),
        (
            down.as_str(),
            Some("unix:///home/me/docker.sock"),
            Some("/home/me/docker.sock"),
        ),
        (gone.as_str(), None, Some("/run/docker.sock")),
        // No systemd runs here; the unit's file has the old name of the path.
        ("", None, Some("/var/run/docker.sock")),
        (SHOW, Some("unix:///nowhere.sock"), None),
    ] {
        let host = model()
            .prints("systemctl show", show)
            .prints("dockerd --version", "Docker version 20.10.24, build 1\n")
            .file("/var/run/docker.sock", "")
            .file("/home/me/docker.sock", "");
        let facts = collect(&host, docker_host, &|_| Requests::new(), &mut |_| {});
        let sockets: Vec<String> = asked.into_iter().map(str::to_owned).collect();
        assert_eq!(*host.asked.borrow(), sockets, "{docker_host:?}");
        assert_eq!(facts.docker.known().is_some(), asked.is_some());
    }
}

#[test]
fn what_cannot_be_seen_has_a_reason() {
    let host = Model::default();
    let facts = collected(&host);
    assert_eq!(facts.docker_client, Seen::Known(None));
    assert!(facts.units.is_empty());
    assert_eq!(facts.auditing.loader, RuleLoader::None);
    let said = serde_json::to_value(&facts).unwrap();
    for (pointer, reason) in [
        ("/docker", "there is no Docker socket at /run/docker.sock"),
        ("/docker_version", "`dockerd` is not installed"),
        ("/auditing/kernel_rules", "auditctl is not installed"),
    ] {
        assert_eq!(
            said.pointer(pointer).unwrap()["unseen"],
            reason,
            "{pointer}"
        );
    }
    let host = Model {
        root: false,
        ..model()
    };
    let rules = collected(&host).auditing.kernel_rules;
    assert_eq!(
        rules,
        Seen::unseen("only root may list the audit rules", "sudo seaworthy audit")
    );
    let host = model().prints("auditctl -l", "");
    assert!(collected(&host).auditing.kernel_rules.known().is_none());
    let host = model().prints("auditctl -l", "No rules\n");
    assert_eq!(
        collected(&host).auditing.kernel_rules,
        Seen::Known(Vec::new())
    );
}

#[test]
fn units_in_an_image() {
    let image = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = image.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let link = |target: &str, path: &str| {
        let path = image.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    };
    link("usr/lib", "lib");
    put("etc/hostname", "image\n");
    link("../usr/lib/os-release", "etc/os-release");
    put("usr/lib/os-release", "PRETTY_NAME=Image\n");
    put(
        "usr/lib/systemd/system/docker.service",
        "[Service]\nExecStart=/usr/bin/dockerd -H fd:// $OPTIONS\nEnvironment=OPTIONS=--debug\n[Install]\nWantedBy=multi-user.target\n",
    );
    link(
        "/lib/systemd/system/docker.service",
        "etc/systemd/system/multi-user.target.wants/docker.service",
    );
    put(
        "usr/lib/systemd/system/docker.service.d/50-x.conf",
        "[Service]\nEnvironment=OPTIONS=--vendor\n",
    );
    put(
        "etc/systemd/system/docker.service.d/50-x.conf",
        "[Service]\nEnvironment=OPTIONS=--icc=false\n",
    );
    put(
        "etc/systemd/system/docker.service.d/60-x.conf.bak",
        "[Service]\nExecStart=\n",
    );
    put(
        "usr/lib/systemd/system/service.d/10-all.conf",
        "[Service]\nEnvironment=OPTIONS=--all\n",
    );
    put(
        "usr/lib/systemd/system/docker.service.d/70-off.conf",
        "[Service]\nExecStart=\n",
    );
    link(
        "/dev/null",
        "etc/systemd/system/docker.service.d/70-off.conf",
    );
    link("/dev/null", "etc/systemd/system/docker.socket");
    put(
        "usr/lib/systemd/system/docker.socket",
        "[Socket]\nListenStream=/run/docker.sock\n",
    );
    put(
        "usr/lib/systemd/system/audit-rules.service",
        "[Service]\nExecStart=/sbin/augenrules --load\n[Unit]\nRefuseManualStop=yes\n",
    );

    let host = LinuxHost::folder(image.path()).unwrap();
    let facts = collected(&host);
    assert_eq!(
        (facts.host.name.as_str(), facts.host.os.as_str()),
        ("image", "Image")
    );
    assert!(!facts.host.live);
    let docker = &facts.units["docker.service"];
    assert_eq!(docker.fragment, "/usr/lib/systemd/system/docker.service");
    assert_eq!(
        docker.drop_ins,
        [
            "/usr/lib/systemd/system/service.d/10-all.conf",
            "/etc/systemd/system/docker.service.d/50-x.conf"
        ]
    );
    assert_eq!(
        *docker.argv,
        ["/usr/bin/dockerd", "-H", "fd://", "--icc=false"]
    );
    assert_eq!(
        (docker.active.as_str(), docker.enabled.as_str()),
        ("", "enabled")
    );
    assert_eq!(facts.units["docker.socket"].enabled, "masked");
    let rules = &facts.units["audit-rules.service"];
    assert!(rules.refuses_stop);
    assert_eq!(rules.enabled, "static");
    assert_eq!(facts.auditing.loader, RuleLoader::Augenrules);
    assert!(facts.docker.known().is_none() && facts.docker_version.known().is_none());
    // Everything survives being written down.
    let text = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<Facts>(&text).unwrap(), facts);
}

#[test]
fn this_machine() {
    let host = LinuxHost::live().unwrap();
    let facts = collected(&host);
    assert!(!facts.host.name.is_empty());
    assert_eq!(facts.host.root, nix::unistd::geteuid().is_root());
}

#[test]
fn sizes_are_asked_for_where_the_daemon_was_seen() {
    let host = model();
    let mut facts = collected(&host);
    let reason = |seen: Seen<Usage>| match seen {
        Seen::Unseen(unseen) => unseen.unseen,
        Seen::Known(usage) => panic!("{usage:?}"),
    };
    // This host does not measure.
    assert_eq!(
        reason(usage(&host, None, &facts)),
        "no daemon is asked here"
    );
    facts.docker = Seen::unseen("docker.service is not running", "");
    assert_eq!(
        reason(usage(&host, None, &facts)),
        "docker.service is not running"
    );
}
