//! The table of keys and versions, put before the program of this machine: it must refuse what we
//! say it refuses, and nothing else.

use super::wanted;
use seaworthy::host::{LinuxHost, ReadHost as _, Verdict};
use seaworthy::options::{Reading, Version, names, reading};
use std::process::Command;

/// Names that no version knows, besides those of the table.
const STRANGERS: [&str; 8] = [
    "ICC",
    "_comment",
    "api-enable-cors",
    "containerd-plugin-namespace",
    "disable-legacy-registry",
    "proxies",
    "swarm-raft-election-tick",
    "swarm-raft-heartbeat-tick",
];

/// Names that a command line which checks a file has as flags of its own.
const BUSY: [&str; 2] = ["config-file", "validate"];

#[test]
fn this_dockerd_knows_and_refuses_what_the_table_says() {
    if !wanted() {
        return;
    }
    let host = LinuxHost::live().unwrap();
    let program = host.program("dockerd").unwrap();
    let said = Command::new(&program).arg("--version").output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let version = said
        .strip_prefix("Docker version ")
        .and_then(Version::parse)
        .unwrap_or_else(|| panic!("{said}"));
    let mut asked = 0;
    for name in names().chain(STRANGERS) {
        if BUSY.contains(&name) {
            continue;
        }
        // Null fits every type.
        let text = format!("{{\"{name}\": null}}");
        let verdict = host
            .validate_daemon_json(&text, std::slice::from_ref(&program))
            .unwrap();
        let unknown =
            matches!(&verdict, Verdict::Refused(said) if said.contains("don't match any"));
        let expected = reading(name, Some(version)).is_some_and(Reading::refuses);
        assert_eq!(
            unknown, expected,
            "{name} in dockerd {version}: {verdict:?}"
        );
        asked += 1;
    }
    assert!(asked > 100, "{asked}");
}
