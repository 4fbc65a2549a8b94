//! Our reader against `systemd-analyze verify`.

use super::super::parse;
use super::*;
use std::fs;
use std::path::Path;
use std::process::Command;

const SERVICE: &str = "[Service]\nType=notify\nExecStart=/usr/bin/dockerd -H fd://\n";

/// A name of what is wrong, as ours and systemd's words have it.
const MESSAGES: &[(&str, &str, &str)] = &[
    // ours, systemd's
    (
        "second",
        "more than one ExecStart=",
        "more than one ExecStart=",
    ),
    ("none", "has no ExecStart=", "Service has no ExecStart="),
    ("bytes", "not UTF-8", "not UTF-8 clean"),
    (
        "path",
        "neither an absolute path",
        "Neither a valid executable name",
    ),
    ("quotes", "quotes are not balanced", "Unbalanced quoting"),
    (
        "specifier",
        "is no specifier",
        "Failed to resolve unit specifiers",
    ),
    ("folder", "is a folder", "specifies a directory"),
    ("name", "no name for the process", "Empty executable name"),
    ("header", "no section header", "Invalid section header"),
    (
        "oneshot",
        "Type=oneshot with Restart=",
        "isn't allowed for Type=oneshot",
    ),
    ("dbus", "Type=dbus", "is of type D-Bus"),
    ("pam", "PAMName=", "Service has PAM enabled"),
    ("nothing", "names no program", "Empty path in command line"),
    (
        "listen",
        "has no ListenStream=",
        "Unit has no Listen setting",
    ),
    ("accept", "Accept=yes", "Explicit service configuration"),
];

/// The unit's own text, a drop-in's, and the name of what is wrong; empty where nothing is.
fn table() -> Vec<(String, Option<&'static str>, &'static str)> {
    let command = |line: &str| format!("[Service]\nExecStart={line}\n");
    let with = |line: &str| format!("{SERVICE}{line}\n");
    let mut all = vec![
        (SERVICE.to_owned(), None, ""),
        (
            SERVICE.to_owned(),
            Some("[Service]\nExecStart=/usr/bin/dockerd --icc=true\n"),
            "second",
        ),
        (
            SERVICE.to_owned(),
            Some("[Service]\nExecStart=\nExecStart=/usr/bin/dockerd\n"),
            "",
        ),
        (SERVICE.to_owned(), Some("[Service]\nExecStart=\n"), "none"),
        (
            SERVICE.to_owned(),
            Some("[Service]\nExecStart=\nExecStart=./dockerd\n"),
            "none",
        ),
        (
            SERVICE.to_owned(),
            Some("[Service]\nExecStart=./dockerd\n"),
            "",
        ),
        (
            SERVICE.to_owned(),
            Some("[Service]\nEnvironment=A=\u{fffd}\nExecStart=/x\n"),
            "",
        ),
        (SERVICE.to_owned(), Some("[Service\nExecStart=/x\n"), ""),
        (SERVICE.to_owned(), Some("# x\rExecStart=/x\n"), ""),
        (
            SERVICE.to_owned(),
            Some("[Service]\n# x\rExecStart=/usr/bin/dockerd\n"),
            "second",
        ),
        (
            SERVICE.to_owned(),
            Some("[Service]\n# x\0ExecStart=/usr/bin/dockerd\n"),
            "second",
        ),
        (with("# f\u{fffd}r"), None, ""),
        (with("Environment=A=\u{fffd}"), None, "bytes"),
        (with("Description\u{fffd}=x"), None, "bytes"),
        ("[Service]\nType=notify\n".to_owned(), None, "none"),
        (
            "ExecStart=/usr/bin/dockerd\n[Service]\n".to_owned(),
            None,
            "none",
        ),
        (
            "[Service\nExecStart=/usr/bin/dockerd\n".to_owned(),
            None,
            "header",
        ),
        (with("rubbish"), None, ""),
        (with("Type=notfy"), None, ""),
        (
            "[Service]\nType=notfy\nExecStart=/usr/bin/dockerd\nExecStart=/usr/bin/dockerd\n"
                .to_owned(),
            None,
            "second",
        ),
        (
            "[Service]\nType=oneshot\nExecStart=/usr/bin/dockerd\nExecStart=/usr/bin/dockerd\n"
                .to_owned(),
            None,
            "",
        ),
        (
            "[Service]\nType=oneshot\nRestart=always\nExecStart=/usr/bin/dockerd\n".to_owned(),
            None,
            "oneshot",
        ),
        (
            "[Service]\nType=dbus\nExecStart=/usr/bin/dockerd\n".to_owned(),
            None,
            "dbus",
        ),
        (with("PAMName=x\nKillMode=process"), None, "pam"),
        (with("PAMName=x\nKillMode=mixed"), None, ""),
        (with("EnvironmentFile=etc/x"), None, ""),
        (with("ExecStartPre=./x"), None, "path"),
        (with("ExecStopPost=-./x"), None, ""),
    ];
    for (line, what) in [
        ("/usr/bin/dockerd", ""),
        ("dockerd -H fd://", ""),
        ("./dockerd", "path"),
        ("usr/bin/dockerd", "path"),
        ("..", "path"),
        ("/usr/bin/dockerd --label \"a", "quotes"),
        ("/usr/bin/dockerd --label 'a", "quotes"),
        ("/usr/bin/dockerd --label a\"b c\"", ""),
        ("/usr/bin/dockerd --label \"a\\\"b\"", ""),
        ("-/usr/bin/dockerd --label \"a", "none"),
        ("\"/usr/bin/dockerd", "none"),
        ("-./dockerd", "none"),
        ("/usr/bin/dockerd --label %Z", "specifier"),
        ("/usr/bin/dockerd --label %5", "specifier"),
        ("/usr/bin/dockerd --label %%Z", ""),
        ("/usr/bin/dockerd --label %H %m %n %-", ""),
        ("/usr/bin/dockerd --label %", ""),
        ("/usr/bin/dockerd ; /usr/bin/dockerd", "second"),
        ("/usr/bin/dockerd ;", ""),
        ("/usr/bin/dockerd \\; x", ""),
        ("/usr/bin/dockerd ; ./x", "path"),
        ("/usr/bin/dockerd/", "folder"),
        ("/usr/bin/../bin/dockerd", ""),
        ("/usr/bin/dockerd --x \\q", ""),
        ("@/usr/bin/dockerd", "name"),
        ("@/usr/bin/dockerd docker", ""),
        ("", "none"),
        ("-", "none"),
        ("@", "nothing"),
        ("+!/usr/bin/dockerd", "path"),
        ("!!/usr/bin/dockerd", ""),
        ("!!!/usr/bin/dockerd", "path"),
        ("-@:/usr/bin/dockerd x", ""),
        ("--/usr/bin/dockerd", "none"),
        ("/usr/bin/dockerd -H fd:// $OPTS ${OPTS}", ""),
    ] {
        all.push((command(line), None, what));
    }
    all
}

fn ours(name: &str, text: &str, drop_in: Option<&str>) -> &'static str {
    let texts: Vec<&str> = std::iter::once(text).chain(drop_in).collect();
    let Some(refused) = refused(name, &parse(&texts)) else {
        return "";
    };
    let known = MESSAGES
        .iter()
        .find(|(_, words, _)| refused.why.contains(words));
    known.unwrap_or_else(|| panic!("{}", refused.why)).0
}

#[test]
fn what_systemd_refuses() {
    for (text, drop_in, what) in table() {
        assert_eq!(
            ours("docker.service", &text, drop_in),
            what,
            "{text:?} {drop_in:?}"
        );
    }
}

#[test]
fn sockets_that_systemd_refuses() {
    for (text, what) in SOCKETS {
        assert_eq!(ours("docker.socket", text, None), *what, "{text:?}");
    }
}

const SOCKETS: &[(&str, &str)] = &[
    ("[Socket]\nListenStream=/run/docker.sock\n", ""),
    ("[Socket]\nListenStream=2375\n", ""),
    ("[Socket]\nSocketMode=0660\n", "listen"),
    ("[Socket]\nListenStream=2375\nListenStream=\n", "listen"),
    (
        "[Socket]\nListenStream=2375\nAccept=yes\nService=docker.service\n",
        "accept",
    ),
];

/// A root with a unit and the targets that every unit needs, so that only our unit is judged.
fn root(name: &str, text: &str, drop_in: Option<&str>) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let units = root.path().join("etc/systemd/system");
    fs::create_dir_all(units.join(format!("{name}.d"))).unwrap();
    for target in ["basic", "sysinit", "shutdown", "sockets"] {
        let stub = "[Unit]\nDescription=stub\nDefaultDependencies=no\n";
        fs::write(units.join(format!("{target}.target")), stub).unwrap();
    }
    // What stands for bytes that are not UTF-8 becomes one.
    let bytes = |text: &str| -> Vec<u8> {
        let mut pieces = text.split('\u{fffd}');
        let mut all = pieces.next().unwrap_or_default().as_bytes().to_vec();
        for piece in pieces {
            all.push(0xfc);
            all.extend(piece.as_bytes());
        }
        all
    };
    fs::write(units.join(name), bytes(text)).unwrap();
    if name != "docker.service" {
        fs::write(units.join("docker.service"), SERVICE).unwrap();
    }
    if let Some(drop_in) = drop_in {
        fs::write(units.join(format!("{name}.d/a.conf")), bytes(drop_in)).unwrap();
    }
    let program = root.path().join("usr/bin/dockerd");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::write(&program, "#!/bin/sh\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, mode).unwrap();
    root
}

/// What systemd says; the exit status says nothing in a root that has no more than this.
fn theirs(root: &Path, name: &str) -> Option<&'static str> {
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(format!("--root={}", root.display()))
        .arg(name)
        .env("SYSTEMD_LOG_LEVEL", "info")
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let is_refused = [
        "bad unit file setting",
        "failed to load properly",
        "has fatal error",
    ]
    .iter()
    .any(|words| said.contains(words));
    if !is_refused {
        return Some("");
    }
    // A fault that is passed over is said, too; the last word is why the unit is refused.
    let known = MESSAGES
        .iter()
        .filter_map(|(what, _, words)| Some((said.rfind(words)?, *what)))
        .max();
    Some(known.unwrap_or_else(|| panic!("{said}")).1)
}

#[test]
fn the_table_is_systemds_own() {
    let has_program = Command::new("systemd-analyze").arg("--version").output();
    if has_program.is_err() {
        println!("NOT RUN: systemd-analyze is not installed");
        return;
    }
    let mut wrong = Vec::new();
    let services = table()
        .into_iter()
        .map(|(text, drop_in, what)| ("docker.service", text, drop_in, what));
    let sockets = SOCKETS
        .iter()
        .map(|(text, what)| ("docker.socket", (*text).to_owned(), None, *what));
    for (name, text, drop_in, what) in services.chain(sockets) {
        let root = root(name, &text, drop_in);
        let theirs = theirs(root.path(), name).unwrap();
        if theirs != what {
            wrong.push(format!(
                "{text:?} {drop_in:?}: {what:?}, systemd: {theirs:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
