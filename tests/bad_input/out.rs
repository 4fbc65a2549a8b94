//! `--out`: what is there is replaced as a whole, written in place or refused, before anything is
//! planned; and nobody who does not read holds us up.

use super::tree::Ran;
use super::{Tree, is_root};
use nix::sys::stat::{Mode, SFlag, mknod};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

fn plan(tree: &Tree, out: impl AsRef<OsStr>) -> Ran {
    let mut command = tree.command(&["plan", "--only", "daemon-icc", "--out"]);
    tree.ran(command.arg(out).output().unwrap())
}

/// Refused, and nothing was planned.
fn refused(ran: &Ran, why: &str, cure: &str) {
    assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""), "{}", ran.err);
    assert!(ran.err.contains(why), "{}", ran.err);
    let last = ran.err.lines().last().unwrap();
    assert!(
        last.starts_with("try: ") && last.contains(cure),
        "{}",
        ran.err
    );
}

fn is_plan(text: &[u8]) {
    let plan: serde_json::Value = serde_json::from_slice(text).unwrap();
    assert_eq!(plan["steps"][0]["path"], "/etc/docker/daemon.json");
}

#[test]
fn a_file_is_replaced_as_a_whole_and_for_root_alone() {
    let tree = Tree::new();
    let out = tree.beside("plan.json");
    for former in [None, Some("former")] {
        if let Some(former) = former {
            fs::write(&out, former).unwrap();
            fs::set_permissions(&out, Permissions::from_mode(0o644)).unwrap();
        }
        let reads_on = former.map(|_| File::open(&out).unwrap());
        let ran = plan(&tree, &out);
        assert_eq!(ran.status, Some(0), "{}", ran.err);
        assert!(ran.out.contains("[folder]/plan.json"), "{}", ran.out);
        is_plan(&fs::read(&out).unwrap());
        assert_eq!(out.metadata().unwrap().mode() & 0o7777, 0o600);
        // Who reads the former one goes on reading it.
        if let (Some(mut file), Some(former)) = (reads_on, former) {
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, former);
        }
    }
    let left = fs::read_dir(out.parent().unwrap()).unwrap().count();
    assert_eq!(left, 2, "nothing but the plan and the host");
}

#[test]
fn what_is_neither_a_file_nor_to_be_written_in_place_is_refused() {
    let tree = Tree::new();
    let at = |name: &str| tree.beside(name);
    fs::create_dir(at("folder")).unwrap();
    fs::write(at("file"), "mine").unwrap();
    symlink("file", at("link")).unwrap();
    symlink("gone", at("dangling")).unwrap();
    symlink("dangling", at("chain")).unwrap();
    symlink("loop", at("loop")).unwrap();
    symlink("/dev/null", at("to-a-device")).unwrap();
    symlink("/proc/self/exe", at("to-a-program")).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    for (name, why, cure) in [
        (
            "folder",
            "it is a folder",
            "--out [folder]/folder/plan.json",
        ),
        (
            "folder/",
            "it names a folder",
            "--out [folder]/folder/plan.json",
        ),
        ("new/", "it names a folder", "--out [folder]/new/plan.json"),
        (".", "it is a folder", "plan.json"),
        (
            "link",
            "it is a link to file, and none is followed",
            "ls -ld [folder]/link",
        ),
        (
            "dangling",
            "it is a link to gone",
            "ls -ld [folder]/dangling",
        ),
        ("chain", "it is a link to dangling", "ls -ld"),
        ("loop", "it is a link to loop", "ls -ld"),
        ("to-a-device", "it is a link to /dev/null", "ls -ld"),
        ("to-a-program", "it is a link to /proc/self/exe", "ls -ld"),
        ("socket", "it is a socket", "ls -ld"),
        (
            "missing/plan.json",
            "there is no folder [folder]/missing",
            "mkdir -p [folder]/missing",
        ),
        (
            "file/plan.json",
            "cannot look at it: Not a directory",
            "ls -ld [folder]/file",
        ),
    ] {
        let ran = plan(&tree, at(name));
        refused(&ran, why, cure);
    }
    assert_eq!(fs::read(at("file")).unwrap(), b"mine");
    let long = tree.beside(&"x".repeat(300));
    refused(&plan(&tree, long), "File name too long", "ls -ld [folder]");
}

#[test]
fn a_missing_folder_is_cured_by_what_is_said() {
    let tree = Tree::new();
    let out = tree.beside("a folder/\u{202e}x/plan.json");
    let ran = plan(&tree, &out);
    refused(
        &ran,
        "there is no folder [folder]/a folder/<U+202E>x",
        "mkdir -p $'",
    );
    let command = ran.err.lines().last().unwrap().trim_start_matches("try: ");
    let command = command.replace("[folder]", &tree.beside("").display().to_string());
    let shell = std::process::Command::new("bash")
        .args(["-c", &command])
        .status();
    assert!(shell.unwrap().success(), "{command}");
    assert_eq!(plan(&tree, &out).status, Some(0));
}

#[test]
fn a_name_that_is_not_text_is_a_name() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let out = tree.beside("").join(OsStr::from_bytes(b"p\xfc\n.json"));
    let ran = plan(&tree, &out);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    is_plan(&fs::read(&out).unwrap());
    assert!(
        ran.out.contains("$'[folder]/p\\374\\012.json'"),
        "{}",
        ran.out
    );
    for verb in [&["show"][..], &["apply", "--yes"], &["apply", "--yes"]] {
        let ran = tree.ran(tree.command(verb).arg(&out).output().unwrap());
        assert_eq!(ran.status, Some(0), "{verb:?}: {}", ran.err);
    }
    let history = tree.run(&["history", "--format", "json"]);
    assert!(
        history.out.contains("p\\\\374\\\\012.json"),
        "{}",
        history.out
    );
    // And where it is of no use.
    fs::write(&out, "{}").unwrap();
    let ran = tree.ran(tree.command(&["show"]).arg(&out).output().unwrap());
    refused(
        &ran,
        "p\u{fffd}<U+000A>.json: ",
        "--out $'[folder]/p\\374\\012.json'",
    );
}

#[test]
fn devices_are_written_in_place() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let device = |name: &str, kind, minor| {
        let path = tree.beside(name);
        let number = nix::libc::makedev(if kind == SFlag::S_IFBLK { 7 } else { 1 }, minor);
        mknod(&path, kind, Mode::from_bits_truncate(0o666), number)
            .ok()
            .map(|()| path)
    };
    let (Some(null), Some(full), Some(disk)) = (
        device("null", SFlag::S_IFCHR, 3),
        device("full", SFlag::S_IFCHR, 7),
        device("disk", SFlag::S_IFBLK, 77),
    ) else {
        eprintln!("NOT RUN: no devices can be made here");
        return;
    };
    if File::open(&null).is_err() {
        eprintln!("NOT RUN: devices cannot be opened here (mounted nodev)");
        return;
    }
    let ran = plan(&tree, &null);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    assert!(
        ran.out.contains("Next:\n  sudo seaworthy apply --root"),
        "{}",
        ran.out
    );
    assert!(
        !ran.out.contains("null"),
        "nothing to apply is there: {}",
        ran.out
    );
    refused(
        &plan(&tree, &full),
        "cannot write it: No space left on device",
        "df -h",
    );
    refused(&plan(&tree, &disk), "it is a disk", "ls -ld");
    for (path, is_char) in [(&null, true), (&full, true), (&disk, false)] {
        let kind = path.symlink_metadata().unwrap().file_type();
        assert_eq!(
            (kind.is_char_device(), kind.is_block_device()),
            (is_char, !is_char)
        );
    }
}

#[test]
fn a_pipe_is_written_in_place_for_who_reads() {
    let tree = Tree::new();
    let pipe = tree.beside("pipe");
    nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || {
            // Later than the writer, and slowly.
            std::thread::sleep(Duration::from_millis(300));
            let mut text = Vec::new();
            File::open(pipe).unwrap().read_to_end(&mut text).unwrap();
            text
        })
    };
    let ran = plan(&tree, &pipe);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    is_plan(&reader.join().unwrap());
    assert!(pipe.symlink_metadata().unwrap().file_type().is_fifo());
}

/// Less room in a pipe than a plan takes.
fn small(pipe: impl std::os::fd::AsFd) {
    nix::fcntl::fcntl(pipe, nix::fcntl::FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
}

#[test]
fn a_pipe_that_nobody_reads_holds_nobody_up() {
    let tree = Tree::new();
    let pipe = tree.beside("pipe");
    nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    let begun = Instant::now();
    refused(
        &plan(&tree, &pipe),
        "[folder]/pipe: nobody has read from it for 5 s",
        "cat [folder]/pipe &",
    );
    assert!(begun.elapsed() >= Duration::from_secs(5));
    assert!(pipe.symlink_metadata().unwrap().file_type().is_fifo());
    // One that has it open and does not read: what does not fit in is too late.
    let held = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&pipe)
        .unwrap();
    small(&held);
    let mut command = tree.command(&["plan", "--allow-disruption", "--out"]);
    let ran = tree.ran(command.arg(&pipe).output().unwrap());
    refused(
        &ran,
        "cannot write it: nobody has read from it for 5 s",
        "cat",
    );
}

#[test]
fn a_reader_that_goes_away_is_an_error_here() {
    let tree = Tree::new();
    let pipe = tree.beside("pipe");
    nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    let gone = pipe.clone();
    let reader = std::thread::spawn(move || {
        let mut file = File::open(gone).unwrap();
        small(&file);
        let mut some = [0; 16];
        file.read_exact(&mut some).unwrap();
    });
    let mut command = tree.command(&["plan", "--allow-disruption", "--out"]);
    let ran = tree.ran(command.arg(&pipe).output().unwrap());
    reader.join().unwrap();
    refused(&ran, "cannot write it: Broken pipe", "cat [folder]/pipe &");
}

#[test]
fn descriptors_are_written_where_they_are() {
    let tree = Tree::new();
    symlink("/proc/self/fd/1", tree.beside("stdout")).unwrap();
    for out in [
        Path::new("/dev/stdout"),
        Path::new("/dev/fd/1"),
        Path::new("/proc/self/fd/1"),
        Path::new("/proc/thread-self/fd/1"),
        &tree.beside("stdout"),
    ] {
        // Into a pipe.
        let ran = plan(&tree, out);
        assert_eq!(ran.status, Some(0), "{out:?}: {}", ran.err);
        let (json, human) = ran.out.split_once("\n}\n").unwrap();
        is_plan(format!("{json}\n}}").as_bytes());
        assert!(human.starts_with("Plan for sample"), "{human}");
        assert!(human.contains("sudo seaworthy apply --root"), "{human}");
        // Into a file that has something in it.
        let file = tree.beside("file");
        fs::write(&file, "before\n").unwrap();
        let mut command = tree.command(&["plan", "--only", "daemon-icc", "--out"]);
        let both = OpenOptions::new().append(true).open(&file).unwrap();
        let ran = tree.ran(command.arg(out).stdout(both).output().unwrap());
        assert_eq!(ran.status, Some(0), "{out:?}: {}", ran.err);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("before\n{\n"), "{text}");
        assert!(text.contains("\n}\nPlan for sample"), "{text}");
    }
    let ran = plan(&tree, "/dev/stderr");
    assert_eq!(ran.status, Some(0));
    is_plan(ran.err.as_bytes());
    refused(&plan(&tree, "/dev/fd/99"), "/dev/fd/99: ", "ls");
}

#[test]
fn a_standard_output_that_nobody_reads_holds_nobody_up() {
    let tree = Tree::new();
    let mut command = tree.command(&["plan", "--allow-disruption", "--out", "/dev/stdout"]);
    let (_reads_never, writes) = std::io::pipe().unwrap();
    small(&writes);
    let ran = tree.ran(
        command
            .stdout(writes)
            .stderr(Stdio::piped())
            .output()
            .unwrap(),
    );
    assert_eq!(ran.status, Some(2), "{}", ran.err);
    assert!(
        ran.err.contains("nobody has read from it for 5 s"),
        "{}",
        ran.err
    );
}

#[test]
fn a_shell_gives_a_descriptor_of_its_own() {
    let tree = Tree::new();
    let (file, script) = (
        tree.beside("three"),
        "exec 3>>\"$0\"; \"$@\" --out /dev/fd/3 >/dev/null",
    );
    fs::write(&file, "before\n").unwrap();
    let command = tree.command(&["plan", "--only", "daemon-icc"]);
    let ran = std::process::Command::new("bash")
        .args(["-c", script])
        .arg(&file)
        .arg(command.get_program())
        .args(command.get_args())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let text = fs::read_to_string(&file).unwrap();
    is_plan(text.strip_prefix("before\n").unwrap().as_bytes());
}
