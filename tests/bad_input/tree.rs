//! A sample host as a folder, the program run on it, and proof that nothing in it changed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The user that is nobody: no root, and no file of the tree is theirs.
pub(crate) const NOBODY: u32 = 65534;

const PROGRAM: &str = env!("CARGO_BIN_EXE_seaworthy");
const BUILD: &str = env!("CARGO_TARGET_TMPDIR");

/// What is at a path of the sample host: a folder, a file, or a link.
enum Is {
    Folder(u32),
    File(u32, &'static str),
    Link(&'static str),
}
use Is::{File, Folder, Link};

const DOCKER_SERVICE: &str = "\
[Unit]
Description=Docker Application Container Engine
Requires=docker.socket

[Service]
Type=notify
EnvironmentFile=-/etc/default/docker
ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS
ExecReload=/bin/kill -s HUP $MAINPID

[Install]
WantedBy=multi-user.target
";

const DOCKER_SOCKET: &str = "\
[Unit]
Description=Docker Socket for the API

[Socket]
ListenStream=/run/docker.sock
SocketMode=0660
SocketUser=root
SocketGroup=docker

[Install]
WantedBy=sockets.target
";

const AUDITD_SERVICE: &str = "\
[Unit]
Description=Security Auditing Service
RefuseManualStop=yes

[Service]
Type=forking
ExecStart=/sbin/auditd
ExecStartPost=-/sbin/augenrules --load

[Install]
WantedBy=multi-user.target
";

/// A Debian host with Docker and auditd, freshly installed. Programs are placeholders: nothing is
/// run in a folder.
const HOST: &[(&str, Is)] = &[
    ("etc", Folder(0o755)),
    ("etc/audit", Folder(0o750)),
    ("etc/audit/audit.rules", File(0o640, "-D\n-b 8192\n-f 1\n")),
    ("etc/audit/rules.d", Folder(0o750)),
    (
        "etc/audit/rules.d/audit.rules",
        File(0o640, "-D\n-b 8192\n-f 1\n"),
    ),
    ("etc/containerd", Folder(0o755)),
    ("etc/containerd/config.toml", File(0o644, "version = 2\n")),
    ("etc/default", Folder(0o755)),
    ("etc/default/docker", File(0o644, "# Better not used.\n")),
    ("etc/docker", Folder(0o755)),
    (
        "etc/docker/daemon.json",
        File(0o644, "{\n  \"log-level\": \"info\"\n}\n"),
    ),
    ("etc/environment", File(0o644, "PATH=\"/usr/bin:/bin\"\n")),
    ("etc/group", File(0o644, "root:x:0:\ndocker:x:113:\n")),
    ("etc/hostname", File(0o644, "sample\n")),
    (
        "etc/machine-id",
        File(0o444, "5f3c9a1e7b2d4c60a8e1f0d2b4c69712\n"),
    ),
    (
        "etc/os-release",
        File(0o644, "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
    ),
    (
        "etc/passwd",
        File(0o644, "root:x:0:0:root:/root:/bin/bash\n"),
    ),
    ("etc/subgid", File(0o644, "")),
    ("etc/subuid", File(0o644, "")),
    ("etc/systemd", Folder(0o755)),
    ("etc/systemd/system", Folder(0o755)),
    ("etc/systemd/system/multi-user.target.wants", Folder(0o755)),
    (
        "etc/systemd/system/multi-user.target.wants/auditd.service",
        Link("/usr/lib/systemd/system/auditd.service"),
    ),
    ("etc/tmpfiles.d", Folder(0o755)),
    ("lib", Link("usr/lib")),
    ("run", Folder(0o755)),
    ("sbin", Link("usr/sbin")),
    ("usr", Folder(0o755)),
    ("usr/bin", Folder(0o755)),
    ("usr/bin/containerd", File(0o755, "a program\n")),
    ("usr/bin/docker", File(0o755, "a program\n")),
    ("usr/lib", Folder(0o755)),
    ("usr/lib/systemd", Folder(0o755)),
    ("usr/lib/systemd/system", Folder(0o755)),
    (
        "usr/lib/systemd/system/auditd.service",
        File(0o644, AUDITD_SERVICE),
    ),
    (
        "usr/lib/systemd/system/docker.service",
        File(0o644, DOCKER_SERVICE),
    ),
    (
        "usr/lib/systemd/system/docker.socket",
        File(0o644, DOCKER_SOCKET),
    ),
    ("usr/sbin", Folder(0o755)),
    ("usr/sbin/auditctl", File(0o755, "a program\n")),
    ("usr/sbin/auditd", File(0o755, "a program\n")),
    ("usr/sbin/augenrules", File(0o755, "a program\n")),
    ("usr/sbin/dockerd", File(0o755, "a program\n")),
    ("usr/sbin/runc", File(0o755, "a program\n")),
    ("usr/sbin/useradd", File(0o755, "a program\n")),
    ("var", Folder(0o755)),
    ("var/lib", Folder(0o755)),
    ("var/lib/docker", Folder(0o710)),
];

/// The sample host in a folder of its own.
pub(crate) struct Tree {
    folder: TempDir,
}

impl Tree {
    /// A host with nothing on it.
    pub(crate) fn empty() -> Self {
        // Beside the build: a disk with attributes and flags, where /tmp may be in memory.
        let folder = tempfile::tempdir_in(ground()).unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let tree = Self { folder };
        fs::create_dir(tree.root()).unwrap();
        fs::set_permissions(tree.root(), Permissions::from_mode(0o755)).unwrap();
        tree
    }

    /// The host of the table.
    pub(crate) fn new() -> Self {
        let tree = Self::empty();
        for (path, is) in HOST {
            let at = tree.at(path);
            match is {
                Folder(mode) => {
                    fs::create_dir(&at).unwrap();
                    fs::set_permissions(&at, Permissions::from_mode(*mode)).unwrap();
                }
                File(mode, text) => tree.write(path, text, *mode),
                Link(target) => std::os::unix::fs::symlink(target, &at).unwrap(),
            }
        }
        tree
    }

    /// The host with this daemon.json.
    pub(crate) fn with_daemon_json(content: impl AsRef<[u8]>) -> Self {
        let tree = Self::new();
        tree.write("etc/docker/daemon.json", content, 0o644);
        tree
    }

    /// The host without these paths.
    pub(crate) fn without(paths: &[&str]) -> Self {
        let tree = Self::new();
        for path in paths {
            tree.remove(path);
        }
        tree
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// A place beside the host, for saved plans and the like.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>, mode: u32) {
        let at = self.at(path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(&at, content).unwrap();
        fs::set_permissions(&at, Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.at(path)).unwrap()
    }

    pub(crate) fn remove(&self, path: &str) {
        let at = self.at(path);
        if at.symlink_metadata().unwrap().is_dir() {
            fs::remove_dir_all(at).unwrap();
        } else {
            fs::remove_file(at).unwrap();
        }
    }

    /// The program, told to work on this host.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        command(&self.root(), arguments)
    }

    /// Runs the program on this host.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.ran(self.command(arguments).output().unwrap())
    }

    /// Runs the program on this host as [`NOBODY`].
    pub(crate) fn run_as_nobody(&self, arguments: &[&str]) -> Ran {
        let mut command = if is_open_to_others(BUILD) {
            self.command(arguments)
        } else {
            command_of(&self.copied_program(), &self.root(), arguments)
        };
        self.ran(command.uid(NOBODY).gid(NOBODY).output().unwrap())
    }

    /// The program where [`NOBODY`] gets at it.
    fn copied_program(&self) -> PathBuf {
        let copy = self.beside("seaworthy");
        // Not by this process: a test that forks meanwhile would inherit the file open for writing,
        // and nothing can be run then (execve(2), ETXTBSY).
        let copied = Command::new("cp").arg(PROGRAM).arg(&copy).status().unwrap();
        assert!(copied.success());
        fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
        copy
    }

    pub(crate) fn ran(&self, output: Output) -> Ran {
        let shown = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace(&*self.folder.path().to_string_lossy(), "[folder]")
        };
        let ran = Ran {
            status: output.status.code(),
            out: shown(output.stdout),
            err: shown(output.stderr),
        };
        // Whatever a test is about: a hint is a command.
        for line in ran.err.lines() {
            if let Some(hint) = line.strip_prefix("try: ") {
                assert_eq!(crate::hints::wrong(hint), None, "{}", ran.err);
            }
        }
        ran
    }

    /// Everything that there is to know of the host but access times.
    pub(crate) fn manifest(&self) -> Manifest {
        let mut entries = BTreeMap::new();
        note(&self.root(), &self.root(), &mut entries);
        Manifest { entries }
    }
}

/// The program under test with a clean environment and no terminal.
pub(crate) fn command(root: &Path, arguments: &[&str]) -> Command {
    command_of(Path::new(PROGRAM), root, arguments)
}

fn command_of(program: &Path, root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir("/")
        .stdin(Stdio::null())
        .arg("--root")
        .arg(root)
        .args(arguments);
    command
}

/// Where hosts are made: in the build's own folder, or, where a folder above it is closed to others
/// (a clone in the home of root), in that for temporary files.
fn ground() -> PathBuf {
    if is_open_to_others(BUILD) {
        BUILD.into()
    } else {
        std::env::temp_dir()
    }
}

fn is_open_to_others(folder: &str) -> bool {
    let is_open = |folder: &Path| folder.metadata().is_ok_and(|it| it.mode() & 0o001 != 0);
    Path::new(folder).ancestors().all(is_open)
}

/// Whether the tests run as root; says so when not, as a test that needs it is skipped then.
pub(crate) fn is_root() -> bool {
    let root = users::get_effective_uid() == 0;
    if !root {
        eprintln!("NOT RUN: this test needs root");
    }
    root
}

/// How a run ended, and what it said.
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Exit status and messages.
    pub(crate) fn messages(&self) -> String {
        format!(
            "exit {}\n{}",
            self.status.unwrap_or(-1),
            without_ids(&self.err)
        )
    }

    /// Exit status, messages and the whole output.
    pub(crate) fn all(&self) -> String {
        format!("{}---\n{}", self.messages(), without_ids(&self.out))
    }

    /// Exit status, and the lines of the output that have one of these words in them.
    pub(crate) fn about(&self, words: &[&str]) -> String {
        let lines = self
            .out
            .lines()
            .filter(|line| words.iter().any(|word| line.contains(word)))
            .fold(String::new(), |all, line| all + line.trim_end() + "\n");
        format!("{}---\n{}", self.messages(), without_ids(&lines))
    }
}

/// Names of transactions and process ids are different each time.
fn without_ids(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        shown.push_str(before);
        let end = from
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        let is_id = word.len() >= 16
            && word.as_bytes()[..8].iter().all(u8::is_ascii_digit)
            && word.contains('-');
        shown.push_str(if is_id { "[id]" } else { word });
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// One path: kind, mode, owner, group, extended attributes, content; and when it was changed.
#[derive(Clone, PartialEq, Eq)]
struct Entry {
    what: String,
    modified: (i64, i64),
}

/// All paths of a host.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    entries: BTreeMap<String, Entry>,
}

impl Manifest {
    /// Not one byte and not one timestamp is different.
    pub(crate) fn assert_untouched(&self, tree: &Tree) {
        self.compare(&tree.manifest(), true);
    }

    /// The same but for our own state folder, which holds the lock and the journals.
    pub(crate) fn assert_only_state_added(&self, tree: &Tree) {
        self.without_state()
            .compare(&tree.manifest().without_state(), true);
    }

    /// As it was but for timestamps: what was changed was put back.
    pub(crate) fn assert_restored(&self, tree: &Tree) {
        self.without_state()
            .compare(&tree.manifest().without_state(), false);
    }

    fn without_state(&self) -> Self {
        let mut entries = self.entries.clone();
        entries.retain(|path, _| !path.starts_with("/var/lib/seaworthy"));
        if let Some(folder) = entries.get_mut("/var/lib") {
            folder.modified = (0, 0);
        }
        Self { entries }
    }

    fn compare(&self, now: &Self, times: bool) {
        let mut wrong = Vec::new();
        for path in self.entries.keys().chain(now.entries.keys()) {
            match (self.entries.get(path), now.entries.get(path)) {
                (Some(_), None) => wrong.push(format!("{path} is gone")),
                (None, Some(new)) => wrong.push(format!("{path} is new: {}", new.what)),
                (Some(old), Some(new)) if old.what != new.what => {
                    wrong.push(format!("{path} was {}\nand is {}", old.what, new.what));
                }
                (Some(old), Some(new)) if times && old.modified != new.modified => {
                    wrong.push(format!("{path} has another time"));
                }
                _ => {}
            }
        }
        wrong.dedup();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

fn note(root: &Path, at: &Path, entries: &mut BTreeMap<String, Entry>) {
    let stat = at.symlink_metadata().unwrap();
    let mut what = format!("{:o} {}:{}", stat.mode(), stat.uid(), stat.gid());
    if !stat.is_symlink() {
        for name in xattr::list(at).unwrap() {
            let value = xattr::get(at, &name).unwrap().unwrap_or_default();
            let _ = write!(what, " {}={value:x?}", name.to_string_lossy());
        }
    }
    if stat.is_symlink() {
        let _ = write!(what, " -> {}", fs::read_link(at).unwrap().display());
    } else if stat.is_file() {
        let content = digest(&fs::read(at).unwrap());
        let _ = write!(what, " {} bytes {content:?}", stat.size());
    }
    let path = Path::new("/").join(at.strip_prefix(root).unwrap());
    let modified = (stat.mtime(), stat.mtime_nsec());
    entries.insert(path.display().to_string(), Entry { what, modified });
    if stat.is_dir() {
        for inside in fs::read_dir(at).unwrap() {
            note(root, &inside.unwrap().path(), entries);
        }
    }
}

/// Short contents as they are, long ones by their digest.
fn digest(content: &[u8]) -> String {
    if content.len() < 2000 {
        return OsStr::from_bytes(content).to_string_lossy().into_owned();
    }
    seaworthy::change::Digest::of(content).to_string()
}
