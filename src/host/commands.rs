//! Running the system's own programs: found in fixed folders, with a clean environment, and ended
//! when they take too long.

use super::{HostError, Output};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::io::Read;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Where programs are looked for, in this order; what `PATH` says is not asked.
pub(super) const PROGRAM_FOLDERS: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// How long a program may take that only reports. The slowest is `systemctl show` on a host whose
/// manager is busy: its own D-Bus timeout is 25 s, and it may be tried twice.
pub(super) const REPORT_DEADLINE: Duration = Duration::from_secs(60);

/// The most that is kept of one stream: a program that writes more is not reporting.
const MOST_OUTPUT: u64 = 16 << 20;

/// Runs programs on the host. A trait, so that what is made of their answers can be tested.
pub(super) trait Runner {
    /// Runs a program to its end; an exit status other than 0 is not an error here.
    fn run(
        &self,
        program: &str,
        arguments: &[&str],
        deadline: Duration,
    ) -> Result<Output, HostError>;

    /// Runs a program that must exit with 0.
    fn succeed(
        &self,
        program: &str,
        arguments: &[&str],
        deadline: Duration,
    ) -> Result<Output, HostError> {
        let output = self.run(program, arguments, deadline)?;
        if output.status == Some(0) {
            return Ok(output);
        }
        Err(HostError::Command {
            command: line(program, arguments),
            how: how_it_ended(&output),
            stderr: output.stderr,
        })
    }
}

fn line(program: &str, arguments: &[&str]) -> String {
    let mut line = program.to_owned();
    for argument in arguments {
        line.push(' ');
        line.push_str(argument);
    }
    line
}

pub(super) fn how_it_ended(output: &Output) -> String {
    match output.status {
        Some(status) => format!("exited with status {status}"),
        None => "was ended by a signal".to_owned(),
    }
}

/// Runs the program at an absolute path and waits for it, at most `deadline`.
pub(super) fn run_at(
    path: &str,
    name: &str,
    arguments: &[&str],
    deadline: Duration,
) -> Result<Output, HostError> {
    run_as(path, name, arguments, deadline, Stdio::null(), None)
}

/// The same with a standard input and, unless `None`, as this user without any group.
pub(super) fn run_as(
    path: &str,
    name: &str,
    arguments: &[&str],
    deadline: Duration,
    input: Stdio,
    user: Option<u32>,
) -> Result<Output, HostError> {
    let ends = Instant::now() + deadline;
    let failed = |how: String| HostError::Command {
        command: line(name, arguments),
        how,
        stderr: String::new(),
    };
    let mut command = Command::new(path);
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    let mut child = command
        .args(arguments)
        .env_clear()
        .env("LC_ALL", "C")
        .env("PATH", PROGRAM_FOLDERS.join(":"))
        .current_dir("/")
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own: Ctrl-C is for us, who take things back in order; and at the
        // deadline what it has started ends with it.
        .process_group(0)
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => HostError::NotInstalled {
                program: name.to_owned(),
            },
            _ => HostError::file(path, "run", error),
        })?;
    let stdout = child.stdout.take().map(read_aside);
    let stderr = child.stderr.take().map(read_aside);
    let Some(status) = wait(&mut child, ends).map_err(|error| failed(error.to_string()))? else {
        end(&mut child);
        return Err(HostError::Late {
            command: line(name, arguments),
            within: deadline.as_secs_f32(),
            stderr: collected(stderr, Duration::from_millis(100)),
        });
    };
    // What it left behind in the background may hold the pipes open; it is not waited for.
    let patience = ends
        .saturating_duration_since(Instant::now())
        .clamp(Duration::from_millis(100), Duration::from_secs(2));
    let stdout = collected(stdout, patience);
    // Half of a list would read as one in which the other half is absent.
    if stdout.len() as u64 >= MOST_OUTPUT {
        return Err(failed(format!(
            "printed more than {} MiB",
            MOST_OUTPUT >> 20
        )));
    }
    Ok(Output {
        status: status.code().filter(|_| status.signal().is_none()),
        stdout,
        stderr: collected(stderr, patience),
    })
}

fn wait(child: &mut Child, ends: Instant) -> std::io::Result<Option<ExitStatus>> {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let left = ends.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

fn end(child: &mut Child) {
    if let Ok(id) = i32::try_from(child.id()) {
        // It may have ended by itself in this moment.
        let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
    }
    let _ = child.wait();
}

/// Reads a pipe to its end on a thread of its own, so that neither pipe can fill up unread.
fn read_aside(pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut kept = pipe.take(MOST_OUTPUT);
        let mut buffer = [0; 8192];
        loop {
            match kept.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    if sender.send(buffer[..count].to_vec()).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        drop(sender);
        // What is too much is still read, so that the program does not wait for us for ever.
        let _ = std::io::copy(&mut kept.into_inner(), &mut std::io::sink());
    });
    receiver
}

/// What was read, waiting at most `patience` for the end of the pipe.
fn collected(pipe: Option<Receiver<Vec<u8>>>, patience: Duration) -> String {
    let ends = Instant::now() + patience;
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        while let Ok(more) = pipe.recv_timeout(ends.saturating_duration_since(Instant::now())) {
            bytes.extend(more);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, deadline: Duration) -> Result<Output, HostError> {
        run_at("/bin/sh", "sh", &["-c", script], deadline)
    }

    #[test]
    fn both_streams_and_the_status_are_kept() {
        let script =
            "i=0; while [ $i -lt 20000 ]; do echo out; echo err >&2; i=$((i+1)); done; exit 3";
        let output = shell(script, REPORT_DEADLINE).unwrap();
        assert_eq!(output.status, Some(3));
        assert_eq!(output.stdout.lines().count(), 20_000);
        assert_eq!(output.stderr.lines().count(), 20_000);
    }

    #[test]
    fn the_environment_is_clean() {
        let output = shell(
            "env | grep -v -e ^PWD -e ^SHLVL -e ^_ | sort; pwd; cat",
            REPORT_DEADLINE,
        )
        .unwrap();
        assert_eq!(
            output.stdout,
            format!("LC_ALL=C\nPATH={}\n/\n", PROGRAM_FOLDERS.join(":"))
        );
    }

    #[test]
    fn what_takes_too_long_is_ended_with_its_children() {
        let begun = Instant::now();
        let error = shell(
            "echo waiting >&2; sleep 60 & sleep 60",
            Duration::from_millis(300),
        )
        .unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(10));
        assert_eq!(
            error.to_string(),
            "`sh -c echo waiting >&2; sleep 60 & sleep 60` did not finish within 0.3 s: waiting"
        );
    }

    #[test]
    fn what_stays_in_the_background_is_not_waited_for() {
        let begun = Instant::now();
        let output = shell("sleep 20 & echo done", REPORT_DEADLINE).unwrap();
        assert_eq!(output.stdout, "done\n");
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_part_of_what_was_printed_is_not_taken_for_all_of_it() {
        let error = shell("head -c 20000000 /dev/zero", REPORT_DEADLINE).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`sh -c head -c 20000000 /dev/zero` printed more than 16 MiB"
        );
    }

    #[test]
    fn a_signal_is_no_status() {
        assert_eq!(shell("kill -9 $$", REPORT_DEADLINE).unwrap().status, None);
    }
}
