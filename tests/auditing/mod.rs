//! What makes a watch record, and what does not: verdicts and plans on a sample host with other rule files, units, mounts.

mod read;

use seaworthy::audit::judge;
use seaworthy::catalog::{Catalog, Selection};
use seaworthy::checks::Outcome;
use seaworthy::facts::Facts;
use seaworthy::plan::{self, Options};
use seaworthy::policy::Policy;
use serde_json::{Value, json};

const TODAY: &str = "2026-11-22";
const WATCH: &str = "-w /etc/docker -p wa -k docker\n";
const SITE: &str = "/etc/audit/rules.d/10-site.rules";
const DOCKER: &str = "/etc/audit/rules.d/50-docker.rules";

/// A Debian 12 with these rule files, the kernel having loaded `kernel`, and more facts on top.
fn host(files: &[(&str, &str)], kernel: &[&str], more: &Value) -> Facts {
    let mut names: Vec<&str> = files
        .iter()
        .map(|(path, _)| path.rsplit('/').next().unwrap())
        .collect();
    names.sort_unstable();
    let mut overlay = json!({
        "auditing": { "machine": "x86_64", "release": "3.0.9", "kernel_rules": kernel },
        "files": { "/etc/audit/rules.d": { "entries": names } },
    });
    for (path, text) in files {
        overlay["files"][path] = json!({ "mode": "0640", "text": text });
    }
    let catalog = Catalog::embedded().unwrap();
    let facts = crate::versions::sample("debian-12", &overlay, &catalog);
    let facts = facts.overlaid(more).unwrap();
    crate::laws::completed(facts, &catalog)
}

fn selection(control: &str) -> Selection {
    Selection {
        only: vec![control.to_owned()],
        ..Selection::default()
    }
}

/// The verdict and everything that was said for it.
fn verdict(facts: &Facts, control: &str) -> (Outcome, String) {
    let catalog = Catalog::embedded().unwrap();
    let policy = Policy::default();
    let judged = judge(&catalog, facts, &policy, &selection(control), TODAY);
    let judgement = &judged[0].judgement;
    let said: Vec<String> = judgement
        .evidence
        .iter()
        .map(|one| format!("{}: {}", one.source, one.seen))
        .collect();
    (judgement.outcome, said.join("\n"))
}

/// Why a control is held back; empty where it is not.
fn held_back(facts: &Facts, control: &str) -> String {
    let catalog = Catalog::embedded().unwrap();
    let options = Options {
        selection: selection(control),
        ..Options::default()
    };
    let plan = plan::plan(&catalog, facts, &Policy::default(), &options, TODAY);
    plan.held_back
        .iter()
        .map(|one| one.reason.clone())
        .collect()
}

const KERNEL: &[&str] = &["-w /etc/docker -p wa -k docker"];

#[test]
fn the_first_bad_line_ends_loading_for_watches_that_are_there() {
    for line in [
        "-w /opt/gone/bin/tool -p x -k tools",
        "-w relative -p wa",
        "-w /etc/passwd\t-p wa",
        "-w /etc/passwd -p wa # why",
        "-a always,exit -S open -F auid=nobody_here",
        "-a always,exit -S open -F gid=no_such_group",
        "-a always,exit -F arch=b64 -S stime",
        "-a exclude,always -F msgtype=NO_SUCH",
        "-a always,exit -S open -F exit=-ENOSUCH",
        "-a always,exit -S open -F nonsense=1",
        "-a always,exit -F arch>b32 -S open",
        "-a never,exit -F dir=/opt/gone",
        "-a always,exit -F path=/opt/gone/helper -F perm=x",
        "-a always,exit -F exe=/opt/gone/tool -S execve",
        "-a always,io_uring -S openat",
        "-D now",
        "-d exit,always -S open",
        "-w /etc/hosts -p wa\n-w /etc/hosts -p wa",
    ] {
        let text = format!("-D\n{line}\n");
        let facts = host(&[(SITE, &text), (DOCKER, WATCH)], KERNEL, &json!({}));
        let (outcome, said) = verdict(&facts, "audit-etc-docker");
        assert_eq!(outcome, Outcome::Fail, "{line}: {said}");
        assert!(said.contains("50-docker.rules:1"), "{line}: {said}");
        let reason = held_back(&facts, "audit-etc-docker");
        let at = if line.contains('\n') { 3 } else { 2 };
        assert!(
            reason.contains(&format!("10-site.rules:{at}: ")),
            "{line}: {reason}"
        );
        assert!(
            reason.contains("loading would stop there"),
            "{line}: {reason}"
        );
        // Nothing stops it behind -i and -c.
        for option in ["-i", "-c"] {
            let text = format!("-D\n{option}\n{line}\n");
            let facts = host(&[(SITE, &text), (DOCKER, WATCH)], KERNEL, &json!({}));
            assert_eq!(
                verdict(&facts, "audit-etc-docker").0,
                Outcome::Pass,
                "{option} {line}"
            );
            let facts = host(&[(SITE, &text)], &[], &json!({}));
            assert_eq!(held_back(&facts, "audit-etc-docker"), "", "{option} {line}");
        }
        // Behind the watch it does the watch no harm.
        let last = "/etc/audit/rules.d/90-site.rules";
        let facts = host(&[(last, &text), (DOCKER, WATCH)], KERNEL, &json!({}));
        assert_eq!(
            verdict(&facts, "audit-etc-docker").0,
            Outcome::Pass,
            "{line}"
        );
    }
}

#[test]
fn lines_that_are_good() {
    for line in [
        "-a always,exit -F dir=/home -F uid=0 -F auid>=1000 -F auid!=-1 -C auid!=obj_uid -k power-abuse",
        "-a always,exit -F path=/etc/passwd -F filetype=file -k id",
        "-a always,exit -F arch=b64 -S 257 -F auid!=unset -k x",
        "-a always,exit -F arch=b32 -S stime -k time",
        "-a never,exit -F arch=b64 -S adjtimex -F uid=root",
        "-a always,exclude -F msgtype=CWD",
        "-a never,user -F subj_type=crond_t",
        "-a never,filesystem -F fstype=tracefs",
        "-A exit,always -S open -k x\n-d exit,always -S open -k x",
        "-w /etc/hosts\n-W /etc/hosts",
        "-q /etc,/home",
        "-t",
        "-b 0",
        "-f 2",
        "-r 0",
    ] {
        let home = json!({ "files": { "/home": { "kind": "folder" } } });
        let text = format!("-D\n{line}\n");
        let facts = host(&[(SITE, &text), (DOCKER, WATCH)], KERNEL, &home);
        let (outcome, said) = verdict(&facts, "audit-etc-docker");
        assert_eq!(outcome, Outcome::Pass, "{line}: {said}");
    }
}

#[test]
fn never_and_exclude_take_records_away() {
    const DATA: &str = "-w /var/lib/docker -p wa -k docker\n";
    let kernel = ["-w /var/lib/docker -p wa -k docker"];
    let below = json!({ "files": { "/var/lib/docker/overlay2": { "kind": "folder" } } });
    for (line, before, behind) in [
        (
            "-a never,exit -F dir=/var/lib/docker",
            Outcome::Fail,
            Outcome::Pass,
        ),
        (
            "-a exit,never -F dir=/var/lib -F key=quiet",
            Outcome::Fail,
            Outcome::Pass,
        ),
        (
            "-a never,exit -F dir=/var/lib/docker -F uid=0",
            Outcome::Fail,
            Outcome::Pass,
        ),
        (
            "-a never,exit -F dir=/var/lib/docker/overlay2",
            Outcome::Manual,
            Outcome::Pass,
        ),
        ("-a never,task", Outcome::Fail, Outcome::Fail),
        ("-a task,never", Outcome::Fail, Outcome::Fail),
        (
            "-a always,exclude -F msgtype=PATH",
            Outcome::Fail,
            Outcome::Fail,
        ),
        (
            "-a always,exclude -F msgtype=CWD",
            Outcome::Pass,
            Outcome::Pass,
        ),
    ] {
        let text = format!("-D\n{line}\n");
        for (name, expected) in [
            ("10-x.rules", before),
            ("90-x.rules", behind),
            ("9-x.rules", before),
        ] {
            let path = format!("/etc/audit/rules.d/{name}");
            let facts = host(&[(&path, &text), (DOCKER, DATA)], &kernel, &below);
            let (outcome, said) = verdict(&facts, "audit-data-root");
            assert_eq!(outcome, expected, "{name} {line}: {said}");
            if expected != Outcome::Pass {
                assert!(said.contains(&format!("{name}:2: ")), "{said}");
            }
        }
    }
    // A watch that does not record is not planned.
    let facts = host(&[(SITE, "-D\n-a never,task\n")], &[], &json!({}));
    assert!(
        held_back(&facts, "audit-etc-docker").contains("never"),
        "never,task"
    );
    // In the kernel the same holds.
    let kernel = ["-a never,task", "-w /var/lib/docker -p wa -k docker"];
    let facts = host(&[(DOCKER, DATA)], &kernel, &json!({}));
    let (outcome, said) = verdict(&facts, "audit-data-root");
    assert_eq!(outcome, Outcome::Fail);
    assert!(said.contains("auditctl -l"), "{said}");
}

#[test]
fn what_a_watch_is() {
    let b64 = "-a always,exit -F arch=b64 -F dir=/etc/docker -F perm=wa -F key=docker\n";
    let b32 = "-a always,exit -F arch=b32 -F dir=/etc/docker -F perm=wa -F key=docker\n";
    let listed = |arch: &str| {
        format!("-a always,exit -F arch={arch} -S all -F dir=/etc/docker -F perm=wa -F key=docker")
    };
    let (wide, narrow) = (listed("b64"), listed("b32"));
    for (rules, kernel, expected) in [
        (b64.to_owned(), vec![wide.as_str()], Outcome::Fail),
        (
            format!("{b64}{b32}"),
            vec![wide.as_str(), &narrow],
            Outcome::Pass,
        ),
        (format!("{b64}{b32}"), vec![wide.as_str()], Outcome::Fail),
        // About the folder itself only.
        (
            "-a always,exit -F path=/etc/docker -F perm=wa -F key=docker\n".to_owned(),
            KERNEL.to_vec(),
            Outcome::Fail,
        ),
        (
            "-a always,exit -F dir=/etc/docker -F perm=wa -F auid>=1000\n".to_owned(),
            KERNEL.to_vec(),
            Outcome::Fail,
        ),
        (
            "-w /etc -p wa\n".to_owned(),
            vec!["-w /etc -p wa"],
            Outcome::Pass,
        ),
    ] {
        let folder = json!({ "files": { "/etc": { "kind": "folder" }, "/etc/docker": { "kind": "folder" } } });
        let facts = host(&[(DOCKER, &rules)], &kernel, &folder);
        let (outcome, said) = verdict(&facts, "audit-etc-docker");
        assert_eq!(outcome, expected, "{rules}: {said}");
    }
}

#[test]
fn what_makes_every_watch_void() {
    let rules = |line: &str| format!("-D\n{line}\n{WATCH}");
    for (line, more, said) in [
        ("-e 0", json!({}), "-e 0"),
        ("-r 100", json!({}), "-r 100"),
        (
            "-e 1",
            json!({ "auditing": { "rate_limit": 5 } }),
            "rate_limit 5",
        ),
        (
            "",
            json!({ "files": { "/proc/cmdline": { "kind": "file", "text": "ro audit=0\n" } } }),
            "audit=0",
        ),
        (
            "",
            json!({ "files": { "/etc/default/grub": { "kind": "file", "text": "GRUB_CMDLINE_LINUX=\"audit=0\"\n" } } }),
            "grub:1",
        ),
        (
            "",
            json!({ "units": { "auditd.service": { "active": "inactive" } } }),
            "does not run",
        ),
        (
            "",
            json!({ "units": { "auditd.service": { "active": "failed" } } }),
            "does not run",
        ),
        (
            "",
            json!({ "units": { "auditd.service": { "enabled": "disabled" } } }),
            "not enabled",
        ),
        (
            "",
            json!({ "units": { "auditd.service": { "enabled": "masked" } } }),
            "masked",
        ),
        (
            "",
            json!({ "files": { "/etc/fstab": { "kind": "file", "text": "/dev/b /etc/docker ext4 nofail 0 2\n" } } }),
            "fstab:1",
        ),
        (
            "",
            json!({ "files": { "/etc/fstab": { "kind": "file", "text": "srv:/e /etc nfs _netdev 0 0\n" } } }),
            "fstab:1",
        ),
        (
            "",
            json!({ "files": { "/etc/systemd/system": { "kind": "folder", "entries": ["etc-docker.automount"] } } }),
            "etc-docker.automount",
        ),
        (
            "",
            json!({ "files": { "/etc/systemd/system": { "kind": "folder", "entries": ["etc-docker.mount"] } } }),
            "etc-docker.mount",
        ),
    ] {
        let text = rules(line);
        let facts = host(&[(DOCKER, &text)], KERNEL, &more);
        let (outcome, evidence) = verdict(&facts, "audit-etc-docker");
        assert_eq!(outcome, Outcome::Fail, "{line} {more}: {evidence}");
        assert!(evidence.contains(said), "{line} {more}: {evidence}");
        // Another rule would not help, and is not planned.
        let facts = host(&[(DOCKER, &format!("-D\n{line}\n"))], &[], &more);
        assert!(
            held_back(&facts, "audit-etc-docker").contains(said),
            "{line} {more}"
        );
    }
    for more in [
        json!({ "files": { "/etc/fstab": { "kind": "file", "text": "/dev/b /etc/docker ext4 defaults 0 2\n" } } }),
        json!({ "files": { "/etc/fstab": { "kind": "file", "text": "/dev/b /etc/other ext4 nofail 0 2\n" } } }),
        json!({ "files": { "/proc/cmdline": { "kind": "file", "text": "ro audit=1\n" } } }),
    ] {
        let facts = host(&[(DOCKER, &rules("-e 1"))], KERNEL, &more);
        assert_eq!(
            verdict(&facts, "audit-etc-docker").0,
            Outcome::Pass,
            "{more}"
        );
    }
}

#[test]
fn what_was_not_seen_never_passes() {
    for (line, more) in [
        (
            "-a always,exit -S open",
            json!({ "auditing": { "machine": null } }),
        ),
        (
            "-a always,exit -S open -F uid=somebody",
            json!({ "files": { "/etc/passwd": { "unseen": "permission denied" } } }),
        ),
        (
            "-a always,exit -S open -F uid=somebody",
            json!({ "files": { "/etc/nsswitch.conf": { "kind": "file", "text": "passwd: files sss\n" } } }),
        ),
        (
            "-a always,EXIT -F path=/etc/hosts",
            json!({ "auditing": { "release": null } }),
        ),
        (
            "-w /srv/x/y -p wa",
            json!({ "files": { "/srv/x": { "unseen": "permission denied" } } }),
        ),
        (
            "-a always,exit -F arch=b64 -S no_such_call",
            json!({ "auditing": { "release": "9.0" } }),
        ),
    ] {
        let text = format!("-D\n{line}\n");
        let facts = host(&[(SITE, &text), (DOCKER, WATCH)], KERNEL, &more);
        let (outcome, said) = verdict(&facts, "audit-etc-docker");
        assert_eq!(outcome, Outcome::Unknown, "{line} {more}: {said}");
        assert!(said.contains("10-site.rules:2"), "{said}");
    }
}

#[test]
fn run_is_empty_at_boot() {
    let watch = "-D\n-w /run/site/socket -p wa\n";
    let folder = json!({ "files": { "/run/site": { "kind": "folder" } } });
    let facts = host(&[(SITE, watch), (DOCKER, WATCH)], KERNEL, &folder);
    assert_eq!(verdict(&facts, "audit-etc-docker").0, Outcome::Fail);
    let made = json!({ "files": {
        "/usr/lib/tmpfiles.d": { "kind": "folder", "entries": ["site.conf"] },
        "/usr/lib/tmpfiles.d/site.conf": { "text": "d /run/site 0755 root root -\n" },
    } });
    let facts = host(&[(SITE, watch), (DOCKER, WATCH)], KERNEL, &made);
    let (outcome, said) = verdict(&facts, "audit-etc-docker");
    assert_eq!(outcome, Outcome::Pass, "{said}");
}

#[test]
fn an_image_that_has_not_booted_enables_what_its_presets_say() {
    let image = |more: &Value| {
        let mut all = json!({
            "host": { "live": false },
            "units": { "auditd.service": { "active": "", "enabled": "disabled" } },
        });
        for (key, value) in more.as_object().unwrap() {
            all[key] = value.clone();
        }
        host(&[(DOCKER, WATCH)], &[], &all)
    };
    let booted =
        json!({ "files": { "/etc/machine-id": { "text": "5f3c9a1e7b2d4c60a8e1f0d2b4c69712\n" } } });
    let new = json!({ "files": { "/etc/machine-id": { "text": "uninitialized\n" } } });
    let disabled = json!({ "files": {
        "/etc/machine-id": { "text": "uninitialized\n" },
        "/usr/lib/systemd/system-preset": { "kind": "folder", "entries": ["99-default.preset"] },
        "/usr/lib/systemd/system-preset/99-default.preset": { "text": "enable docker.*\ndisable *\n" },
    } });
    for (more, expected) in [
        (booted, Outcome::Fail),
        (json!({}), Outcome::Pass),
        (new, Outcome::Pass),
        (disabled, Outcome::Fail),
    ] {
        let (outcome, said) = verdict(&image(&more), "audit-etc-docker");
        assert_eq!(outcome, expected, "{more}: {said}");
    }
}
