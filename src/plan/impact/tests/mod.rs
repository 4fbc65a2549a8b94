//! Tables of small hosts: what is changed, and what is said of it.

mod choices;
mod files;
mod filtering;
mod remapping;
mod settings;
mod unseen;

use super::*;
use serde_json::{Value, json};

/// A host with a daemon that runs, and this on top of it.
fn host(more: &Value) -> Facts {
    let plain = json!({
        "host": { "live": true },
        "units": { "docker.service": { "argv": ["/usr/bin/dockerd"], "active": "active", "started": 1000 } },
        "docker": { "version": "26.1.5", "root_dir": "/var/lib/docker", "storage_driver": "overlay2",
            "logging_driver": "json-file",
            "bridge_options": { "com.docker.network.bridge.enable_icc": "true" } },
        "files": {
            "/etc/docker/daemon.json": { "text": "{}" },
            "/var": { "kind": "folder", "mode": "0755" },
            "/var/lib": { "kind": "folder", "mode": "0755" },
            "/etc/passwd": { "text": "root:x:0:0::/:\nbob:x:1001:1001::/:\nann:x:1002:1500::/:\neve:x:1003:1003::/:\n" },
            "/etc/group": { "text": "root:x:0:\ndocker:x:104:eve\nops:x:1500:bob\nbob:x:1001:\n" },
            "/etc/subuid": { "text": "bob:100000:65536\n" },
            "/etc/subgid": { "text": "bob:100000:65536\n" },
            "/usr/sbin/useradd": {}
        }
    });
    let base: Facts = serde_json::from_value(plain).unwrap();
    looked_at(base.overlaid(more).unwrap())
}

/// The same, where nothing is at each path that is looked at and not named. The ends of mounts are left
/// out, as whether they are looked at is told apart.
fn looked_at(mut facts: Facts) -> Facts {
    loop {
        let wanted = [
            subordinate::requests(&facts),
            data_root::requests(&facts),
            ports::requests(&facts),
            firewall::requests(&facts),
            netfilter::requests(&facts),
            watched::requests(),
        ];
        let paths = wanted.into_iter().flatten().map(|(path, _)| path);
        let new: Vec<String> = paths
            .filter(|path| !facts.files.contains_key(path))
            .collect();
        if new.is_empty() {
            return facts;
        }
        let absent = || Seen::Known(crate::facts::Node::absent());
        facts
            .files
            .extend(new.into_iter().map(|path| (path, absent())));
    }
}

fn running(name: &str, more: Value) -> Value {
    let mut all = json!({ "name": name, "image": "busybox", "running": true,
        "restart_policy": "no", "network_mode": "none", "log_driver": "json-file" });
    let (Some(all_of_it), Value::Object(more)) = (all.as_object_mut(), more) else {
        panic!("{name}: not an object");
    };
    all_of_it.extend(more);
    all
}

fn with(containers: &[Value]) -> Facts {
    host(&json!({ "docker": { "containers": containers } }))
}

fn set(key: &str, value: Value) -> Vec<Edit> {
    vec![Edit::DaemonKey {
        key: key.to_owned(),
        value: Some(value),
    }]
}

/// `what | who` of each effect.
fn said(facts: &Facts, edits: &[Edit]) -> Vec<String> {
    of_edits(facts, edits)
        .into_iter()
        .map(|impact| format!("{} | {}", impact.what, impact.who.join(", ")))
        .collect()
}

fn control(id: &str) -> Control {
    let catalog = crate::catalog::Catalog::embedded().unwrap();
    catalog.get(id).unwrap().clone()
}
