//! `/etc/environment` in all its grammar: edited correctly, and taken back byte for byte.

use super::{Tree, is_root};
use insta::assert_snapshot;

const ONLY: [&str; 2] = ["--only", "content-trust"];

fn edited(content: &str) -> String {
    let tree = Tree::new();
    tree.write("etc/environment", content, 0o644);
    let before = tree.manifest();
    let plan = tree.run(&[&["plan", "--format", "diff"], &ONLY[..]].concat());
    assert_eq!((plan.status, plan.err.as_str()), (Some(0), ""));
    before.assert_untouched(&tree);
    let apply = tree.run(&[&["apply", "--yes"], &ONLY[..]].concat());
    assert_eq!(apply.status, Some(0), "{}{}", apply.out, apply.err);
    let again = tree.run(&[&["apply", "--yes"], &ONLY[..]].concat());
    assert!(again.out.starts_with("Nothing to do"), "{}", again.out);
    let rollback = tree.run(&["rollback", "--yes"]);
    assert_eq!(rollback.status, Some(0), "{}{}", rollback.out, rollback.err);
    before.assert_restored(&tree);
    plan.out.replace('\r', "␍")
}

#[test]
fn with_quotes() {
    if is_root() {
        assert_snapshot!(edited("PATH=\"/usr/bin:/bin\"\nDOCKER_CONTENT_TRUST=\"0\"\nLANG='C'\n"), @r#"
        --- /etc/environment
        +++ /etc/environment
        @@ -1,3 +1,3 @@
         PATH="/usr/bin:/bin"
        -DOCKER_CONTENT_TRUST="0"
        +DOCKER_CONTENT_TRUST=1
         LANG='C'
        "#);
    }
}

#[test]
fn with_export() {
    if is_root() {
        assert_snapshot!(edited("export DOCKER_CONTENT_TRUST=0 # for now\nexport LANG=C\n"), @r"
        --- /etc/environment
        +++ /etc/environment
        @@ -1,2 +1,3 @@
        -export DOCKER_CONTENT_TRUST=0 # for now
        +# for now
        +export DOCKER_CONTENT_TRUST=1
         export LANG=C
        ");
    }
}

#[test]
fn with_carriage_returns() {
    if is_root() {
        assert_snapshot!(edited("LANG=C\r\nDOCKER_CONTENT_TRUST=1\r\nEDITOR=vi\r\n"), @r"
        --- /etc/environment
        +++ /etc/environment
        @@ -1,3 +1,3 @@
         LANG=C<U+000D>
        -DOCKER_CONTENT_TRUST=1<U+000D>
        +DOCKER_CONTENT_TRUST=1
         EDITOR=vi<U+000D>
        ");
    }
}

#[test]
fn twice_and_without_a_newline() {
    if is_root() {
        assert_snapshot!(edited("DOCKER_CONTENT_TRUST=1\nLANG=C\nDOCKER_CONTENT_TRUST=0"), @r#"
        --- /etc/environment
        +++ /etc/environment
        @@ -1,3 +1,2 @@
        -DOCKER_CONTENT_TRUST=1
         LANG=C
        -DOCKER_CONTENT_TRUST=0
        \ No newline at end of file
        +DOCKER_CONTENT_TRUST=1
        \ No newline at end of file
        "#);
    }
}

#[test]
fn not_text() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    tree.write("etc/environment", b"LANG=\xff\xfe\n", 0o644);
    let before = tree.manifest();
    let plan = tree.run(&[&["plan"], &ONLY[..]].concat());
    let apply = tree.run(&[&["apply", "--yes"], &ONLY[..]].concat());
    before.assert_only_state_added(&tree);
    assert_snapshot!(format!("{}=== apply\n{}", plan.all(), apply.all()), @r"
    exit 0
    ---
    Plan for sample Debian GNU/Linux 12 (bookworm)

    Nothing to do.

    Held back
      content-trust
        /etc/environment is not a plain text file of at most 16 MiB
        release: ls -ld /etc/environment

    0 changes, 0 service actions, 1 control held back.
    === apply
    exit 0
    ---
    Nothing to do: everything this run may change is already correct.
      held back: content-trust (ls -ld /etc/environment)
    ");
}
