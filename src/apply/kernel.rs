//! The kernel's audit rules one by one, for what loading files cannot give back: rules that were
//! only ever typed in.

use crate::formats::audit_rules;
use crate::host::{HostError, ReadHost};

/// The rules in the kernel, as `auditctl -l` prints them.
pub(super) fn list(host: &dyn ReadHost) -> Result<Vec<String>, HostError> {
    let output = host.report("auditctl", &["-l"])?;
    if output.status != Some(0) {
        return Err(HostError::Command {
            command: "auditctl -l".to_owned(),
            how: match output.status {
                Some(status) => format!("exited with status {status}"),
                None => "was ended by a signal".to_owned(),
            },
            stderr: output.stderr,
        });
    }
    Ok(output
        .stdout
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && *line != "No rules")
        .map(str::to_owned)
        .collect())
}

/// The rules to take out and then to add at the end, so that `now` becomes `wanted`.
///
/// The fewest that do it are taken, as every rule is missing for a moment. Order is
/// meaningful (the first rule that matches decides), so when the fewest would leave another order,
/// everything after the common beginning is made anew.
pub(super) fn difference(now: &[String], wanted: &[String]) -> (Vec<String>, Vec<String>) {
    let delete = without(now, wanted);
    let add = without(wanted, now);
    let mut result = without(now, &delete);
    result.extend_from_slice(&add);
    if result == wanted {
        return (delete, add);
    }
    let common = now.iter().zip(wanted).take_while(|(a, b)| a == b).count();
    (now[common..].to_vec(), wanted[common..].to_vec())
}

/// Whether both have the same rules, in whatever order: the kernel keeps a list per kind of
/// rule, so it may not print them in the order in which they were added.
pub(super) fn same_rules(one: &[String], other: &[String]) -> bool {
    without(one, other).is_empty() && without(other, one).is_empty()
}

/// The elements of `from` that are not in `those`, each counted as often as it is there.
pub(super) fn without(from: &[String], those: &[String]) -> Vec<String> {
    let mut those = those.to_vec();
    from.iter()
        .filter(|rule| match those.iter().position(|other| other == *rule) {
            Some(index) => {
                those.remove(index);
                false
            }
            None => true,
        })
        .cloned()
        .collect()
}

/// The words that add a listed rule.
pub(super) fn adding(rule: &str) -> Vec<String> {
    audit_rules::listing(rule)
        .first()
        .map(audit_rules::words)
        .unwrap_or_default()
}

/// The words that take a listed rule out: `-W` for `-w`, `-d` for `-a` (auditctl(8)).
pub(super) fn deleting(rule: &str) -> Vec<String> {
    let mut words = adding(rule);
    if let Some(first) = words.first_mut() {
        match first.as_str() {
            "-w" => "-W".clone_into(first),
            "-a" | "-A" => "-d".clone_into(first),
            _ => {}
        }
    }
    words
}

/// Whether what a transaction waits for is the boot that unlocks auditing; the bridge may wait, too.
pub(super) fn is_locked(pending: Option<&str>) -> bool {
    pending.is_some_and(|event| event != crate::checks::BRIDGE_EVENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_difference_leads_to_the_wanted_list_in_its_order() {
        for (now, wanted, touched) in [
            ("a b c", "a b c", 0),
            ("a b", "a b c", 1),
            ("a b c", "a c", 1),
            ("", "a b", 2),
            ("a b", "", 2),
            ("a c", "a b c", 3), // b belongs between them
            ("b a", "a b", 4),
            ("a a", "a", 1),
        ] {
            let (now, wanted) = (rules(now), rules(wanted));
            let (delete, add) = difference(&now, &wanted);
            assert_eq!(delete.len() + add.len(), touched, "{now:?} {wanted:?}");
            let mut after = without(&now, &delete);
            after.extend(add);
            assert_eq!(after, wanted);
        }
    }

    #[test]
    fn the_words_that_take_a_rule_out() {
        for (rule, words) in [
            ("-w /etc/docker -p wa -k d", "-W /etc/docker -p wa -k d"),
            (
                "-a always,exit -F arch=b64 -S x",
                "-d always,exit -F arch=b64 -S x",
            ),
        ] {
            assert_eq!(deleting(rule), adding(words));
        }
    }

    #[test]
    fn a_path_with_a_space_stays_one_word() {
        assert_eq!(
            deleting("-w /srv/my data -p wa -k docker"),
            ["-W", "/srv/my data", "-p", "wa", "-k", "docker"]
        );
    }
}
