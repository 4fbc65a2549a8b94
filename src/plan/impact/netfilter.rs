//! Whether the kernel can show bridged traffic to the firewall, as `icc = false` needs, and from 28.0
//! on `userland-proxy = false`: without the module `br_netfilter` the daemon does not start
//! (moby, libnetwork/drivers/bridge/setup_bridgenetfiltering.go).

use super::Turn;
use crate::checks::Layout;
use crate::facts::{Facts, Kind, Look, Reading, Requests};

/// There while the module is loaded, or a part of the kernel: what the daemon itself looks for.
const SWITCH: &str = "/proc/sys/net/bridge/bridge-nf-call-iptables";
/// There while it is loaded.
const LOADED: &str = "/sys/module/br_netfilter";
/// The release of the kernel that runs (proc_sys_kernel(5)), which names the folder of its modules.
const RELEASE: &str = "/proc/sys/kernel/osrelease";
/// `1`: nothing can be loaded until the next boot (proc_sys_kernel(5)).
const LOCKED: &str = "/proc/sys/kernel/modules_disabled";
/// Tells the daemon to go on without it (release notes of 28.0.0).
const IGNORED: &str = "DOCKER_IGNORE_BR_NETFILTER_ERROR";
/// A daemon in a container goes on without it before 28.0.
const IN_CONTAINER: &str = "/.dockerenv";

/// Where the modules are that a kernel can load, and which of them are a part of it (modprobe(8),
/// kmod's modules.dep(5) and `modules.builtin`).
fn lists(release: &Reading<'_>) -> Option<[String; 3]> {
    let folder = format!("/lib/modules/{}", release.text()?.trim());
    Some([
        format!("{folder}/modules.dep"),
        format!("{folder}/modules.builtin"),
        folder,
    ])
}

/// The files that must be seen on a host that runs; of an image it is not known which kernel boots.
pub(super) fn requests(facts: &Facts) -> Requests {
    let mut requests = Requests::new();
    if !facts.host.live {
        return requests;
    }
    for path in [RELEASE, LOCKED] {
        requests.insert(path.to_owned(), Look::Content);
    }
    for path in [SWITCH, LOADED, IN_CONTAINER, "/proc/sys", "/lib"] {
        requests.insert(path.to_owned(), Look::Attributes);
    }
    let is_missing = |path: &str| is_absent(facts, path);
    if let Some([modules, builtin, folder]) = lists(&facts.reading(RELEASE))
        && is_missing(SWITCH)
        && is_missing(LOADED)
    {
        requests.insert(modules, Look::Content);
        requests.insert(builtin, Look::Content);
        requests.insert(folder, Look::Attributes);
    }
    requests
}

fn is_absent(facts: &Facts, path: &str) -> bool {
    facts
        .node(path)
        .known()
        .is_some_and(|node| node.kind == Kind::Absent)
}

/// Why the daemon would not start, and what helps.
pub(super) fn obstacle(turn: &Turn<'_>) -> Option<(String, String)> {
    let facts = turn.facts;
    let version = facts.docker_version.known();
    let from_28 = version
        .and_then(|version| crate::facts::major(version))
        // Of an unknown version more is feared.
        .is_none_or(|major| major >= 28);
    let asks = |key: &str| turn.keys.iter().any(|edited| edited == key) && turn.is_off(key);
    let key = if asks("icc") {
        "icc"
    } else if from_28 && asks("userland-proxy") {
        "userland-proxy"
    } else {
        return None;
    };
    if !facts.host.live || is_ignored(facts) || facts.exists(IN_CONTAINER) {
        return None;
    }
    let why = cannot_be_loaded(turn)?;
    Some((
        format!(
            "the daemon does not start with {key} = false unless the kernel has the module br_netfilter, which is not loaded, and {why}"
        ),
        "modprobe br_netfilter".to_owned(),
    ))
}

/// Why the module, which is not there now, cannot come; `None` where it is there or could come. What
/// could not be seen of that is noted by the turn.
fn cannot_be_loaded(turn: &Turn<'_>) -> Option<String> {
    let facts = turn.facts;
    // Without a /proc to look into, nothing is known.
    if !facts.exists("/proc/sys") || turn.exists(SWITCH) || turn.exists(LOADED) {
        return None;
    }
    let [modules, builtin, folder] = lists(&turn.reading(RELEASE))?;
    if turn.table(LOCKED).trim() == "1" {
        return Some(format!(
            "no module can be loaded until the next boot ({LOCKED} is 1)"
        ));
    }
    if is_absent(facts, &folder) && facts.exists("/lib") {
        return Some(format!(
            "the modules of this kernel are not there ({folder})"
        ));
    }
    let lacks = |path: &str| match turn.reading(path) {
        Reading::Text(text) => !text.contains("/br_netfilter.ko"),
        // A kernel that was built by hand may have neither list.
        Reading::Absent | Reading::Unread(_) => false,
    };
    (lacks(&modules) && lacks(&builtin))
        .then(|| format!("neither {modules} nor {builtin} knows it"))
}

/// Whether the daemon is told, by its unit, to go on without it.
fn is_ignored(facts: &Facts) -> bool {
    let service = Layout::of(facts).installation.service();
    let Some(unit) = facts.units.get(service) else {
        return false;
    };
    std::iter::once(&unit.fragment)
        .chain(&unit.drop_ins)
        .chain(&unit.environment_files)
        // What could not be read tells it nothing.
        .any(|path| matches!(facts.reading(path), Reading::Text(text) if text.contains(IGNORED)))
}
