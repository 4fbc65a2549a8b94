//! Files in the place of daemon.json that are none, or hardly.

use super::{Tree, is_root};
use insta::assert_snapshot;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

const ONLY: [&str; 2] = ["--only", "daemon-json,daemon-icc"];

/// What audit, plan and apply say on a host with a file that must be left alone.
fn left_alone(tree: &Tree) -> String {
    let before = tree.manifest();
    let audit = tree.run(&[&["audit"], &ONLY[..]].concat());
    let plan = tree.run(&[&["plan"], &ONLY[..]].concat());
    before.assert_untouched(tree);
    let apply = tree.run(&[&["apply", "--yes"], &ONLY[..]].concat());
    before.assert_only_state_added(tree);
    format!(
        "{}=== plan\n{}=== apply\n{}",
        audit.about(&["daemon.json", "UNKNOWN", "FAIL"]),
        plan.all(),
        apply.all()
    )
}

/// The content after apply, and that a rollback brings back the very bytes.
fn edited(content: &[u8]) -> String {
    let tree = Tree::with_daemon_json(content);
    let before = tree.manifest();
    let apply = tree.run(&[&["apply", "--yes"], &ONLY[..]].concat());
    assert_eq!(apply.status, Some(0), "{}{}", apply.out, apply.err);
    let after = tree.read("etc/docker/daemon.json");
    let rollback = tree.run(&["rollback", "--yes"]);
    assert_eq!(rollback.status, Some(0), "{}{}", rollback.out, rollback.err);
    before.assert_restored(&tree);
    format!(
        "{}=== after\n{}",
        apply.about(&["daemon.json"]),
        String::from_utf8(after).unwrap().replace('\r', "␍")
    )
}

#[test]
fn with_comments() {
    if is_root() {
        let tree = Tree::with_daemon_json("{\n  // why\n  \"icc\": true\n}\n");
        assert_snapshot!(left_alone(&tree), @r"
        exit 1
        ---
          UNKNOWN high   daemon-icc CIS 1.8.0 2.2
                  /etc/docker/daemon.json:2:3: the file does not parse: comments are not
                  allowed in daemon.json; wanted: icc = false
          FAIL    medium daemon-json
                  /etc/docker/daemon.json:2:3: it does not parse: comments are not
                  allowed in daemon.json; wanted: one JSON object
        === plan
        exit 0
        ---
        Plan for sample Debian GNU/Linux 12 (bookworm)

        Nothing to do.

        Held back
          daemon-json
            /etc/docker/daemon.json:2:3: comments are not allowed in daemon.json; the
            daemon would not start with it, and we do not guess what was meant
            release: editor /etc/docker/daemon.json

        Not known, so nothing is planned for it
          daemon-icc
            /etc/docker/daemon.json:2:3: the file does not parse: comments are not
            allowed in daemon.json

        0 changes, 0 service actions, 1 control held back, 1 not known.
        === apply
        exit 0
        ---
        Nothing to do: everything this run may change and could see is already correct.
          held back: daemon-json (editor /etc/docker/daemon.json)
          not known: daemon-icc (/etc/docker/daemon.json:2:3: the file does not parse: comments are not allowed in daemon.json)
        ");
    }
}

#[test]
fn with_text_after_the_object() {
    if is_root() {
        let tree = Tree::with_daemon_json("{\n  \"icc\": true\n}\n{}\n");
        assert_snapshot!(left_alone(&tree), @r"
        exit 1
        ---
          UNKNOWN high   daemon-icc CIS 1.8.0 2.2
                  /etc/docker/daemon.json:4:1: the file does not parse: there is more
          FAIL    medium daemon-json
                  /etc/docker/daemon.json:4:1: it does not parse: there is more text
        === plan
        exit 0
        ---
        Plan for sample Debian GNU/Linux 12 (bookworm)

        Nothing to do.

        Held back
          daemon-json
            /etc/docker/daemon.json:4:1: there is more text after the end of the object;
            the daemon would not start with it, and we do not guess what was meant
            release: editor /etc/docker/daemon.json

        Not known, so nothing is planned for it
          daemon-icc
            /etc/docker/daemon.json:4:1: the file does not parse: there is more text
            after the end of the object

        0 changes, 0 service actions, 1 control held back, 1 not known.
        === apply
        exit 0
        ---
        Nothing to do: everything this run may change and could see is already correct.
          held back: daemon-json (editor /etc/docker/daemon.json)
          not known: daemon-icc (/etc/docker/daemon.json:4:1: the file does not parse: there is more text after the end of the object)
        ");
    }
}

#[test]
fn with_a_key_twice() {
    if is_root() {
        let tree = Tree::with_daemon_json("{\n  \"icc\": false,\n  \"icc\": true\n}\n");
        assert_snapshot!(left_alone(&tree), @r#"
        exit 1
        ---
          FAIL    high   daemon-icc CIS 1.8.0 2.2
                  /etc/docker/daemon.json:3: icc = true; wanted: icc = false
          FAIL    medium daemon-json
                  /etc/docker/daemon.json:3: `icc` stands twice, and only the last one
        === plan
        exit 0
        ---
        Plan for sample Debian GNU/Linux 12 (bookworm)

        Nothing to do.

        Held back
          daemon-icc
            /etc/docker/daemon.json: line 3: the key "icc" occurs more than once; remove
            one of them first
            release: editor /etc/docker/daemon.json

          daemon-json
            what /etc/docker/daemon.json was meant to say is for its author to decide
            release: editor /etc/docker/daemon.json

        0 changes, 0 service actions, 2 controls held back.
        === apply
        exit 0
        ---
        Nothing to do: everything this run may change is already correct.
          held back: daemon-icc (editor /etc/docker/daemon.json)
          held back: daemon-json (editor /etc/docker/daemon.json)
        "#);
    }
}

#[test]
fn in_utf_16() {
    if is_root() {
        let tree = Tree::with_daemon_json(b"\xff\xfe{\0}\0");
        assert_snapshot!(left_alone(&tree), @r"
        exit 1
        ---
          UNKNOWN high   daemon-icc CIS 1.8.0 2.2
                  /etc/docker/daemon.json:1:1: the file does not parse: the file is
          FAIL    medium daemon-json
                  /etc/docker/daemon.json:1:1: it does not parse: the file is UTF-16;
        === plan
        exit 0
        ---
        Plan for sample Debian GNU/Linux 12 (bookworm)

        Nothing to do.

        Held back
          daemon-json
            /etc/docker/daemon.json:1:1: the file is UTF-16; save it as UTF-8; the
            daemon would not start with it, and we do not guess what was meant
            release: editor /etc/docker/daemon.json

        Not known, so nothing is planned for it
          daemon-icc
            /etc/docker/daemon.json:1:1: the file does not parse: the file is UTF-16;
            save it as UTF-8

        0 changes, 0 service actions, 1 control held back, 1 not known.
        === apply
        exit 0
        ---
        Nothing to do: everything this run may change and could see is already correct.
          held back: daemon-json (editor /etc/docker/daemon.json)
          not known: daemon-icc (/etc/docker/daemon.json:1:1: the file does not parse: the file is UTF-16; save it as UTF-8)
        ");
    }
}

#[test]
fn a_symbolic_link() {
    if is_root() {
        let tree = Tree::new();
        fs::rename(
            tree.at("etc/docker/daemon.json"),
            tree.at("etc/docker/real.json"),
        )
        .unwrap();
        std::os::unix::fs::symlink("real.json", tree.at("etc/docker/daemon.json")).unwrap();
        assert_snapshot!(left_alone(&tree), @r"
        exit 2
        error: nothing could be checked
          /etc/docker/daemon.json: it is a symbolic link, and none is followed
        try: ls -ld [folder]/root/etc/docker/daemon.json
        ---
          UNKNOWN high   daemon-icc CIS 1.8.0 2.2
                  /etc/docker/daemon.json: it is a symbolic link, and none is followed;
          UNKNOWN medium daemon-json
        === plan
        exit 2
        error: nothing could be checked
          /etc/docker/daemon.json: it is a symbolic link, and none is followed
        try: ls -ld [folder]/root/etc/docker/daemon.json
        ---
        Plan for sample Debian GNU/Linux 12 (bookworm)

        Nothing to do.

        Not known, so nothing is planned for it
          daemon-icc, daemon-json
            /etc/docker/daemon.json: it is a symbolic link, and none is followed

        0 changes, 0 service actions, 0 controls held back, 2 not known.
        === apply
        exit 2
        error: nothing could be checked
          /etc/docker/daemon.json: it is a symbolic link, and none is followed
        try: ls -ld [folder]/root/etc/docker/daemon.json
        ---
        ");
    }
}

#[test]
fn a_folder() {
    if is_root() {
        let tree = Tree::without(&["etc/docker/daemon.json"]);
        fs::create_dir(tree.at("etc/docker/daemon.json")).unwrap();
        assert_snapshot!(left_alone(&tree), @r"
        exit 2
        error: nothing could be checked
          /etc/docker/daemon.json: it is a folder
        try: ls -ld [folder]/root/etc/docker/daemon.json
        ---
          UNKNOWN high   daemon-icc CIS 1.8.0 2.2
                  /etc/docker/daemon.json: it is a folder; wanted: icc = false
          UNKNOWN medium daemon-json
        === plan
        exit 2
        error: nothing could be checked
          /etc/docker/daemon.json: it is a folder
        try: ls -ld [folder]/root/etc/docker/daemon.json
        ---
        Plan for sample Debian GNU/Linux 12 (bookworm)

        Nothing to do.

        Not known, so nothing is planned for it
          daemon-icc, daemon-json
            /etc/docker/daemon.json: it is a folder

        0 changes, 0 service actions, 0 controls held back, 2 not known.
        === apply
        exit 2
        error: nothing could be checked
          /etc/docker/daemon.json: it is a folder
        try: ls -ld [folder]/root/etc/docker/daemon.json
        ---
        ");
    }
}

#[test]
fn of_twenty_mebibytes() {
    if is_root() {
        let mut content = b"{\n  \"icc\": true\n}\n".to_vec();
        content.resize(20 << 20, b' ');
        assert_snapshot!(left_alone(&Tree::with_daemon_json(content)), @r"
        exit 2
        error: nothing could be checked
          /etc/docker/daemon.json: it is larger than 16 MiB
        try: ls -ld [folder]/root/etc/docker/daemon.json
        ---
          UNKNOWN high   daemon-icc CIS 1.8.0 2.2
                  /etc/docker/daemon.json: it is larger than 16 MiB; wanted: icc = false
          UNKNOWN medium daemon-json
        === plan
        exit 2
        error: nothing could be checked
          /etc/docker/daemon.json: it is larger than 16 MiB
        try: ls -ld [folder]/root/etc/docker/daemon.json
        ---
        Plan for sample Debian GNU/Linux 12 (bookworm)

        Nothing to do.

        Not known, so nothing is planned for it
          daemon-icc, daemon-json
            /etc/docker/daemon.json: it is larger than 16 MiB

        0 changes, 0 service actions, 0 controls held back, 2 not known.
        === apply
        exit 2
        error: nothing could be checked
          /etc/docker/daemon.json: it is larger than 16 MiB
        try: ls -ld [folder]/root/etc/docker/daemon.json
        ---
        ");
    }
}

#[test]
fn immutable() {
    /// Takes the flag away again, or the folder could not be removed.
    struct Flagged<'a>(&'a Tree);
    impl Drop for Flagged<'_> {
        fn drop(&mut self) {
            chattr("-i", self.0);
        }
    }
    fn chattr(flag: &str, tree: &Tree) -> bool {
        let path = tree.at("etc/docker/daemon.json");
        let status = Command::new("chattr").arg(flag).arg(path).status();
        status.is_ok_and(|status| status.success())
    }
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    if !chattr("+i", &tree) {
        eprintln!("NOT RUN: this file system has no immutable files (chattr +i)");
        return;
    }
    let tree = Flagged(&tree);
    assert_snapshot!(left_alone(tree.0), @r"
    exit 1
    ---
      FAIL    high   daemon-icc CIS 1.8.0 2.2
              /etc/docker/daemon.json: icc is not set, and the default is true;
    === plan
    exit 0
    ---
    Plan for sample Debian GNU/Linux 12 (bookworm)

    Nothing to do.

    Held back
      daemon-icc
        /etc/docker/daemon.json: it is immutable (chattr +i)
        release: lsattr -d /etc/docker/daemon.json; findmnt -T
        /etc/docker/daemon.json

    0 changes, 0 service actions, 1 control held back.
    === apply
    exit 0
    ---
    Nothing to do: everything this run may change is already correct.
      held back: daemon-icc (lsattr -d /etc/docker/daemon.json; findmnt -T /etc/docker/daemon.json)
    ");
}

#[test]
fn unreadable() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let path = tree.at("etc/docker/daemon.json");
    fs::set_permissions(path, Permissions::from_mode(0o0)).unwrap();
    let before = tree.manifest();
    let audit = tree.run_as_nobody(&[&["audit"], &ONLY[..]].concat());
    let plan = tree.run_as_nobody(&[&["plan"], &ONLY[..]].concat());
    before.assert_untouched(&tree);
    assert_snapshot!(format!("{}=== plan\n{}", audit.all(), plan.all()), @r"
    exit 2
    error: nothing could be checked
      /etc/docker/daemon.json: permission denied
    try: sudo seaworthy audit --root [folder]/root --only daemon-json,daemon-icc
    ---
    Audit of sample Debian GNU/Linux 12 (bookworm)

    Docker daemon 0 of 2 pass
      UNKNOWN high   daemon-icc CIS 1.8.0 2.2
              Containers on the default bridge cannot reach each other
              /etc/docker/daemon.json: permission denied; wanted: icc = false
      UNKNOWN medium daemon-json 
              The daemon's configuration file means what it seems to mean
              as for daemon-icc; wanted: a plain file

    0 pass, 0 fail, 0 manual, 2 unknown, 0 not applicable

    Next:
      see what only root can see: sudo seaworthy audit
    === plan
    exit 2
    error: nothing could be checked
      /etc/docker/daemon.json: permission denied
    try: sudo seaworthy plan --root [folder]/root --only daemon-json,daemon-icc
    ---
    Plan for sample Debian GNU/Linux 12 (bookworm)

    Nothing to do.

    Not known, so nothing is planned for it
      daemon-icc, daemon-json
        /etc/docker/daemon.json: permission denied

    0 changes, 0 service actions, 0 controls held back, 2 not known.
    ");
}

#[test]
fn empty() {
    if is_root() {
        assert_snapshot!(edited(b""), @r#"
        exit 0
          transaction [id]
          [1/1] edit /etc/docker/daemon.json
          committed
        ---
        1. /etc/docker/daemon.json (1 control)
        --- /etc/docker/daemon.json
        +++ /etc/docker/daemon.json
            what /etc/docker/daemon.json was meant to say is for its author to decide
            release: editor /etc/docker/daemon.json
        === after
        {
          "icc": false
        }
        "#);
    }
}

#[test]
fn with_a_byte_order_mark() {
    if is_root() {
        assert_snapshot!(edited(b"\xef\xbb\xbf{\n  \"debug\": false\n}\n"), @r#"
        exit 0
          transaction [id]
          [1/1] edit /etc/docker/daemon.json
          committed
        ---
        1. /etc/docker/daemon.json (1 control)
        --- /etc/docker/daemon.json
        +++ /etc/docker/daemon.json
            what /etc/docker/daemon.json was meant to say is for its author to decide
            release: editor /etc/docker/daemon.json
        === after
        {
          "debug": false,
          "icc": false
        }
        "#);
    }
}

#[test]
fn with_its_own_style() {
    if is_root() {
        assert_snapshot!(edited(b"{\r\n\t\"debug\":false,\r\n\t\"builder\": {\"x\": 1.5e3}}"), @r#"
        exit 0
          transaction [id]
          [1/1] edit /etc/docker/daemon.json
          committed
        ---
        1. /etc/docker/daemon.json (1 control)
        --- /etc/docker/daemon.json
        +++ /etc/docker/daemon.json
        === after
        {␍
        	"debug":false,␍
        	"builder": {"x": 1.5e3},␍
        	"icc": false}
        "#);
    }
}
