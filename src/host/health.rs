//! Whether the services are as they should be.

use super::audit::Auditor;
use super::services::active_state;
use super::{HostError, docker};
use crate::change::Expectation;
use crate::facts::Docker;
use crate::formats::audit_rules::Line;
use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

/// A service that comes up does so in tens of milliseconds or in seconds; both are seen soon.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What one look may wait for one answer: the next look finds a daemon that is still starting.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

/// Looks again and again until nothing is wrong, at most `deadline`.
pub(super) fn wait(
    auditor: &Auditor<'_>,
    socket: &str,
    expected: &Expectation,
    deadline: Duration,
) -> Result<(), Vec<String>> {
    let ends = Instant::now() + deadline;
    let mut pause = FIRST_PAUSE;
    loop {
        let left = ends.saturating_duration_since(Instant::now());
        let wrong = wrong(
            auditor,
            socket,
            expected,
            left.clamp(FIRST_PAUSE, ANSWER_DEADLINE),
        );
        if wrong.is_empty() {
            return Ok(());
        }
        if Instant::now() + pause > ends {
            return Err(wrong);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
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
    docker::ping(socket, patience)?;
    if expected.daemon.is_empty() && expected.containers.is_empty() {
        return Ok(None);
    }
    Ok(Some(docker::ask(socket, patience)?.facts()))
}

fn wrong_in_docker(docker: &Docker, expected: &Expectation) -> Vec<String> {
    let mut wrong = Vec::new();
    for (key, wanted) in &expected.daemon {
        // What the API does not show cannot be waited for; the planner knows which that is.
        if docker.is_in_effect(key, wanted) == Some(false) {
            let seen = docker.effective(key).unwrap_or_default();
            wrong.push(format!(
                "the daemon runs with {key} = {seen} instead of {wanted}"
            ));
        }
    }
    let running: BTreeSet<&str> = docker.running().map(|it| it.name.as_str()).collect();
    for name in &expected.containers {
        if !running.contains(name.as_str()) {
            wrong.push(format!("the container {name} does not run"));
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
    use crate::facts::Container;
    use crate::formats::audit_rules::{listing, watches};

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
