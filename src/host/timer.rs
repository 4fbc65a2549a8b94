//! A timer outside of this process that rolls back what nobody confirms.

use super::commands::Runner;
use super::linux::LinuxHost;
use super::{HostError, ReadHost};
use crate::facts::{Kind, Look};
use std::time::Duration;

/// The manager only changes its books.
const DEADLINE: Duration = Duration::from_secs(60);

/// The unit of a transaction, without its ending.
fn unit(id: &str) -> String {
    format!("seaworthy-confirm-{id}")
}

/// Whether a path means itself everywhere it is written: systemd expands `%` and `$`, and splits
/// at blanks.
fn is_plain(program: &str) -> bool {
    program.starts_with('/')
        && program
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/._-+".contains(c))
}

/// See [`ReadHost::can_arm`].
pub(super) fn can_arm(host: &LinuxHost, program: &str) -> Result<(), HostError> {
    const SYSTEMD: &str = "/run/systemd/system";
    let refused = |path: &str, reason: &str| HostError::Refused {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    if !host.is_live() {
        return Err(refused("--root", "nothing runs in a folder"));
    }
    // sd_booted(3)
    if host.node(SYSTEMD, Look::Attributes)?.kind != Kind::Folder {
        return Err(refused(SYSTEMD, "systemd does not run this host"));
    }
    if host.program("systemd-run").is_none() {
        return Err(HostError::NotInstalled {
            program: "systemd-run".to_owned(),
        });
    }
    if !is_plain(program) {
        return Err(refused(
            program,
            "systemd cannot be given a program of such a name",
        ));
    }
    // What is below these folders is gone when a boot should run it.
    if ["/tmp/", "/run/", "/dev/", "/proc/"]
        .iter()
        .any(|folder| program.starts_with(folder))
    {
        return Err(refused(program, "the program would not outlive a reboot"));
    }
    host.refuse_untrusted_program(program)
}

/// Starts the timer, unless it is there already, and looks whether it runs.
pub(super) fn arm(
    runner: &dyn Runner,
    id: &str,
    after: Duration,
    program: &str,
    what: &[String],
) -> Result<(), HostError> {
    let timer = format!("{}.timer", unit(id));
    if is_active(runner, &timer)? {
        return Ok(());
    }
    let arguments = [
        format!("--on-active={}s", after.as_secs()),
        format!("--unit={}", unit(id)),
        format!("--description=Roll back {id} unless it is confirmed"),
        // The default of a minute would be most of a short time.
        "--timer-property=AccuracySec=1s".to_owned(),
        "--quiet".to_owned(),
        // Gone also when it fails: its name is needed when a recovery arms it again.
        "--collect".to_owned(),
        program.to_owned(),
    ];
    let words: Vec<&str> = arguments.iter().chain(what).map(String::as_str).collect();
    runner.succeed("systemd-run", &words, DEADLINE)?;
    if is_active(runner, &timer)? {
        return Ok(());
    }
    Err(HostError::Refused {
        path: timer,
        reason: "systemd took it, but it does not run".to_owned(),
    })
}

/// Stops the timer. Not the service: it may be the one that runs us, and where it is not it finds
/// nothing to do by itself.
pub(super) fn disarm(runner: &dyn Runner, id: &str) -> Result<(), HostError> {
    let timer = format!("{}.timer", unit(id));
    // One that has elapsed, or that a boot took away, is not loaded any more.
    if !is_active(runner, &timer)? {
        return Ok(());
    }
    runner.succeed("systemctl", &["stop", &timer], DEADLINE)?;
    Ok(())
}

fn is_active(runner: &dyn Runner, timer: &str) -> Result<bool, HostError> {
    let output = runner.run("systemctl", &["is-active", timer], DEADLINE)?;
    Ok(output.stdout.trim() == "active")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Output;
    use std::cell::RefCell;

    /// A manager that knows which timers run.
    struct Manager {
        told: RefCell<Vec<String>>,
        runs: RefCell<bool>,
        obeys: bool,
    }

    impl Runner for Manager {
        fn run(&self, program: &str, arguments: &[&str], _: Duration) -> Result<Output, HostError> {
            let mut stdout = String::new();
            if arguments[0] == "is-active" {
                stdout = if *self.runs.borrow() {
                    "active"
                } else {
                    "inactive"
                }
                .to_owned();
            } else {
                self.told
                    .borrow_mut()
                    .push(format!("{program} {}", arguments.join(" ")));
                if self.obeys {
                    *self.runs.borrow_mut() = program == "systemd-run";
                }
            }
            Ok(Output {
                status: Some(0),
                stdout,
                stderr: String::new(),
            })
        }
    }

    fn manager(obeys: bool) -> Manager {
        Manager {
            told: RefCell::default(),
            runs: RefCell::new(false),
            obeys,
        }
    }

    #[test]
    fn a_timer_is_started_once_and_stopped_once() {
        let manager = manager(true);
        let after = Duration::from_secs(600);
        for _ in 0..2 {
            let what = ["rollback".to_owned(), "T-1".to_owned()];
            arm(&manager, "T-1", after, "/usr/local/bin/seaworthy", &what).unwrap();
        }
        for _ in 0..2 {
            disarm(&manager, "T-1").unwrap();
        }
        assert_eq!(
            *manager.told.borrow(),
            [
                "systemd-run --on-active=600s --unit=seaworthy-confirm-T-1 \
                 --description=Roll back T-1 unless it is confirmed \
                 --timer-property=AccuracySec=1s --quiet --collect \
                 /usr/local/bin/seaworthy rollback T-1",
                "systemctl stop seaworthy-confirm-T-1.timer",
            ]
        );
    }

    #[test]
    fn a_timer_that_does_not_run_is_an_error() {
        let error = arm(&manager(false), "T-1", Duration::from_secs(9), "/s", &[]).unwrap_err();
        assert!(error.to_string().contains("does not run"), "{error}");
    }

    #[test]
    fn only_plain_paths_are_given_to_systemd() {
        assert!(is_plain("/usr/local/bin/seaworthy-1.2"));
        for path in [
            "seaworthy",
            "/a b",
            "/a%n",
            "/a$b",
            "/a\"",
            "/usr/x (deleted)",
        ] {
            assert!(!is_plain(path), "{path}");
        }
    }
}
