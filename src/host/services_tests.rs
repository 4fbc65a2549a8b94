//! What is told to systemd and to the kernel, and in which order, played against a script.

use super::super::audit::Auditor;
use super::*;
use crate::facts::{Reading, Unseen};
use std::cell::RefCell;

/// Stands for a file that cannot be read.
const UNREAD: &str = "?";

/// Answers commands by a function and writes down those that change something.
struct Script<F> {
    told: RefCell<Vec<String>>,
    answer: F,
}

impl<F: Fn(&str) -> Output> Runner for Script<F> {
    fn run(
        &self,
        program: &str,
        arguments: &[&str],
        _deadline: Duration,
    ) -> Result<Output, HostError> {
        let line = format!("{program} {}", arguments.join(" "));
        let output = (self.answer)(&line);
        if !line.contains(" show ") && !line.ends_with(" -l") && !line.ends_with(" -s") {
            self.told.borrow_mut().push(line);
        }
        Ok(output)
    }
}

fn script<F: Fn(&str) -> Output>(answer: F) -> Script<F> {
    Script {
        told: RefCell::default(),
        answer,
    }
}

fn says(stdout: &str) -> Output {
    Output {
        status: Some(0),
        stdout: stdout.to_owned(),
        stderr: String::new(),
    }
}

fn fails(stderr: &str) -> Output {
    Output {
        status: Some(1),
        stdout: String::new(),
        stderr: stderr.to_owned(),
    }
}

const NOW: Duration = Duration::ZERO;

#[test]
fn restarting_docker() {
    let up = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\n";
    let failed = "LoadState=loaded\nActiveState=failed\nUnitFileState=enabled\n";
    let none = "LoadState=not-found\nActiveState=inactive\nUnitFileState=\n";
    let both = "docker.service docker.socket";
    for (service, socket, starts, told) in [
        (
            up,
            up,
            true,
            vec![
                format!("reset-failed {both}"),
                "restart docker.service".to_owned(),
            ],
        ),
        (
            up,
            none,
            true,
            vec![
                "reset-failed docker.service".to_owned(),
                "restart docker.service".to_owned(),
            ],
        ),
        (
            up,
            up,
            false,
            vec![
                format!("reset-failed {both}"),
                "restart docker.service".to_owned(),
                format!("stop {both}"),
            ],
        ),
        (
            failed,
            failed,
            true,
            vec![
                format!("stop {both}"),
                format!("reset-failed {both}"),
                "start docker.socket docker.service".to_owned(),
            ],
        ),
    ] {
        let script = script(|line: &str| match line {
            line if line.ends_with("docker.service") && line.contains(" show ") => says(service),
            line if line.ends_with("docker.socket") && line.contains(" show ") => says(socket),
            line if line.contains("start docker") && !starts => {
                fails("Job for docker.service failed")
            }
            _ => says(""),
        });
        assert_eq!(restart_docker(&script, NOW).is_ok(), starts);
        let told: Vec<String> = told
            .into_iter()
            .map(|it| format!("systemctl {it}"))
            .collect();
        assert_eq!(*script.told.borrow(), told);
    }
}

#[test]
fn a_daemon_that_is_down_is_not_told_to_reload() {
    for (active, told) in [("active", 1), ("inactive", 0), ("failed", 0)] {
        let script = script(|_: &str| says(&format!("LoadState=loaded\nActiveState={active}\n")));
        reload_docker(&script, NOW).unwrap();
        assert_eq!(script.told.borrow().len(), told, "{active}");
    }
}

/// A kernel and a loader: `augenrules --load` brings `loads` into the kernel in place of all.
fn load(
    kernel: &str,
    old_file: &str,
    new_file: &str,
    loads: &str,
    addable: bool,
) -> (Result<(), HostError>, Vec<String>) {
    let rules = RefCell::new(kernel.to_owned());
    let file = RefCell::new(old_file.to_owned());
    let script = script(|line: &str| match line {
        "auditctl -l" if rules.borrow().is_empty() => says("No rules\n"),
        "auditctl -l" => says(&rules.borrow()),
        "auditctl -s" => says("enabled 1\nfailure 1\n"),
        "augenrules --load" => {
            loads.clone_into(&mut rules.borrow_mut());
            new_file.clone_into(&mut file.borrow_mut());
            says("")
        }
        line if line.starts_with("auditctl -w") && addable => {
            let rule = line.strip_prefix("auditctl ").unwrap();
            rules.borrow_mut().extend([rule, "\n"]);
            says("")
        }
        line if line.starts_with("auditctl ") => fails("Error sending add rule data request"),
        _ => says("ExecStartPost={ path=/sbin/augenrules ; argv[]=/sbin/augenrules --load ; }\n"),
    });
    let auditor = Auditor {
        runner: &script,
        read: &|_| match file.borrow().as_str() {
            UNREAD => Reading::Unread(Unseen::new("permission denied", "")),
            text => Reading::Text(text.to_owned().into()),
        },
        replaced: None,
    };
    let result = auditor.load(NOW);
    (result, script.told.take())
}

#[test]
fn rules_that_only_the_kernel_knew_stay_and_those_taken_out_go() {
    let (mine, typed, ours) = (
        "-w /etc/mine -p wa -k mine\n",
        "-w /etc/typed -p wa\n",
        "-w /etc/docker -p wa -k docker\n",
    );
    // An apply: ours is added, the typed one is lost by the loader and added again.
    let (result, told) = load(
        &format!("{mine}{typed}"),
        &format!("-D\n{mine}"),
        &format!("-D\n{mine}{ours}"),
        &format!("{mine}{ours}"),
        true,
    );
    result.unwrap();
    assert_eq!(told, ["augenrules --load", "auditctl -w /etc/typed -p wa"]);
    // The undo: ours left the files, and is not brought back.
    let (result, told) = load(
        &format!("{mine}{ours}{typed}"),
        &format!("-D\n{mine}{ours}"),
        &format!("-D\n{mine}"),
        mine,
        true,
    );
    result.unwrap();
    assert_eq!(told, ["augenrules --load", "auditctl -w /etc/typed -p wa"]);
    // The loader deleted all and stopped at a bad line.
    let (result, _) = load(mine, mine, &format!("bad\n{mine}"), "", true);
    result.unwrap();
    // What cannot be read afterwards, or could not before, takes nothing away.
    for (old, new) in [(mine, UNREAD), (UNREAD, "-D\n")] {
        let (result, told) = load(mine, old, new, "", true);
        result.unwrap();
        assert_eq!(
            told,
            ["augenrules --load", "auditctl -w /etc/mine -p wa -k mine"]
        );
    }
    let (result, _) = load(mine, mine, &format!("bad\n{mine}"), "", false);
    assert_eq!(
        result.unwrap_err().to_string(),
        "`augenrules --load` took audit rules out of the kernel: -w /etc/mine -p wa -k mine: \
         exited with status 1\nError sending add rule data request"
    );
}

#[test]
fn locked_rules_are_left_to_the_next_boot() {
    let script = script(|_: &str| says("enabled 2\nfailure 1\n"));
    let auditor = Auditor {
        runner: &script,
        read: &|_| Reading::Absent,
        replaced: None,
    };
    auditor.load(NOW).unwrap();
    assert!(script.told.borrow().is_empty());
}

#[test]
fn auditd_is_restarted_where_that_is_allowed() {
    for (shown, told) in [
        ("LoadState=loaded\nRefuseManualStop=no\n", 1),
        ("LoadState=loaded\nRefuseManualStop=yes\n", 0),
        ("LoadState=not-found\nRefuseManualStop=no\n", 0),
    ] {
        let script = script(|line: &str| match line {
            line if line.contains(" show ") => says(shown),
            "auditctl -l" => says("No rules\n"),
            _ => says(""),
        });
        let auditor = Auditor {
            runner: &script,
            read: &|_| Reading::Absent,
            replaced: None,
        };
        auditor.restart(NOW).unwrap();
        assert_eq!(script.told.borrow().len(), told, "{shown}");
    }
}

/// A host without systemd.
struct OpenRc(Option<i32>);

impl Runner for OpenRc {
    fn run(
        &self,
        program: &str,
        arguments: &[&str],
        _deadline: Duration,
    ) -> Result<Output, HostError> {
        if program != "rc-service" {
            return Err(HostError::NotInstalled {
                program: program.to_owned(),
            });
        }
        assert_eq!(arguments, ["docker", "status"]);
        Ok(Output {
            status: self.0,
            ..Output::default()
        })
    }
}

#[test]
fn where_there_is_no_systemd_openrc_is_asked() {
    for (status, expected) in [
        (Some(0), "active"),
        (Some(3), "inactive"),
        (Some(32), "failed"),
        (Some(1), "exited with status 1"),
    ] {
        let runner = OpenRc(status);
        let state = active_state(&runner, "docker.service");
        assert!(state.contains(expected), "{status:?}: {state}");
        let process = main_process(&runner, "docker.service");
        assert!(
            process.to_string().contains(expected),
            "{status:?}: {process}"
        );
    }
}
