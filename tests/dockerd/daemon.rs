//! A real dockerd with a socket and a data root of its own, and what the tests make in it.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a daemon may take to start, to reload and to stop on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A daemon that ends, with its containers, when it is dropped.
pub(crate) struct Daemon {
    folder: TempDir,
    process: Child,
}

impl Daemon {
    /// Starts a daemon and waits until it answers.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("daemon.json"), "{}").unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let process = Command::new("dockerd")
            .args(["--config-file", &at("daemon.json")])
            .args(["--data-root", &at("data"), "--exec-root", &at("exec")])
            .args([
                "--pidfile",
                &at("pid"),
                "-H",
                &format!("unix://{}", at("sock")),
            ])
            .args(["--bridge", "none", "--iptables=false", "--ip-forward=false"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut daemon = Self { folder, process };
        let begun = Instant::now();
        while !daemon.client(&["version"]).status.success() {
            let ended = daemon.process.try_wait().unwrap();
            assert!(
                ended.is_none() && begun.elapsed() < PATIENCE,
                "dockerd does not answer: {}",
                daemon.log()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        daemon
    }

    pub(crate) fn socket(&self) -> String {
        self.folder.path().join("sock").display().to_string()
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("daemon.json")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn client(&self, arguments: &[&str]) -> Output {
        Command::new("docker")
            .env("DOCKER_HOST", format!("unix://{}", self.socket()))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs the client, which must succeed; its standard output.
    pub(crate) fn docker(&self, arguments: &[&str]) -> String {
        let output = self.client(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Makes the image `busybox` from the machine's own static busybox.
    pub(crate) fn import_busybox(&self) {
        self.import("/", "bin/busybox", "busybox:latest");
    }

    /// Makes an image from what is at `path` below a folder of this machine.
    pub(crate) fn import(&self, folder: &str, path: &str, image: &str) {
        let tar = Command::new("tar")
            .args(["-C", folder, "-c", path])
            .output()
            .unwrap();
        assert!(
            tar.status.success(),
            "{}",
            String::from_utf8_lossy(&tar.stderr)
        );
        let file = self.folder.path().join("image.tar");
        fs::write(&file, tar.stdout).unwrap();
        self.docker(&["import", file.to_str().unwrap(), image]);
    }

    /// Gives the daemon another configuration and sends it SIGHUP.
    pub(crate) fn reload(&self, configuration: &str) {
        fs::write(self.config(), configuration).unwrap();
        let id = nix::unistd::Pid::from_raw(self.process.id().try_into().unwrap());
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGHUP).unwrap();
    }

    /// Waits until something is so.
    pub(crate) fn wait_until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < PATIENCE, "not {what}: {}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Containers outlive a daemon that has live-restore on.
        let all = self.client(&["ps", "--all", "--quiet"]);
        for id in String::from_utf8_lossy(&all.stdout).split_whitespace() {
            self.client(&["rm", "--force", id]);
        }
        if let Ok(id) = self.process.id().try_into() {
            let id = nix::unistd::Pid::from_raw(id);
            let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM);
        }
        let begun = Instant::now();
        while let Ok(None) = self.process.try_wait() {
            if begun.elapsed() > PATIENCE {
                let _ = self.process.kill();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
