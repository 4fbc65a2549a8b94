//! How rule files are read: by auditctl's own rules about files, lines and names, and by what could not be read.

use super::{DOCKER, KERNEL, SITE, WATCH, host, verdict};
use seaworthy::checks::Outcome;
use serde_json::{Value, json};

/// The verdict on the watch of `/etc/docker` with a good rule for it, and this besides.
fn with(more: &Value) -> (Outcome, String) {
    let text = format!("-D\n{WATCH}");
    verdict(&host(&[(DOCKER, &text)], KERNEL, more), "audit-etc-docker")
}

#[test]
fn what_could_not_be_read_never_passes() {
    let latin = json!({ "hex": "23206dfc6c6c0a" });
    for (files, expected) in [
        (
            json!({ "/etc/fstab": { "unseen": "permission denied" } }),
            Outcome::Unknown,
        ),
        (
            json!({ "/etc/fstab": { "kind": "folder" } }),
            Outcome::Unknown,
        ),
        // A comment that is not UTF-8 hides nothing.
        (
            json!({ "/etc/fstab": { "kind": "file", "text": latin } }),
            Outcome::Pass,
        ),
        (
            json!({ "/etc/default/grub": { "unseen": "permission denied" } }),
            Outcome::Unknown,
        ),
        (
            json!({ "/etc/default/grub": { "kind": "file", "text": latin } }),
            Outcome::Pass,
        ),
        (
            json!({ "/proc/cmdline": { "unseen": "permission denied" } }),
            Outcome::Unknown,
        ),
    ] {
        let (outcome, said) = with(&json!({ "files": files }));
        assert_eq!(outcome, expected, "{files}: {said}");
    }
    // What is wrong is wrong all the same.
    let more = json!({ "files": { "/etc/fstab": { "unseen": "permission denied" } } });
    let facts = host(&[(DOCKER, "-D\n-e 0\n")], KERNEL, &more);
    assert_eq!(verdict(&facts, "audit-etc-docker").0, Outcome::Fail);
}

#[test]
fn a_file_that_auditctl_refuses_as_a_whole() {
    for (node, release, expected) in [
        (json!({ "uid": 1000 }), "3.0.9", Outcome::Fail),
        (json!({ "uid": 1000 }), "3.1.1", Outcome::Fail),
        (json!({ "uid": 1000 }), "3.1.2", Outcome::Pass),
        (json!({ "uid": 1000 }), "4.2.1", Outcome::Pass),
        (json!({ "uid": 1000 }), "", Outcome::Unknown),
        (json!({ "mode": "0646" }), "3.0.9", Outcome::Fail),
        (json!({ "mode": "0646" }), "4.0.2", Outcome::Pass),
        (json!({ "mode": "0646" }), "4.1.4", Outcome::Fail),
        (json!({ "mode": "0646" }), "", Outcome::Unknown),
        (json!({ "mode": "0660" }), "", Outcome::Pass),
        (json!({ "kind": "folder" }), "4.0.2", Outcome::Fail),
        (json!({ "kind": "other" }), "", Outcome::Fail),
        (json!({ "kind": "absent" }), "", Outcome::Pass),
    ] {
        let release = Some(release).filter(|release| !release.is_empty());
        let (outcome, said) = with(&json!({
            "auditing": { "release": release },
            "files": { "/etc/audit/audit.rules": node },
        }));
        assert_eq!(outcome, expected, "{node} {release:?}: {said}");
        if outcome != Outcome::Pass {
            assert!(said.contains("audit.rules"), "{said}");
        }
    }
}

#[test]
fn names_that_augenrules_takes_apart() {
    let folder = |names: Value| json!({ "files": { "/etc/audit/rules.d": names } });
    for (names, release, expected) in [
        (
            json!({ "entries": ["50-docker.rules", "my own.rules"] }),
            "3.0.9",
            Outcome::Pass,
        ),
        // It reads a second time what it has read.
        (
            json!({ "entries": ["50-docker.rules", "my 50-docker.rules"] }),
            "3.0.9",
            Outcome::Unknown,
        ),
        (
            json!({ "entries": ["50-docker.rules", "my 50-docker.rules"] }),
            "4.2.1",
            Outcome::Pass,
        ),
        (
            json!({ "entries": ["50-docker.rules", "*.rules"] }),
            "4.0.2",
            Outcome::Unknown,
        ),
        (
            json!({ "entries": ["50-docker.rules", "*.rules"] }),
            "4.2.0",
            Outcome::Pass,
        ),
        (
            json!({ "entries": ["50-docker.rules", ".*.rules", "*.old"] }),
            "4.0.2",
            Outcome::Pass,
        ),
        (
            json!({ "entries": ["50-docker.rules"], "odd_names": ["a\u{fffd}.rules"] }),
            "4.2.1",
            Outcome::Unknown,
        ),
        (
            json!({ "entries": ["50-docker.rules"], "odd_names": ["a\u{fffd}.old"] }),
            "4.2.1",
            Outcome::Pass,
        ),
    ] {
        let mut more = folder(names.clone());
        more["auditing"] = json!({ "release": release });
        let (outcome, said) = with(&more);
        assert_eq!(outcome, expected, "{names} {release}: {said}");
    }
}

#[test]
fn what_is_no_regular_file_in_the_folder() {
    let names = json!({ "entries": ["10-site.rules", "50-docker.rules"] });
    for (node, expected) in [
        // cat(1) complains, and goes on.
        (json!({ "kind": "folder" }), Outcome::Pass),
        (json!({ "kind": "socket" }), Outcome::Pass),
        // It waits for what a pipe has to say.
        (json!({ "kind": "other" }), Outcome::Unknown),
        (json!({ "unseen": "permission denied" }), Outcome::Unknown),
    ] {
        let (outcome, said) = with(&json!({
            "files": { "/etc/audit/rules.d": names, SITE: node },
        }));
        assert_eq!(outcome, expected, "{node}: {said}");
    }
}

#[test]
fn lines_longer_than_auditctl_reads_at_once() {
    // The rest of a line is a line to it; augenrules takes comments out before that.
    let rule = format!("-w /etc/hosts -p wa -k {}", "k".repeat(40));
    for (line, expected) in [
        (format!("# {}", "x".repeat(20_000)), Outcome::Pass),
        (format!("{rule}{}", " ".repeat(20_000)), Outcome::Pass),
        (
            format!("{rule}{}-k more", " ".repeat(20_000)),
            Outcome::Fail,
        ),
        (
            format!("{rule}{}# more", " ".repeat(6143 - rule.len())),
            Outcome::Pass,
        ),
        (format!("{rule}\0 nobody reads this"), Outcome::Pass),
    ] {
        let text = format!("-D\n{line}\n");
        let facts = host(&[(SITE, &text), (DOCKER, WATCH)], KERNEL, &json!({}));
        let (outcome, said) = verdict(&facts, "audit-etc-docker");
        let shown = &line[..line.len().min(80)];
        assert_eq!(outcome, expected, "{shown}: {said}");
    }
    // Where the file is loaded as it is, the end of a comment may be a rule.
    let comment = format!("# {}-w relative\n{WATCH}", "x".repeat(6141));
    let more = json!({
        "auditing": { "loader": "rules-file" },
        "files": { "/etc/audit/audit.rules": { "text": comment } },
    });
    let (outcome, said) = verdict(&host(&[], KERNEL, &more), "audit-etc-docker");
    assert_eq!(outcome, Outcome::Fail, "{said}");
}
