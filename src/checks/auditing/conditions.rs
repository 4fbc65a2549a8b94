//! What makes every watch void: auditing that is off, limited, or that nobody starts.

use super::super::Evidence;
use super::files::{RULES_FILE, Rules, release};
use super::{listed, way};
use crate::facts::{Facts, Kind, Look, Reading, Requests, RuleLoader, Seen, UnitState};
use crate::formats::audit_rules::Release;

/// Why no watch records, or not all of it, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    /// What was seen.
    pub evidence: Evidence,
    /// The command that helps.
    pub cure: String,
}

/// Files with the kernel's command line of the next boot (grub, systemd-boot and kernel-install(8)).
const BOOT_FILES: [&str; 2] = ["/etc/default/grub", "/etc/kernel/cmdline"];
const GRUB_FOLDER: &str = "/etc/default/grub.d";
const COMMAND_LINE: &str = "/proc/cmdline";
const MACHINE_ID: &str = "/etc/machine-id";
/// Where it is said which units are enabled at the first boot (systemd.preset(5)); of files with one name that of the
/// first folder counts.
const PRESETS: [&str; 3] = [
    "/etc/systemd/system-preset",
    "/usr/local/lib/systemd/system-preset",
    "/usr/lib/systemd/system-preset",
];

/// All that is so on this host.
pub(crate) fn conditions(facts: &Facts, rules: &Rules<'_>) -> Vec<Condition> {
    let mut found = Vec::new();
    found.extend(switched_off(facts));
    found.extend(refused(facts).ok().flatten());
    found.extend(settings(rules));
    found.extend(kernel(facts));
    found.extend(units(facts));
    found
}

fn condition(
    seen: impl Into<String>,
    wanted: &str,
    source: impl Into<crate::checks::Source>,
    cure: impl Into<String>,
) -> Condition {
    Condition {
        evidence: Evidence::new(seen, wanted, source),
        cure: cure.into(),
    }
}

/// Why auditctl refuses the whole file that it is to load: `fileopt` in auditctl.c wants a regular file; until 3.1.1 it
/// must belong to root, and until then and again from 4.1.4 on nobody else may write it. augenrules(8) changes its mode
/// only where it writes another content, and its owner never.
///
/// # Errors
/// Why that depends on the release, where this is not known.
fn refused(facts: &Facts) -> Result<Option<Condition>, String> {
    let path = facts.real_path(RULES_FILE);
    let (node, loads) = (facts.node(&path), facts.auditing.loader != RuleLoader::None);
    let Some(node) = node
        .known()
        .filter(|node| loads && node.kind != Kind::Absent)
    else {
        return Ok(None);
    };
    let refused = |seen: &str, wanted: &str, cure: &str| {
        let seen = format!("{seen}: auditctl loads nothing from it");
        Ok(Some(condition(
            seen,
            wanted,
            RULES_FILE,
            format!("{cure} {path}"),
        )))
    };
    if node.kind != Kind::File {
        return refused("it is not a regular file", "a regular file", "ls -ld");
    }
    let release = release(facts);
    let is_old = release.map(|release| release < Release(3, 1, 2));
    let depends = |what: &str| {
        Err(format!(
            "{what}, and whether auditctl loads it then depends on its release, which is not known"
        ))
    };
    if node.uid != 0 {
        let what = format!("it belongs to uid {}", node.uid);
        match is_old {
            Some(true) => return refused(&what, "owned by root", "chown root"),
            Some(false) => {}
            None => return depends(&what),
        }
    }
    if node.mode.0 & 0o002 != 0 {
        let what = format!("everybody may write it (mode {})", node.mode);
        let is_new = release.map(|release| release >= Release(4, 1, 4));
        match is_old.zip(is_new) {
            Some((false, false)) => {}
            Some(_) => return refused(&what, "not writable by others", "chmod o-w"),
            None => return depends(&what),
        }
    }
    Ok(None)
}

/// What could not be read of all that may make a watch void, and why. A watch that looks good is not known to be so then.
pub(crate) fn unread(facts: &Facts) -> Option<(String, String)> {
    if let Err(why) = refused(facts) {
        return Some((RULES_FILE.to_owned(), why));
    }
    let mut files: Vec<String> = BOOT_FILES.iter().map(ToString::to_string).collect();
    files.extend(
        listed(facts, GRUB_FOLDER, ".cfg")
            .into_iter()
            .map(|name| format!("{GRUB_FOLDER}/{name}")),
    );
    if facts.host.live {
        files.push(COMMAND_LINE.to_owned());
    }
    files.push(super::mounts::FSTAB.to_owned());
    // What nobody asked for is not among the facts.
    files.retain(|file| facts.files.contains_key(file));
    files.into_iter().find_map(|file| {
        let why = facts.reading(&file).unread()?.unseen.clone();
        Some((file, why))
    })
}

/// `audit=0` on the kernel's command line, of this boot or the next one.
fn switched_off(facts: &Facts) -> Option<Condition> {
    if facts.host.live
        && let Some(text) = facts.reading(COMMAND_LINE).text()
        && let Some(word) = off(text.trim())
    {
        return Some(condition(
            format!("{word} on the kernel's command line: auditing is off"),
            "no audit=0",
            COMMAND_LINE,
            "editor /etc/default/grub && update-grub",
        ));
    }
    let grub = listed(facts, GRUB_FOLDER, ".cfg")
        .into_iter()
        .map(|name| format!("{GRUB_FOLDER}/{name}"));
    for file in BOOT_FILES.iter().map(ToString::to_string).chain(grub) {
        // One that could not be read is told of by `unread`.
        let text = facts.table(&file);
        for (index, line) in text.lines().enumerate() {
            if line.trim_start().starts_with('#') {
                continue;
            }
            if let Some(word) = off(line) {
                return Some(condition(
                    format!("{word} for the kernel's command line: auditing is off after a boot"),
                    "no audit=0",
                    format!("{file}:{}", index + 1),
                    format!("editor {file}"),
                ));
            }
        }
    }
    None
}

/// The last `audit=` counts (kernel-parameters: 0 and off switch it off).
fn off(line: &str) -> Option<&str> {
    let is_edge = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=');
    let last = line
        .match_indices("audit=")
        .filter(|(at, _)| line[..*at].chars().next_back().is_none_or(is_edge))
        .map(|(at, _)| &line[at..])
        .last()?;
    let end = last[6..]
        .find(|c: char| is_edge(c))
        .map_or(last.len(), |at| at + 6);
    let word = &last[..end];
    matches!(&word[6..], "0" | "off").then_some(word)
}

/// `-e 0` and `-r N` in the rule files.
fn settings(rules: &Rules<'_>) -> Vec<Condition> {
    let settings = &rules.loading.settings;
    let mut found = Vec::new();
    let mut add = |seen: String, wanted: &str, spot| {
        let file = rules.file(spot);
        found.push(condition(
            seen,
            wanted,
            rules.place(spot),
            format!("editor {file}"),
        ));
    };
    if let Some((spot, 0)) = settings.enabled {
        add(
            "-e 0: auditing is switched off when the rules are loaded".to_owned(),
            "-e 1",
            spot,
        );
    }
    if let Some((spot, rate)) = settings.rate
        && rate > 0
    {
        add(
            format!("-r {rate}: more records in a second are dropped"),
            "-r 0",
            spot,
        );
    }
    found
}

/// The kernel's own settings now.
fn kernel(facts: &Facts) -> Option<Condition> {
    let rate = facts.auditing.rate_limit.filter(|rate| *rate > 0)?;
    facts.host.live.then(|| {
        condition(
            format!("rate_limit {rate}: more records in a second are dropped"),
            "rate_limit 0",
            "auditctl -s",
            "auditctl -r 0",
        )
    })
}

/// Whether somebody loads the rules, now and at boot.
fn units(facts: &Facts) -> Option<Condition> {
    let openrc = |unit: &UnitState| unit.fragment.starts_with("/etc/init.d/");
    let Some(auditd) = facts.units.get("auditd.service") else {
        let by_rules = facts.units.contains_key("audit-rules.service");
        return (facts.auditing.loader != RuleLoader::None && !by_rules).then(|| {
            condition(
                "there is no service auditd: nothing loads rules at boot, and nothing writes records",
                "auditd runs",
                RULES_FILE,
                "apt-get install auditd",
            )
        });
    };
    let start = if openrc(auditd) {
        "rc-service auditd start"
    } else {
        "systemctl start auditd"
    };
    if facts.host.live && !auditd.is_active() && !auditd.active.is_empty() {
        return Some(condition(
            format!("auditd does not run ({})", auditd.active),
            "auditd runs",
            "auditd.service",
            start,
        ));
    }
    for name in ["auditd.service", "audit-rules.service"] {
        let Some(unit) = facts.units.get(name) else {
            continue;
        };
        let why = match unit.enabled.as_str() {
            "masked" | "masked-runtime" => "masked",
            "disabled" | "enabled-runtime" => {
                // What is wanted by an enabled auditd need not be enabled itself.
                if name != "auditd.service" || is_enabled_at_first_boot(facts, name) {
                    continue;
                }
                "not enabled"
            }
            _ => continue,
        };
        let cure = if openrc(unit) {
            "rc-update add auditd".to_owned()
        } else if why == "masked" {
            format!("systemctl unmask {name}")
        } else {
            format!("systemctl enable {name}")
        };
        return Some(condition(
            format!("{name} is {why}: it does not start at boot"),
            "enabled",
            unit.fragment.clone(),
            cure,
        ));
    }
    None
}

/// Whether this image has not booted yet (machine-id(5)), so that its first boot enables what the presets say: everything
/// but what a line disables.
fn is_enabled_at_first_boot(facts: &Facts, name: &str) -> bool {
    if facts.host.live
        || facts
            .units
            .get(name)
            .is_some_and(|unit| unit.fragment.starts_with("/etc/init.d/"))
    {
        return false;
    }
    let first = match facts.node(MACHINE_ID) {
        Seen::Known(node) if node.kind == Kind::Absent => true,
        Seen::Known(_) => facts.table(MACHINE_ID).trim() == "uninitialized",
        Seen::Unseen(_) => false,
    };
    first && preset(facts, name)
}

fn preset(facts: &Facts, name: &str) -> bool {
    for file in preset_files(facts) {
        let text = match facts.reading(&file) {
            Reading::Text(text) => text,
            Reading::Absent => continue,
            // It may disable anything.
            Reading::Unread(_) => return false,
        };
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let (Some(verb), Some(pattern)) = (words.next(), words.next()) else {
                continue;
            };
            if matches!(verb, "enable" | "disable") && fits(pattern, name) {
                return verb == "enable";
            }
        }
    }
    true
}

fn preset_files(facts: &Facts) -> Vec<String> {
    let mut by_name = std::collections::BTreeMap::new();
    for folder in PRESETS {
        for name in listed(facts, folder, ".preset") {
            let path = format!("{folder}/{name}");
            by_name.entry(name).or_insert(path);
        }
    }
    by_name.into_values().collect()
}

/// Patterns of names with `*` and `?`.
fn fits(pattern: &str, name: &str) -> bool {
    match (pattern.chars().next(), name.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            fits(&pattern[1..], name)
                || name
                    .char_indices()
                    .nth(1)
                    .map(|(at, _)| &name[at..])
                    .or((!name.is_empty()).then_some(""))
                    .is_some_and(|rest| fits(pattern, rest))
        }
        (Some(one), Some(other)) if one == '?' || one == other => {
            fits(&pattern[one.len_utf8()..], &name[other.len_utf8()..])
        }
        _ => false,
    }
}

pub(super) fn requests(facts: &Facts) -> Requests {
    let mut requests = Requests::new();
    if facts.host.live {
        requests.insert(COMMAND_LINE.to_owned(), Look::Content);
    }
    for file in BOOT_FILES {
        way(facts, file, Look::Content, &mut requests);
    }
    requests.insert(GRUB_FOLDER.to_owned(), Look::Entries);
    for name in listed(facts, GRUB_FOLDER, ".cfg") {
        requests.insert(format!("{GRUB_FOLDER}/{name}"), Look::Content);
    }
    if !facts.host.live {
        requests.insert(MACHINE_ID.to_owned(), Look::Content);
        for folder in PRESETS {
            requests.insert(folder.to_owned(), Look::Entries);
        }
        for file in preset_files(facts) {
            requests.insert(facts.resolved(&file), Look::Content);
            requests.insert(file, Look::Content);
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audit_on_a_command_line() {
        for (line, word) in [
            ("ro quiet audit=0", Some("audit=0")),
            ("audit=off ro", Some("audit=off")),
            ("GRUB_CMDLINE_LINUX=\"audit=0\"", Some("audit=0")),
            ("audit=0 audit=1", None),
            ("audit=1", None),
            ("systemd.audit=0 noaudit=0", None),
            ("audit_backlog_limit=0", None),
            ("", None),
        ] {
            assert_eq!(off(line), word, "{line}");
        }
    }

    #[test]
    fn patterns_of_presets() {
        for (pattern, name, expected) in [
            ("*", "auditd.service", true),
            ("auditd.*", "auditd.service", true),
            ("audit?.service", "auditd.service", true),
            ("*.socket", "auditd.service", false),
            ("auditd", "auditd.service", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern}");
        }
    }
}
