//! Two runs at once, and state that cannot be trusted.

use super::{Tree, is_root};
use insta::assert_snapshot;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A pipe that is full: whoever writes there waits.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
    rustix::fs::fcntl_setfl(&writer, flags | rustix::fs::OFlags::NONBLOCK).unwrap();
    while rustix::io::write(&writer, &[b'.'; 4096]).is_ok() {}
    rustix::fs::fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}

#[test]
fn the_second_run_names_the_first() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let before = tree.manifest();
    // The first one holds the lock and waits to print its plan.
    let (reader, writer) = full_pipe();
    let mut command = tree.command(&["apply", "--yes", "--only", "daemon-icc"]);
    let mut first = command
        .stdout(writer)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(command);
    let lock = tree.at("var/lib/seaworthy/lock");
    let begun = Instant::now();
    while fs::read(&lock).map_or(true, |text| text.is_empty()) {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "no lock was taken"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let second = tree.run(&["apply", "--yes"]);
    let rollback = tree.run(&["rollback", "--yes"]);
    // Reading verbs do not care.
    assert_eq!(tree.run(&["plan"]).status, Some(0));
    before.assert_only_state_added(&tree);
    drop(reader);
    let first_id = first.id().to_string();
    assert_eq!(
        first.wait().unwrap().code(),
        Some(0),
        "its reader went away, which is no error"
    );
    assert_eq!(second.messages(), rollback.messages());
    let shown = second.messages().replace(&first_id, "[pid]");
    let program = env!("CARGO_BIN_EXE_seaworthy");
    assert_snapshot!(shown.replace(program, "[seaworthy]"), @r"
    exit 2
    error: /var/lib/seaworthy/lock: process [pid] ([seaworthy] --root [folder]/root apply --yes --only daemon-icc) is at work
    try: seaworthy history --root [folder]/root
    ");
    assert_eq!(tree.run(&["rollback", "--yes"]).status, Some(0));
    before.assert_restored(&tree);
}

/// The state folder of a host and its lock, held by this process.
fn locked(tree: &Tree) -> (PathBuf, fs::File) {
    let folder = tree.at("var/lib/seaworthy");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    let lock = fs::File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    (folder, lock)
}

#[test]
fn a_refusal_always_names_the_holder() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    // Whoever has the lock, and has not got round to write who it is.
    let (folder, lock) = locked(&tree);
    let ours = format!("process {} (", std::process::id());
    for text in ["", "process 1 (seaworthy of an earlier day)\n"] {
        fs::write(folder.join("lock"), text).unwrap();
        let ran = tree.run(&["apply", "--yes"]);
        assert_eq!(ran.status, Some(2), "{}", ran.err);
        assert!(ran.err.contains(&ours), "{}", ran.err);
    }
    drop(lock);
    // One that was removed by its name is no lock any more.
    assert_eq!(tree.run(&["recover", "--yes"]).status, Some(0));
}

#[test]
fn one_host_has_one_lock_by_whatever_name() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let (_folder, _lock) = locked(&tree);
    let link = tree.beside("link");
    std::os::unix::fs::symlink(tree.root(), &link).unwrap();
    let mut roots = vec![link, tree.root().join("etc/..")];
    let bind = tree.beside("bind");
    fs::create_dir(&bind).unwrap();
    let none = None::<&str>;
    let flags = nix::mount::MsFlags::MS_BIND;
    let is_bound = nix::mount::mount(Some(&tree.root()), &bind, none, flags, none).is_ok();
    if is_bound {
        roots.push(bind.clone());
    } else {
        eprintln!("NOT RUN: nothing can be mounted here");
    }
    let statuses: Vec<_> = roots
        .iter()
        .map(|root| {
            super::tree::command(root, &["apply", "--yes"])
                .output()
                .unwrap()
        })
        .collect();
    if is_bound {
        nix::mount::umount(&bind).unwrap();
    }
    for (root, output) in roots.iter().zip(statuses) {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{root:?}: {said}");
        assert!(said.contains("is at work"), "{root:?}: {said}");
    }
}

#[test]
fn a_state_folder_that_others_write() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    fs::create_dir(tree.at("var/lib/seaworthy")).unwrap();
    let all = Permissions::from_mode(0o777);
    fs::set_permissions(tree.at("var/lib/seaworthy"), all).unwrap();
    let before = tree.manifest();
    let ran = tree.run(&["apply", "--yes", "--only", "daemon-icc"]);
    before.assert_only_state_added(&tree);
    assert_snapshot!(ran.messages(), @r"
    exit 2
    error: /var/lib/seaworthy/lock: the folder /var/lib/seaworthy on the way there can be written by others than root (mode 0777)
    try: ls -ld [folder]/root/var/lib/seaworthy
    ");
}

#[test]
fn a_damaged_journal() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let only = ["--only", "daemon-icc"];
    assert_eq!(
        tree.run(&[&["apply", "--yes"], &only[..]].concat()).status,
        Some(0)
    );
    let folder = fs::read_dir(tree.at("var/lib/seaworthy/transactions")).unwrap();
    let journal = folder.last().unwrap().unwrap().path().join("journal");
    let text = fs::read_to_string(&journal).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1] = "{\"rubbish\":";
    fs::write(&journal, lines.join("\n") + "\n").unwrap();
    let before = tree.manifest();
    let mut said = String::new();
    for verb in [
        &["history"][..],
        &["rollback", "--yes"],
        &["apply", "--yes"],
        &["recover", "--yes"],
    ] {
        said += &tree.run(verb).all();
    }
    assert_eq!(tree.run(&["audit"]).status, Some(1));
    before.assert_only_state_added(&tree);
    assert_snapshot!(said, @r"
    exit 2
    error: /var/lib/seaworthy/transactions/[id]/journal: line 2 is damaged: it is incomplete
    try: ls -lR [folder]/root/var/lib/seaworthy
    ---
    exit 2
    error: /var/lib/seaworthy/transactions/[id]/journal: line 2 is damaged: it is incomplete
    try: ls -lR [folder]/root/var/lib/seaworthy
    ---
    exit 2
    error: /var/lib/seaworthy/transactions/[id]/journal: line 2 is damaged: it is incomplete
    try: ls -lR [folder]/root/var/lib/seaworthy
    ---
    exit 2
    error: /var/lib/seaworthy/transactions/[id]/journal: line 2 is damaged: it is incomplete
    try: ls -lR [folder]/root/var/lib/seaworthy
    ---
    ");
}

#[test]
fn a_transaction_that_is_not_there() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let before = tree.manifest();
    let mut said = String::new();
    for verb in [
        &["rollback", "--yes"][..],
        &["rollback", "--yes", "../../etc"],
        &["history", "nonsense"],
        &["recover", "--yes"],
    ] {
        said += &tree.run(verb).all();
    }
    before.assert_only_state_added(&tree);
    assert_snapshot!(said, @r"
    exit 0
    ---
    Nothing to roll back: no transaction is in effect.
    exit 2
    error: there is no transaction ../../etc
    try: seaworthy history --root [folder]/root
    ---
    exit 2
    error: there is no transaction nonsense
    try: seaworthy history --root [folder]/root
    ---
    exit 0
    ---
    Nothing to recover: every transaction is complete.
    ");
}

#[test]
fn an_interrupted_apply_is_finished_only_when_it_can_be() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let ran = tree.run(&["apply", "--yes", "--only", "daemon-icc"]);
    assert_eq!(ran.status, Some(0));
    let folder = fs::read_dir(tree.at("var/lib/seaworthy/transactions")).unwrap();
    let journal = folder.last().unwrap().unwrap().path().join("journal");
    let text = fs::read_to_string(&journal).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    assert!(lines.last().unwrap().contains("commit"));
    let keep = |count: usize| fs::write(&journal, lines[..count].concat()).unwrap();

    // As if nothing had been begun, and somebody else had written the file.
    keep(1);
    let before = tree.manifest();
    let refused = tree.run(&["recover", "--forward", "--yes"]);
    assert_eq!(refused.status, Some(2));
    let said = refused.all();
    assert!(
        said.contains("cannot be finished") && said.contains("/etc/docker/daemon.json"),
        "{said}"
    );
    assert!(said.contains("try: sudo seaworthy recover"), "{said}");
    before.assert_only_state_added(&tree);

    keep(lines.len() - 1);
    let finished = tree.run(&["recover", "--forward", "--yes"]);
    assert_eq!(finished.status, Some(0), "{}", finished.all());
    assert!(finished.all().contains("It will be finished"));
    assert!(tree.run(&["history"]).all().contains("committed"));
}

#[test]
fn what_cannot_roll_back_by_itself_is_not_begun() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let before = tree.manifest();
    let ran = tree.run(&["apply", "--yes", "--confirm-within", "10m"]);
    assert_eq!(ran.status, Some(2));
    let said = ran.all();
    assert!(
        said.contains("this host cannot roll back by itself, so nothing was changed: --root"),
        "{said}"
    );
    before.assert_only_state_added(&tree);
    let short = tree.run(&["apply", "--yes", "--confirm-within", "5s"]);
    assert_eq!(short.status, Some(2));
    let none = tree.run(&["confirm"]);
    assert_eq!(none.status, Some(0));
    assert!(none.all().contains("Nothing to confirm"), "{}", none.all());
    let none = tree.run(&["confirm", "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&none.out).unwrap();
    assert_eq!(answer["outcome"], "nothing-to-do");
    assert_eq!(answer["format"], 1);
}

#[test]
fn what_a_person_was_needed_for_is_tried_again() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let file = tree.at("etc/docker/daemon.json");
    let former = fs::read(&file).unwrap();
    let ran = tree.run(&["apply", "--yes", "--only", "daemon-icc"]);
    assert_eq!(ran.status, Some(0));
    let ours = fs::read(&file).unwrap();
    let folder = fs::read_dir(tree.at("var/lib/seaworthy/transactions")).unwrap();
    let journal = folder.last().unwrap().unwrap().path().join("journal");
    let text = fs::read_to_string(&journal).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    fs::write(&journal, lines[..lines.len() - 1].concat()).unwrap();

    // Somebody wrote the file before it was recovered: nobody knows what is wanted.
    fs::write(&file, "{\"debug\": true}").unwrap();
    let stuck = tree.run(&["recover", "--yes"]);
    assert_eq!(stuck.status, Some(4), "{}", stuck.all());
    assert!(
        stuck.all().contains("sudo seaworthy recover --root"),
        "{}",
        stuck.all()
    );
    let again = tree.run(&["recover", "--yes"]);
    assert_eq!(again.status, Some(4), "{}", again.all());
    assert!(again.all().contains("It will be tried again"));
    fs::write(&file, ours).unwrap();
    let done = tree.run(&["recover", "--yes"]);
    assert_eq!(done.status, Some(0), "{}", done.all());
    assert_eq!(fs::read(&file).unwrap(), former);
    let none = tree.run(&["recover", "--yes"]);
    assert!(none.all().contains("Nothing to recover"), "{}", none.all());
}
