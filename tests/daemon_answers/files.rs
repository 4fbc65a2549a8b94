//! Files that are none: pipes and devices where a file is expected hold nobody up.

use assert_cmd::Command;
use std::path::Path;
use std::time::Duration;

/// What a run must end within that waits for nothing: far more than it takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn seaworthy(arguments: &[&str], tz: Option<&str>) -> (Option<i32>, String) {
    let mut command = Command::cargo_bin("seaworthy").unwrap();
    command.args(arguments).timeout(PATIENCE);
    if let Some(tz) = tz {
        command.env("TZ", tz).env("TZDIR", tz);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

fn pipe(folder: &Path) -> String {
    let path = folder.join("pipe");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_zone_that_is_a_pipe_or_has_no_end_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = pipe(folder.path());
    for tz in [pipe.as_str(), "/dev/zero", "/dev/stdin", "/proc/kmsg"] {
        let root = folder.path().to_str().unwrap();
        let (status, said) = seaworthy(&["--root", root, "audit"], Some(tz));
        assert_eq!(status, Some(2), "{tz}: {said}");
        assert!(said.contains("no Docker found"), "{tz}: {said}");
    }
}

#[test]
fn a_plan_or_a_policy_that_is_a_pipe_or_a_device_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = pipe(folder.path());
    for path in [pipe.as_str(), "/dev/zero", "/dev/full", "/dev"] {
        let (status, said) = seaworthy(&["show", path], None);
        assert_eq!(status, Some(2), "{path}: {said}");
        assert!(said.contains(path), "{path}: {said}");
        let root = folder.path().to_str().unwrap();
        for arguments in [
            &["--root", root, "--config", path, "audit"][..],
            &["--root", root, "apply", path, "--yes"],
            &["--root", path, "audit"],
            &["--root", path, "apply", "--yes"],
        ] {
            let (status, said) = seaworthy(arguments, None);
            assert_eq!(status, Some(2), "{arguments:?}: {said}");
        }
    }
}
