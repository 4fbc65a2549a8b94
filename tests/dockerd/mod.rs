//! Against a real dockerd: what it says is understood, and what we would write it accepts.
//!
//! Most of these need root, dockerd, the docker client and a static busybox, and run with
//! `SEAWORTHY_DOCKERD=1`, which `tests/run` sets.

mod candidates;
mod daemon;
mod facts;
mod preflight;
mod values;
mod versions;

/// Whether these tests run here. Asked for and not possible is a failure; not asked for is said.
fn wanted() -> bool {
    if std::env::var_os("SEAWORTHY_DOCKERD").is_none_or(|value| value != "1") {
        eprintln!("NOT RUN: tests against a real dockerd run with SEAWORTHY_DOCKERD=1, as root");
        return false;
    }
    assert_eq!(users::get_effective_uid(), 0, "a real dockerd needs root");
    for program in ["dockerd", "docker"] {
        let found = std::process::Command::new(program)
            .arg("--version")
            .output();
        assert!(found.is_ok(), "{program} is not installed");
    }
    true
}
