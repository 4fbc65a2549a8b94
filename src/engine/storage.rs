//! The storage driver and its options, the data root, and the seccomp profile (moby
//! `daemon/graphdriver`, `daemon/seccomp_linux.go`; docs.docker.com, "Deprecated Docker Engine
//! features").

use super::{Complaint, Settings, is_absent};
use crate::facts::Kind;
use crate::formats::go::size;

pub(super) fn complain(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    driver(settings, found);
    options(settings, found);
    profile(settings, found);
    remapped_store(settings, found);
    for key in ["data-root", "exec-root"] {
        let path = settings.text(key);
        let is_file = |path: &str| {
            let node = settings.facts.node(path);
            node.known().is_some_and(|node| node.kind == Kind::File)
        };
        let folder = crate::formats::go::url::folder(path);
        if path.starts_with('/') && (is_file(path) || is_file(folder)) {
            found.push(Complaint::new(
                key,
                format!("`{key}` is {path}, which is no folder"),
                "a folder",
            ));
        }
    }
    let binary = settings.text("userland-proxy-path");
    if settings.from(25, 0) && settings.is_on("userland-proxy", true) && !binary.is_empty() {
        let node = settings.facts.node(binary);
        let is_program = node.known().is_none_or(|node| {
            node.kind == Kind::Link || (node.kind == Kind::File && node.mode.0 & 0o111 != 0)
        });
        if !binary.starts_with('/') || !is_program {
            found.push(Complaint::new(
                "userland-proxy-path",
                format!("`userland-proxy-path` is {binary:?}, which is no program"),
                "the path of a program",
            ));
        }
    }
}

const DRIVERS: [&str; 8] = [
    "aufs",
    "btrfs",
    "devicemapper",
    "fuse-overlayfs",
    "overlay",
    "overlay2",
    "vfs",
    "zfs",
];

/// The snapshotters that are built into containerd (`plugins/snapshots`), as far as they run on Linux.
const SNAPSHOTTERS: [&str; 5] = ["blockfile", "devmapper", "erofs", "native", "overlayfs"];

fn driver(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    const KEY: &str = "storage-driver";
    let name = settings.text(KEY);
    if name.is_empty() {
        return;
    }
    let complaint = |why: &str| {
        let reason = format!("`{KEY}` is {name}{why}");
        Complaint::new(KEY, reason, "another driver")
    };
    let gone = match name {
        "aufs" | "overlay" if settings.from(24, 0) => Some("24.0"),
        "devicemapper" if settings.from(25, 0) => Some("25.0"),
        _ => None,
    };
    if let Some(version) = gone {
        let why = format!(": it no longer has this storage driver (gone in {version})");
        found.push(complaint(&why));
        return;
    }
    let is_driver = DRIVERS.contains(&name);
    if settings.before(29, 0) {
        // Some packages were built without these two before.
        if matches!(name, "aufs" | "devicemapper") && settings.before(24, 0) {
            found.push(complaint(", and not every build has it").unless(true));
        } else if !is_driver {
            found.push(Complaint {
                wanted: "overlay2".to_owned(),
                ..complaint(", which is none")
            });
        }
        return;
    }
    // Since 29 the image store decides whose name it is (`daemon/image_store_choice.go`). containerd
    // may have been taught snapshotters that are not its own.
    let doubt = settings.version.is_none();
    match image_store(settings) {
        Some(true) if matches!(name, "overlay2" | "vfs") => found.push(
            complaint(", which is no snapshotter of containerd, and its image store is on")
                .unless(doubt),
        ),
        Some(false) if !is_driver => found.push(
            complaint(", which is no storage driver, and the image store of containerd is off")
                .unless(doubt),
        ),
        _ if is_driver || SNAPSHOTTERS.contains(&name) => {}
        _ => found.push(complaint(", which is none of its own").unless(true)),
    }
}

/// What the file or a flag says of containerd's image store.
fn image_store(settings: &Settings<'_>) -> Option<bool> {
    const NAME: &str = "containerd-snapshotter";
    let by_file = settings
        .table("features")
        .and_then(|features| features.get(NAME)?.as_bool());
    let mut by_flag = settings.texts("features").into_iter().filter_map(|flag| {
        match flag.strip_prefix(NAME)? {
            "" | "=true" => Some(true),
            "=false" => Some(false),
            _ => None,
        }
    });
    by_flag.next_back().or(by_file)
}

fn options(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    const KEY: &str = "storage-opts";
    let docker = settings.facts.docker.known();
    let running = docker.map_or("", |docker| docker.storage_driver.as_str());
    let configured = settings.text("storage-driver");
    let (driver, is_sure) = match (configured, running) {
        ("", "") => (
            "overlay2",
            image_store(settings) == Some(false) && settings.from(29, 0),
        ),
        ("", running) => (running, true),
        (configured, _) => (configured, true),
    };
    let complaint = |text: &str, why: &str| {
        Complaint::new(
            KEY,
            format!("`{KEY}` has {text:?}, {why}"),
            "options of the storage driver",
        )
    };
    // The image store of containerd has none; 29 takes that where nothing was stored before
    // (`daemon/image_store_choice.go`).
    if settings.from(29, 0) && !DRIVERS.contains(&driver) {
        return;
    }
    for text in settings.texts(KEY) {
        let Some((name, value)) = text.split_once('=') else {
            let is_read = is_sure || settings.before(29, 0);
            found.push(complaint(text, "which is not NAME=VALUE").unless(!is_read));
            return;
        };
        let (name, value) = (name.trim().to_lowercase(), value.trim());
        let is_bool = matches!(
            value.to_lowercase().as_str(),
            "1" | "0" | "t" | "f" | "true" | "false"
        );
        let is_good = match (driver, name.as_str()) {
            ("overlay2", "overlay2.size") | ("vfs", "size") => size::bytes(value).is_some(),
            ("overlay2", "overlay2.override_kernel_check") => is_bool && !settings.from(24, 0),
            ("vfs", "vfs.xattrs") => !settings.before(25, 0),
            ("overlay2" | "vfs", _) => false,
            _ => true,
        };
        if !is_good {
            let why = format!("which {driver} does not know");
            found.push(complaint(text, &why).unless(!is_sure));
            return;
        }
    }
}

fn profile(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    const KEY: &str = "seccomp-profile";
    let name = settings.text(KEY);
    let is_word = matches!(name, "builtin" | "unconfined");
    if name.is_empty() || (is_word && !settings.before(23, 0)) {
        return;
    }
    let path = profile_path(name);
    let node = settings.facts.node(&path);
    let is_folder = node.known().is_some_and(|node| node.kind == Kind::Folder);
    // A word is a file in the folder in which the daemon is started, and that is `/`.
    let is_there = settings.facts.exists(&path);
    if is_folder || is_absent(settings.facts, &path) || (!name.starts_with('/') && !is_there) {
        let why = if name.starts_with('/') {
            "and it does not start without the file of its profile"
        } else {
            "which it takes for the name of a file"
        };
        found.push(Complaint::new(
            KEY,
            format!("`{KEY}` is {name:?}, {why}"),
            "a file that exists, or no such key",
        ));
    }
}

fn profile_path(name: &str) -> String {
    format!("/{}", name.trim_start_matches('/'))
}

/// 29 does not remap users with the image store of containerd (`daemon/command/daemon_linux.go`).
fn remapped_store(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    let remaps = settings
        .get("userns-remap")
        .is_some_and(crate::options::remaps);
    if settings.from(29, 0) && image_store(settings) == Some(true) && remaps {
        found.push(Complaint {
            keys: vec!["features", "userns-remap"],
            hint: Some("docker info --format '{{.DriverStatus}}'"),
            ..Complaint::new(
                "userns-remap",
                "it refuses userns-remap together with the containerd image store",
                "one of them",
            )
        });
    }
}

/// The paths that tell.
pub(super) fn paths(settings: &Settings<'_>) -> Vec<String> {
    let mut paths = Vec::new();
    let profile = settings.text("seccomp-profile");
    if !profile.is_empty() {
        paths.push(profile_path(profile));
    }
    for key in ["data-root", "exec-root", "userland-proxy-path"] {
        let path = settings.text(key);
        if path.starts_with('/') {
            paths.push(path.to_owned());
            paths.push(crate::formats::go::url::folder(path).to_owned());
        }
    }
    paths
}
