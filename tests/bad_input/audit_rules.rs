//! Audit rules that others wrote, well or badly.

use super::{Tree, is_root};
use insta::assert_snapshot;

const ONLY: [&str; 2] = ["--only", "audit-etc-docker"];

/// The diff of the rules, and that a rollback brings back the very bytes.
fn planned_applied_and_taken_back(tree: &Tree, path: &str) -> String {
    let before = tree.manifest();
    let plan = tree.run(&[&["plan", "--format", "diff"], &ONLY[..]].concat());
    before.assert_untouched(tree);
    let apply = tree.run(&[&["apply", "--yes"], &ONLY[..]].concat());
    assert_eq!(apply.status, Some(0), "{}{}", apply.out, apply.err);
    let after = String::from_utf8(tree.read(path)).unwrap();
    let again = tree.run(&[&["apply", "--yes"], &ONLY[..]].concat());
    assert!(again.out.starts_with("Nothing to do"), "{}", again.out);
    let rollback = tree.run(&["rollback", "--yes"]);
    assert_eq!(rollback.status, Some(0), "{}{}", rollback.out, rollback.err);
    before.assert_restored(tree);
    format!("{}=== {path} after\n{after}", plan.all())
}

/// The host where `audit.rules` itself is loaded.
fn without_augenrules() -> Tree {
    let tree = Tree::without(&["usr/sbin/augenrules", "etc/audit/rules.d"]);
    let unit = "[Service]\nExecStart=/sbin/auditd\nExecStartPost=-/sbin/auditctl -R /etc/audit/audit.rules\n";
    tree.write("usr/lib/systemd/system/auditd.service", unit, 0o644);
    tree
}

#[test]
fn without_a_newline_at_the_end() {
    if is_root() {
        let tree = without_augenrules();
        tree.write(
            "etc/audit/audit.rules",
            "-D\n-w /etc/passwd -p wa -k passwd",
            0o640,
        );
        let shown = planned_applied_and_taken_back(&tree, "etc/audit/audit.rules");
        assert_snapshot!(shown, @r#"
        exit 0
        ---
        --- /etc/audit/audit.rules
        +++ /etc/audit/audit.rules
        @@ -1,2 +1,3 @@
         -D
        --w /etc/passwd -p wa -k passwd
        \ No newline at end of file
        +-w /etc/passwd -p wa -k passwd
        +-w /etc/docker -p wa -k docker
        === etc/audit/audit.rules after
        -D
        -w /etc/passwd -p wa -k passwd
        -w /etc/docker -p wa -k docker
        "#);
    }
}

#[test]
fn locked_at_the_end() {
    if is_root() {
        let tree = without_augenrules();
        tree.write("etc/audit/audit.rules", "-D\n-e 2", 0o640);
        let shown = planned_applied_and_taken_back(&tree, "etc/audit/audit.rules");
        assert_snapshot!(shown, @r#"
        exit 0
        ---
        --- /etc/audit/audit.rules
        +++ /etc/audit/audit.rules
        @@ -1,2 +1,3 @@
         -D
        +-w /etc/docker -p wa -k docker
         -e 2
        \ No newline at end of file
        === etc/audit/audit.rules after
        -D
        -w /etc/docker -p wa -k docker
        -e 2
        "#);
    }
}

fn held_back(tree: &Tree) -> String {
    let before = tree.manifest();
    let audit = tree.run(&[&["audit"], &ONLY[..]].concat());
    let plan = tree.run(&[&["plan"], &ONLY[..]].concat());
    before.assert_untouched(tree);
    let apply = tree.run(&[&["apply", "--yes"], &ONLY[..]].concat());
    before.assert_only_state_added(tree);
    format!(
        "{}=== plan\n{}=== apply\n{}",
        audit.all(),
        plan.all(),
        apply.all()
    )
}

#[test]
fn with_a_bad_line() {
    if is_root() {
        let tree = Tree::new();
        tree.write(
            "etc/audit/rules.d/50-own.rules",
            "-D\n-w /etc/passwd -p q -k x\n",
            0o640,
        );
        assert_snapshot!(held_back(&tree), @r#"
        exit 1
        ---
        Audit of sample Debian GNU/Linux 12 (bookworm)

        Audit rules 0 of 1 pass
          FAIL    medium audit-etc-docker CIS 1.8.0 1.1.6
                  The folder of Docker's configuration is watched by the audit system
                  /etc/docker: no rule file has a watch; wanted: -w /etc/docker -p wa -k
                  docker

        0 pass, 1 fail, 0 manual, 0 unknown, 0 not applicable

        Next:
          what would cure the failures, as a diff: seaworthy plan
          why one of them matters: seaworthy explain audit-etc-docker
        === plan
        exit 0
        ---
        Plan for sample Debian GNU/Linux 12 (bookworm)

        Nothing to do.

        Held back
          audit-etc-docker
            /etc/audit/rules.d/50-own.rules:2: the permissions "q" are not made of r, w,
            x and a: loading would stop there and leave the rules after it out
            release: editor /etc/audit/rules.d/50-own.rules

        0 changes, 0 service actions, 1 control held back.
        === apply
        exit 0
        ---
        Nothing to do: everything this run may change is already correct.
          held back: audit-etc-docker (editor /etc/audit/rules.d/50-own.rules)
        "#);
    }
}

#[test]
fn with_a_bad_line_without_augenrules() {
    if is_root() {
        let tree = without_augenrules();
        tree.write(
            "etc/audit/audit.rules",
            "-D\n-a never,sometimes -S open\n",
            0o640,
        );
        assert_snapshot!(held_back(&tree), @r"
        exit 1
        ---
        Audit of sample Debian GNU/Linux 12 (bookworm)

        Audit rules 0 of 1 pass
          FAIL    medium audit-etc-docker CIS 1.8.0 1.1.6
                  The folder of Docker's configuration is watched by the audit system
                  /etc/docker: no rule file has a watch; wanted: -w /etc/docker -p wa -k
                  docker

        0 pass, 1 fail, 0 manual, 0 unknown, 0 not applicable

        Next:
          what would cure the failures, as a diff: seaworthy plan
          why one of them matters: seaworthy explain audit-etc-docker
        === plan
        exit 0
        ---
        Plan for sample Debian GNU/Linux 12 (bookworm)

        Nothing to do.

        Held back
          audit-etc-docker
            /etc/audit/audit.rules:2: -a never,sometimes names no list and action:
            loading would stop there and leave the rules after it out
            release: editor /etc/audit/audit.rules

        0 changes, 0 service actions, 1 control held back.
        === apply
        exit 0
        ---
        Nothing to do: everything this run may change is already correct.
          held back: audit-etc-docker (editor /etc/audit/audit.rules)
        ");
    }
}

#[test]
fn with_a_watch_below_a_missing_folder() {
    if is_root() {
        let tree = Tree::new();
        tree.write(
            "etc/audit/rules.d/50-own.rules",
            "-w /opt/missing/file -p wa -k x\n",
            0o640,
        );
        assert_snapshot!(held_back(&tree), @r"
        exit 1
        ---
        Audit of sample Debian GNU/Linux 12 (bookworm)

        Audit rules 0 of 1 pass
          FAIL    medium audit-etc-docker CIS 1.8.0 1.1.6
                  The folder of Docker's configuration is watched by the audit system
                  /etc/docker: no rule file has a watch; wanted: -w /etc/docker -p wa -k
                  docker

        0 pass, 1 fail, 0 manual, 0 unknown, 0 not applicable

        Next:
          what would cure the failures, as a diff: seaworthy plan
          why one of them matters: seaworthy explain audit-etc-docker
        === plan
        exit 0
        ---
        Plan for sample Debian GNU/Linux 12 (bookworm)

        Nothing to do.

        Held back
          audit-etc-docker
            /etc/audit/rules.d/50-own.rules:1: the folder /opt/missing does not exist:
            loading would stop there and leave the rules after it out
            release: editor /etc/audit/rules.d/50-own.rules

        0 changes, 0 service actions, 1 control held back.
        === apply
        exit 0
        ---
        Nothing to do: everything this run may change is already correct.
          held back: audit-etc-docker (editor /etc/audit/rules.d/50-own.rules)
        ");
    }
}
