//! `kind = "audit-watch"`: a path is watched by the kernel's audit system, now and after a boot.
//!
//! Three things must hold: a rule file has the watch, the kernel has it, and the next boot can load
//! it. The last is the one that others forget: `auditctl -R` stops at the first rule that it cannot
//! load, after it has deleted all old ones (auditctl(8)), so a watch below a folder that is missing
//! at boot leaves the host without any rule.

use super::auditing::{
    Condition, OWN_RULES_FILE, RULES_FILE, Rules, Shared, TMPFILES, conditions, late, makes_folder,
    unread,
};
use super::installation::Installation;
use super::layout::{Layout, parent};
use super::{Evidence, Judgement, Outcome, Place};
use crate::change::Edit;
use crate::facts::{Facts, Kind, Look, Mode, Requests, RuleLoader, Seen, Unseen};
use crate::formats::audit_rules::coverage::{Asked, Coverage, Taken};
use crate::formats::audit_rules::joined::Spot;
use crate::formats::audit_rules::{self, Machine, Perms, Watch};
use serde::{Deserialize, Serialize};

/// What augenrules(8) writes when it loads the rules: the file that it generates, and the former
/// one.
pub const GENERATED_RULES: [&str; 2] = [RULES_FILE, "/etc/audit/audit.rules.prev"];
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
    /// What it needs to see of its own; what all watches need is asked for once
    /// ([`super::auditing::requests`]).
    pub fn requests(&self, layout: &Layout<'_>) -> Requests {
        let facts = layout.facts;
        let mut requests = layout.place_requests(&self.place);
        for path in layout.paths(&self.place) {
            for part in facts.way_to(&path) {
                requests.entry(part).or_insert(Look::Attributes);
            }
            requests
                .entry(parent(&path).to_owned())
                .or_insert(Look::Attributes);
            requests
                .entry(facts.resolved(&path))
                .or_insert(Look::Attributes);
            requests.entry(path).or_insert(Look::Attributes);
        }
        requests
    }

    /// Judges the watch.
    pub fn judge(&self, facts: &Facts, shared: &Shared<'_>) -> Judgement {
        let layout = shared.layout();
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
        let real = facts.real_path(&path);
        Judge {
            names: names(facts, &path, &real),
            facts,
            shared,
            rules: shared.rules(),
            real,
            wanted,
            rule,
            openrc: layout.installation == Installation::OpenRc,
        }
        .judge()
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

/// Other names of a path: as it was given, and by links to the folders that it is in, as `/lib` and `/var/run` are.
fn names(facts: &Facts, given: &str, real: &str) -> Vec<String> {
    let mut names = vec![given.to_owned()];
    if let Some(rest) = real.strip_prefix("/run/") {
        names.push(format!("/var/run/{rest}"));
    }
    for (link, node) in &facts.files {
        let Seen::Known(node) = node else { continue };
        if node.kind != Kind::Link {
            continue;
        }
        let target = facts.real_path(link);
        if let Some(rest) = real.strip_prefix(&target)
            && rest.starts_with('/')
        {
            names.push(format!("{link}{rest}"));
        }
    }
    names.retain(|name| name != real);
    names.sort();
    names.dedup();
    names
}

fn containerd_runs(facts: &Facts) -> bool {
    facts.units.contains_key("containerd.service")
}

/// One watch on one host.
struct Judge<'j, 'f> {
    facts: &'j Facts,
    shared: &'j Shared<'f>,
    rules: &'f Rules<'f>,
    wanted: Watch,
    /// Where the path really is, and its other names.
    real: String,
    names: Vec<String>,
    /// The line that has it.
    rule: String,
    openrc: bool,
}

/// Why nothing is edited, and the command that helps.
type Obstacle = (String, String);

impl<'f> Judge<'_, 'f> {
    fn judge(self) -> Judgement {
        let rules = self.rules;
        if let Some((file, why)) = &rules.unread {
            // The watch may stand there, or something that takes its records away.
            return self.unknown(why, file);
        }
        let mut evidence = Vec::new();
        let mut edits = Vec::new();
        let mut configured = None;
        match self.in_files() {
            Coverage::By(at) => {
                let loaded = &rules.loading.rules[at];
                if let Some((spot, doubt)) = rules.loading.doubt.as_ref()
                    && rules.loading.doubt_step <= loaded.step
                {
                    return self.unknown(doubt.to_string(), rules.place(*spot));
                }
                if let Some(doubt) = rules.doubt(self.facts, at) {
                    return self.unknown(doubt.to_string(), rules.place(loaded.spot));
                }
                configured = Some(loaded.spot);
                evidence.push(Evidence::new(
                    "watched by a rule file",
                    &self.rule,
                    rules.place(loaded.spot),
                ));
            }
            Coverage::Taken { by, how, .. } => {
                return self.taken(rules.loading.rules[by].spot, how);
            }
            Coverage::Missing => {
                if let Some(spot) = self.unreached() {
                    evidence.push(Evidence::new(
                        "the watch is never loaded: loading ends before it",
                        &self.rule,
                        rules.place(spot),
                    ));
                } else {
                    let path = &self.wanted.path;
                    evidence.push(Evidence::new("no rule file has a watch", &self.rule, path));
                    edits.push(Edit::AuditWatch(self.wanted.clone()));
                }
            }
        }
        for folder in self.boot_folders() {
            evidence.push(Evidence::new(
                format!("nothing makes {folder} before audit rules are loaded at boot"),
                "a tmpfiles.d(5) line",
                TMPFILES,
            ));
            edits.push(Edit::BootFolder {
                mode: mode_of(self.facts, &folder),
                path: folder,
            });
        }
        if self.facts.host.live {
            match self.in_kernel(configured.is_some()) {
                Ok(None) => {}
                Ok(Some(problem)) => {
                    if configured.is_some() && problem.pending.is_none() {
                        edits.push(Edit::LoadAuditRules);
                    }
                    if edits.is_empty() && problem.pending.is_some() {
                        return Judgement::fail(vec![problem], Vec::new());
                    }
                    if let [Edit::AuditWatch(_), ..] = edits[..]
                        && problem.pending.is_none()
                    {
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
        let conditions = self.conditions();
        if configured.is_some() {
            if evidence.len() == 1 && conditions.is_empty() {
                if let Some((file, why)) = unread(self.facts) {
                    return self.unknown(why, file);
                }
                return Judgement {
                    outcome: Outcome::Pass,
                    evidence,
                    ..Judgement::default()
                };
            }
            evidence.remove(0);
        }
        evidence.extend(conditions.iter().map(|one| one.evidence.clone()));
        match self.obstacle(&edits, conditions) {
            Some((reason, cure)) => Judgement::blocked(evidence, reason, cure),
            None => Judgement::fail(evidence, edits),
        }
    }

    fn unknown(&self, why: impl Into<String>, source: impl Into<super::Source>) -> Judgement {
        Judgement::new(Outcome::Unknown, Evidence::new(why, &self.rule, source))
    }

    fn asked(&self) -> Asked<'_> {
        let node = self.facts.node(&self.wanted.path);
        let is_folder = node.known().is_some_and(|node| node.kind == Kind::Folder);
        let machine = self.facts.auditing.machine.as_deref();
        Asked {
            path: &self.real,
            names: &self.names,
            folder: is_folder,
            perms: self.wanted.perms,
            // A machine that is not known may run programs of 32 bits.
            twins: machine.and_then(Machine::by_name) != Some(Machine::Aarch64),
        }
    }

    /// A watch of a folder above covers it; one of ours does not count for that, so that each control has a rule of its
    /// own to show.
    fn in_files(&self) -> Coverage<'f> {
        let rules = &self.rules.loading.rules;
        self.shared.in_files().coverage(&self.asked(), |at| {
            self.rules.file(rules[at].spot) != OWN_RULES_FILE
        })
    }

    /// A line with the watch that is not reached.
    fn unreached(&self) -> Option<Spot> {
        let unreached = &self.rules.loading.unreached;
        let counts = |at: usize| self.rules.file(unreached[at].spot) != OWN_RULES_FILE;
        let at = self.shared.unreached().meant(&self.asked(), counts)?;
        Some(unreached[at].spot)
    }

    /// Its records are taken away, wholly or in part.
    fn taken(&self, by: Spot, how: Taken<'_>) -> Judgement {
        let place = self.rules.place(by);
        let evidence = Evidence::new(how.to_string(), &self.rule, &place);
        if let Taken::Below(_) = how {
            // Somebody may want just that; nobody else can say.
            return Judgement::new(Outcome::Manual, evidence);
        }
        let (reason, cure) = self.taker(by, how);
        Judgement::blocked(vec![evidence], reason, cure)
    }

    fn taker(&self, by: Spot, how: Taken<'_>) -> Obstacle {
        (
            format!("{}: {how}", self.rules.place(by)),
            format!("editor {}", self.rules.file(by)),
        )
    }

    /// What the kernel lacks, if anything.
    fn in_kernel(&self, configured: bool) -> Result<Option<Evidence>, Box<Judgement>> {
        let auditing = &self.facts.auditing;
        let unknown = |unseen: &Unseen| {
            let why = format!("the kernel's rules could not be seen: {}", unseen.unseen);
            let mut judgement = self.unknown(why, "auditctl -l".to_owned());
            if let Some(evidence) = judgement.evidence.first_mut() {
                *evidence = evidence.clone().hint(&unseen.hint);
            }
            Box::new(judgement)
        };
        if let Seen::Unseen(unseen) = &auditing.kernel_rules {
            return Err(unknown(unseen));
        }
        let enabled = match &auditing.enabled {
            Seen::Known(enabled) => *enabled,
            Seen::Unseen(unseen) => return Err(unknown(unseen)),
        };
        let own = own_watches(self.facts);
        let kernel = &self.rules.kernel;
        // A listing does not tell a folder from a file, and so not what is meant: what is there now says it.
        let asked = Asked {
            folder: false,
            ..self.asked()
        };
        let counts = |at: usize| {
            let is_own = own
                .iter()
                .any(|watch| Some(watch) == kernel[at].entry.watch().as_ref());
            !is_own
        };
        let evidence = match self.shared.in_kernel().coverage(&asked, counts) {
            Coverage::By(_) if enabled != 0 => return Ok(None),
            Coverage::By(_) => {
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
            // The same as in the files, where it was said already.
            Coverage::Taken {
                how: Taken::Below(_),
                ..
            } => return Ok(None),
            Coverage::Taken { by, how, .. } => Evidence::new(
                format!("the kernel has the watch and `{}`: {how}", kernel[by].entry),
                &self.rule,
                "auditctl -l",
            ),
            Coverage::Missing => Evidence::new("not in the kernel", &self.rule, "auditctl -l"),
        };
        Ok(Some(if enabled == 2 {
            evidence.pending(if configured {
                "the next boot (auditing is locked, enabled 2)"
            } else {
                "the boot after it is written (auditing is locked, enabled 2)"
            })
        } else {
            evidence
        }))
    }

    /// Folders below `/run` that must be made at boot for the watch to load, and that nothing makes.
    fn boot_folders(&self) -> Vec<String> {
        let path = &self.wanted.path;
        let node = self.facts.node(path);
        let is_folder = node.known().is_some_and(|node| node.kind == Kind::Folder);
        let folder = if is_folder || path == "/run/containerd" {
            path
        } else {
            parent(path)
        };
        if !folder.starts_with("/run/") || makes_folder(self.facts, folder) {
            return Vec::new();
        }
        vec![folder.to_owned()]
    }

    /// What makes the watch void, whatever rules say.
    fn conditions(&self) -> Vec<Condition> {
        let mut found = conditions(self.facts, self.rules);
        if let Some(late) = late(self.facts, &self.real) {
            found.push(Condition {
                evidence: Evidence::new(
                    format!(
                        "{} is mounted late ({}): rules that are loaded before it do not see what is mounted there",
                        late.folder, late.why
                    ),
                    "mounted before auditd starts",
                    &late.source,
                ),
                cure: format!("editor {}", late.source.split(':').next().unwrap_or_default()),
            });
        }
        found
    }

    /// Why the edits would not cure it, if so.
    fn obstacle(&self, edits: &[Edit], conditions: Vec<Condition>) -> Option<Obstacle> {
        let folder = edits.iter().find_map(|edit| match edit {
            Edit::BootFolder { path, .. } => Some(path),
            _ => None,
        });
        if self.openrc
            && let Some(folder) = folder
        {
            return Some((
                format!(
                    "nothing makes {folder} at boot before OpenRC loads the rules, and a watch below a missing folder stops the loading"
                ),
                "rc-update show".to_owned(),
            ));
        }
        if let Some(one) = conditions.into_iter().next() {
            let Evidence { seen, source, .. } = one.evidence;
            return Some((format!("{source}: {seen}"), one.cure));
        }
        let rules = self.rules;
        if let Some((spot, bad)) = &rules.loading.ended {
            // A folder that this very plan has made at boot no longer ends it.
            let is_ours = folder.is_some_and(|folder| match bad {
                audit_rules::Bad::NoParent(missing) | audit_rules::Bad::NoFolder(missing) => {
                    crate::checks::auditing::at_boot(self.facts, missing) == *folder
                }
                _ => false,
            });
            if !is_ours {
                return Some((
                    format!(
                        "{}: {bad}: loading would stop there and leave the rules after it out",
                        rules.place(*spot)
                    ),
                    format!("editor {}", rules.file(*spot)),
                ));
            }
        }
        if !edits.iter().any(|edit| matches!(edit, Edit::AuditWatch(_))) {
            return None;
        }
        if let Some((spot, doubt)) = &rules.loading.doubt {
            return Some((
                format!("{}: {doubt}: loading may stop there", rules.place(*spot)),
                format!("editor {}", rules.file(*spot)),
            ));
        }
        match self.shared.in_files().taken(&self.asked(), i64::MAX) {
            Some((by, how)) if !matches!(how, Taken::Below(_)) => {
                Some(self.taker(rules.loading.rules[by].spot, how))
            }
            _ => None,
        }
    }
}

fn own_watches(facts: &Facts) -> Vec<Watch> {
    audit_rules::watches(&facts.table(OWN_RULES_FILE))
}

fn mode_of(facts: &Facts, folder: &str) -> Mode {
    match facts.node(folder) {
        Seen::Known(node) if node.kind == Kind::Folder => node.mode,
        // What containerd itself makes it.
        _ => Mode(0o711),
    }
}
