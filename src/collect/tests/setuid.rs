//! Programs that gain rights, in the layers of images.

use super::*;
use crate::collect::setuid;
use crate::facts::{Bytes, Container, Docker, Mode, Setuid};

const TOP: &str = "/d/top/diff";
const BASE: &str = "/d/base/diff";

impl Model {
    /// Something in a layer, and the folders that lead to it.
    fn put(mut self, path: &str, node: Node) -> Self {
        let mut at = path;
        while let Some((folder, name)) =
            at.rsplit_once('/').filter(|(folder, _)| !folder.is_empty())
        {
            let entry = self.files.entry(folder.to_owned()).or_insert_with(|| Node {
                kind: Kind::Folder,
                entries: Some(Vec::new()),
                ..Node::default()
            });
            let names = entry.entries.get_or_insert_default();
            if !names.iter().any(|it| it == name) {
                names.push(name.to_owned());
            }
            at = folder;
        }
        self.files.insert(path.to_owned(), node);
        self
    }

    fn program(self, path: &str, mode: u32) -> Self {
        let node = Node {
            mode: Mode(mode),
            ..Node::file("\u{7f}ELF")
        };
        self.put(path, node)
    }

    fn has(self, path: &str, kind: Kind) -> Self {
        let node = Node {
            kind,
            mode: Mode(0o4755),
            ..Node::default()
        };
        self.put(path, node)
    }

    fn link(self, path: &str, target: &str) -> Self {
        let node = Node {
            kind: Kind::Link,
            target: Some(target.to_owned()),
            ..Node::default()
        };
        self.put(path, node)
    }

    fn opaque(mut self, folder: &str) -> Self {
        let node = self.files.get_mut(folder).unwrap();
        node.xattrs
            .insert("trusted.overlay.opaque".to_owned(), "y".into());
        self
    }
}

/// An image of two layers that hold nothing.
fn image() -> Model {
    let model = Model::default();
    [TOP, BASE].into_iter().fold(model, |model, layer| {
        let folder = Node {
            kind: Kind::Folder,
            entries: Some(Vec::new()),
            ..Node::default()
        };
        model.put(layer, folder)
    })
}

fn container(command: &[&str]) -> Container {
    Container {
        user: "app".to_owned(),
        image_id: "sha256:1".to_owned(),
        layers: vec![TOP.to_owned(), BASE.to_owned()],
        command: command.iter().map(|&word| word.to_owned()).collect(),
        ..Container::default()
    }
}

fn seen(host: &Model, containers: &[Container]) -> Vec<Seen<Setuid>> {
    let mut docker = Docker {
        containers: containers.to_vec(),
        storage_driver: "btrfs".to_owned(),
        ..Docker::default()
    };
    setuid(host, &mut docker);
    docker.containers.into_iter().map(|it| it.setuid).collect()
}

fn programs(host: &Model) -> Vec<String> {
    match seen(host, &[container(&[])]).remove(0) {
        Seen::Known(setuid) => setuid.programs,
        Seen::Unseen(unseen) => vec![unseen.unseen],
    }
}

#[test]
fn what_gains_rights() {
    let with_capability = Node {
        xattrs: [("security.capability".to_owned(), Bytes::new(vec![1]))].into(),
        ..Node::default()
    };
    let host = image()
        .program(&format!("{BASE}/usr/bin/su"), 0o4755)
        .program(&format!("{BASE}/usr/bin/wall"), 0o2755)
        .program(&format!("{BASE}/usr/bin/ls"), 0o755)
        .program(&format!("{BASE}/opt/su"), 0o4755)
        .program(&format!("{TOP}/usr/local/bin/mine"), 0o6711)
        .put(&format!("{BASE}/bin/ping"), with_capability)
        .link(&format!("{BASE}/sbin"), "/etc")
        .has(&format!("{BASE}/usr/sbin/folder"), Kind::Folder)
        .link(&format!("{BASE}/usr/sbin/link"), "/etc/passwd")
        .program(&format!("{BASE}/usr/bin/not\nplain"), 0o4755);
    assert_eq!(
        programs(&host),
        [
            "/bin/ping",
            "/usr/bin/su",
            "/usr/bin/wall",
            "/usr/local/bin/mine"
        ]
    );
    assert!(
        !host
            .looks
            .borrow()
            .keys()
            .any(|path| path.starts_with("/etc"))
    );
}

#[test]
fn an_upper_layer_decides() {
    let base = || {
        image()
            .program(&format!("{BASE}/usr/bin/su"), 0o4755)
            .program(&format!("{BASE}/usr/bin/sudo"), 0o4755)
    };
    let at = |path: &str| format!("{TOP}{path}");
    for (host, expected) in [
        (base(), vec!["/usr/bin/su", "/usr/bin/sudo"]),
        (
            base().program(&at("/usr/bin/su"), 0o755),
            vec!["/usr/bin/sudo"],
        ),
        // Deleted: a device stands for that.
        (
            base().has(&at("/usr/bin/su"), Kind::Other),
            vec!["/usr/bin/sudo"],
        ),
        (base().has(&at("/usr/bin"), Kind::Other), vec![]),
        (base().has(&at("/usr"), Kind::Other), vec![]),
        (base().link(&at("/usr/bin"), "/etc"), vec![]),
        (
            base()
                .program(&at("/usr/bin/new"), 0o4755)
                .opaque(&at("/usr/bin")),
            vec!["/usr/bin/new"],
        ),
        (
            base()
                .program(&at("/usr/lib/x"), 0o4755)
                .opaque(&at("/usr")),
            vec![],
        ),
        (
            base().program(&at("/usr/lib/x"), 0o4755),
            vec!["/usr/bin/su", "/usr/bin/sudo"],
        ),
    ] {
        assert_eq!(programs(&host), expected);
    }
}

/// A command, and the programs that it or a script of it names.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);

#[test]
fn what_the_start_names() {
    let host = image()
        .program(&format!("{BASE}/usr/bin/sudo"), 0o4755)
        .program(&format!("{BASE}/usr/bin/passwd"), 0o4755)
        .program(&format!("{BASE}/bin/ping"), 0o4755)
        .program(&format!("{BASE}/bin/sh"), 0o755)
        .put(
            &format!("{BASE}/start.sh"),
            Node::file("#!/bin/sh\n# ping is not here\ncat /etc/passwd\nexec sudo -E \"$@\"\n"),
        )
        .put(
            &format!("{TOP}/usr/local/bin/docker-entrypoint.sh"),
            Node::file("#!/bin/sh\n/bin/ping -c1 db && exec \"$@\"\n"),
        )
        .put(&format!("{BASE}/plain"), Node::file("sudo"))
        .link(&format!("{BASE}/link.sh"), "usr/../start.sh")
        .link(&format!("{BASE}/loop.sh"), "loop.sh");
    let cases: [Case; 14] = [
        (&[], &[]),
        (&["sleep", "1"], &[]),
        (&["sudo", "-E", "x"], &[("sudo", "")]),
        (&["/usr/bin/sudo"], &[("sudo", "")]),
        (
            &["/bin/sh", "-c", "cat /etc/passwd; ping db"],
            &[("ping", "")],
        ),
        (&["/start.sh"], &[("sudo", "/start.sh")]),
        (
            &["/bin/sh", "/start.sh", "ping"],
            &[("ping", ""), ("sudo", "/start.sh")],
        ),
        (
            &["docker-entrypoint.sh"],
            &[("ping", "docker-entrypoint.sh")],
        ),
        (&["/plain"], &[]),
        (&["/link.sh"], &[("sudo", "/link.sh")]),
        (&["/loop.sh"], &[]),
        (
            &["/bin/sh", "-c", "exec /start.sh x"],
            &[("sudo", "/start.sh")],
        ),
        (
            &["/usr/local/../local/./bin/../../../start.sh"],
            &[("sudo", "/usr/local/../local/./bin/../../../start.sh")],
        ),
        (&["/x/../start.sh", "./start.sh"], &[]),
    ];
    for (command, expected) in cases {
        let Seen::Known(setuid) = seen(&host, &[container(command)]).remove(0) else {
            panic!("{command:?}: not seen");
        };
        let named: Vec<(&str, &str)> = setuid
            .named
            .iter()
            .map(|(program, script)| (program.as_str(), script.as_str()))
            .collect();
        assert_eq!(named, expected, "{command:?}");
    }
}

#[test]
fn only_images_that_matter_are_looked_at_and_once() {
    let host = image().program(&format!("{BASE}/bin/su"), 0o4755);
    let plain = container(&[]);
    let other = |change: fn(&mut Container)| {
        let mut container = plain.clone();
        change(&mut container);
        container
    };
    let found = seen(
        &host,
        &[
            other(|it| it.layers = vec!["/gone/diff".to_owned()]),
            other(|it| it.user = "0:0".to_owned()),
            other(|it| it.no_new_privileges = Some(true)),
            other(|it| it.layers = Vec::new()),
            other(|it| {
                it.image_id = "sha256:2".to_owned();
                it.layers = vec!["/root/diff".to_owned()];
            }),
        ],
    );
    assert!(found[1..3].iter().all(|it| *it == Seen::default()));
    let looks = || host.looks.borrow().keys().cloned().collect::<Vec<_>>();
    assert_eq!(looks(), ["/gone/diff", "/root/diff"]);
    let said = |seen: &Seen<Setuid>| match seen {
        Seen::Unseen(unseen) => unseen.unseen.clone(),
        Seen::Known(_) => "seen".to_owned(),
    };
    assert_eq!(said(&found[0]), "its layers are not where the daemon says");
    assert_eq!(
        said(&found[3]),
        "the storage driver btrfs does not say where its layers are"
    );
    assert_eq!(said(&found[4]), "permission denied");
    let found = seen(&host, &[plain.clone(), plain]);
    assert!(found.iter().all(|it| said(it) == "seen"));
    assert_eq!(host.looks.borrow()[&format!("{BASE}/bin/su")].len(), 1);
}

#[test]
fn an_image_without_end_is_given_up() {
    let mut host = image().program(&format!("{BASE}/bin/su"), 0o4755);
    let folder = host.files.get_mut(&format!("{BASE}/bin")).unwrap();
    folder.entries = Some((0..30_000).map(|number| number.to_string()).collect());
    assert_eq!(programs(&host), ["the image holds too many files"]);
}

#[test]
fn merged_folders_are_one() {
    let host = image()
        .program(&format!("{BASE}/usr/bin/su"), 0o4755)
        .program(&format!("{TOP}/usr/bin/sudo"), 0o4755)
        .put(
            &format!("{BASE}/usr/bin/start"),
            Node::file("#!/bin/sh\nexec /bin/su app\n"),
        )
        .link(&format!("{BASE}/bin"), "usr/bin")
        .link(&format!("{BASE}/sbin"), "/usr/sbin")
        .link(&format!("{BASE}/usr/sbin"), "bin");
    for command in ["/bin/start", "start", "/sbin/start"] {
        assert_eq!(
            seen(&host, &[container(&[command])]),
            [Seen::Known(Setuid {
                programs: vec!["/usr/bin/su".to_owned(), "/usr/bin/sudo".to_owned()],
                named: [("su".to_owned(), command.to_owned())].into(),
            })],
        );
    }
}

/// On a real file system, which refuses names that are too long.
#[test]
fn words_without_end_are_no_paths() {
    let root = tempfile::tempdir().unwrap();
    for layer in [TOP, BASE] {
        fs::create_dir_all(root.path().join(&layer[1..]).join("bin")).unwrap();
    }
    let program = root.path().join(&format!("{BASE}/bin/su")[1..]);
    fs::write(&program, "").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o4755);
    fs::set_permissions(&program, mode).unwrap();
    let host = LinuxHost::folder(root.path()).unwrap();
    let long = "x".repeat(5000);
    for word in [
        long.clone(),
        format!("/{long}"),
        "/.".repeat(60_000),
        "/x".repeat(60_000),
        "/bin/..".repeat(60_000),
        "a ".repeat(600_000),
    ] {
        let mut docker = Docker {
            containers: vec![container(&[&word])],
            ..Docker::default()
        };
        setuid(&host, &mut docker);
        let Seen::Known(setuid) = &docker.containers[0].setuid else {
            panic!("{:?}", docker.containers[0].setuid);
        };
        assert_eq!(setuid.programs, ["/bin/su"]);
    }
}
