use super::*;
use crate::facts::{Docker, Kind, Node, UnitState};

const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nsvc:x:990:990::/var/lib/svc:/x\n";

struct Host(Facts);

impl Host {
    fn live() -> Self {
        let mut facts = Facts::default();
        facts.host.live = true;
        Self(facts).file("/etc/passwd", PASSWD)
    }

    fn file(mut self, path: &str, text: &str) -> Self {
        let node = Seen::Known(Node::file(text));
        self.0.files.insert(path.to_owned(), node);
        self
    }

    fn logged_in(mut self, uid: &str) -> Self {
        let node = Node {
            kind: Kind::Folder,
            entries: Some(vec![uid.to_owned()]),
            ..Node::default()
        };
        self.0.files.insert(RUN_USER.to_owned(), Seen::Known(node));
        self
    }

    fn unit(mut self, name: &str, fragment: &str, active: &str, enabled: &str) -> Self {
        let unit = UnitState {
            fragment: fragment.to_owned(),
            active: active.to_owned(),
            enabled: enabled.to_owned(),
            ..UnitState::default()
        };
        self.0.units.insert(name.to_owned(), unit);
        self
    }

    fn rootless_at(mut self, root: &str) -> Self {
        self.0.docker = Seen::Known(Docker {
            security_options: vec!["name=rootless".to_owned()],
            root_dir: root.to_owned(),
            ..Docker::default()
        });
        self
    }
}

fn name(installation: &Installation) -> String {
    match installation {
        Installation::Rootless(user) => format!("rootless as {}", user.title()),
        other => format!("{other:?}"),
    }
}

#[test]
fn what_shows_it() {
    let unit = "/usr/lib/systemd/system/docker.service";
    let snap = "/etc/systemd/system/snap.docker.dockerd.service";
    let socket = "/run/user/1000/docker.sock";
    let live = Host::live;
    let off = |host: Host| host.unit("docker.service", unit, "inactive", "disabled");
    let on = |host: Host| host.unit("docker.service", unit, "active", "enabled");
    let with_snap = |host: Host| host.unit(SNAP_SERVICE, snap, "active", "enabled");
    let user = |host: Host| host.logged_in("1000").file(socket, "");
    for (host, expected, source) in [
        (live(), "None", "docker.service"),
        (on(live()), "Systemd", unit),
        (off(live()), "Systemd", unit),
        (on(user(live())), "Systemd", unit),
        (off(user(live())), "rootless as alice", socket),
        (user(live()), "rootless as alice", socket),
        // Somebody is logged in and has no daemon.
        (off(live().logged_in("1000")), "Systemd", unit),
        (with_snap(live()), "Snap", snap),
        (with_snap(off(live())), "Snap", snap),
        (with_snap(on(live())), "Systemd", unit),
        (
            live().unit("docker.service", INIT_SCRIPT, "active", "enabled"),
            "OpenRc",
            INIT_SCRIPT,
        ),
        (
            live().file("/opt/docker-desktop", ""),
            "Desktop",
            "/opt/docker-desktop",
        ),
        (on(live().file("/opt/docker-desktop", "")), "Systemd", unit),
        // The daemon's own word.
        (
            on(live()).rootless_at("/home/alice/.local/share/docker"),
            "rootless as alice",
            "/info SecurityOptions",
        ),
        (
            live()
                .logged_in("4711")
                .file("/run/user/4711/docker.sock", ""),
            "rootless as the user 4711",
            "/run/user/4711/docker.sock",
        ),
    ] {
        let (installation, seen) = Installation::of(&host.0);
        assert_eq!(
            (name(&installation).as_str(), seen.as_str()),
            (expected, source)
        );
    }
}

#[test]
fn in_an_image_the_units_of_users_tell() {
    let mut host = Host::live().file("/home/alice/.config/systemd/user/docker.service", "");
    host.0.host.live = false;
    let (installation, _) = Installation::of(&host.0);
    assert_eq!(name(&installation), "rootless as alice");
    // They are looked for in an image only, and in homes of people only.
    let asked: Vec<String> = Installation::requests(&host.0)
        .into_keys()
        .filter(|path| path.contains("/.config/"))
        .collect();
    assert_eq!(asked, ["/home/alice/.config/systemd/user/docker.service"]);
    host.0.host.live = true;
    let asked = Installation::requests(&host.0);
    assert!(!asked.keys().any(|path| path.starts_with("/home/")));
}
