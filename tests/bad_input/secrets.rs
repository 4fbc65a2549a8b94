//! Passwords and tokens in every file that is read: nothing that the program prints or keeps for reading shows them.

use super::{Tree, is_root};
use std::fs;
use std::path::Path;

/// What is hidden; none of them looks like another one.
const SECRETS: [&str; 5] = [
    "Hunter2Hunter2",
    "correcthorsebattery",
    "8675309867530986",
    "Tr0ub4dor.and-3.more_",
    "xQ9+vB2nM7LpR5tY8wC1z=",
];

/// `##` is the secret.
const DAEMON_JSON: &str = r###"{
  "log-level": "info",
  "log-driver": "splunk",
  "log-opts": {
    "splunk-token": "##", "splunk-url": "https://h/?sv=1&sig=##", "tag": "{{.Name}}"
  },
  "proxies": { "http-proxy": "http://u:pa,##@p:3128", "https-proxy": "u:##@p:3128", "no-proxy": "localhost" },
  "runtimes": { "x": { "path": "/x",
    "runtimeArgs": ["--token", "##", "--password=##"] } },
  "labels": ["pass=##", "rack=a12"]
}
"###;

const ENVIRONMENT: &str = r###"PATH="/usr/bin:/bin"
DB_PASS=##
export  X_TOKEN=a ##
Y_SECRET = ##
HTTP_PROXY=http://u:pa,##@p:3128
https_proxy=u:##@p:3128
DOCKER_AUTH_CONFIG='{"auths":{"h":{"auth":"##"}}}'
SESSION_COOKIE="a \
##"
"###;

const UNIT: &str = r#"[Service]
Environment="X_TOKEN=a ##" "HTTPS_PROXY=http://u:##@p"
ExecStart=
ExecStart=/usr/sbin/dockerd -H fd:// --dns-opt token=## --dns-opt u:##@h \
  --icc=true --exec-opt "gelf-pass=a ##" $DOCKER_OPTS
"#;

const DEFAULTS: &str = "DOCKER_OPTS=\"--dns-opt password=## --userland-proxy=true\"\n";

const RULES: &str = "# password=##\n-b 8192\n";

fn hide(tree: &Tree, secret: &str) {
    let folder = "etc/systemd/system/docker.service.d";
    fs::create_dir_all(tree.at(folder)).unwrap();
    for (path, text) in [
        ("etc/docker/daemon.json", DAEMON_JSON),
        ("etc/environment", ENVIRONMENT),
        ("etc/systemd/system/docker.service.d/override.conf", UNIT),
        ("etc/default/docker", DEFAULTS),
        ("etc/audit/rules.d/audit.rules", RULES),
    ] {
        fs::write(tree.at(path), text.replace("##", secret)).unwrap();
    }
}

fn hidden(what: &str, text: &str, secret: &str) {
    for piece in secret.as_bytes().windows(8) {
        let piece = std::str::from_utf8(piece).unwrap();
        let line = text.lines().find(|line| line.contains(piece));
        assert!(line.is_none(), "{what} shows {piece}: {line:?}");
    }
}

/// Runs the program, and looks at everything that it printed.
fn shows_nothing(tree: &Tree, secret: &str, arguments: &[&str]) -> String {
    let ran = tree.run(arguments);
    let text = ran.out + &ran.err;
    assert!(!text.is_empty(), "{arguments:?}");
    hidden(&arguments.join(" "), &text, secret);
    text
}

#[test]
fn nothing_printed_holds_one() {
    for secret in SECRETS {
        let tree = Tree::new();
        hide(&tree, secret);
        let tree = &tree;
        for verb in [
            &["audit", "--verbose"][..],
            &["audit", "--format", "json"],
            &["plan"],
            &["plan", "--allow-disruption"],
            &["plan", "--allow-disruption", "--format", "json"],
            &["plan", "--format", "json"],
            &["history"],
        ] {
            shows_nothing(tree, secret, verb);
        }
        let diff = shows_nothing(tree, secret, &["plan", "--allow-disruption"]);
        // Names and structure stay.
        for kept in [
            "\"labels\": [\"pass=***\", \"rack=a12\"]",
            "SESSION_COOKIE=",
        ] {
            assert!(diff.contains(kept), "{kept}: {diff}");
        }
        let out = tree.at("plan.json");
        shows_nothing(
            tree,
            secret,
            &["plan", "--allow-disruption", "--out", out.to_str().unwrap()],
        );
        let saved = fs::read_to_string(&out).unwrap();
        hidden("--out", &saved, secret);
        for kept in ["splunk-token", "DB_PASS=***", "http://u:***", "no-proxy"] {
            assert!(saved.contains(kept), "{kept}: {saved}");
        }
        shows_nothing(tree, secret, &["show", out.to_str().unwrap()]);
        // Then it is broken at the secret.
        let broken = DAEMON_JSON
            .replace("##", secret)
            .replace("\"no-proxy\"", "no-proxy");
        fs::write(tree.at("etc/docker/daemon.json"), broken).unwrap();
        shows_nothing(tree, secret, &["audit", "--verbose"]);
        shows_nothing(tree, secret, &["plan"]);
        fs::write(
            tree.at("etc/docker/daemon.json"),
            format!("{{\"a-token\": {secret}}}"),
        )
        .unwrap();
        shows_nothing(tree, secret, &["audit", "--verbose"]);
    }
}

/// Everything in the state folder but the backups, which are the files themselves.
fn records(folder: &Path, secret: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "backups") {
                records(&path, secret);
            }
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            hidden(&path.display().to_string(), &text, secret);
        }
    }
}

#[test]
fn nothing_recorded_holds_one() {
    if !is_root() {
        return;
    }
    for secret in SECRETS {
        let tree = Tree::new();
        hide(&tree, secret);
        let only = "daemon-icc,content-trust,audit-etc-docker,daemon-live-restore";
        shows_nothing(
            &tree,
            secret,
            &["apply", "--yes", "--allow-disruption", "--only", only],
        );
        records(&tree.at("var/lib/seaworthy"), secret);
        let folder = tree.at("var/lib/seaworthy/transactions");
        let mut ids = fs::read_dir(folder).unwrap();
        let id = ids
            .next()
            .unwrap()
            .unwrap()
            .file_name()
            .into_string()
            .unwrap();
        shows_nothing(&tree, secret, &["history"]);
        shows_nothing(&tree, secret, &["history", &id]);
        shows_nothing(&tree, secret, &["history", &id, "--format", "json"]);
        let more = ENVIRONMENT.replace("##", secret)
            + "NEW_TOKEN="
            + secret
            + "\nDOCKER_CONTENT_TRUST=1\n";
        fs::write(tree.at("etc/environment"), more).unwrap();
        shows_nothing(&tree, secret, &["rollback", "--yes", &id]);
        records(&tree.at("var/lib/seaworthy"), secret);
    }
}
