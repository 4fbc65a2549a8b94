//! Asking dockerd itself whether it would start with a configuration, without starting it.
//!
//! The candidate is a file in memory (memfd_create(2)) on the program's standard input: nothing
//! appears in any folder, nobody else can open it, and nothing is left behind whatever happens.
//!
//! * From 23.0 on there is `dockerd --validate`. As it creates the accounts that `userns-remap`
//!   asks for (since 26.0), it gets a copy without that key.
//! * Before that the daemon is started by an ordinary user: it reads its flags and its
//!   configuration first, and then refuses for want of rights, before it has touched anything.

use super::{HostError, Output, Verdict};
use crate::formats::daemon_json::Document;
use crate::formats::secrets;
use rustix::fs::MemfdFlags;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek as _, Write as _};

/// The configuration as the daemon sees it.
const CANDIDATE: &str = "/dev/stdin";

/// What a daemon without rights says once its configuration was found good: up to 20.10.7 it says
/// "with root." and then "with root privileges" (moby `cmd/dockerd/docker.go`).
const WANTS_ROOT: &str = "needs to be started with root";

/// Somebody who is nobody: no file on the host is theirs.
pub(super) const NOBODY: u32 = 65534;

/// Runs the daemon's program with these arguments, this standard input and, unless `None`, as this
/// user.
pub(super) type Run<'a> = &'a dyn Fn(&[&str], &str, Option<u32>) -> Result<Output, HostError>;

/// Asks. `flags` is the daemon's command line without the program.
pub(super) fn validate(run: Run<'_>, text: &str, flags: &[String]) -> Result<Verdict, HostError> {
    let Ok(document) = Document::parse(text.as_bytes()) else {
        return Ok(Verdict::Refused("it is not one JSON object".to_owned()));
    };
    let key = BTreeMap::from([("userns-remap".to_owned(), None)]);
    let Ok(copy) = document.with(&key) else {
        return Ok(Verdict::Refused("it has a key twice".to_owned()));
    };
    let without_config = without(flags, "--config-file");
    let without_remap = without(&without_config, "--userns-remap");
    let mut arguments = vec!["--validate", "--config-file", CANDIDATE];
    arguments.extend(without_remap.iter().map(String::as_str));
    let output = run(&arguments, &copy, None)?;
    if output.status == Some(0) {
        return Ok(Verdict::Accepted);
    }
    if !output.stderr.contains("unknown flag: --validate") {
        return Ok(judged(&output));
    }
    let mut arguments = vec!["--config-file", CANDIDATE];
    arguments.extend(without_config.iter().map(String::as_str));
    let output = run(&arguments, text, Some(NOBODY))?;
    if said(&output).contains(WANTS_ROOT) {
        return Ok(Verdict::Accepted);
    }
    Ok(judged(&output))
}

/// A file that is in no folder, with this content.
pub(super) fn in_memory(text: &str) -> std::io::Result<File> {
    const NAME: &str = "daemon.json";
    // Where the kernel insists that such files are never run (vm.memfd_noexec) it must be said;
    // kernels before 6.3 do not know the word.
    let never_run = MemfdFlags::CLOEXEC | MemfdFlags::NOEXEC_SEAL;
    let handle = match rustix::fs::memfd_create(NAME, never_run) {
        Err(rustix::io::Errno::INVAL) => rustix::fs::memfd_create(NAME, MemfdFlags::CLOEXEC),
        made => made,
    }?;
    let mut file = File::from(handle);
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    Ok(file)
}

/// The flags but for one that takes a value.
fn without(flags: &[String], flag: &str) -> Vec<String> {
    let mut kept = Vec::new();
    let mut words = flags.iter();
    while let Some(word) = words.next() {
        if word == flag {
            words.next();
        } else if !word
            .strip_prefix(flag)
            .is_some_and(|rest| rest.starts_with('='))
        {
            kept.push(word.clone());
        }
    }
    kept
}

fn said(output: &Output) -> String {
    format!("{}\n{}", output.stdout, output.stderr)
}

/// The daemon's own words, without its log lines of other levels.
fn judged(output: &Output) -> Verdict {
    let said = said(output);
    let words: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !is_chatter(line))
        .collect();
    // It quotes values: `(from flag: map[splunk-token:…], from file: …)`.
    let words = secrets::words(&words.join("; ").replace(CANDIDATE, "the candidate"));
    // Kept from reading (a security module, perhaps): that says nothing of the content.
    if output.status.is_none() || words.is_empty() || words.contains("permission denied") {
        return Verdict::NotChecked(format!("dockerd could not check it: {words}"));
    }
    Verdict::Refused(words)
}

/// `time="…" level=info msg="Starting up"`
fn is_chatter(line: &str) -> bool {
    line.starts_with("time=")
        && ["level=debug", "level=info", "level=warning"]
            .iter()
            .any(|level| line.contains(level))
        || line.starts_with("See 'dockerd --help'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    type Call = (String, String, Option<u32>);

    /// What was run, and the verdict, where the program answers so.
    fn asked(
        text: &str,
        flags: &[&str],
        answer: impl Fn(&str) -> (i32, &'static str),
    ) -> (Vec<Call>, Verdict) {
        let calls = RefCell::new(Vec::new());
        let run = |arguments: &[&str], input: &str, user: Option<u32>| {
            let line = arguments.join(" ");
            let (status, stderr) = answer(&line);
            calls.borrow_mut().push((line, input.to_owned(), user));
            Ok(Output {
                status: Some(status),
                stdout: String::new(),
                stderr: stderr.to_owned(),
            })
        };
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let verdict = validate(&run, text, &flags).unwrap();
        (calls.into_inner(), verdict)
    }

    const TEXT: &str = "{\n  \"icc\": false,\n  \"userns-remap\": \"default\"\n}\n";

    #[test]
    fn a_daemon_that_validates_gets_a_copy_without_remapping() {
        let flags = [
            "-H",
            "fd://",
            "--config-file=/etc/docker/daemon.json",
            "--userns-remap",
            "default",
            "--debug",
        ];
        let (calls, verdict) = asked(TEXT, &flags, |_| (0, "configuration OK\n"));
        assert_eq!(verdict, Verdict::Accepted);
        assert_eq!(
            calls,
            [(
                "--validate --config-file /dev/stdin -H fd:// --debug".to_owned(),
                "{\n  \"icc\": false\n}\n".to_owned(),
                None
            )]
        );
    }

    #[test]
    fn an_older_one_is_started_by_nobody() {
        // 20.10.24, and 20.10.5.
        for said in [
            "time=\"x\" level=info msg=\"Starting up\"\ndockerd needs to be started with root privileges. To run …\n",
            "time=\"x\" level=info msg=\"Starting up\"\ndockerd needs to be started with root. To see how …\n",
        ] {
            let answer = |line: &str| {
                if line.starts_with("--validate") {
                    (
                        125,
                        "Status: unknown flag: --validate\nSee 'dockerd --help'., Code: 125\n",
                    )
                } else {
                    (1, said)
                }
            };
            let (calls, verdict) = asked(TEXT, &["--config-file", "/x.json", "-D"], answer);
            assert_eq!(verdict, Verdict::Accepted);
            assert_eq!(
                calls[1],
                (
                    "--config-file /dev/stdin -D".to_owned(),
                    TEXT.to_owned(),
                    Some(NOBODY)
                )
            );
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_daemons_own_words() {
        let words = "time=\"x\" level=info msg=\"Starting up\"\nunable to configure the Docker daemon with file /dev/stdin: the following directives are specified both as a flag and in the configuration file: icc: (from flag: true, from file: false)\n";
        let (_, verdict) = asked(TEXT, &["--icc=true"], |_| (1, words));
        assert_eq!(
            verdict,
            Verdict::Refused(
                "unable to configure the Docker daemon with file the candidate: the following directives are specified both as a flag and in the configuration file: icc: (from flag: true, from file: false)".to_owned()
            )
        );
    }

    #[test]
    fn a_daemon_that_may_not_read_has_not_refused() {
        let words = "unable to configure the Docker daemon with file /dev/stdin: open /dev/stdin: permission denied\n";
        let (_, verdict) = asked(TEXT, &[], |_| (1, words));
        assert!(matches!(verdict, Verdict::NotChecked(_)), "{verdict:?}");
    }

    #[test]
    fn what_is_no_configuration_is_not_even_asked_about() {
        let (calls, verdict) = asked("{", &[], |_| (0, ""));
        assert!(matches!(verdict, Verdict::Refused(_)));
        assert!(calls.is_empty());
    }
}
