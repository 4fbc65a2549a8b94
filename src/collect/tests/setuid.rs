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
            target: (kind == Kind::Link).then(|| "/etc".to_owned()),
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
        xattrs: [("security.capability".to_owned(), Bytes(vec![1]))].into(),
        ..Node::default()
    };
    let host = Model::default()
        .program(&format!("{BASE}/usr/bin/su"), 0o4755)
        .program(&format!("{BASE}/usr/bin/wall"), 0o2755)
        .program(&format!("{BASE}/usr/bin/ls"), 0o755)
        .program(&format!("{BASE}/opt/su"), 0o4755)
        .program(&format!("{TOP}/usr/local/bin/mine"), 0o6711)
        .put(&format!("{BASE}/bin/ping"), with_capability)
        .has(&format!("{BASE}/sbin"), Kind::Link)
        .has(&format!("{BASE}/usr/sbin/folder"), Kind::Folder)
        .has(&format!("{BASE}/usr/sbin/link"), Kind::Link);
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
        Model::default()
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
        (base().has(&at("/usr/bin"), Kind::Link), vec![]),
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
    let host = Model::default()
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
        .has(&format!("{BASE}/link.sh"), Kind::Link);
    let cases: [Case; 11] = [
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
        (&["/link.sh"], &[]),
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
    let host = Model::default().program(&format!("{BASE}/bin/su"), 0o4755);
    let plain = container(&[]);
    let other = |change: fn(&mut Container)| {
        let mut container = plain.clone();
        change(&mut container);
        container
    };
    let found = seen(
        &host,
        &[
            other(|it| it.user = "0:0".to_owned()),
            other(|it| it.no_new_privileges = Some(true)),
            other(|it| it.layers = Vec::new()),
            other(|it| {
                it.image_id = "sha256:2".to_owned();
                it.layers = vec!["/root/diff".to_owned()];
            }),
        ],
    );
    assert!(found[..2].iter().all(|it| *it == Seen::default()));
    assert!(
        host.looks
            .borrow()
            .keys()
            .all(|path| path.starts_with("/root/"))
    );
    let said = |seen: &Seen<Setuid>| match seen {
        Seen::Unseen(unseen) => unseen.unseen.clone(),
        Seen::Known(_) => "seen".to_owned(),
    };
    assert_eq!(
        said(&found[2]),
        "the storage driver btrfs does not say where its layers are"
    );
    assert_eq!(said(&found[3]), "permission denied");
    let found = seen(&host, &[plain.clone(), plain]);
    assert!(found.iter().all(|it| said(it) == "seen"));
    assert_eq!(host.looks.borrow()[&format!("{BASE}/bin/su")].len(), 1);
}

#[test]
fn an_image_without_end_is_given_up() {
    let mut host = Model::default().program(&format!("{BASE}/bin/su"), 0o4755);
    let folder = host.files.get_mut(&format!("{BASE}/bin")).unwrap();
    folder.entries = Some((0..30_000).map(|number| number.to_string()).collect());
    assert_eq!(programs(&host), ["the image holds too many programs"]);
}
