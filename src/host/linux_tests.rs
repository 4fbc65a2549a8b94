//! On a real file system, in temporary folders. What needs root is left out for others.

use super::*;
use crate::facts::Mode;
use crate::host::lock;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::net::UnixListener;

/// A folder whose owner stands for root, as ordinary users can run this too.
struct Sandbox {
    folder: tempfile::TempDir,
    host: LinuxHost,
}

fn sandbox() -> Sandbox {
    let folder = tempfile::tempdir().unwrap();
    let host = LinuxHost::demo(folder.path()).unwrap();
    let mut sandbox = Sandbox { folder, host };
    for path in ["/etc", "/etc/docker"] {
        sandbox.host.make_folder(path, &mode(0o755)).unwrap();
    }
    sandbox
}

impl Sandbox {
    fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    fn node(&self, path: &str) -> Node {
        self.host.node(path, Look::Content).unwrap()
    }
}

fn mode(mode: u32) -> Attributes {
    Attributes {
        mode: Mode(mode),
        ..Attributes::default()
    }
}

fn with_label(bits: u32, value: &str) -> Attributes {
    let mut attributes = mode(bits);
    attributes
        .xattrs
        .insert("user.seaworthy".into(), value.into());
    attributes
}

#[test]
fn a_file_is_made_replaced_and_removed() {
    let mut it = sandbox();
    let path = "/etc/docker/daemon.json";
    it.host
        .create(path, &"{}\n".into(), &with_label(0o640, "one"))
        .unwrap();
    let seen = it.node(path);
    assert_eq!(seen.attributes(), with_label(0o640, "one"));
    assert_eq!(seen.content, Some("{}\n".into()));
    assert!(seen.modified > 1_600_000_000_000_000, "{}", seen.modified);

    let again = it.host.create(path, &"".into(), &mode(0o600)).unwrap_err();
    assert!(
        again
            .to_string()
            .starts_with("/etc/docker/daemon.json: cannot create: "),
        "{again}"
    );
    it.host.append(path, b"more\n").unwrap();
    assert_eq!(it.node(path).content, Some("{}\nmore\n".into()));

    it.host
        .create("/etc/docker/.new", &"new".into(), &mode(0o4755))
        .unwrap();
    it.host.sync("/etc/docker/.new").unwrap();
    it.host.rename("/etc/docker/.new", path).unwrap();
    it.host.sync_folder("/etc/docker").unwrap();
    assert_eq!(it.node(path).attributes(), mode(0o4755));
    assert_eq!(
        it.node("/etc/docker").entries,
        Some(vec!["daemon.json".to_owned()])
    );
    let elsewhere = it.host.rename(path, "/etc/daemon.json").unwrap_err();
    assert!(
        matches!(elsewhere, HostError::Refused { .. }),
        "{elsewhere}"
    );

    it.host.remove(path).unwrap();
    assert_eq!(it.node(path), Node::absent());
    assert_eq!(it.node("/etc/docker/daemon.json/x/y"), Node::absent());
    it.host.remove_folder("/etc/docker").unwrap();
    assert!(it.host.remove_folder("/etc/docker").is_err());
}

#[test]
fn attributes_are_set_and_taken_away() {
    let mut it = sandbox();
    it.host
        .create("/etc/x", &"x".into(), &with_label(0o666, "old"))
        .unwrap();
    it.host
        .set_attributes("/etc/x", &with_label(0o600, "new"))
        .unwrap();
    assert_eq!(it.node("/etc/x").attributes(), with_label(0o600, "new"));
    it.host.set_attributes("/etc/x", &mode(0o444)).unwrap();
    assert_eq!(it.node("/etc/x").attributes(), mode(0o444));

    let _listener = UnixListener::bind(it.path("/etc/docker.sock")).unwrap();
    it.host
        .set_attributes("/etc/docker.sock", &mode(0o660))
        .unwrap();
    it.host.sync("/etc/docker.sock").unwrap();
    let socket = it.node("/etc/docker.sock");
    assert_eq!((socket.kind, socket.mode), (Kind::Socket, Mode(0o660)));

    it.host
        .set_attributes("/etc/docker", &mode(0o1700))
        .unwrap();
    assert_eq!(it.node("/etc/docker").mode, Mode(0o1700));
}

#[test]
fn a_link_is_neither_followed_nor_changed() {
    let mut it = sandbox();
    it.host
        .create("/etc/target", &"secret".into(), &mode(0o600))
        .unwrap();
    symlink("target", it.path("/etc/link")).unwrap();
    let link = it.node("/etc/link");
    assert_eq!(
        (link.kind, link.target.as_deref()),
        (Kind::Link, Some("target"))
    );
    assert_eq!(link.content, None);
    it.host
        .create("/etc/new", &"".into(), &mode(0o600))
        .unwrap();
    for error in [
        it.host
            .set_attributes("/etc/link", &mode(0o777))
            .unwrap_err(),
        it.host.append("/etc/link", b"x").unwrap_err(),
        it.host
            .create("/etc/link", &"x".into(), &mode(0o777))
            .unwrap_err(),
        it.host.rename("/etc/new", "/etc/link").unwrap_err(),
    ] {
        assert!(error.to_string().starts_with("/etc/link: "), "{error}");
    }
    assert_eq!(it.node("/etc/target").attributes(), mode(0o600));
    it.host.remove("/etc/link").unwrap();
    assert_eq!(it.node("/etc/target").content, Some("secret".into()));
}

#[test]
fn links_on_the_way_stay_inside() {
    let mut it = sandbox();
    it.host
        .create("/etc/passwd", &"inside".into(), &mode(0o644))
        .unwrap();
    for (target, name) in [
        ("/etc", "absolute"),
        ("../../../../../etc", "climbing"),
        ("absolute", "twice"),
        ("loop", "loop"),
    ] {
        symlink(target, it.path(name)).unwrap();
    }
    for way in ["/absolute", "/climbing", "/twice", "/../../etc", "//etc/."] {
        let node = it.node(&format!("{way}/passwd"));
        assert_eq!(node.content, Some("inside".into()), "{way}");
    }
    let error = it.host.node("/loop/x", Look::Content).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("/loop/x: cannot read: Too many levels"),
        "{error}"
    );
    assert!(it.host.node("etc/passwd", Look::Content).is_err());
    // A link that root made is a legitimate way for a change, like /lib to usr/lib.
    it.host
        .create("/absolute/new", &"".into(), &mode(0o600))
        .unwrap();
    assert_eq!(it.node("/etc/new").kind, Kind::File);
}

#[test]
fn folders_that_others_can_write_are_refused() {
    let mut it = sandbox();
    for (bits, refused) in [(0o755, false), (0o775, true), (0o757, true), (0o1777, true)] {
        fs::set_permissions(it.path("/etc"), fs::Permissions::from_mode(bits)).unwrap();
        let made = it.host.create("/etc/docker/x", &"".into(), &mode(0o600));
        assert_eq!(made.is_err(), refused, "{bits:o}: {made:?}");
        if let Err(error) = made {
            assert_eq!(
                error.to_string(),
                format!(
                    "/etc/docker/x: the folder /etc on the way there can be written by others than root (mode {bits:04o})"
                )
            );
        } else {
            it.host.remove("/etc/docker/x").unwrap();
        }
    }
    fs::set_permissions(it.path("/etc"), fs::Permissions::from_mode(0o755)).unwrap();
    if chown(it.path("/etc/docker"), Some(4711), None).is_ok() {
        let error = it
            .host
            .create("/etc/docker/x", &"".into(), &mode(0o600))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "/etc/docker/x: /etc/docker on the way there belongs to uid 4711, not to root"
        );
        symlink("/etc", it.path("/mine")).unwrap();
        std::os::unix::fs::lchown(it.path("/mine"), Some(4711), None).unwrap();
        let error = it
            .host
            .create("/mine/x", &"".into(), &mode(0o600))
            .unwrap_err();
        assert!(error.to_string().contains("/mine on the way"), "{error}");
    }
}

#[test]
fn owners_are_mapped_in_a_demonstration_only() {
    let folder = tempfile::tempdir().unwrap();
    if chown(folder.path(), Some(4711), Some(4712)).is_err() {
        return; // Only root can give a folder to somebody.
    }
    let ids = Ids {
        uid: 4711,
        gid: 4712,
        can_give: false,
    };
    let mut host = LinuxHost::new(folder.path(), Some(ids), false).unwrap();
    let mut wanted = mode(0o640);
    wanted.gid = 998;
    host.create("/x", &"".into(), &wanted).unwrap();
    let stat = rustix::fs::stat(folder.path().join("x")).unwrap();
    assert_eq!(
        (stat.st_uid, stat.st_gid),
        (4711, 0),
        "the group is left alone"
    );
    host.set_attributes("/x", &mode(0o640)).unwrap();
    let node = host.node("/x", Look::Attributes).unwrap();
    assert_eq!((node.uid, node.gid), (0, 0));

    let mut host = LinuxHost::folder(folder.path()).unwrap();
    let node = host.node("/x", Look::Attributes).unwrap();
    assert_eq!((node.uid, node.gid), (4711, 4712));
    let error = host.remove("/x").unwrap_err();
    assert_eq!(
        error.to_string(),
        "/x: / on the way there belongs to uid 4711, not to root"
    );
}

#[test]
fn what_is_too_large_is_not_read() {
    let it = sandbox();
    let size = usize::try_from(crate::facts::LARGEST_FILE).unwrap();
    for (size, read) in [(size, true), (size + 1, false)] {
        fs::write(it.path("/etc/large"), vec![b'x'; size]).unwrap();
        assert_eq!(it.node("/etc/large").content.is_some(), read);
    }
    let sysctl = LinuxHost::live().unwrap();
    let name = sysctl
        .node("/proc/sys/kernel/ostype", Look::Content)
        .unwrap();
    assert_eq!(
        name.content,
        Some("Linux\n".into()),
        "a file without a size"
    );
}

#[test]
fn what_even_root_cannot_change_says_why() {
    let live = LinuxHost::live().unwrap();
    assert_eq!(live.node("/proc", Look::Attributes).unwrap().fixed, None);
    let it = sandbox();
    it.host.tree().find("/etc").unwrap();
    fs::write(it.path("/etc/still"), "").unwrap();
    assert_eq!(it.node("/etc/still").fixed, None);
    let still = it.path("/etc/still").display().to_string();
    let chattr = |flag: &str| {
        std::process::Command::new("chattr")
            .args([flag, &still])
            .output()
            .is_ok_and(|output| output.status.success())
    };
    if chattr("+i") {
        let fixed = it.node("/etc/still").fixed;
        assert!(chattr("-i"));
        assert_eq!(fixed.as_deref(), Some("it is immutable (chattr +i)"));
    }
}

#[test]
fn nothing_is_run_in_a_folder() {
    let mut it = sandbox();
    assert!(matches!(
        it.host.report("true", &[]),
        Err(HostError::NotInstalled { .. })
    ));
    assert!(it.host.docker("/run/docker.sock").is_err());
    it.host
        .activate(Activation::RestartDocker, Duration::ZERO)
        .unwrap();
    let expected = Expectation {
        docker_runs: true,
        ..Expectation::default()
    };
    it.host
        .healthy(&expected, Duration::ZERO, &|| false)
        .unwrap();
    assert_eq!(it.host.program("auditctl"), None);
    it.host.make_folder("/sbin", &mode(0o755)).unwrap();
    it.host
        .create("/sbin/auditctl", &"".into(), &mode(0o755))
        .unwrap();
    assert_eq!(
        it.host.program("auditctl").as_deref(),
        Some("/sbin/auditctl")
    );
}

#[test]
fn programs_are_run_from_the_system_only() {
    let live = LinuxHost::live().unwrap();
    let output = live.report("echo", &["a", "b"]).unwrap();
    assert_eq!((output.status, output.stdout.as_str()), (Some(0), "a b\n"));
    assert!(matches!(
        live.report("no-such-program", &[]),
        Err(HostError::NotInstalled { program }) if program == "no-such-program"
    ));
    if nix::unistd::geteuid().is_root() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tool").display().to_string();
        fs::copy("/bin/echo", &path).unwrap();
        let error = live.report(&path, &[]).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("not run as root: the folder /tmp"),
            "{error}"
        );
    }
}

#[test]
fn one_at_a_time() {
    let it = sandbox();
    let path = "/etc/docker/state/lock";
    let first = lock(&it.host, path).unwrap();
    let error = lock(&it.host, path).unwrap_err().to_string();
    let us = format!("/etc/docker/state/lock: process {} (", std::process::id());
    assert!(
        error.starts_with(&us) && error.ends_with(") is at work"),
        "{error}"
    );
    assert_eq!(it.node("/etc/docker/state").mode, Mode(0o700));
    assert_eq!(it.node(path).mode, Mode(0o600));
    drop(first);
    // What the first one has left in the file does not matter.
    drop(lock(&it.host, path).unwrap());
    symlink("/etc/elsewhere", it.path("/etc/docker/lock")).unwrap();
    assert!(lock(&it.host, "/etc/docker/lock").is_err());
}

/// A POSIX ACL as the kernel stores it: user::rw, user:4711:rw, group::r, mask, other::none.
fn acl(mask: u16) -> Bytes {
    let mut bytes = vec![2, 0, 0, 0];
    for (tag, bits, id) in [
        (1_u16, 6, u32::MAX),
        (2, 6, 4711),
        (4, 4, u32::MAX),
        (16, mask, u32::MAX),
        (32, 0, u32::MAX),
    ] {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(bits.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    Bytes::new(bytes)
}

#[test]
fn access_lists_are_kept_and_never_widen_the_mode() {
    const ACCESS: &str = "system.posix_acl_access";
    let mut it = sandbox();
    let default = "system.posix_acl_default";
    if xattr::set(it.path("/etc/docker"), default, &acl(6).0).is_err() {
        return; // This file system has none.
    }
    // What the folder hands down to new files is not wanted here.
    it.host
        .create("/etc/docker/x", &"".into(), &mode(0o640))
        .unwrap();
    assert_eq!(it.node("/etc/docker/x").attributes(), mode(0o640));

    let mut wanted = mode(0o660);
    wanted.xattrs.insert(ACCESS.to_owned(), acl(6));
    it.host
        .create("/etc/docker/y", &"".into(), &wanted)
        .unwrap();
    assert_eq!(it.node("/etc/docker/y").attributes(), wanted);
    // The group bits are the list's mask: where both are wanted and differ, the mode wins.
    wanted.mode = Mode(0o640);
    it.host.set_attributes("/etc/docker/y", &wanted).unwrap();
    let seen = it.node("/etc/docker/y");
    assert_eq!(seen.mode, Mode(0o640));
    assert_eq!(seen.xattrs[ACCESS], acl(4));
}

/// Within a look at the host a program has no longer than an answer, and little where the time is used
/// up; outside of one it has its own deadline.
#[test]
fn a_program_that_hangs_is_unknown_by_name() {
    let patience = Patience {
        answer: Duration::from_secs(2),
        ..Patience::default()
    };
    let host = LinuxHost::live().unwrap().with_patience(patience);
    host.look_begins();
    let error = host.report("sleep", &["100"]).unwrap_err();
    assert_eq!(error.cause(), Cause::NoAnswer);
    assert_eq!(error.to_string(), "`sleep 100` did not finish within 2 s");
    let host = host.with_patience(Patience {
        all: Duration::ZERO,
        ..patience
    });
    host.look_begins();
    let error = host.report("sleep", &["100"]).unwrap_err();
    assert_eq!(error.to_string(), "`sleep 100` did not finish within 1 s");
    host.look_ends();
    assert_eq!(host.report("sleep", &["0"]).unwrap().status, Some(0));
}
