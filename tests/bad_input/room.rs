//! Full disks and read-only file systems while applying. Each test mounts what it needs in a mount
//! namespace of its own thread, which the programs that it runs inherit.

use super::tree::Ran;
use super::{Tree, is_root};
use insta::assert_snapshot;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs a test in a mount namespace of its own, or says why not.
fn with_mounts(test: fn(&Tree)) {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            let apart = unshare(CloneFlags::CLONE_NEWNS)
                .and_then(|()| mount(None::<&str>, "/", None::<&str>, private, None::<&str>));
            match apart {
                Ok(()) => test(&tree),
                Err(error) => eprintln!("NOT RUN: no mount namespace here: {error}"),
            }
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Puts a folder of the host on a small file system in memory.
fn on_small_disk(tree: &Tree, folder: &str) {
    let at = tree.at(folder);
    let aside = tree.beside("aside");
    copy(&at, &aside);
    mount(
        Some("tmpfs"),
        &at,
        Some("tmpfs"),
        MsFlags::empty(),
        Some("size=512k,mode=755"),
    )
    .unwrap();
    copy(&aside.join("."), &at);
    fs::remove_dir_all(aside).unwrap();
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp")
        .arg("-a")
        .args([from, to])
        .status()
        .unwrap();
    assert!(status.success());
}

/// Fills the file system of a folder but for so many pages.
fn fill(tree: &Tree, folder: &str, pages: usize) {
    let spare = tree.at(folder).join("spare");
    fs::write(&spare, vec![0; pages * 4096]).unwrap();
    let mut ballast = fs::File::create(tree.at(folder).join("ballast")).unwrap();
    while ballast.write_all(&[0; 4096]).is_ok() {}
    fs::remove_file(spare).unwrap();
}

fn read_only(tree: &Tree, folder: &str) {
    let at = tree.at(folder);
    mount(Some(&at), &at, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
    let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(None::<&str>, &at, None::<&str>, flags, None::<&str>).unwrap();
}

fn apply(tree: &Tree) -> Ran {
    tree.run(&["apply", "--yes", "--quiet", "--skip", "content-trust"])
}

/// With little room it fails; where the room was enough after all, it is taken back.
fn failed_or_reverted(tree: &Tree, ran: &Ran, must_fail: bool) {
    if ran.status == Some(0) {
        assert!(!must_fail, "{}{}", ran.err, ran.out);
        let back = tree.run(&["rollback", "--yes", "--quiet"]);
        assert_eq!(back.status, Some(0), "{}{}", back.err, back.out);
    } else {
        assert!(matches!(ran.status, Some(2 | 3)), "{}{}", ran.err, ran.out);
    }
}

#[test]
fn no_room_for_the_files() {
    with_mounts(|tree| {
        on_small_disk(tree, "etc");
        for pages in 0..4 {
            fill(tree, "etc", pages);
            let before = tree.manifest();
            let ran = apply(tree);
            failed_or_reverted(tree, &ran, pages < 2);
            before.assert_restored(tree);
            if pages == 0 {
                assert_snapshot!(ran.about(&["Failed", "seaworthy history"]), @r"
                exit 3
                ---
                Failed, and the host is as it was before: /etc/audit/rules.d/.50-seaworthy-docker.rules.seaworthy-[id]: cannot create: No space left on device (os error 28)
                  seaworthy history --root [folder]/root [id]
                ");
            }
            fs::remove_file(tree.at("etc/ballast")).unwrap();
        }
        // With room again, it works.
        let ran = apply(tree);
        assert_eq!(ran.status, Some(0), "{}{}", ran.err, ran.out);
    });
}

#[test]
fn no_room_for_the_backups() {
    with_mounts(|tree| {
        on_small_disk(tree, "var/lib");
        for pages in 0..6 {
            fill(tree, "var/lib", pages);
            let before = tree.manifest();
            let ran = apply(tree);
            failed_or_reverted(tree, &ran, pages < 3);
            before.assert_restored(tree);
            if pages == 0 {
                assert_snapshot!(ran.messages(), @r"
                exit 2
                error: /var/lib/seaworthy/lock: cannot lock: No space left on device (os error 28)
                try: df -h [folder]/root/var/lib/seaworthy/lock; findmnt -T [folder]/root/var/lib/seaworthy/lock
                ");
            }
            fs::remove_file(tree.at("var/lib/ballast")).unwrap();
        }
        let ran = apply(tree);
        assert_eq!(ran.status, Some(0), "{}{}", ran.err, ran.out);
    });
}

#[test]
fn no_room_while_rolling_back() {
    with_mounts(|tree| {
        on_small_disk(tree, "etc");
        assert_eq!(apply(tree).status, Some(0));
        fill(tree, "etc", 0);
        let before = tree.manifest();
        let ran = tree.run(&["rollback", "--yes", "--quiet"]);
        assert_eq!(ran.status, Some(3), "{}{}", ran.err, ran.out);
        before.assert_restored(tree);
    });
}

#[test]
fn a_read_only_host() {
    with_mounts(|tree| {
        read_only(tree, "");
        let before = tree.manifest();
        let ran = apply(tree);
        before.assert_untouched(tree);
        assert_snapshot!(ran.all(), @r"
        exit 2
        error: /var/lib/seaworthy: cannot make the folder: Read-only file system (os error 30)
        try: df -h [folder]/root/var/lib/seaworthy/lock; findmnt -T [folder]/root/var/lib/seaworthy/lock
        ---
        ");
        assert_eq!(tree.run(&["audit"]).status, Some(1));
        assert_eq!(tree.run(&["plan"]).status, Some(0));
    });
}

#[test]
fn a_read_only_state_folder() {
    with_mounts(|tree| {
        assert_eq!(
            tree.run(&["apply", "--yes", "--only", "daemon-icc"]).status,
            Some(0)
        );
        read_only(tree, "var/lib/seaworthy");
        let before = tree.manifest();
        let ran = apply(tree);
        before.assert_untouched(tree);
        assert_snapshot!(ran.all(), @r"
        exit 2
        error: /var/lib/seaworthy/lock: cannot lock: Read-only file system (os error 30)
        try: df -h [folder]/root/var/lib/seaworthy/lock; findmnt -T [folder]/root/var/lib/seaworthy/lock
        ---
        ");
    });
}

#[test]
fn a_read_only_etc() {
    with_mounts(|tree| {
        read_only(tree, "etc/docker");
        let before = tree.manifest();
        let only = "daemon-icc,etc-docker-mode,audit-etc-docker";
        let plan = tree.run(&["plan", "--only", only]);
        let ran = tree.run(&["apply", "--yes", "--only", "daemon-icc"]);
        before.assert_only_state_added(tree);
        assert_snapshot!(format!("{}=== apply\n{}", plan.all(), ran.all()), @r"
        exit 0
        ---
        Plan for sample Debian GNU/Linux 12 (bookworm)

        1. /etc/audit/rules.d/50-seaworthy-docker.rules (1 control)
           serves audit-etc-docker
        /etc/audit/rules.d/50-seaworthy-docker.rules: new file, mode 0640, owner 0:0
        --- /dev/null
        +++ /etc/audit/rules.d/50-seaworthy-docker.rules
        @@ -0,0 +1,2 @@
        +# Written by seaworthy; `seaworthy rollback` takes it back.
        +-w /etc/docker -p wa -k docker

        Impact on this host
          - the kernel records more events, with the key docker (1 new audit watch)

        Held back
          daemon-icc
            /etc/docker/daemon.json: its file system is mounted read-only
            release: lsattr -d /etc/docker/daemon.json; findmnt -T
            /etc/docker/daemon.json

        1 change, 0 service actions, 1 control held back.

        Next:
          sudo seaworthy apply --root [folder]/root --only daemon-icc,etc-docker-mode,audit-etc-docker
        === apply
        exit 0
        ---
        Nothing to do: everything this run may change is already correct.
          held back: daemon-icc (lsattr -d /etc/docker/daemon.json; findmnt -T /etc/docker/daemon.json)
        ");
    });
}

#[test]
fn the_state_folder_fills_up_on_the_way() {
    with_mounts(|tree| {
        // Nothing may be written to /etc, and when that shows the last block of the state folder is
        // taken by somebody else: a program that writes as soon as there is a transaction.
        on_small_disk(tree, "var/lib");
        on_small_disk(tree, "etc");
        fill(tree, "etc", 0);
        let before = tree.manifest();
        let at = tree.at("var/lib");
        let stop = AtomicBool::new(false);
        let ran = std::thread::scope(|scope| {
            scope.spawn(|| {
                let folder = at.join("seaworthy/transactions");
                let begun = || {
                    let mut ids = fs::read_dir(&folder).into_iter().flatten().flatten();
                    ids.any(|id| id.path().join("journal").exists())
                };
                while !begun() && !stop.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                let mut ballast = fs::File::create(at.join("ballast")).unwrap();
                while ballast.write_all(&[0; 4096]).is_ok() {}
            });
            let ran = apply(tree);
            stop.store(true, Ordering::SeqCst);
            ran
        });
        assert_eq!(ran.status, Some(3), "{}{}", ran.err, ran.out);
        fs::remove_file(tree.at("var/lib/ballast")).unwrap();
        before.assert_restored(tree);
        let left = Command::new("find")
            .arg(tree.at("var/lib"))
            .args(["-name", "reserve"])
            .output()
            .unwrap();
        assert!(left.stdout.is_empty(), "{left:?}");
    });
}
