//! Folding edits: a copy of the facts on which the wishes of many controls become one new state of
//! each path, and on which the services' reaction is then simulated.

use super::Options;
use super::drop_in;
use super::restart::{Restart, is_reloaded};
use super::simulate;
use super::touch::{self, Touch};
use crate::change::{Action, Activation, Edit, State};
use crate::checks::{DaemonJson, Layout, OWN_RULES_FILE, RULES_FILE, TMPFILES, parent, rule_files};
use crate::facts::{Attributes, Facts, Kind, LARGEST_FILE, Mode, Node, RuleLoader, Seen};
use crate::formats::{audit_rules, environment};
use std::collections::{BTreeMap, BTreeSet};

/// What our own files begin with.
pub const OWN_FILE_HEADER: &str = "# Written by seaworthy; `seaworthy rollback` takes it back.\n";

/// Ids of controls.
pub(super) type Controls = BTreeSet<String>;

/// Why a wish cannot be fulfilled, and the command that would help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Obstacle {
    pub(super) reason: String,
    pub(super) cure: String,
}

/// The facts as they are, and as they become.
#[derive(Debug, Clone)]
pub(super) struct Workbench<'a> {
    pub(super) before: &'a Facts,
    /// The host after everything so far.
    pub(super) facts: Facts,
    /// Who asked for a change of a path.
    paths: BTreeMap<String, Controls>,
    /// Who needs a service to take notice.
    activations: BTreeMap<Activation, Controls>,
    /// daemon.json keys that were set or removed, by control.
    pub(super) daemon_keys: BTreeMap<String, Controls>,
}

impl<'a> Workbench<'a> {
    pub(super) fn new(before: &'a Facts) -> Self {
        Self {
            before,
            facts: before.clone(),
            paths: BTreeMap::new(),
            activations: BTreeMap::new(),
            daemon_keys: BTreeMap::new(),
        }
    }

    /// Fulfils a wish on the copy.
    pub(super) fn apply(&mut self, control: &str, edit: &Edit) -> Result<(), Obstacle> {
        match edit {
            Edit::DaemonKey { key, value } => {
                let layout = Layout::of(&self.facts);
                let (path, document) = match layout.daemon_json() {
                    DaemonJson::Read(document) => (layout.config, document),
                    DaemonJson::Broken(error) => {
                        return Err(obstacle(
                            format!(
                                "{}:{}:{}: {}",
                                layout.config, error.line, error.column, error.reason
                            ),
                            format!("editor {}", layout.config),
                        ));
                    }
                    DaemonJson::Unreadable(why, cure) => {
                        return Err(obstacle(format!("{}: {why}", layout.config), cure));
                    }
                };
                let text = document
                    .with(&BTreeMap::from([(key.clone(), value.clone())]))
                    .map_err(|error| {
                        obstacle(format!("{path}: {error}"), format!("editor {path}"))
                    })?;
                self.write(control, &path, &text, Mode(0o644))?;
                self.daemon_keys
                    .entry(key.clone())
                    .or_default()
                    .insert(control.to_owned());
                self.wants(
                    control,
                    if is_reloaded(edit, self.before) {
                        Activation::ReloadDocker
                    } else {
                        Activation::RestartDocker
                    },
                );
            }
            Edit::AuditWatch(watch) => {
                let rule = audit_rules::render(watch);
                match self.facts.auditing.loader {
                    RuleLoader::RulesFile => {
                        let text = self.text(RULES_FILE);
                        let text = audit_rules::append_before_lock(&text, &[rule]);
                        self.write(control, RULES_FILE, &text, Mode(0o640))?;
                    }
                    RuleLoader::Augenrules | RuleLoader::None => {
                        let mut text = self.text(OWN_RULES_FILE);
                        if text.is_empty() {
                            text.push_str(OWN_FILE_HEADER);
                            if !self.deletes_all() {
                                // Loading rules that are there already fails without it.
                                text.push_str("-D\n");
                            }
                        }
                        push_line(&mut text, &rule);
                        self.write(control, OWN_RULES_FILE, &text, Mode(0o640))?;
                    }
                }
                self.wants(control, Activation::LoadAuditRules);
                self.wants(control, Activation::RestartAuditd);
            }
            Edit::BootFolder { path, mode } => {
                let line = format!("d {path} {mode} root root -");
                let mut text = self.text(TMPFILES);
                if !text.lines().any(|other| other == line) {
                    if text.is_empty() {
                        text.push_str(OWN_FILE_HEADER);
                    }
                    push_line(&mut text, &line);
                }
                self.write(control, TMPFILES, &text, Mode(0o644))?;
            }
            Edit::Access {
                path,
                clear,
                uid,
                gid,
            } => {
                if let Some(obstacle) = touch::refusal(&self.facts, path, Touch::Attributes) {
                    return Err(obstacle);
                }
                let Some(Seen::Known(node)) = self.facts.files.get_mut(path) else {
                    return Err(obstacle(
                        format!("{path} was not seen"),
                        "sudo seaworthy plan".to_owned(),
                    ));
                };
                // With an ACL the group bits are its mask (acl(5)): taking them away changes what
                // named users and groups may do, which nobody asked for.
                if clear.0 & 0o070 != 0 && node.xattrs.contains_key("system.posix_acl_access") {
                    return Err(obstacle(
                        format!(
                            "{path} has an access control list, of which the group bits are the mask"
                        ),
                        format!("getfacl {path}"),
                    ));
                }
                node.mode = node.mode.without(*clear);
                node.uid = uid.unwrap_or(node.uid);
                node.gid = gid.unwrap_or(node.gid);
                self.touched(control, path);
            }
            Edit::EnvironmentVariable { path, name, value } => {
                let text = environment::set(&self.text(path), name, value);
                if environment::value(&text, name).is_none_or(|set| set.value != *value) {
                    return Err(obstacle(
                        format!("{path}: {name} could not be set in its grammar"),
                        format!("editor {path}"),
                    ));
                }
                self.write(control, path, &text, Mode(0o644))?;
            }
            Edit::DropIn(setting) => {
                let path = drop_in::path(&setting.unit);
                let text = drop_in::with_setting(&self.text(&path), setting);
                self.write(control, &path, &text, Mode(0o644))?;
                self.wants(control, Activation::ReloadUnits);
            }
            Edit::DaemonFlag { key } => self.without_flag(control, key)?,
            Edit::RestartDocker | Edit::RestartContainers => {
                let unit = self.facts.units.get("docker.service");
                if unit.is_some_and(|unit| unit.needs_reload) {
                    self.wants(control, Activation::ReloadUnits);
                }
                self.wants(control, Activation::RestartDocker);
            }
            Edit::LoadAuditRules => {
                self.wants(control, Activation::LoadAuditRules);
                self.wants(control, Activation::RestartAuditd);
            }
        }
        Ok(())
    }

    pub(super) fn wants(&mut self, control: &str, activation: Activation) {
        self.activations
            .entry(activation)
            .or_default()
            .insert(control.to_owned());
    }

    fn touched(&mut self, control: &str, path: &str) {
        self.paths
            .entry(path.to_owned())
            .or_default()
            .insert(control.to_owned());
    }

    pub(super) fn text(&self, path: &str) -> String {
        self.facts.text(path).unwrap_or_default().to_owned()
    }

    fn deletes_all(&self) -> bool {
        rule_files(&self.facts)
            .iter()
            .any(|file| audit_rules::has_delete_all(self.facts.text(file).unwrap_or_default()))
    }

    /// Gives a file a new text. Attributes stay; a new file belongs to root and has `mode`.
    pub(super) fn write(
        &mut self,
        control: &str,
        path: &str,
        text: &str,
        mode: Mode,
    ) -> Result<(), Obstacle> {
        let look = |path: &str| format!("ls -ld {path}");
        let old = match self.facts.node(path) {
            Seen::Known(node) => node.clone(),
            Seen::Unseen(unseen) => {
                return Err(obstacle(format!("{path}: {}", unseen.unseen), look(path)));
            }
        };
        if let Some(obstacle) = touch::refusal(&self.facts, path, Touch::Content) {
            return Err(obstacle);
        }
        let mut node = match (old.kind, &old.content) {
            (Kind::Absent, _) => {
                self.make_parents(control, path)?;
                Node {
                    mode,
                    ..Node::file("")
                }
            }
            (Kind::File, Some(content)) if content.as_str().is_some() => old,
            _ => {
                return Err(obstacle(
                    format!(
                        "{path} is not a plain text file of at most {} MiB",
                        LARGEST_FILE >> 20
                    ),
                    look(path),
                ));
            }
        };
        node.content = Some(text.into());
        node.modified = 0;
        self.facts.files.insert(path.to_owned(), Seen::Known(node));
        self.list(path);
        self.touched(control, path);
        Ok(())
    }

    /// Adds a new name to its folder, where that was listed.
    fn list(&mut self, path: &str) {
        if let Some(Seen::Known(folder)) = self.facts.files.get_mut(parent(path))
            && let Some(entries) = &mut folder.entries
        {
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            if !entries.contains(&name) {
                entries.push(name);
                entries.sort();
            }
        }
    }

    fn make_parents(&mut self, control: &str, path: &str) -> Result<(), Obstacle> {
        let folder = parent(path).to_owned();
        if folder == "/" {
            return Ok(());
        }
        match self.facts.node(&folder) {
            Seen::Known(node) if node.kind == Kind::Folder => Ok(()),
            // Not looked at: the executor finds out, and fails before anything is changed.
            Seen::Unseen(_) => Ok(()),
            Seen::Known(node) if node.kind == Kind::Absent => {
                self.make_parents(control, &folder)?;
                let node = Node {
                    kind: Kind::Folder,
                    mode: Mode(0o755),
                    entries: Some(Vec::new()),
                    ..Node::default()
                };
                self.facts.files.insert(folder.clone(), Seen::Known(node));
                self.touched(control, &folder);
                Ok(())
            }
            Seen::Known(_) => Err(obstacle(
                format!("{folder} is not a folder"),
                format!("ls -ld {folder}"),
            )),
        }
    }

    /// The changes that lead from the facts as they are to the facts as they become, with those
    /// who asked for them: folders first, then what auditd reads, then what Docker reads. Flags go before keys come: a
    /// daemon that is started in between lacks the setting, and with both it would not start.
    pub(super) fn actions(&self) -> Vec<(Action, Controls)> {
        let mut actions: Vec<(Action, Controls)> = self
            .paths
            .iter()
            .filter_map(|(path, controls)| {
                let state = |facts: &Facts| match facts.node(path) {
                    Seen::Known(node) => State::of(node),
                    Seen::Unseen(_) => None,
                };
                let (mut before, mut after) = (state(self.before)?, state(&self.facts)?);
                // A file whose content stays as it is needs no copy of it.
                if before.content().is_some() && before.content() == after.content() {
                    let opaque = |state: &State| State::Opaque {
                        attributes: state
                            .attributes()
                            .cloned()
                            .unwrap_or_else(Attributes::default),
                    };
                    (before, after) = (opaque(&before), opaque(&after));
                }
                (before != after).then(|| {
                    let action = Action {
                        path: path.clone(),
                        before,
                        after,
                    };
                    (action, controls.clone())
                })
            })
            .collect();
        let unit = self.before.units.get("docker.service");
        let is_environment_file = |path: &str| {
            let known = unit.is_some_and(|unit| unit.environment_files.iter().any(|it| it == path));
            known
                || ["/etc/default/", "/etc/sysconfig/", "/etc/conf.d/"]
                    .iter()
                    .any(|folder| path.starts_with(folder))
        };
        actions.sort_by_key(|(action, _)| {
            let rank = match action.path.as_str() {
                path if path.starts_with("/etc/tmpfiles.d") => 0,
                path if path.starts_with("/etc/audit") => 1,
                path if path.starts_with("/etc/systemd") || is_environment_file(path) => 2,
                path if path.starts_with("/etc/docker") => 3,
                _ => 4,
            };
            (rank, action.path.clone())
        });
        actions
    }

    /// Those whose wishes need a service to take notice, whether it runs now or not.
    pub(super) fn wanting(&self, activation: Activation) -> Controls {
        self.activations
            .get(&activation)
            .cloned()
            .unwrap_or_default()
    }

    /// The services that must take notice, with those who asked for it.
    pub(super) fn activations(&self) -> Vec<(Activation, Controls)> {
        let docker_runs = Layout::of(self.before).docker_runs();
        let auditd = self.before.units.get("auditd.service");
        // Whoever restarts has read the file, too.
        let mut wanted = self.activations.clone();
        if let Some(restart) = wanted.get(&Activation::RestartDocker).cloned()
            && let Some(reload) = wanted.remove(&Activation::ReloadDocker)
        {
            let all = restart.union(&reload).cloned().collect();
            wanted.insert(Activation::RestartDocker, all);
        }
        wanted
            .into_iter()
            .filter(|(activation, _)| {
                self.before.host.live
                    && match activation {
                        Activation::ReloadDocker | Activation::RestartDocker => docker_runs,
                        Activation::RestartAuditd => {
                            auditd.is_some_and(|unit| unit.is_active() && !unit.refuses_stop)
                                && !self.before.auditing.is_locked()
                        }
                        Activation::LoadAuditRules => !self.before.auditing.is_locked(),
                        Activation::ReloadUnits => true,
                    }
            })
            .collect()
    }

    /// Lets the services react on the copy.
    pub(super) fn react(&mut self, options: &Options) {
        let restart = self.restart(options);
        for (activation, _) in self.activations() {
            match activation {
                Activation::LoadAuditRules => simulate::load_audit_rules(&mut self.facts),
                Activation::RestartDocker => {
                    simulate::restart_docker(self.before, &mut self.facts, restart);
                }
                Activation::ReloadDocker => {
                    simulate::reload_docker(self.before, &mut self.facts);
                }
                Activation::ReloadUnits => simulate::reload_units(&mut self.facts),
                Activation::RestartAuditd => {}
            }
        }
    }

    /// How docker.service restarts.
    pub(super) fn restart(&self, options: &Options) -> Restart {
        Restart::of(self.before, &self.facts, options)
    }
}

pub(super) fn obstacle(reason: String, cure: String) -> Obstacle {
    Obstacle { reason, cure }
}

fn push_line(text: &mut String, line: &str) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
}
