use super::Touch::{Attributes, Content};
use super::*;
use crate::facts::Mode;

const PATH: &str = "/etc/docker/daemon.json";

fn facts(files: &[(&str, Node)]) -> Facts {
    let mut facts = Facts::default();
    for (path, node) in files {
        let node = Seen::Known(node.clone());
        facts.files.insert((*path).to_owned(), node);
    }
    facts
}

fn folder() -> Node {
    Node {
        kind: Kind::Folder,
        mode: Mode(0o755),
        ..Node::default()
    }
}

#[test]
fn each_refusal_of_the_door_is_known_to_the_plan() {
    let of = |kind| Node {
        kind,
        ..Node::default()
    };
    let fixed = |node: Node| Node {
        fixed: Some("it is immutable (chattr +i)".to_owned()),
        ..node
    };
    let untrusted = |node: Node| Node {
        untrusted: Some("/etc/docker on the way there belongs to uid 7, not to root".to_owned()),
        ..node
    };
    let names = |names| Node {
        names,
        ..Node::file("{}")
    };
    for (node, parent, touch, words) in [
        (Node::file("{}"), folder(), Content, None),
        (Node::file("{}"), folder(), Attributes, None),
        (Node::absent(), folder(), Content, None),
        (names(1), folder(), Content, None),
        (names(2), folder(), Content, Some("2 names")),
        // Both names stay one file.
        (names(2), folder(), Attributes, None),
        (of(Kind::Socket), folder(), Attributes, None),
        (of(Kind::Socket), folder(), Content, Some("not a regular")),
        (of(Kind::Folder), folder(), Attributes, None),
        (of(Kind::Folder), folder(), Content, Some("not a regular")),
        (of(Kind::Other), folder(), Attributes, Some("a device or a")),
        (of(Kind::Link), folder(), Attributes, Some("symbolic link")),
        (Node::absent(), folder(), Attributes, Some("is not there")),
        (
            untrusted(Node::file("")),
            folder(),
            Attributes,
            Some("uid 7"),
        ),
        (untrusted(Node::absent()), folder(), Content, Some("uid 7")),
        (fixed(Node::file("")), folder(), Attributes, Some("chattr")),
        (fixed(Node::file("")), folder(), Content, Some("chattr")),
        // Its folder takes no new name, which attributes do not need.
        (
            Node::file("{}"),
            fixed(folder()),
            Content,
            Some("is in /etc/docker: it is imm"),
        ),
        (
            Node::absent(),
            fixed(folder()),
            Content,
            Some("is in /etc/docker: it is imm"),
        ),
        (Node::file("{}"), fixed(folder()), Attributes, None),
    ] {
        let facts = facts(&[(PATH, node.clone()), ("/etc/docker", parent.clone())]);
        let found = refusal(&facts, PATH, touch);
        match (&found, words) {
            (None, None) => {}
            (Some(obstacle), Some(words)) if obstacle.reason.contains(words) => {
                assert!(obstacle.reason.contains(PATH), "{obstacle:?}");
                assert!(obstacle.cure.contains("/etc/docker"), "{obstacle:?}");
            }
            _ => panic!("{node:?} in {parent:?}, {touch:?}: {found:?}"),
        }
    }
}

#[test]
fn what_is_missing_is_made_in_the_folder_above() {
    let fixed = Node {
        fixed: Some("its file system is mounted read-only".to_owned()),
        ..folder()
    };
    let facts = facts(&[
        (PATH, Node::absent()),
        ("/etc/docker", Node::absent()),
        ("/etc", fixed),
    ]);
    let found = refusal(&facts, PATH, Touch::Content).unwrap();
    assert_eq!(
        found.reason,
        "/etc/docker/daemon.json is in /etc: its file system is mounted read-only"
    );
}

#[test]
fn a_name_has_room_for_the_one_beside_it() {
    let named = |length: usize| format!("/etc/docker/{}", "n".repeat(length));
    for (length, refused) in [(221, false), (222, true), (255, true)] {
        let path = named(length);
        let facts = facts(&[(&path, Node::file(""))]);
        let found = refusal(&facts, &path, Touch::Content);
        assert_eq!(found.is_some(), refused, "{length}");
        assert_eq!(refusal(&facts, &path, Touch::Attributes), None);
    }
}
