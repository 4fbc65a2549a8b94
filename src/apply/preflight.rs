//! Before the first change: would each path take its change, and would the daemon start with the
//! configuration that is about to be written? The daemon itself is asked, without starting it; what
//! it refuses is never installed.

use super::error::ApplyError;
use super::transaction::Transaction;
use crate::change::{Action, State};
use crate::checks::parent;
use crate::facts::{Bytes, Kind, Look};
use crate::host::{HostError, ReadHost, Verdict};

/// Looks at every path, and asks the daemon's own program. Returns a sentence when it could not say.
pub(super) fn preflight(
    host: &dyn ReadHost,
    transaction: &Transaction,
) -> Result<Option<String>, ApplyError> {
    refuse_little_memory(host)?;
    for step in transaction
        .all_steps()
        .chain(&transaction.undo_live_restore)
    {
        refuse_untouchable(host, &step.action)?;
    }
    ask_daemon(host, transaction)
}

/// More than a run takes once its plan is made, its undo and the look at the host after it included: a
/// file may have 16 MiB and all of them together 64 MiB, each held a few times.
const MEMORY: usize = 128 << 20;

/// A process that gets no memory is ended where it stands. Nothing is begun that may end so.
fn refuse_little_memory(host: &dyn ReadHost) -> Result<(), HostError> {
    if host.has_memory(MEMORY) {
        return Ok(());
    }
    Err(HostError::Refused {
        path: "memory".to_owned(),
        reason: format!(
            "this process may not have {} MiB more (see `ulimit -v` and `ulimit -d`), and a change that it cannot take back is not begun",
            MEMORY >> 20
        ),
    })
}

/// What a plan knew when it was made (`plan::touch`) may have changed since, and a rollback has no
/// plan: nothing is begun that would fail at this path.
fn refuse_untouchable(host: &dyn ReadHost, action: &Action) -> Result<(), HostError> {
    let refused = |path: &str, reason: String| HostError::Refused {
        path: path.to_owned(),
        reason,
    };
    let node = host.node(&action.path, Look::Attributes)?;
    if let Some(reason) = node.untrusted.or(node.fixed) {
        return Err(refused(&action.path, reason));
    }
    let names_change = match (&action.before, &action.after) {
        (State::File { content: old, .. }, State::File { content: new, .. }) => old != new,
        (State::Absent, _) | (_, State::Absent) => true,
        _ => false,
    };
    if names_change {
        let folder = parent(&action.path);
        let node = host.node(folder, Look::Attributes)?;
        if let (Kind::Folder, Some(reason)) = (node.kind, node.fixed) {
            return Err(refused(folder, reason));
        }
    }
    Ok(())
}

fn ask_daemon(
    host: &dyn ReadHost,
    transaction: &Transaction,
) -> Result<Option<String>, ApplyError> {
    let Some(daemon) = &transaction.daemon else {
        return Ok(None);
    };
    let step = transaction
        .all_steps()
        .filter(|step| step.action.path == daemon.config)
        .last();
    let text = match step {
        Some(step) => step.action.after.content().cloned(),
        None if daemon.command_changes => {
            let node = host.node(&daemon.config, Look::Content)?;
            // A file that is not there is one without settings (dockerd(8), `--config-file`).
            let absent = node.kind == Kind::Absent;
            node.content.or_else(|| absent.then(|| "{}\n".into()))
        }
        None => None,
    };
    let Some(text) = text.as_ref().and_then(Bytes::as_str) else {
        return Ok(None);
    };
    match host.validate_daemon_json(text, &daemon.command)? {
        Verdict::Accepted => Ok(None),
        Verdict::NotChecked(why) => Ok(Some(format!("{}: {why}", daemon.config))),
        Verdict::Refused(words) => Err(ApplyError::Daemon {
            path: daemon.config.clone(),
            words,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::{DaemonStart, Step};
    use crate::change::{Action, State};
    use crate::facts::{Attributes, Node};
    use crate::host::{DockerAnswers, HostError, Output};

    /// A host whose daemon says this.
    struct Says(Verdict);

    impl ReadHost for Says {
        fn is_live(&self) -> bool {
            true
        }
        fn is_root(&self) -> bool {
            true
        }
        fn node(&self, _: &str, _: Look) -> Result<Node, HostError> {
            Ok(Node::absent())
        }
        fn report(&self, program: &str, _: &[&str]) -> Result<Output, HostError> {
            Err(HostError::NotInstalled {
                program: program.to_owned(),
            })
        }
        fn program(&self, _: &str) -> Option<String> {
            None
        }
        fn docker(&self, _: &str) -> Result<DockerAnswers, HostError> {
            Ok(DockerAnswers::default())
        }
        fn validate_daemon_json(
            &self,
            text: &str,
            command: &[String],
        ) -> Result<Verdict, HostError> {
            assert_eq!(
                (text, command),
                ("{}\n", &["/usr/sbin/dockerd".to_owned()][..])
            );
            Ok(self.0.clone())
        }
    }

    fn writes(path: &str) -> Transaction {
        let after = State::File {
            attributes: Attributes::default(),
            content: "{}\n".into(),
        };
        Transaction {
            steps: vec![Step {
                action: Action {
                    path: path.to_owned(),
                    before: State::Absent,
                    after,
                },
                controls: Vec::new(),
                what: String::new(),
            }],
            daemon: Some(DaemonStart {
                config: "/etc/docker/daemon.json".to_owned(),
                command: vec!["/usr/sbin/dockerd".to_owned()],
                command_changes: false,
            }),
            ..Transaction::default()
        }
    }

    #[test]
    fn a_refusal_ends_it_and_uncertainty_is_told() {
        let transaction = writes("/etc/docker/daemon.json");
        let accepted = preflight(&Says(Verdict::Accepted), &transaction);
        assert!(matches!(accepted, Ok(None)));
        let unsure = preflight(&Says(Verdict::NotChecked("why".to_owned())), &transaction);
        assert_eq!(
            unsure.unwrap().as_deref(),
            Some("/etc/docker/daemon.json: why")
        );
        let refused = preflight(&Says(Verdict::Refused("no".to_owned())), &transaction);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "/etc/docker/daemon.json: dockerd refuses what would be written there, so nothing was changed: no"
        );
    }

    #[test]
    fn nobody_is_asked_when_the_configuration_stays() {
        let refuses = Says(Verdict::Refused("no".to_owned()));
        assert!(matches!(
            preflight(&refuses, &writes("/etc/environment")),
            Ok(None)
        ));
        // Another command line is asked about, with the file as it is: here there is none.
        let mut flags = writes("/etc/default/docker");
        if let Some(daemon) = &mut flags.daemon {
            daemon.command_changes = true;
        }
        assert!(matches!(
            preflight(&refuses, &flags),
            Err(ApplyError::Daemon { .. })
        ));
        let rollback = Transaction {
            daemon: None,
            ..writes("/etc/docker/daemon.json")
        };
        assert!(matches!(preflight(&refuses, &rollback), Ok(None)));
    }
}
