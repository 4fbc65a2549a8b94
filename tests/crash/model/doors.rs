//! The doors of the modelled host. Every operation has moments before, within and after its effect.

use super::{Model, failure};
use crate::crash::disk::parent;
use seaworthy::change::{Activation, Expectation};
use seaworthy::facts::{Attributes, Bytes, Kind, Look, Mode, Node};
use seaworthy::host::{DockerAnswers, Host, HostError, LogEntry, Output, ReadHost};
use serde_json::Value;
use std::time::Duration;

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

impl ReadHost for Model {
    fn is_live(&self) -> bool {
        true
    }

    fn is_root(&self) -> bool {
        true
    }

    fn node(&self, path: &str, look: Look) -> Result<Node, HostError> {
        self.look(path)?;
        if path == BOOT_ID {
            return Ok(Node::file(&format!("boot-{}\n", self.boots)));
        }
        let Some(inode) = self.disk.get(path) else {
            return Ok(Node::absent());
        };
        let mut node = Node {
            kind: if inode.folder {
                Kind::Folder
            } else {
                Kind::File
            },
            ..Node::default()
        };
        node.set_attributes(&inode.attributes);
        if inode.folder {
            node.entries = (look == Look::Entries).then(|| self.disk.entries(path));
        } else if look == Look::Content {
            node.content = Some(Bytes::new(inode.data.clone()));
        }
        Ok(node)
    }

    fn report(&self, program: &str, arguments: &[&str]) -> Result<Output, HostError> {
        self.look(program)?;
        assert_eq!((program, arguments), ("auditctl", &["-l"][..]));
        Ok(Output {
            status: Some(0),
            stdout: if self.kernel.is_empty() {
                "No rules\n".to_owned()
            } else {
                self.kernel.join("\n") + "\n"
            },
            stderr: String::new(),
        })
    }

    fn program(&self, _: &str) -> Option<String> {
        None
    }

    fn can_arm(&self, _: &str) -> Result<(), HostError> {
        self.look("systemd")
    }

    fn now(&self) -> i64 {
        1_795_342_530_000_000 + self.later
    }

    fn docker(&self, _: &str) -> Result<DockerAnswers, HostError> {
        Ok(DockerAnswers::default())
    }
}

impl Host for Model {
    fn create(
        &mut self,
        path: &str,
        content: &Bytes,
        attributes: &Attributes,
    ) -> Result<(), HostError> {
        let verb = "create";
        self.tick(path, verb)?;
        self.free(path)?;
        self.disk.make(path, false);
        self.tick(path, verb)?;
        let half = content.0.len() / 2;
        self.disk.write(path, &content.0[..half]);
        self.tick(path, verb)?;
        self.disk.write(path, &content.0[half..]);
        self.tick(path, verb)?;
        self.disk.set(path, attributes.clone());
        self.tick(path, verb)
    }

    fn append(&mut self, path: &str, bytes: &[u8]) -> Result<(), HostError> {
        let verb = "append";
        self.tick(path, verb)?;
        self.existing(path)?;
        let half = bytes.len() / 2;
        self.disk.write(path, &bytes[..half]);
        self.tick(path, verb)?;
        self.disk.write(path, &bytes[half..]);
        self.tick(path, verb)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), HostError> {
        self.tick(from, "rename")?;
        self.existing(from)?;
        assert_eq!(parent(from), parent(to));
        self.disk.rename(from, to);
        self.tick(to, "rename")
    }

    fn remove(&mut self, path: &str) -> Result<(), HostError> {
        self.tick(path, "remove")?;
        if self.existing(path)?.folder {
            return Err(failure(path, "remove"));
        }
        self.disk.unset(path);
        self.tick(path, "remove")
    }

    fn make_folder(&mut self, path: &str, attributes: &Attributes) -> Result<(), HostError> {
        self.tick(path, "make")?;
        self.free(path)?;
        self.disk.make(path, true);
        self.tick(path, "make")?;
        self.disk.set(path, attributes.clone());
        self.tick(path, "make")
    }

    fn remove_folder(&mut self, path: &str) -> Result<(), HostError> {
        self.tick(path, "remove")?;
        if !self.existing(path)?.folder || !self.disk.entries(path).is_empty() {
            return Err(failure(path, "remove"));
        }
        self.disk.unset(path);
        self.tick(path, "remove")
    }

    fn set_attributes(&mut self, path: &str, attributes: &Attributes) -> Result<(), HostError> {
        let verb = "change the attributes of";
        self.tick(path, verb)?;
        let mut now = self.existing(path)?.attributes;
        if now.uid != attributes.uid || now.gid != attributes.gid {
            now.mode = Mode(now.mode.0 & 0o1777);
        }
        now.uid = attributes.uid;
        self.disk.set(path, now.clone());
        self.tick(path, verb)?;
        now.gid = attributes.gid;
        self.disk.set(path, now.clone());
        self.tick(path, verb)?;
        now.mode = attributes.mode;
        self.disk.set(path, now);
        self.tick(path, verb)?;
        self.disk.set(path, attributes.clone());
        self.tick(path, verb)
    }

    fn sync(&mut self, path: &str) -> Result<(), HostError> {
        self.tick(path, "sync")?;
        self.existing(path)?;
        self.disk.sync(path);
        self.tick(path, "sync")
    }

    fn sync_folder(&mut self, path: &str) -> Result<(), HostError> {
        self.tick(path, "sync")?;
        self.existing(path)?;
        self.disk.sync_folder(path);
        self.tick(path, "sync")
    }

    fn activate(&mut self, activation: Activation, _: Duration) -> Result<(), HostError> {
        let unit = activation.unit();
        self.tick(unit, "tell")?;
        match activation {
            Activation::ReloadUnits => self.read_units(),
            Activation::LoadAuditRules | Activation::RestartAuditd => self.load_rules()?,
            Activation::ReloadDocker => {
                let configuration = self.configuration();
                let Some(daemon) = &mut self.daemon else {
                    return Err(failure(unit, "reload"));
                };
                // A file that cannot be read is only logged; a key that is gone changes nothing.
                for (key, value) in configuration.unwrap_or_default() {
                    if key == "live-restore" || key == "debug" {
                        daemon.insert(key, value);
                    }
                }
            }
            Activation::RestartDocker => {
                self.stop_docker();
                self.tick(unit, "restart")?;
                self.start_docker()?;
            }
        }
        self.tick(unit, "tell")
    }

    fn audit_rule(&mut self, words: &[String]) -> Result<(), HostError> {
        self.tick("auditctl", "run")?;
        let rule = words[1..].join(" ");
        let found = self.kernel.iter().position(|known| {
            known
                .split_once(' ')
                .is_some_and(|(_, known)| known == rule)
        });
        match (words[0].as_str(), found) {
            ("-W" | "-d", Some(index)) => {
                self.kernel.remove(index);
            }
            ("-w" | "-a", None) => self.kernel.push(words.join(" ")),
            _ => return Err(failure("auditctl", "run")),
        }
        self.tick("auditctl", "run")
    }

    fn healthy(
        &mut self,
        expected: &Expectation,
        _: Duration,
        _: &dyn Fn() -> bool,
    ) -> Result<(), Vec<String>> {
        if self.look("health").is_err() {
            return Err(vec!["nobody answers".to_owned()]);
        }
        let mut wrong = Vec::new();
        if expected.docker_runs && self.daemon.is_none() {
            wrong.push("docker.service does not run".to_owned());
        }
        let daemon = self.daemon.clone().unwrap_or_default();
        for (key, value) in &expected.daemon {
            if daemon.get(key).unwrap_or(&Value::Bool(false)) != value {
                wrong.push(format!("{key} is not {value}"));
            }
        }
        if let Some(rules) = &expected.kernel_rules
            && *rules != self.kernel
        {
            wrong.push("the kernel has other rules".to_owned());
        }
        for name in &expected.containers {
            if self.containers.get(name) != Some(&true) {
                wrong.push(format!("container {name} does not run"));
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    fn steady(
        &mut self,
        expected: &Expectation,
        _: Duration,
        time: Duration,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<(), Vec<String>> {
        if self.gives_up {
            return Err(vec!["docker.service did not last".to_owned()]);
        }
        self.healthy(expected, time, interrupted)
    }

    fn start_container(&mut self, name: &str, _: Duration) -> Result<bool, HostError> {
        self.tick(name, "start")?;
        if let Some(held) = self.held.checked_sub(1) {
            self.held = held;
            return Err(failure(name, "start"));
        }
        match self.containers.get_mut(name) {
            Some(running) if self.daemon.is_some() => {
                let stopped = !std::mem::replace(running, true);
                self.tick(name, "start")?;
                Ok(stopped)
            }
            _ => Err(failure(name, "start")),
        }
    }

    fn service_log(&self, unit: &str, _: u64) -> Vec<String> {
        vec![format!("{unit}: modelled words")]
    }

    fn arm(&mut self, id: &str, _: Duration, program: &str, _: &[String]) -> Result<(), HostError> {
        self.tick(id, "arm")?;
        self.can_arm(program)?;
        self.timers.insert(id.to_owned());
        self.tick(id, "arm")
    }

    fn disarm(&mut self, id: &str) -> Result<(), HostError> {
        self.tick(id, "disarm")?;
        self.timers.remove(id);
        self.tick(id, "disarm")
    }

    fn log(&mut self, entry: &LogEntry) {
        self.logged
            .push((entry.transaction.clone(), entry.outcome.to_owned()));
    }
}
