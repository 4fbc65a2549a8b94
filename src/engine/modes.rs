//! Values that are one of a few words, a number in a range, or a size
//! (moby `daemon/config/config.go` and `config_linux.go`, `Validate`; `daemon/daemon_unix.go`).

use super::{Complaint, Settings};
use crate::formats::go::{address, size};
use serde_json::Value;

pub(super) fn complain(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    words(settings, found);
    numbers(settings, found);
    shm_size(settings, found);
    exec_options(settings, found);
    if settings.before(23, 0) && settings.has("graph") && settings.has("data-root") {
        found.push(Complaint {
            keys: vec!["graph", "data-root"],
            ..Complaint::new("graph", "`graph` and `data-root` are one", "`data-root`")
        });
    }
    if settings.from(28, 0) && !settings.text("api-cors-header").is_empty() {
        found.push(Complaint::new(
            "api-cors-header",
            "`api-cors-header` no longer allows a value",
            "no such key",
        ));
    }
    metrics(settings, found);
    cluster(settings, found);
    if settings.texts("authorization-plugins").contains(&"") {
        found.push(Complaint::new(
            "authorization-plugins",
            "`authorization-plugins` has a plugin without a name",
            "names of plugins",
        ));
    }
    if settings.from(28, 0) && settings.is_on("rootless", false) {
        // It needs what RootlessKit sets in its environment.
        let reason = "`rootless` is true, which is for a daemon that RootlessKit starts";
        found.push(Complaint::new("rootless", reason, "no such key").unless(true));
    }
    let name = settings.text("containerd-namespace");
    if name == "plugins.moby" {
        found.push(Complaint::new(
            "containerd-namespace",
            "`containerd-namespace` is that of the plugins",
            "another name",
        ));
    }
    // Whoever builds images is called that, too, from 29 on; which 29 began is not known.
    if !settings.before(29, 0) && !name.is_empty() && !is_identifier(name) {
        let complaint = Complaint::new(
            "containerd-namespace",
            format!("`containerd-namespace` is {name:?}, which is no name to containerd"),
            "letters, digits, and single `.`, `_` or `-` between them",
        );
        found.push(complaint.unless(!settings.from(29, 7)));
    }
}

/// A name as containerd wants it (`pkg/identifiers`, `Validate`).
fn is_identifier(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
    name.len() <= 76 && name.split(['.', '_', '-']).all(is_part)
}

/// A host and a port; the host may be a name, which is not looked up here.
fn metrics(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    const KEY: &str = "metrics-addr";
    let text = settings.text(KEY);
    let is_good = address::host_port(text)
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !text.is_empty() && !is_good {
        let reason = format!("`{KEY}` is {text:?}, which is no ADDRESS:PORT");
        found.push(Complaint::new(KEY, reason, "127.0.0.1:9323"));
    }
}

/// The store of the swarm of old, of 20.10 (`daemon/discovery`). Not every build has a backend.
fn cluster(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    let store = settings.text("cluster-store");
    if !store.is_empty() {
        let reason = format!("`cluster-store` is {store:?}, which needs a backend");
        let is_url = store.contains("://");
        found.push(Complaint::new("cluster-store", reason, "no such key").unless(is_url));
    } else if !settings.text("cluster-advertise").is_empty() {
        found.push(Complaint::new(
            "cluster-advertise",
            "`cluster-advertise` is set without `cluster-store`",
            "no such key",
        ));
    }
}

fn words(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    const LEVELS: [&str; 8] = [
        "debug", "error", "fatal", "info", "panic", "trace", "warn", "warning",
    ];
    let mut one_of = |key: &'static str, known: &[&str], wanted: &str, value: &str| {
        if !value.is_empty() && !known.contains(&value) {
            let reason = format!("`{key}` is {value:?}, which it does not know");
            found.push(Complaint::new(key, reason, wanted));
        }
    };
    let level = settings.text("log-level").to_lowercase();
    // 25.0 took a library without `warning`.
    let levels = if settings.from(25, 0) {
        &LEVELS[..7]
    } else {
        &LEVELS
    };
    one_of(
        "log-level",
        levels,
        "debug, info, warn, error or fatal",
        &level,
    );
    let modes = ["private", "shareable"];
    one_of(
        "default-ipc-mode",
        &modes,
        "private or shareable",
        settings.text("default-ipc-mode"),
    );
    let modes = ["private", "host"];
    let key = "default-cgroupns-mode";
    one_of(key, &modes, "private or host", settings.text(key));
    let formats = ["text", "json"];
    one_of(
        "log-format",
        &formats,
        "text or json",
        settings.text("log-format"),
    );
    let backends = ["iptables", "nftables"];
    let key = "firewall-backend";
    one_of(key, &backends, "iptables or nftables", settings.text(key));
}

fn numbers(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    let mut at_least = |key: &'static str, least: i64, most: i64| {
        let number = settings.get(key).and_then(Value::as_i64);
        if let Some(number) = number.filter(|number| !(least..=most).contains(number)) {
            let reason = format!("`{key}` is {number}");
            let wanted = if most == i64::MAX {
                format!("{least} or more")
            } else {
                format!("{least} to {most}")
            };
            found.push(Complaint::new(key, reason, wanted));
        }
    };
    at_least("max-concurrent-downloads", 0, i64::MAX);
    at_least("max-concurrent-uploads", 0, i64::MAX);
    // To later versions 0 is not set.
    let least = i64::from(settings.before(23, 0));
    at_least("max-download-attempts", least, i64::MAX);
    if settings.from(28, 0) {
        at_least("network-diagnostic-port", 0, 65535);
    }
    if settings.before(25, 0) {
        at_least("oom-score-adjust", -1000, 1000);
    }
    let score = settings.get("oom-score-adjust").and_then(Value::as_i64);
    if settings.from(25, 0) && score.is_some_and(|score| score != 0) {
        found.push(Complaint::new(
            "oom-score-adjust",
            "`oom-score-adjust` no longer allows another value than 0",
            "no such key",
        ));
    }
}

fn shm_size(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    const KEY: &str = "default-shm-size";
    if let Some(text) = settings.get(KEY).and_then(Value::as_str)
        && size::bytes(text).is_none()
    {
        let reason = format!("`{KEY}` is {text:?}, which is no size");
        let doubt = size::is_read_by_some(text);
        found.push(Complaint::new(KEY, reason, "a size such as 64M").unless(doubt));
    }
}

fn exec_options(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    const KEY: &str = "exec-opts";
    let mut driver = None;
    for text in settings.texts(KEY) {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let (name, value) = (name.trim().to_lowercase(), value.trim());
        let is_driver = name == "native.cgroupdriver";
        if settings.from(28, 0) && (!is_driver || value.is_empty()) {
            found.push(Complaint::new(
                KEY,
                format!("`{KEY}` has {text:?}, which it does not know"),
                "native.cgroupdriver=systemd or native.cgroupdriver=cgroupfs",
            ));
            return;
        }
        // Of several the first one counts, and in 28 the last.
        if is_driver && (driver.is_none() || settings.from(28, 0)) && text.contains('=') {
            driver = Some(value);
        }
    }
    let driver = driver.unwrap_or_default();
    if !["", "systemd", "cgroupfs"].contains(&driver) {
        found.push(Complaint::new(
            KEY,
            format!("`{KEY}` has the cgroup driver {driver:?}, which it does not know"),
            "systemd or cgroupfs",
        ));
    }
    let parent = settings.text("cgroup-parent");
    let is_slice = std::path::Path::new(parent)
        .extension()
        .is_some_and(|extension| extension == "slice");
    if driver == "systemd" && !parent.is_empty() && !is_slice {
        found.push(Complaint {
            keys: vec!["cgroup-parent", KEY],
            ..Complaint::new(
                "cgroup-parent",
                format!("`cgroup-parent` is {parent:?}, which is no slice of systemd"),
                "NAME.slice",
            )
        });
    }
}
