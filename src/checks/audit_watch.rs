//! `kind = "audit-watch"`: a path is watched by the kernel's audit system, now and after a boot.
//!
//! Three things must hold: a rule file has the watch, the kernel has it, and the next boot can load
//! it. The last is the one that others forget: `auditctl -R` stops at the first rule that it cannot
//! load, after it has deleted all old ones (auditctl(8)), so a watch below a folder that is missing
//! at boot leaves the host without any rule.

use super::installation::Installation;
use super::layout::{Layout, parent};
use super::{Evidence, Judgement, Outcome, Place};
use crate::change::Edit;
use crate::facts::{Facts, Kind, Look, Mode, Requests, RuleLoader, Seen};
use crate::formats::audit_rules::{self, Line, Perms, Rule, Watch};
use serde::{Deserialize, Serialize};

/// The folder whose files augenrules(8) joins.
pub const RULES_FOLDER: &str = "/etc/audit/rules.d";
/// Our own file in it.
pub const OWN_RULES_FILE: &str = "/etc/audit/rules.d/50-seaworthy-docker.rules";
/// What augenrules writes, and what is loaded where it is not used.
pub const RULES_FILE: &str = "/etc/audit/audit.rules";

/// What augenrules(8) writes when it loads the rules: the file that it generates, and the former
/// one.
pub const GENERATED_RULES: [&str; 2] = [RULES_FILE, "/etc/audit/audit.rules.prev"];
/// Our own file of folders to make at boot (tmpfiles.d(5)).
pub const TMPFILES: &str = "/etc/tmpfiles.d/seaworthy.conf";
/// Where other packages name such folders.
const TMPFILES_FOLDERS: [&str; 2] = ["/etc/tmpfiles.d", "/usr/lib/tmpfiles.d"];
/// The key of our rules, for `ausearch -k docker`.
const KEY: &str = "docker";

/// One watch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AuditWatch {
    /// What is watched.
    pub place: Place,
    /// Which accesses are recorded, as auditctl(8) writes them: `wa`.
    pub permissions: String,
}

impl AuditWatch {
    /// What it needs to see.
    pub fn requests(&self, facts: &Facts) -> Requests {
        let layout = Layout::of(facts);
        let mut requests = layout.place_requests(&self.place);
        for path in layout.paths(&self.place) {
            if path.starts_with("/run/") {
                for folder in TMPFILES_FOLDERS {
                    requests.insert(folder.to_owned(), Look::Entries);
                    for file in listed(facts, folder, ".conf") {
                        requests.insert(file, Look::Content);
                    }
                }
            }
            requests
                .entry(parent(&path).to_owned())
                .or_insert(Look::Attributes);
            requests
                .entry(facts.resolved(&path))
                .or_insert(Look::Attributes);
            requests.entry(path).or_insert(Look::Attributes);
        }
        requests.insert(RULES_FOLDER.to_owned(), Look::Entries);
        requests.insert(RULES_FILE.to_owned(), Look::Content);
        requests.insert(OWN_RULES_FILE.to_owned(), Look::Content);
        for file in rule_files(facts) {
            requests.insert(file.clone(), Look::Content);
            // A watch below a missing folder stops loading, whoever wrote it.
            for watch in audit_rules::watches(facts.text(&file).unwrap_or_default()) {
                requests
                    .entry(parent(&watch.path).to_owned())
                    .or_insert(Look::Attributes);
                requests.entry(watch.path).or_insert(Look::Attributes);
            }
        }
        requests
    }

    /// Judges the watch.
    pub fn judge(&self, facts: &Facts) -> Judgement {
        let layout = Layout::of(facts);
        // A watch on a link sees nothing of what happens behind it.
        let path = layout.paths(&self.place).into_iter().next();
        let Some(path) = path.map(|path| facts.resolved(&path)) else {
            return Judgement::not_applicable("it does not exist here", self.place.to_string());
        };
        if !self.will_exist(facts, &path) {
            return match facts.node(&path) {
                // Its folder or the place itself is closed to us: it may well be there.
                Seen::Unseen(unseen) => Judgement::new(
                    Outcome::Unknown,
                    Evidence::new(unseen.unseen, "to be seen", path),
                ),
                Seen::Known(_) => Judgement::not_applicable("it does not exist here", path),
            };
        }
        let wanted = Watch {
            path: path.clone(),
            // Control files are validated when they are loaded.
            perms: self.permissions.parse().unwrap_or_default(),
            keys: vec![KEY.to_owned()],
        };
        let rule = audit_rules::render(&wanted);
        if facts.auditing.loader == RuleLoader::None {
            return Judgement::blocked(
                vec![Evidence::new("auditd is not installed", rule, path)],
                "auditd is not installed",
                if layout.installation == Installation::OpenRc {
                    "apk add audit"
                } else {
                    "apt-get install auditd"
                },
            );
        }

        let mut edits = Vec::new();
        let mut evidence = Vec::new();
        let configured = configured_by(facts, &wanted);
        if configured.is_none()
            && let Some((file, why)) = unseen_rules(facts)
        {
            // The watch may stand there.
            return Judgement::new(Outcome::Unknown, Evidence::new(why, rule, file));
        }
        if let Some((file, line)) = &configured {
            evidence.push(Evidence::new(
                "watched by a rule file",
                &rule,
                format!("{file}:{line}"),
            ));
        } else {
            evidence.push(Evidence::new("no rule file has a watch", &rule, &path));
            edits.push(Edit::AuditWatch(wanted.clone()));
        }
        for folder in boot_folders(facts, &path) {
            evidence.push(Evidence::new(
                format!("nothing makes {folder} before audit rules are loaded at boot"),
                "a tmpfiles.d(5) line",
                TMPFILES,
            ));
            edits.push(Edit::BootFolder {
                mode: mode_of(facts, &folder),
                path: folder,
            });
        }
        if facts.host.live {
            match Self::judge_kernel(facts, &wanted, configured.is_some()) {
                Ok(None) => {}
                Ok(Some(problem)) => {
                    if configured.is_some() && problem.pending.is_none() {
                        edits.push(Edit::LoadAuditRules);
                    }
                    if edits.is_empty() && problem.pending.is_some() {
                        return Judgement::fail(vec![problem], Vec::new());
                    }
                    if configured.is_none() && problem.pending.is_none() {
                        // One sentence for the common case.
                        "neither a rule file nor the kernel has a watch"
                            .clone_into(&mut evidence[0].seen);
                    } else {
                        evidence.push(problem);
                    }
                }
                Err(judgement) => return *judgement,
            }
        }
        if evidence.len() == 1 && configured.is_some() {
            return Judgement {
                outcome: Outcome::Pass,
                evidence,
                ..Judgement::default()
            };
        }
        if configured.is_some() {
            evidence.remove(0);
        }
        if layout.installation == Installation::OpenRc
            && let Some(folder) = edits.iter().find_map(|edit| match edit {
                Edit::BootFolder { path, .. } => Some(path),
                _ => None,
            })
        {
            return Judgement::blocked(
                evidence,
                format!(
                    "nothing makes {folder} at boot before OpenRC loads the rules, and a watch below a missing folder stops the loading"
                ),
                "rc-update show",
            );
        }
        match why_not_loadable(facts) {
            Some((reason, cure)) => Judgement::blocked(evidence, reason, cure),
            None => Judgement::fail(evidence, edits),
        }
    }

    /// Whether the place is there, or will be once the services run: sockets come and go.
    fn will_exist(&self, facts: &Facts, path: &str) -> bool {
        facts.exists(path)
            || match self.place {
                Place::ApiSocket => true,
                Place::ContainerdSocket => containerd_runs(facts),
                Place::Path(_) => path == "/run/containerd" && containerd_runs(facts),
                _ => false,
            }
    }

    /// What the kernel lacks, if anything.
    fn judge_kernel(
        facts: &Facts,
        wanted: &Watch,
        configured: bool,
    ) -> Result<Option<Evidence>, Box<Judgement>> {
        let unknown = |unseen: &crate::facts::Unseen| {
            Box::new(Judgement::new(
                Outcome::Unknown,
                Evidence::new(
                    format!("the kernel's rules could not be seen: {}", unseen.unseen),
                    audit_rules::render(wanted),
                    unseen.hint.clone(),
                ),
            ))
        };
        let rules = match &facts.auditing.kernel_rules {
            Seen::Known(rules) => rules,
            Seen::Unseen(unseen) => return Err(unknown(unseen)),
        };
        let enabled = match &facts.auditing.enabled {
            Seen::Known(enabled) => *enabled,
            Seen::Unseen(unseen) => return Err(unknown(unseen)),
        };
        let own = own_watches(facts);
        let present = audit_rules::listing(&rules.join("\n"))
            .iter()
            .filter_map(|line| line.rule.as_ref().ok()?.as_ref()?.watch())
            .any(|watch| covers(facts, watch, wanted, own.contains(watch)));
        let rule = audit_rules::render(wanted);
        if !present {
            let evidence = Evidence::new("not in the kernel", rule, "auditctl -l");
            return Ok(Some(if enabled == 2 {
                evidence.pending(if configured {
                    "the next boot (auditing is locked, enabled 2)"
                } else {
                    "the boot after it is written (auditing is locked, enabled 2)"
                })
            } else {
                evidence
            }));
        }
        if enabled == 0 {
            return Err(Box::new(Judgement::blocked(
                vec![Evidence::new(
                    "auditing is switched off (enabled 0)",
                    "enabled 1",
                    "auditctl -s",
                )],
                "auditing is switched off in the kernel",
                "auditctl -e 1",
            )));
        }
        Ok(None)
    }
}

fn containerd_runs(facts: &Facts) -> bool {
    facts.units.contains_key("containerd.service")
}

/// Whether `watch` records what `wanted` asks for. A watch of a folder covers everything below it;
/// one of ours does not count for that, so that each control has a rule of its own to show.
fn covers(facts: &Facts, watch: &Watch, wanted: &Watch, ours: bool) -> bool {
    // The kernel resolves links in parent folders, and /var/run is one (file-hierarchy(7)).
    let path = match watch.path.strip_prefix("/var/run/") {
        Some(rest) => &format!("/run/{rest}"),
        None => &watch.path,
    };
    let folder_above = !ours
        && wanted.path.starts_with(&format!("{path}/"))
        && facts
            .node(path)
            .known()
            .is_some_and(|node| node.kind == Kind::Folder);
    (*path == wanted.path || folder_above) && watch.perms.contains(wanted.perms)
}

/// Files with names that end so in a folder that was listed, in the order in which they are read.
fn listed(facts: &Facts, folder: &str, ending: &str) -> Vec<String> {
    match facts.node(folder) {
        Seen::Known(node) => node
            .entries
            .iter()
            .flatten()
            .filter(|name| name.ends_with(ending))
            .map(|name| format!("{folder}/{name}"))
            .collect(),
        Seen::Unseen(_) => Vec::new(),
    }
}

/// The files from which rules are loaded at boot. A file that this very plan creates is one.
pub(crate) fn rule_files(facts: &Facts) -> Vec<String> {
    match facts.auditing.loader {
        RuleLoader::Augenrules => {
            let mut files = listed(facts, RULES_FOLDER, ".rules");
            if facts.exists(OWN_RULES_FILE) && !files.iter().any(|file| file == OWN_RULES_FILE) {
                files.push(OWN_RULES_FILE.to_owned());
            }
            files
        }
        RuleLoader::RulesFile => vec![RULES_FILE.to_owned()],
        RuleLoader::None => Vec::new(),
    }
}

fn own_watches(facts: &Facts) -> Vec<Watch> {
    audit_rules::watches(facts.text(OWN_RULES_FILE).unwrap_or_default())
}

/// File and line of the rule that has the watch.
fn configured_by(facts: &Facts, wanted: &Watch) -> Option<(String, usize)> {
    rule_files(facts).into_iter().find_map(|file| {
        let lines = audit_rules::parse(facts.text(&file)?);
        let line = lines.iter().find(|line| {
            matches!(&line.rule, Ok(Some(Rule::Watch(watch)))
                if covers(facts, watch, wanted, file == OWN_RULES_FILE))
        })?;
        Some((file, line.number))
    })
}

/// A place of rules that could not be seen, and why.
fn unseen_rules(facts: &Facts) -> Option<(String, String)> {
    let mut places = rule_files(facts);
    if facts.auditing.loader == RuleLoader::Augenrules {
        places.insert(0, RULES_FOLDER.to_owned());
    }
    places
        .into_iter()
        .find_map(|path| match facts.files.get(&path)? {
            Seen::Unseen(unseen) => Some((path, unseen.unseen.clone())),
            Seen::Known(_) => None,
        })
}

/// Folders below `/run` that must be made at boot for the watch to load, and that nothing makes.
fn boot_folders(facts: &Facts, path: &str) -> Vec<String> {
    let is_folder = facts
        .node(path)
        .known()
        .is_some_and(|node| node.kind == Kind::Folder)
        || path == "/run/containerd";
    let folder = if is_folder { path } else { parent(path) };
    if !folder.starts_with("/run/") || makes_folder(facts, folder) {
        return Vec::new();
    }
    vec![folder.to_owned()]
}

fn makes_folder(facts: &Facts, folder: &str) -> bool {
    let mut files: Vec<String> = TMPFILES_FOLDERS
        .iter()
        .flat_map(|of| listed(facts, of, ".conf"))
        .collect();
    files.push(TMPFILES.to_owned());
    files.iter().any(|file| {
        facts.text(file).unwrap_or_default().lines().any(|line| {
            let mut words = line.split_whitespace();
            words
                .next()
                .is_some_and(|kind| kind.starts_with(['d', 'D']))
                && words
                    .next()
                    .is_some_and(|path| path.trim_end_matches('/') == folder)
        })
    })
}

fn mode_of(facts: &Facts, folder: &str) -> Mode {
    match facts.node(folder) {
        Seen::Known(node) if node.kind == Kind::Folder => node.mode,
        // What containerd itself makes it.
        _ => Mode(0o711),
    }
}

/// Why loading the rule files would fail although ours is right, and what to do about it.
fn why_not_loadable(facts: &Facts) -> Option<(String, String)> {
    let mut seen: Vec<Rule> = Vec::new();
    for file in rule_files(facts) {
        let Seen::Known(node) = facts.node(&file) else {
            return Some((
                format!("{file} could not be read"),
                "sudo seaworthy plan".to_owned(),
            ));
        };
        if node.kind == Kind::Link {
            return Some((
                format!("{file} is a symbolic link"),
                format!("ls -l {file}"),
            ));
        }
        let Some(text) = node.content.as_ref().and_then(crate::facts::Bytes::as_str) else {
            return Some((
                format!("{file} is not text of less than 1 MiB"),
                format!("file {file}"),
            ));
        };
        for line in audit_rules::parse(text) {
            if let Some(reason) = why_line_fails(facts, &line, &seen) {
                return Some((
                    format!(
                        "{file}:{}: {reason}: loading would stop there and leave the rules after it out",
                        line.number
                    ),
                    format!("editor {file}"),
                ));
            }
            if let Ok(Some(rule)) = line.rule {
                seen.push(rule);
            }
        }
    }
    None
}

fn why_line_fails(facts: &Facts, line: &Line, seen: &[Rule]) -> Option<String> {
    match &line.rule {
        Err(reason) => Some(reason.clone()),
        Ok(Some(rule @ Rule::Watch(watch))) => {
            let folder = parent(&watch.path);
            let missing = facts
                .node(folder)
                .known()
                .is_some_and(|node| node.kind == Kind::Absent);
            if missing {
                Some(format!("the folder {folder} does not exist"))
            } else if seen.iter().any(|other| audit_rules::same(other, rule)) {
                Some("the same rule stands above already".to_owned())
            } else {
                None
            }
        }
        Ok(_) => None,
    }
}

impl AuditWatch {
    /// The accesses that are recorded.
    ///
    /// # Errors
    /// When the control file has other letters than `r`, `w`, `x`, `a`.
    pub fn perms(&self) -> Result<Perms, String> {
        self.permissions
            .parse()
            .map_err(|_| format!("`{}` is not made of r, w, x and a", self.permissions))
    }
}
