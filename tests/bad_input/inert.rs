//! Nothing that a host says moves the cursor, hides, or reads backwards: every verb and every format,
//! on a host whose names and contents try all of that.

use super::tree::Ran;
use super::{Tree, is_root};
use seaworthy::formats::inert::is_inert;
use std::ffi::OsStr;
use std::fs;

/// One of each kind; no line break, which not every name may have.
const HOSTILE: &str = "\u{1b}[31mA\u{1b}[8m\u{1b}]0;t\u{7}\u{9b}2J\r\u{7f}\u{85}\u{ad}\u{34f}\u{61c}\u{115f}\u{180e}\
    \u{200b}\u{200d}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{2800}\u{3164}\u{fe0f}\
    \u{feff}\u{fff9}\u{e0041}\u{e0100}B";

/// The styles that are our own.
const STYLES: [&str; 10] = [
    "\u{1b}[0m",
    "\u{1b}[1m",
    "\u{1b}[2m",
    "\u{1b}[4m",
    "\u{1b}[31m",
    "\u{1b}[32m",
    "\u{1b}[33m",
    "\u{1b}[34m",
    "\u{1b}[35m",
    "\u{1b}[36m",
];

/// A host that says it wherever a host says something.
fn hostile() -> Tree {
    let tree = Tree::new();
    let json = |text: &str| serde_json::to_string(text).unwrap();
    let raw: String = HOSTILE
        .chars()
        .filter(|c| !c.is_control() || *c == '\u{7f}')
        .collect();
    tree.write("etc/hostname", format!("{HOSTILE}\n"), 0o644);
    tree.write(
        "etc/os-release",
        format!("PRETTY_NAME=\"{HOSTILE}\"\n"),
        0o644,
    );
    // As it is where JSON allows it, and escaped.
    let daemon = format!(
        "{{\n  \"labels\": [\"{raw}\", {}],\n  \"log-driver\": {},\n  \"icc\": true\n}}\n",
        json(HOSTILE),
        json(HOSTILE)
    );
    tree.write("etc/docker/daemon.json", daemon, 0o644);
    tree.write(
        "etc/environment",
        format!("LANG=C # {HOSTILE}\nX={HOSTILE}\n"),
        0o644,
    );
    tree.write("etc/default/docker", format!("# {HOSTILE}\n"), 0o644);
    let rules = format!("-D\n-b 8192\n# {HOSTILE}\n-w /etc/{HOSTILE} -p wa -k {HOSTILE}\n");
    tree.write("etc/audit/rules.d/50-hostile.rules", rules, 0o640);
    tree.write(
        &format!("etc/audit/rules.d/{HOSTILE}.rules"),
        "-w /etc/x -p wa\n",
        0o640,
    );
    let certificates = format!("etc/docker/certs.d/{HOSTILE}");
    tree.write(&format!("{certificates}/{HOSTILE}.crt"), "x", 0o666);
    fs::set_permissions(
        tree.at(&certificates),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let prose = json(&format!("{HOSTILE}\n{HOSTILE}"));
    let control = format!(
        "id = \"own\"\ntitle = {prose}\nseverity = \"low\"\nlevel = 1\nrationale = {prose}\nreferences = [{prose}]\n\
         cis = {{ {prose} = {prose} }}\n[check]\nkind = \"daemon-option\"\nkey = \"icc\"\nwant = {{ is = false }}\n\
         [remediation]\napplicability = \"manual\"\nimpact = {prose}\nmanual = {prose}\n"
    )
    .replace("\\u007f", "\u{7f}");
    let control = control.replace('\u{7f}', "\\u007f");
    tree.write("etc/seaworthy/remediations.d/own.toml", control, 0o644);
    tree.write(
        &format!("etc/seaworthy/remediations.d/{HOSTILE}"),
        "x",
        0o644,
    );
    let policy = format!("[[waiver]]\ncontrol = \"daemon-userland-proxy\"\nreason = {prose}\n");
    tree.write(
        "etc/seaworthy/policy.toml",
        policy.replace('\u{7f}', "\\u007f"),
        0o644,
    );
    tree
}

/// What was said is inert but for line breaks, and for our own styles.
fn inert(ran: &Ran, what: &str, styled: bool) {
    for (name, text) in [("out", &ran.out), ("err", &ran.err)] {
        let mut plain = text.clone();
        if styled {
            for style in STYLES {
                plain = plain.replace(style, "");
            }
        }
        let bad = plain.chars().find(|c| !is_inert(*c) && *c != '\n');
        let line = bad.and_then(|bad| plain.lines().find(|line| line.contains(bad)));
        assert_eq!(bad, None, "{what}: standard {name}: {line:?}");
    }
    assert!(
        matches!(ran.status, Some(0..=2)),
        "{what}: {:?} {}",
        ran.status,
        ran.err
    );
}

#[test]
fn no_verb_prints_what_is_not_inert() {
    if !is_root() {
        return;
    }
    let tree = hostile();
    let plan = tree.beside("plan.json");
    let plan = plan.to_str().unwrap();
    let own = tree.run(&["explain", "own"]);
    assert_eq!(own.status, Some(0), "{}", own.err);
    let mut shown = 0;
    for arguments in [
        &["audit"][..],
        &["audit", "--verbose"],
        &["audit", "--quiet"],
        &["audit", "--format", "json"],
        &["plan", "--allow-disruption"],
        &["plan", "--allow-disruption", "--verbose"],
        &["plan", "--quiet"],
        &["plan", "--format", "diff"],
        &["plan", "--format", "json"],
        &["plan", "--only", "daemon-icc,content-trust", "--out", plan],
        &["show", plan],
        &["explain"],
        &["explain", "own"],
        &["explain", "--format", "json"],
        &["apply", "--only", "daemon-icc,content-trust"],
        &["apply", "--only", "daemon-icc,content-trust", "--yes"],
        &["apply", "--only", "daemon-icc", "--yes"],
        &[
            "apply",
            "--only",
            "registry-certificates-mode",
            "--yes",
            "--format",
            "json",
        ],
        &["history"],
        &["history", "--format", "json"],
        &["rollback"],
        &["rollback", "--yes"],
        &["rollback", "--yes", "--format", "json"],
        &["recover", "--yes"],
        &["confirm"],
        &["history", "prune", "--keep", "0"],
        &["audit", "--only", HOSTILE],
        &["audit", "--skip", HOSTILE],
        &["audit", "--config", HOSTILE],
        &["audit", "--profile", HOSTILE],
        &["audit", "--deadline", HOSTILE],
        &["apply", "--confirm-within", HOSTILE],
        &["show", HOSTILE],
        &["rollback", HOSTILE],
        &["history", HOSTILE],
        &["confirm", HOSTILE],
        &["explain", HOSTILE],
        &["plan", "--out", HOSTILE, HOSTILE],
        &[HOSTILE],
    ] {
        for colour in ["never", "always"] {
            // Only the first time it changes something.
            let mut command = tree.command(arguments);
            let ran = tree.ran(
                command
                    .args(["--color", colour])
                    .env("SUDO_USER", HOSTILE)
                    .output()
                    .unwrap(),
            );
            inert(&ran, &format!("{arguments:?} {colour}"), colour == "always");
            shown += ran.out.matches("<U+").count() + ran.err.matches("<U+").count();
            shown += ran.out.matches("\\u202e").count();
        }
    }
    assert!(shown > 100, "{shown}");
    // The files that are for people, too.
    for folder in fs::read_dir(tree.at("var/lib/seaworthy/transactions")).unwrap() {
        let restore = folder.unwrap().path().join("RESTORE");
        if let Ok(text) = fs::read_to_string(restore) {
            assert!(text.chars().all(|c| is_inert(c) || c == '\n'), "{text:?}");
        }
    }
    let saved = fs::read_to_string(plan).unwrap();
    assert!(saved.chars().all(|c| is_inert(c) || c == '\n'), "{saved:?}");
}

#[test]
fn what_is_shown_is_not_what_is_written() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let former = "{\n  \"labels\": [\"k=\u{202e}<U+202E>\u{fe0f}\"]\n}\n";
    tree.write("etc/docker/daemon.json", former, 0o644);
    let ran = tree.run(&["apply", "--only", "daemon-icc", "--yes"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    // Told apart in the diff, and not one byte of it is different in the file.
    assert!(
        ran.out.contains("[\"k=<U+202E><U+003C>U+202E><U+FE0F>\"]"),
        "{}",
        ran.out
    );
    let now = String::from_utf8(tree.read("etc/docker/daemon.json")).unwrap();
    assert!(now.contains("[\"k=\u{202e}<U+202E>\u{fe0f}\"]"), "{now:?}");
    assert_eq!(tree.run(&["rollback", "--yes"]).status, Some(0));
    assert_eq!(tree.read("etc/docker/daemon.json"), former.as_bytes());
}

#[test]
fn a_line_break_in_a_name_begins_no_line() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let forged = "x\n  pass    high   daemon-icc CIS 1.8.0 2.2";
    let folder = format!("etc/docker/certs.d/{forged}");
    tree.write(&format!("{folder}/{forged}.crt"), "x", 0o666);
    for path in [OsStr::new("etc/docker/certs.d"), OsStr::new(&folder)] {
        fs::set_permissions(
            tree.root().join(path),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )
        .unwrap();
    }
    for arguments in [
        &["audit", "--only", "files"][..],
        &["plan", "--only", "registry-certificates-mode"],
    ] {
        let ran = tree.run(arguments);
        assert!(ran.out.contains("<U+000A>"), "{}", ran.out);
        let begins = |line: &&str| line.trim_start().starts_with("pass    high   daemon-icc");
        assert_eq!(ran.out.lines().find(begins), None, "{}", ran.out);
    }
}

#[test]
fn what_is_typed_is_repeated_inert() {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::process::CommandExt as _;
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let raw = OsStr::from_bytes(b"\x1b[31m\xff\x9b\xe2\x80\xae");
    let glued = |flag: &str| {
        let mut all = std::ffi::OsString::from(flag);
        all.push(raw);
        all
    };
    let text = HOSTILE;
    for arguments in [
        vec![raw.to_owned()],
        vec![glued("--")],
        vec![glued("--color=")],
        vec!["audit".into(), glued("--")],
        vec!["audit".into(), glued("--format=")],
        vec!["audit".into(), glued("--deadline=")],
        vec!["audit".into(), glued("--profile=")],
        vec!["audit".into(), glued("--only=")],
        vec!["audit".into(), glued("--config=")],
        vec!["audit".into(), glued("--root=")],
        vec!["audit".into(), format!("--root=/{text}").into()],
        vec!["audit".into(), format!("--{text}").into()],
        vec!["audit".into(), format!("--fail-on={text}").into()],
        vec!["plan".into(), glued("--out=")],
        vec!["apply".into(), glued("")],
        vec!["apply".into(), format!("--confirm-within={text}").into()],
        vec![
            "history".into(),
            "prune".into(),
            format!("--older-than={text}").into(),
        ],
        vec!["completions".into(), text.into()],
        vec!["--help".into()],
        vec!["--version".into()],
        vec!["help".into(), text.into()],
        vec!["audit".into(), "--help".into()],
        vec![],
    ] {
        for colour in [false, true] {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_seaworthy"));
            command
                .arg0(text)
                .args(&arguments)
                .env("DOCKER_HOST", format!("unix:///{text}"));
            if colour {
                command.env("CLICOLOR_FORCE", "1");
            } else {
                command.env("NO_COLOR", "1");
            }
            let ran = tree.ran(command.output().unwrap());
            inert(&ran, &format!("{arguments:?} {colour}"), colour);
        }
    }
}
