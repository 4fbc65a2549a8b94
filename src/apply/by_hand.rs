//! How to take a transaction back without us: a listing in words and commands. It lies beside the
//! journal, for whoever has the disk but not this program.

use super::journal::{ActionRecord, Begin, StepRecord};
use super::store::Store;
use crate::change::{Activation, StateRecord};
use crate::facts::Attributes;
use crate::formats::shell::quoted;
use std::fmt::Write as _;

/// `systemctl reload` would do where the unit has ExecReload=.
const RELOAD: &str = "systemctl kill --signal=HUP --kill-who=main docker.service; sleep 5\n";

/// The listing for a transaction with these steps. It names backups and no contents.
pub(super) fn by_hand(begin: &Begin, store: &Store, live: bool) -> String {
    let last = if begin.keeps { begin.prelude_at + 1 } else { 0 };
    let Begin {
        id,
        steps,
        activations,
        ..
    } = begin;
    let mut text = format!(
        "# How to take transaction {id} back by hand, as root; `seaworthy rollback {id}` and\n\
         # `seaworthy recover` do the same and look first. Each part puts back one path, the last\n\
         # change first. Leave out what somebody has changed since: it would be overwritten. What\n\
         # services write by themselves (the generated audit.rules, the account dockremap) is not\n\
         # listed.\n"
    );
    if !live {
        text.push_str("# This is about a system that did not run: chroot(8) into it first.\n");
    }
    if let Some(off) = begin.undo_live_restore.as_ref().filter(|_| !begin.keeps) {
        text.push_str(
            "\n# Before all others, or the restart kills the containers: live-restore goes off\n\
             # explicitly, and the daemon is told.\n",
        );
        live_restore_off(&mut text, off, store);
    }
    let (before_restart, afterwards) = steps.split_at(begin.first_afterwards());
    for step in before_restart.iter().skip(last).rev() {
        let mut action = step.action.clone();
        // What comes after the restart goes with the step before it.
        let end = afterwards
            .last()
            .filter(|end| end.action.path == action.path);
        if let Some(end) = end {
            action.after = end.action.after.clone();
        }
        part(&mut text, &action, store);
        if end.is_some() {
            text.push_str("# It has live-restore on: the containers outlive the restart.\n");
            text.push_str(RELOAD);
        }
    }
    if !activations.is_empty() {
        text.push_str("\n# Then the services must notice.\n");
    }
    for activation in activations {
        text.push_str(match activation {
            Activation::ReloadUnits => "systemctl daemon-reload\n",
            Activation::LoadAuditRules => {
                "augenrules --load   # drops rules that are in no file; locked rules need a reboot\n"
            }
            Activation::RestartAuditd => "service auditd restart\n",
            Activation::ReloadDocker => "systemctl reload docker.service\n",
            Activation::RestartDocker => {
                "systemctl reset-failed docker.service\nsystemctl restart docker.service\n"
            }
        });
    }
    if let (true, Some(off)) = (begin.keeps, &begin.undo_live_restore) {
        text.push_str(
            "\n# The restart has kept the containers. Now live-restore goes off explicitly, the daemon\n\
             # is told, and its former file comes back; no restart is needed.\n",
        );
        live_restore_off(&mut text, off, store);
        for step in steps.iter().take(last).rev() {
            part(&mut text, &step.action, store);
        }
    }
    text
}

fn live_restore_off(text: &mut String, off: &StepRecord, store: &Store) {
    let off = ActionRecord {
        path: off.action.path.clone(),
        before: off.action.after.clone(),
        after: off.action.before.clone(),
    };
    part(text, &off, store);
    text.push_str(RELOAD);
}

fn part(text: &mut String, action: &ActionRecord, store: &Store) {
    let path = quoted(&action.path);
    let _ = write!(text, "\n# {path} ");
    match (&action.before, &action.after) {
        (StateRecord::Absent, StateRecord::Folder { .. }) => {
            let _ = writeln!(
                text,
                "did not exist; it stays when something is in it\nrmdir {path}"
            );
        }
        (StateRecord::Absent, _) => {
            let _ = writeln!(text, "did not exist\nrm {path}");
        }
        (
            StateRecord::File {
                sha256, attributes, ..
            },
            after,
        ) if after.digest() != Some(sha256) => {
            let backup = store.backup(sha256);
            let Attributes { mode, uid, gid, .. } = attributes;
            let _ = writeln!(
                text,
                "had other content\ninstall -m {mode} -o {uid} -g {gid} {} {path}",
                quoted(&backup)
            );
            labels(text, attributes, &path);
        }
        (StateRecord::Folder { attributes }, StateRecord::Absent) => {
            let Attributes { mode, uid, gid, .. } = attributes;
            let _ = writeln!(
                text,
                "was a folder\ninstall -d -m {mode} -o {uid} -g {gid} {path}"
            );
            labels(text, attributes, &path);
        }
        (before, _) => {
            let attributes = before.attributes().cloned().unwrap_or_default();
            let Attributes { mode, uid, gid, .. } = &attributes;
            // In this order: a change of the owner takes set-user-id bits away (chown(2)).
            let _ = writeln!(
                text,
                "had another mode or owner\nchown {uid}:{gid} {path}\nchmod {mode} {path}"
            );
            labels(text, &attributes, &path);
        }
    }
}

fn labels(text: &mut String, attributes: &Attributes, path: &str) {
    for (name, value) in &attributes.xattrs {
        let mut hex = String::new();
        for byte in value.0.iter() {
            let _ = write!(hex, "{byte:02x}");
        }
        let _ = writeln!(text, "setfattr -n {} -v 0x{hex} {path}", quoted(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::{Step, Transaction};
    use crate::change::{Action, State};
    use crate::facts::{Bytes, Mode};

    fn attributes(mode: u32) -> Attributes {
        Attributes {
            mode: Mode(mode),
            ..Attributes::default()
        }
    }

    fn file(mode: u32, content: &str) -> State {
        State::File {
            attributes: attributes(mode),
            content: content.into(),
        }
    }

    fn step(path: &str, before: State, after: State) -> Step {
        Step {
            action: Action {
                path: path.to_owned(),
                before,
                after,
            },
            controls: Vec::new(),
            what: String::new(),
        }
    }

    fn commands(text: &str) -> Vec<&str> {
        text.lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect()
    }

    #[test]
    fn everything_that_a_step_can_do_is_told_in_reverse() {
        let mut labelled = attributes(0o2750);
        labelled
            .xattrs
            .insert("user.x".to_owned(), Bytes::new(vec![1, 255]));
        let folder = |attributes| State::Folder { attributes };
        let steps = vec![
            step("/etc/new", State::Absent, folder(attributes(0o755))),
            step("/etc/new/a b", State::Absent, file(0o644, "x")),
            step("/etc/kept", file(0o600, "old"), file(0o644, "new")),
            step("/etc/mode", file(0o666, "same"), file(0o644, "same")),
            step("/etc/folder", folder(labelled), folder(attributes(0o755))),
        ];
        let transaction = Transaction {
            steps,
            activations: vec![Activation::LoadAuditRules, Activation::RestartDocker],
            ..Transaction::default()
        };
        let begin = Begin::of("T-1", &transaction, Vec::new(), None, None);
        let text = by_hand(&begin, &Store::new("/state"), true);
        let commands = commands(&text);
        assert_eq!(commands.len(), 11, "{text}");
        assert_eq!(
            commands[..5],
            [
                "chown 0:0 /etc/folder",
                "chmod 2750 /etc/folder",
                "setfattr -n user.x -v 0x01ff /etc/folder",
                "chown 0:0 /etc/mode",
                "chmod 0666 /etc/mode",
            ]
        );
        assert!(
            commands[5].starts_with("install -m 0600 -o 0 -g 0 /state/backups/")
                && commands[5].ends_with(" /etc/kept"),
            "{text}"
        );
        assert_eq!(commands[6..8], ["rm '/etc/new/a b'", "rmdir /etc/new"]);
    }

    #[test]
    fn a_rollback_that_kept_containers_is_taken_back_without_losing_them() {
        let path = "/etc/docker/daemon.json";
        let hardened = file(0o644, "{\"icc\": false, \"live-restore\": true}");
        let on = file(0o644, "{\"live-restore\": true}");
        let off = file(0o644, "{\"live-restore\": false}");
        let transaction = Transaction {
            steps: vec![step(path, hardened.clone(), on.clone())],
            afterwards: vec![step(path, on, off.clone()), step(path, off, State::Absent)],
            activations: vec![Activation::RestartDocker],
            ..Transaction::default()
        };
        let begin = Begin::of("T-1", &transaction, Vec::new(), None, None);
        let text = by_hand(&begin, &Store::new("/state"), true);
        let commands = commands(&text);
        let digest = hardened.record().digest().unwrap().to_string();
        assert!(
            commands[0].starts_with("install -m 0644 -o 0 -g 0 /state/backups/")
                && commands[0].contains(&digest),
            "{text}"
        );
        assert_eq!(commands[1], RELOAD.trim_end());
        assert_eq!(
            commands[2..],
            [
                "systemctl reset-failed docker.service",
                "systemctl restart docker.service"
            ]
        );
    }
}
