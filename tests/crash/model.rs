//! A modelled host: files on a [`Disk`], the kernel's audit rules, a Docker daemon with the
//! configuration that it has loaded, and containers. It can stop at any moment.

mod doors;

use super::disk::{Disk, Inode, Unsynced, parent};
use seaworthy::facts::{Attributes, Mode, Reading};
use seaworthy::formats::{command_line, unit};
use seaworthy::host::HostError;
use serde_json::Value;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;

pub const STATE: &str = "/var/lib/seaworthy";
pub const DAEMON: &str = "/etc/docker/daemon.json";
pub const OPTIONS: &str = "/etc/default/docker";
pub const DROP_INS: &str = "/etc/systemd/system/docker.service.d";
pub const RULES: &str = "/etc/audit/rules.d";
pub const GENERATED: &str = "/etc/audit/audit.rules";
pub const ACCOUNTS: [&str; 3] = ["/etc/passwd", "/etc/shadow", "/etc/subuid"];

/// The process that useradd(8) is.
const TOOL: u32 = 4711;

/// What happens at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    None,
    /// The process is gone: nothing that it does has an effect any more.
    CrashAt(u64),
    /// One operation fails, perhaps in its middle, perhaps after its effect.
    FaultAt(u64),
    /// One look fails.
    BlindAt(u64),
    PanicAt(u64),
}

/// What follows a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Only the process died.
    Killed,
    /// The machine lost power and boots.
    Power(Unsynced),
}

#[derive(Debug, Clone, Default)]
pub struct Model {
    pub disk: Disk,
    pub kernel: Vec<String>,
    /// The configuration that the running daemon has loaded; `None` while it does not run.
    pub daemon: Option<BTreeMap<String, Value>>,
    /// The drop-ins of docker.service as systemd has read them.
    drop_ins: Vec<String>,
    /// A key that a daemon found set by a flag, too, so that it did not start.
    pub conflict: Option<String>,
    /// Containers kept running while no daemon runs.
    kept_running: bool,
    pub containers: BTreeMap<String, bool>,
    /// Containers without a restart policy.
    pub once: BTreeSet<String>,
    /// Containers that a daemon found running when it started, and killed.
    pub killed: BTreeSet<String>,
    /// Containers that were stopped since the last boot, also where they run again; `None` where
    /// that does not matter.
    pub stopped: Option<BTreeSet<String>>,
    /// How often containerd still holds the processes of a container that is to start.
    pub held: u32,
    /// A daemon that was restarted comes up and gives up a little later.
    pub gives_up: bool,
    boots: u32,
    /// Transactions whose timer runs.
    pub timers: BTreeSet<String>,
    /// Transaction and outcome of each message in the system log.
    pub logged: Vec<(String, String)>,
    /// Microseconds since the beginning.
    pub later: i64,
    pub mishap: Option<Mishap>,
    ticks: u64,
    looks: Cell<u64>,
    dead: bool,
}

/// What must be all or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    pub files: BTreeMap<String, Inode>,
    pub kernel: Vec<String>,
    pub daemon: Option<BTreeMap<String, Value>>,
    pub drop_ins: Vec<String>,
    pub containers: BTreeMap<String, bool>,
    pub killed: BTreeSet<String>,
    pub stopped: BTreeSet<String>,
}

fn failure(path: &str, verb: &'static str) -> HostError {
    HostError::file(path, verb, io::Error::other("modelled failure"))
}

impl Model {
    pub fn file(&mut self, path: &str, text: &str, mode: u32) {
        self.folder(parent(path), 0o755);
        self.disk.make(path, false);
        self.disk.write(path, text.as_bytes());
        self.disk.set(
            path,
            Attributes {
                mode: Mode(mode),
                ..Attributes::default()
            },
        );
    }

    pub fn folder(&mut self, path: &str, mode: u32) {
        if self.disk.get(path).is_some() {
            return;
        }
        if path != "/" {
            self.folder(parent(path), 0o755);
        }
        self.disk.make(path, true);
        self.disk.set(
            path,
            Attributes {
                mode: Mode(mode),
                ..Attributes::default()
            },
        );
    }

    pub fn text(&self, path: &str) -> Option<String> {
        let inode = self.disk.get(path)?;
        Some(String::from_utf8(inode.data.clone()).unwrap())
    }

    pub fn is_dead(&self) -> bool {
        self.dead
    }

    pub fn ticks(&self) -> u64 {
        self.ticks
    }

    pub fn looks(&self) -> u64 {
        self.looks.get()
    }

    pub fn with(&self, mishap: Mishap) -> Self {
        let mut model = self.clone();
        model.mishap = Some(mishap);
        model.ticks = 0;
        model.looks = Cell::new(0);
        model
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            files: self
                .disk
                .paths()
                .filter(|(path, _)| !path.starts_with(STATE))
                .map(|(path, inode)| (path.clone(), inode.clone()))
                .collect(),
            kernel: self.kernel.clone(),
            daemon: self.daemon.clone().map(|mut daemon| {
                // What is the default need not be said.
                daemon
                    .retain(|key, value| !(key == "live-restore" && *value == Value::Bool(false)));
                daemon
            }),
            drop_ins: self.drop_ins.clone(),
            containers: self.containers.clone(),
            killed: self.killed.clone(),
            stopped: self.stopped.clone().unwrap_or_default(),
        }
    }

    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.disk.fingerprint(&mut hasher);
        (&self.kernel, &self.containers, self.kept_running).hash(&mut hasher);
        (&self.killed, &self.stopped, &self.drop_ins, &self.conflict).hash(&mut hasher);
        self.timers.hash(&mut hasher);
        if let Some(daemon) = &self.daemon {
            for (key, value) in daemon {
                (key, value.to_string()).hash(&mut hasher);
            }
        }
        self.daemon.is_some().hash(&mut hasher);
        hasher.finish()
    }

    /// What follows a crash, up to the moment when somebody logs in.
    pub fn after(&self, fate: Fate) -> Self {
        let mut model = self.with(Mishap::None);
        model.dead = false;
        if let Fate::Power(unsynced) = fate {
            model.disk.power_loss(unsynced);
            model.boot();
        }
        model
    }

    pub fn boot(&mut self) {
        self.boots += 1;
        self.timers.clear();
        self.kernel.clear();
        self.daemon = None;
        self.kept_running = false;
        let _ = self.load_rules();
        self.read_units();
        let _ = self.start_docker();
        for (name, running) in &mut self.containers {
            *running = !self.once.contains(name);
        }
        if let Some(stopped) = &mut self.stopped {
            stopped.clear();
        }
    }

    fn tick(&mut self, path: &str, verb: &'static str) -> Result<(), HostError> {
        let tick = self.ticks;
        self.ticks += 1;
        match self.mishap {
            _ if self.dead => Err(failure(path, verb)),
            Some(Mishap::CrashAt(at)) if at == tick => {
                self.dead = true;
                Err(failure(path, verb))
            }
            Some(Mishap::FaultAt(at)) if at == tick => Err(failure(path, verb)),
            Some(Mishap::PanicAt(at)) if at == tick => panic!("modelled panic"),
            _ => Ok(()),
        }
    }

    fn look(&self, path: &str) -> Result<(), HostError> {
        let look = self.looks.get();
        self.looks.set(look + 1);
        if self.dead || self.mishap == Some(Mishap::BlindAt(look)) {
            return Err(failure(path, "read"));
        }
        Ok(())
    }

    fn existing(&self, path: &str) -> Result<Inode, HostError> {
        self.disk
            .get(path)
            .cloned()
            .ok_or_else(|| HostError::file(path, "open", io::ErrorKind::NotFound.into()))
    }

    fn free(&self, path: &str) -> Result<(), HostError> {
        if self.disk.get(path).is_some() {
            return Err(HostError::file(
                path,
                "create",
                io::ErrorKind::AlreadyExists.into(),
            ));
        }
        if self.existing(parent(path))?.folder {
            Ok(())
        } else {
            Err(failure(path, "create"))
        }
    }

    /// What augenrules and auditctl do together, with the care that the door promises: rules that
    /// only the kernel knew are kept.
    fn load_rules(&mut self) -> Result<(), HostError> {
        let verb = "load";
        let mut text = "## generated\n".to_owned();
        for name in self.disk.entries(RULES) {
            if name.rsplit_once('.').is_some_and(|(_, end)| end == "rules") {
                text.push_str(&self.text(&format!("{RULES}/{name}")).unwrap());
            }
        }
        let rules = |text: &str| -> Vec<String> {
            text.lines()
                .filter(|line| line.starts_with('-'))
                .map(str::to_owned)
                .collect()
        };
        let old = self.text(GENERATED);
        if old.as_deref() != Some(&text) {
            self.tick(GENERATED, verb)?;
            if let Some(old) = &old {
                self.overwrite(&format!("{GENERATED}.prev"), old)?;
            }
            self.overwrite(GENERATED, &text)?;
        }
        let old = rules(&old.unwrap_or_default());
        let only_kernel: Vec<String> = self
            .kernel
            .iter()
            .filter(|rule| !old.contains(rule))
            .cloned()
            .collect();
        self.kernel.clear();
        for rule in rules(&text).into_iter().chain(only_kernel) {
            self.tick("auditctl", verb)?;
            if rule.contains("bad") {
                return Err(failure("auditctl", verb));
            }
            if !self.kernel.contains(&rule) {
                self.kernel.push(rule);
            }
        }
        Ok(())
    }

    /// As a shell script writes: in place, and not synced.
    fn overwrite(&mut self, path: &str, text: &str) -> Result<(), HostError> {
        if self.disk.get(path).is_none() {
            self.disk.make(path, false);
            self.disk.set(
                path,
                Attributes {
                    mode: Mode(0o640),
                    ..Attributes::default()
                },
            );
        }
        self.disk.truncate(path);
        self.tick(path, "write")?;
        self.disk.write(path, text.as_bytes());
        self.tick(path, "write")
    }

    fn read_units(&mut self) {
        let names = self.disk.entries(DROP_INS).into_iter();
        self.drop_ins = names
            .filter_map(|name| self.text(&format!("{DROP_INS}/{name}")))
            .collect();
    }

    /// What the flags of docker.service set; its environment file is read at every start.
    fn flags(&self) -> BTreeMap<String, Value> {
        let base =
            format!("[Service]\nEnvironmentFile=-{OPTIONS}\nExecStart=/dockerd $DOCKER_OPTS\n");
        let mut texts = vec![base.as_str()];
        texts.extend(self.drop_ins.iter().map(String::as_str));
        let paths = vec![""; texts.len()];
        let mut lookup = |path: &str| match self.text(path) {
            Some(text) => Reading::Text(text.into()),
            None => Reading::Absent,
        };
        let inherited = BTreeMap::new();
        let started = unit::start(&unit::parse(&texts), &paths, &inherited, &mut lookup);
        command_line::parse(&started.argv())
            .iter()
            .map(|flag| (flag.name.clone(), Value::Bool(flag.value == "true")))
            .collect()
    }

    fn configuration(&self) -> Option<BTreeMap<String, Value>> {
        match self.text(DAEMON) {
            None => Some(BTreeMap::new()),
            Some(text) => serde_json::from_str(&text).ok(),
        }
    }

    fn live_restore(&self) -> bool {
        self.daemon
            .as_ref()
            .is_some_and(|daemon| daemon.get("live-restore") == Some(&Value::Bool(true)))
    }

    fn stop_docker(&mut self) {
        if self.daemon.is_none() {
            return;
        }
        self.kept_running = self.live_restore();
        self.daemon = None;
        if !self.kept_running {
            for (name, running) in &mut self.containers {
                *running = false;
                if let Some(stopped) = &mut self.stopped {
                    stopped.insert(name.clone());
                }
            }
        }
    }

    fn start_docker(&mut self) -> Result<(), HostError> {
        let verb = "start";
        let configuration = self
            .configuration()
            .filter(|configuration| !configuration.contains_key("refused"))
            .ok_or_else(|| failure("docker.service", verb))?;
        let flags = self.flags();
        if let Some(key) = flags.keys().find(|key| configuration.contains_key(*key)) {
            self.conflict = Some(key.clone());
            return Err(failure("docker.service", verb));
        }
        if configuration.contains_key("userns-remap") {
            let has = |file: &&str| self.text(file).unwrap().contains("\ndockremap:");
            if has(&ACCOUNTS[0]) && !ACCOUNTS.iter().all(has) {
                // It makes an account that is not there; one without subordinate ids it refuses (moby,
                // pkg/idtools: "no subuid ranges found for user").
                return Err(failure("docker.service", verb));
            }
            for file in ACCOUNTS {
                if !self.text(file).unwrap().contains("\ndockremap:") {
                    // Locked by a file of its own, which a crash leaves there.
                    let lock = format!("{file}.{TOOL}");
                    if self.disk.get(&lock).is_none() {
                        self.disk.make(&lock, false);
                    }
                    self.disk.sync_folder(parent(file));
                    self.tick(&lock, verb)?;
                    self.disk.write(file, b"dockremap:x:1\n");
                    self.disk.sync(file);
                    self.tick(file, verb)?;
                    self.disk.unset(&lock);
                    self.tick(&lock, verb)?;
                }
            }
        }
        self.daemon = Some(configuration.into_iter().chain(flags).collect());
        let on = self.live_restore();
        for (name, running) in &mut self.containers {
            if !self.kept_running {
                *running = !self.once.contains(name);
            } else if !on && *running {
                // A daemon without live-restore kills what it finds running, and for it these have
                // been stopped on purpose.
                *running = false;
                self.killed.insert(name.clone());
                if let Some(stopped) = &mut self.stopped {
                    stopped.insert(name.clone());
                }
            }
        }
        self.kept_running = false;
        self.tick("docker.service", verb)
    }
}
