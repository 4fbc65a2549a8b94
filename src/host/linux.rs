//! A Linux system, or a folder that holds one.

use super::audit::{Auditor, RULES_FILE};
use super::commands::{PROGRAM_FOLDERS, REPORT_DEADLINE, Runner, run_as, run_at};
use super::tree::{Ids, Tree};
use super::{
    DockerAnswers, Host, HostError, LogEntry, Output, Patience, ReadHost, Verdict, change, docker,
    health, look, services, syslog, timer, validate,
};
use crate::change::{Activation, Expectation};
use crate::facts::{Attributes, Bytes, Cause, Kind, Look, Node, Reading, Usage};
use std::cell::Cell;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Where docker.socket listens in every distribution, unless its unit says something else.
const DEFAULT_SOCKET: &str = "/run/docker.sock";

/// What a program that only reports may take even where the time for all questions is used up: it
/// takes milliseconds unless it hangs.
const LAST_CHANCE: Duration = Duration::from_secs(1);

/// The doors to the running Linux system, to a mounted image, or to a folder for demonstrations.
///
/// Every path is looked up inside the given root: an absolute symbolic link in an image leads to
/// the image's own files.
#[derive(Debug)]
pub struct LinuxHost {
    tree: Tree,
    live: bool,
    root: bool,
    docker_socket: Option<String>,
    /// The rules file as it was before the first time that this process replaced it: without
    /// augenrules nothing else tells which of the kernel's rules came from there.
    replaced_rules: Option<Reading<'static>>,
    patience: Patience,
    /// When the look that is under way must be over.
    look_ends: Cell<Option<Instant>>,
}

impl LinuxHost {
    /// The running system.
    ///
    /// # Errors
    /// When `/` cannot be opened.
    pub fn live() -> Result<Self, HostError> {
        Self::new(Path::new("/"), None, true)
    }

    /// A mounted image, or a folder that looks like one. Nothing is run there and no service is
    /// asked.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn folder(root: &Path) -> Result<Self, HostError> {
        Self::new(root, None, false)
    }

    /// As [`Self::folder`], but the user who runs us stands for root there: what they own belongs
    /// to 0:0. What shall belong to others keeps its owner, unless we are root indeed.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn demo(root: &Path) -> Result<Self, HostError> {
        let ids = Ids {
            uid: nix::unistd::geteuid().as_raw(),
            gid: nix::unistd::getegid().as_raw(),
            can_give: nix::unistd::geteuid().is_root(),
        };
        Self::new(root, Some(ids), false)
    }

    /// The same host, whose daemon is healthy when it answers on this socket. Without it the
    /// socket is the one that docker.socket listens on.
    #[must_use]
    pub fn with_docker_socket(mut self, socket: impl Into<String>) -> Self {
        self.docker_socket = Some(socket.into());
        self
    }

    /// The same host, asked with other deadlines.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// When the questions that are asked now must be answered.
    fn questions_end(&self) -> Instant {
        let all = Instant::now() + self.patience.all;
        self.look_ends.get().unwrap_or(all)
    }

    pub(super) fn new(root: &Path, ids: Option<Ids>, live: bool) -> Result<Self, HostError> {
        let tree = Tree::new(root, ids)
            .map_err(|source| HostError::file(&root.display().to_string(), "open", source))?;
        Ok(Self {
            tree,
            live,
            root: ids.is_some() || nix::unistd::geteuid().is_root(),
            docker_socket: None,
            replaced_rules: None,
            patience: Patience::default(),
            look_ends: Cell::new(None),
        })
    }

    /// Whether this folder has the `/etc` of the running system, and another `/var/lib`.
    pub fn is_half_of_running(&self) -> bool {
        let is_same = |path: &str| {
            let here = std::fs::metadata(path).ok()?;
            let spot = self.tree.find_followed(path).ok()?;
            let there = rustix::fs::fstat(spot.open(super::tree::NAME_ONLY).ok()?).ok()?;
            Some((here.dev(), here.ino()) == (there.st_dev, there.st_ino))
        };
        !self.live && is_same("/etc") == Some(true) && is_same("/var/lib") == Some(false)
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Where docker.service listens.
    fn socket(&self) -> String {
        match &self.docker_socket {
            Some(socket) => socket.clone(),
            None => services::listening_socket(self).unwrap_or_else(|| DEFAULT_SOCKET.to_owned()),
        }
    }

    fn with_auditor<T>(&self, act: impl FnOnce(&Auditor<'_>) -> T) -> T {
        act(&Auditor {
            runner: self,
            read: &|path| look::reading(&self.tree, path),
            replaced: self.replaced_rules.as_ref(),
        })
    }

    /// As root nothing is run that somebody else could have put there.
    pub(super) fn refuse_untrusted_program(&self, path: &str) -> Result<(), HostError> {
        if !self.root {
            return Ok(());
        }
        let spot = self
            .tree
            .find_followed(path)
            .map_err(|source| HostError::file(path, "run", source))?;
        let real = look::node(
            &self.tree,
            &spot.real.display().to_string(),
            Look::Attributes,
        )?;
        let reason = spot.distrust.or_else(|| {
            (real.uid != 0 || real.mode.0 & 0o022 != 0)
                .then(|| "somebody but root can write the program".to_owned())
        });
        match reason {
            Some(reason) => Err(HostError::Refused {
                path: path.to_owned(),
                reason: format!("not run as root: {reason}"),
            }),
            None => Ok(()),
        }
    }
}

impl Runner for LinuxHost {
    fn run(
        &self,
        program: &str,
        arguments: &[&str],
        deadline: Duration,
    ) -> Result<Output, HostError> {
        let found = match program {
            _ if !self.live => None,
            path if path.starts_with('/') => Some(path.to_owned()),
            name => self.program(name),
        };
        let path = found.ok_or_else(|| HostError::NotInstalled {
            program: program.to_owned(),
        })?;
        self.refuse_untrusted_program(&path)?;
        run_at(&path, program, arguments, deadline)
    }
}

impl ReadHost for LinuxHost {
    fn is_live(&self) -> bool {
        self.live
    }

    fn is_root(&self) -> bool {
        self.root
    }

    fn node(&self, path: &str, look: Look) -> Result<Node, HostError> {
        look::node(&self.tree, path, look)
    }

    fn report(&self, program: &str, arguments: &[&str]) -> Result<Output, HostError> {
        let deadline = match self.look_ends.get() {
            Some(ends) => ends
                .saturating_duration_since(Instant::now())
                .min(self.patience.answer)
                .max(LAST_CHANCE),
            None => REPORT_DEADLINE,
        };
        self.run(program, arguments, deadline)
    }

    fn look_begins(&self) {
        self.look_ends.set(Some(Instant::now() + self.patience.all));
    }

    fn look_ends(&self) {
        self.look_ends.set(None);
    }

    fn largest_file(&self) -> Option<u64> {
        rustix::process::getrlimit(rustix::process::Resource::Fsize).current
    }

    fn has_memory(&self, bytes: usize) -> bool {
        Vec::<u8>::new().try_reserve_exact(bytes).is_ok()
    }

    fn room(&self, folder: &str) -> Option<u64> {
        look::room(&self.tree, folder)
    }

    fn program(&self, name: &str) -> Option<String> {
        PROGRAM_FOLDERS
            .iter()
            .map(|folder| format!("{folder}/{name}"))
            .find(|path| {
                look::node(&self.tree, path, Look::Attributes).is_ok_and(|node| match node.kind {
                    Kind::File => node.mode.0 & 0o111 != 0,
                    // A link counts where it leads to something.
                    Kind::Link => self
                        .tree
                        .find_followed(path)
                        .and_then(|spot| spot.open(super::tree::NAME_ONLY))
                        .is_ok(),
                    _ => false,
                })
            })
    }

    fn docker(&self, socket: &str) -> Result<DockerAnswers, HostError> {
        if !self.live {
            return Err(HostError::Docker {
                socket: socket.to_owned(),
                reason: "no daemon runs in a folder".to_owned(),
                cause: Cause::NotRunning,
            });
        }
        docker::ask(
            socket,
            docker::Scope::Everything,
            self.patience,
            self.questions_end(),
        )
    }

    fn docker_usage(&self, socket: &str) -> Result<Usage, HostError> {
        if !self.live {
            return Err(HostError::Docker {
                socket: socket.to_owned(),
                reason: "no daemon runs in a folder".to_owned(),
                cause: Cause::NotRunning,
            });
        }
        // On a host with large volumes it takes minutes, and a plan is good without it. Its head comes
        // when all is measured.
        let patience = Patience {
            first_byte: self.patience.answer,
            ..self.patience
        };
        docker::usage(socket, patience, self.questions_end())
    }

    fn validate_daemon_json(&self, text: &str, command: &[String]) -> Result<Verdict, HostError> {
        let not_checked = |why: &str| Ok(Verdict::NotChecked(why.to_owned()));
        if !self.live {
            return not_checked("nothing is run in a folder");
        }
        let Some((program, flags)) = command.split_first() else {
            return not_checked("its unit starts nothing");
        };
        if !program.starts_with('/') || !program.ends_with("/dockerd") {
            return not_checked(&format!("its unit starts {program}, not dockerd"));
        }
        self.refuse_untrusted_program(program)?;
        let run = |arguments: &[&str], input: &str, user: Option<u32>| {
            let file = validate::in_memory(input)
                .map_err(|source| HostError::file(program, "prepare input for", source))?;
            // Whoever is not root cannot become somebody else, and need not.
            let user = user.filter(|_| nix::unistd::geteuid().is_root());
            run_as(
                program,
                program,
                arguments,
                REPORT_DEADLINE,
                file.into(),
                user,
            )
        };
        validate::validate(&run, text, flags)
    }

    fn can_arm(&self, program: &str) -> Result<(), HostError> {
        timer::can_arm(self, program)
    }

    fn wall_clock(&self, monotonic: u64) -> i64 {
        self.at(rustix::time::ClockId::Monotonic, monotonic)
    }

    fn since_boot(&self, since_boot: u64) -> i64 {
        self.at(rustix::time::ClockId::Boottime, since_boot)
    }
}

impl LinuxHost {
    /// The time of day at which a clock showed this, in microseconds; 0 where that is not known.
    fn at(&self, clock: rustix::time::ClockId, then: u64) -> i64 {
        let Ok(then) = i64::try_from(then) else {
            return 0;
        };
        if !self.live || then == 0 {
            return 0;
        }
        let now = rustix::time::clock_gettime(clock);
        let now = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
        self.now() - (now - then)
    }
}

impl Host for LinuxHost {
    fn create(
        &mut self,
        path: &str,
        content: &Bytes,
        attributes: &Attributes,
    ) -> Result<(), HostError> {
        change::create(&self.tree, path, content, attributes)
    }

    fn append(&mut self, path: &str, bytes: &[u8]) -> Result<(), HostError> {
        change::append(&self.tree, path, bytes)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), HostError> {
        let old = (to == RULES_FILE && self.replaced_rules.is_none())
            .then(|| look::reading(&self.tree, to));
        change::rename(&self.tree, from, to)?;
        if old.is_some() {
            self.replaced_rules = old;
        }
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), HostError> {
        change::remove(&self.tree, path)
    }

    fn make_folder(&mut self, path: &str, attributes: &Attributes) -> Result<(), HostError> {
        change::make_folder(&self.tree, path, attributes)
    }

    fn remove_folder(&mut self, path: &str) -> Result<(), HostError> {
        change::remove_folder(&self.tree, path)
    }

    fn set_attributes(&mut self, path: &str, attributes: &Attributes) -> Result<(), HostError> {
        change::set_attributes(&self.tree, path, attributes)
    }

    fn sync(&mut self, path: &str) -> Result<(), HostError> {
        change::sync(&self.tree, path)
    }

    fn sync_folder(&mut self, path: &str) -> Result<(), HostError> {
        change::sync(&self.tree, path)
    }

    fn activate(&mut self, activation: Activation, deadline: Duration) -> Result<(), HostError> {
        if !self.live {
            return Ok(());
        }
        match activation {
            Activation::ReloadUnits => services::reload_units(self, deadline),
            Activation::LoadAuditRules => self.with_auditor(|auditor| auditor.load(deadline)),
            Activation::RestartAuditd => self.with_auditor(|auditor| auditor.restart(deadline)),
            Activation::ReloadDocker => services::reload_docker(self, deadline),
            Activation::RestartDocker => services::restart_docker(self, deadline),
        }
    }

    fn audit_rule(&mut self, words: &[String]) -> Result<(), HostError> {
        self.with_auditor(|auditor| auditor.rule(words))
    }

    fn healthy(
        &mut self,
        expected: &Expectation,
        deadline: Duration,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(), Vec<String>> {
        if !self.live {
            return Ok(());
        }
        let socket = self.socket();
        self.with_auditor(|auditor| health::wait(auditor, &socket, expected, deadline, interrupted))
    }

    fn steady(
        &mut self,
        expected: &Expectation,
        time: Duration,
        deadline: Duration,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(), Vec<String>> {
        if !self.live {
            return Ok(());
        }
        let socket = self.socket();
        self.with_auditor(|auditor| {
            health::steady(auditor, &socket, expected, time, deadline, interrupted)
        })
    }

    fn start_container(&mut self, name: &str, deadline: Duration) -> Result<bool, HostError> {
        if !self.live {
            return Ok(false);
        }
        docker::start(&self.socket(), name, deadline)
    }

    fn service_log(&self, unit: &str, since_seconds: u64) -> Vec<String> {
        services::log(self, unit, since_seconds)
    }

    fn arm(
        &mut self,
        id: &str,
        after: Duration,
        program: &str,
        arguments: &[String],
    ) -> Result<(), HostError> {
        self.can_arm(program)?;
        timer::arm(self, id, after, program, arguments)
    }

    fn disarm(&mut self, id: &str) -> Result<(), HostError> {
        if !self.live {
            return Ok(());
        }
        timer::disarm(self, id)
    }

    fn log(&mut self, entry: &LogEntry) {
        if self.live {
            syslog::send(entry);
        }
    }
}

#[cfg(test)]
#[path = "linux_tests.rs"]
mod tests;
