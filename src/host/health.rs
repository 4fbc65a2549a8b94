//! Whether the services are as they should be.

use super::audit::Auditor;
use super::services::{MainProcess, active_state, main_process};
use super::{HostError, Patience, docker};
use crate::change::Expectation;
use crate::facts::{Docker, Hidden, Part};
use crate::formats::audit_rules::Line;
use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

/// A service that comes up does so in tens of milliseconds or in seconds; both are seen soon.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Also the last look gets as much as an answer takes: else it would find only that, and not what
/// is wrong.
const SHORTEST_ANSWER: Duration = Duration::from_secs(3);

/// What one look may wait for one answer: the next look finds a daemon that is still starting.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

/// What one look may wait for all its answers, in deadlines of one.
const ANSWERS: u32 = 3;

/// Looks again and again until nothing is wrong, at most `deadline`.
pub(super) fn wait(
    auditor: &Auditor<'_>,
    socket: &str,
    expected: &Expectation,
    deadline: Duration,
    interrupted: &dyn Fn() -> bool,
) -> Result<(), Vec<String>> {
    let ends = Instant::now() + deadline;
    let mut pause = FIRST_PAUSE;
    loop {
        let left = ends.saturating_duration_since(Instant::now());
        let wrong = wrong(
            auditor,
            socket,
            expected,
            left.clamp(SHORTEST_ANSWER, ANSWER_DEADLINE),
        );
        if wrong.is_empty() {
            return Ok(());
        }
        if interrupted() || Instant::now() + pause > ends {
            return Err(wrong);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// See [`super::Host::steady`]. A daemon that gives up after a while, as one that cannot reach
/// containerd does, is started anew by systemd and answers again soon: only its process id tells.
pub(super) fn steady(
    auditor: &Auditor<'_>,
    socket: &str,
    expected: &Expectation,
    time: Duration,
    deadline: Duration,
    interrupted: &dyn Fn() -> bool,
) -> Result<(), Vec<String>> {
    let begun = Instant::now();
    let look = || -> Vec<(&str, MainProcess)> {
        [
            (expected.docker_runs, "docker.service"),
            (expected.auditd_runs, "auditd.service"),
        ]
        .into_iter()
        .filter(|(runs, _)| *runs)
        .map(|(_, unit)| (unit, main_process(auditor.runner, unit)))
        .collect()
    };
    let first = look();
    while begun.elapsed() < time {
        thread::sleep(LONGEST_PAUSE.min(time.saturating_sub(begun.elapsed())));
        if interrupted() {
            return Ok(());
        }
        let wrong: Vec<String> = first
            .iter()
            .zip(look())
            .filter(|((_, then), (_, now))| !now.is_still(then))
            .map(|((unit, then), (_, now))| {
                format!(
                    "{unit} did not last: after {} s {then} became {now}",
                    begun.elapsed().as_secs()
                )
            })
            .collect();
        if !wrong.is_empty() {
            return Err(wrong);
        }
    }
    wait(auditor, socket, expected, deadline, interrupted)
}

fn wrong(
    auditor: &Auditor<'_>,
    socket: &str,
    expected: &Expectation,
    patience: Duration,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut is_active = |unit: &str| {
        let state = active_state(auditor.runner, unit);
        let up = matches!(state.as_str(), "active" | "reloading");
        if !up {
            wrong.push(format!("{unit} is {state} instead of active"));
        }
        up
    };
    if expected.auditd_runs {
        is_active("auditd.service");
    }
    // A daemon that is down is not asked: the question would start it through its socket.
    if expected.docker_runs && is_active("docker.service") {
        match ask(socket, expected, patience) {
            Ok(Some(docker)) => wrong.extend(wrong_in_docker(&docker, expected)),
            Ok(None) => {}
            Err(error) => wrong.push(error.to_string()),
        }
    }
    if !expected.watches.is_empty() || expected.kernel_rules.is_some() {
        match auditor.kernel_rules() {
            Ok(lines) => wrong.extend(wrong_in_kernel(&lines, expected)),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    wrong
}

/// `None` where it is enough that the daemon answers.
fn ask(
    socket: &str,
    expected: &Expectation,
    patience: Duration,
) -> Result<Option<Docker>, HostError> {
    let patience = Patience::at_most(patience, patience * ANSWERS);
    let ends = Instant::now() + patience.all;
    docker::ping(socket, patience, ends)?;
    if expected.daemon.is_empty() && expected.containers.is_empty() {
        return Ok(None);
    }
    Ok(Some(
        docker::ask(socket, docker::Scope::Health, patience, ends)?.facts(),
    ))
}

fn wrong_in_docker(docker: &Docker, expected: &Expectation) -> Vec<String> {
    let mut wrong = Vec::new();
    for (key, wanted) in &expected.daemon {
        // What the API does not show cannot be waited for; the planner knows which that is. What it
        // would show and did not this time is waited for.
        if let Some(hidden) = docker.hides(key) {
            wrong.push(format!(
                "whether the daemon runs with {key} = {wanted} could not be seen: {}",
                hidden.why.unseen
            ));
        } else if docker.is_in_effect(key, wanted) == Some(false) {
            let seen = docker.effective(key).unwrap_or_default();
            wrong.push(format!(
                "the daemon runs with {key} = {seen} instead of {wanted}"
            ));
        }
    }
    let running: BTreeSet<&str> = docker.running().map(|it| it.name.as_str()).collect();
    for name in &expected.containers {
        if !running.contains(name.as_str()) {
            let is_it = |hidden: &&Hidden| match &hidden.part {
                Part::Container(hidden) => hidden == name,
                part => *part == Part::Containers,
            };
            wrong.push(match docker.hidden.iter().find(is_it) {
                Some(hidden) => format!(
                    "whether the container {name} runs could not be seen: {}",
                    hidden.why.unseen
                ),
                None => format!("the container {name} does not run"),
            });
        }
    }
    wrong
}

fn wrong_in_kernel(lines: &[Line], expected: &Expectation) -> Vec<String> {
    let mut wrong = Vec::new();
    for watch in &expected.watches {
        let found = lines
            .iter()
            .filter_map(|line| line.rule.as_ref().ok()?.as_ref()?.watch())
            .any(|there| there.path == watch.path && there.perms.contains(watch.perms));
        if !found {
            wrong.push(format!("the kernel has no audit watch on {}", watch.path));
        }
    }
    if let Some(rules) = &expected.kernel_rules {
        let wanted: BTreeSet<&str> = rules.iter().map(String::as_str).collect();
        let there: BTreeSet<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        for rule in wanted.difference(&there) {
            wrong.push(format!("the kernel lacks the audit rule `{rule}`"));
        }
        for rule in there.difference(&wanted) {
            wrong.push(format!(
                "the kernel has the audit rule `{rule}`, which is not to be there"
            ));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Container, Reading};
    use crate::formats::audit_rules::{listing, watches};
    use crate::host::Output;
    use crate::host::commands::Runner;
    use std::cell::RefCell;
    use std::collections::VecDeque;

    #[test]
    fn what_differs_is_said() {
        let docker = Docker {
            version: "26.1.5".to_owned(),
            security_options: vec!["name=userns".to_owned()],
            containers: vec![Container {
                name: "web".to_owned(),
                running: true,
                ..Container::default()
            }],
            ..Docker::default()
        };
        let expected: Expectation = serde_json::from_value(serde_json::json!({
            "docker_runs": true,
            "daemon": {
                "live-restore": true, "userns-remap": "default", "no-new-privileges": true,
                "icc": false, "log-opts": { "max-size": "10m" },
            },
            "containers": ["web", "db"],
        }))
        .unwrap();
        assert_eq!(
            wrong_in_docker(&docker, &expected),
            [
                "the daemon runs with live-restore = false instead of true",
                "the daemon runs with no-new-privileges = false instead of true",
                "the container db does not run",
            ]
        );
    }

    /// systemd, for a unit whose process is another one at each look once the first ones are used up.
    struct Units(RefCell<VecDeque<&'static str>>);

    impl Runner for Units {
        fn run(&self, _: &str, arguments: &[&str], _: Duration) -> Result<Output, HostError> {
            let stdout = if arguments[0] == "is-active" {
                "active\n"
            } else {
                self.0.borrow_mut().pop_front().unwrap()
            };
            Ok(Output {
                status: Some(0),
                stdout: stdout.to_owned(),
                stderr: String::new(),
            })
        }
    }

    fn lasts(looks: &[&'static str], interrupted: bool) -> Result<(), Vec<String>> {
        let expected = Expectation {
            auditd_runs: true,
            ..Expectation::default()
        };
        let auditor = Auditor {
            runner: &Units(RefCell::new(looks.iter().copied().collect())),
            read: &|_| Reading::Absent,
            replaced: None,
        };
        let time = Duration::from_millis(1);
        let deadline = Duration::ZERO;
        steady(&auditor, "/nowhere", &expected, time, deadline, &|| {
            interrupted
        })
    }

    #[test]
    fn a_service_that_is_started_anew_did_not_last() {
        let same = "ActiveState=active\nMainPID=7\n";
        let other = "ActiveState=active\nMainPID=8\n";
        let gone = "ActiveState=activating\nMainPID=0\n";
        assert_eq!(lasts(&[same, same], false), Ok(()));
        assert_eq!(lasts(&[same], true), Ok(()));
        for (now, said) in [
            (other, "active (process 7) became active (process 8)"),
            (gone, "active (process 7) became activating"),
        ] {
            let wrong = lasts(&[same, now], false).unwrap_err();
            assert_eq!(
                wrong,
                [format!("auditd.service did not last: after 0 s {said}")]
            );
        }
    }

    #[test]
    fn watches_are_covered_and_rules_are_exact() {
        let lines =
            listing("-w /etc/docker -p rwxa -k docker\n-w /run/docker.sock -p w -k docker\n");
        let wanted = "-w /etc/docker -p wa -k other\n-w /run/docker.sock -p wa -k docker\n";
        let expected = Expectation {
            watches: watches(wanted),
            ..Expectation::default()
        };
        assert_eq!(
            wrong_in_kernel(&lines, &expected),
            ["the kernel has no audit watch on /run/docker.sock"]
        );
        let expected = Expectation {
            kernel_rules: Some(vec![
                "-w /run/docker.sock -p w -k docker".to_owned(),
                "-w /etc/x -p wa -k docker".to_owned(),
            ]),
            ..Expectation::default()
        };
        assert_eq!(
            wrong_in_kernel(&lines, &expected),
            [
                "the kernel lacks the audit rule `-w /etc/x -p wa -k docker`",
                "the kernel has the audit rule `-w /etc/docker -p rwxa -k docker`, which is not to be there",
            ]
        );
    }
}
