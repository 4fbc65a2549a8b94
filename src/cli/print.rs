//! Writing to the terminal or the pipe. A reader that went away is no error: `seaworthy audit |
//! head` ends quietly.

use super::arguments::{Arguments, Colour};
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::{Done, OK, REFUSED};
use clap::CommandFactory as _;
use console::{Key, Term};
use serde::Serialize;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use crate::render::Paper;

/// `--color`. NO_COLOR and CLICOLOR are read by the `console` library.
pub(super) fn colours(when: Colour) {
    match when {
        Colour::Auto => {}
        Colour::Always => {
            console::set_colors_enabled(true);
            console::set_colors_enabled_stderr(true);
        }
        Colour::Never => {
            console::set_colors_enabled(false);
            console::set_colors_enabled_stderr(false);
        }
    }
}

/// The paper that standard output is: the terminal's width, 80 columns in a pipe.
pub(super) fn paper(quiet: bool, verbose: bool) -> Paper {
    let width = if io::stdout().is_terminal() {
        usize::from(Term::stdout().size().1).clamp(60, 120)
    } else {
        80
    };
    Paper {
        width,
        verbose,
        quiet,
    }
}

/// Writes to standard output.
pub(super) fn out(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::refused(
            anyhow::Error::new(error).context("standard output cannot be written"),
            "df -h .",
        )),
        _ => Ok(()),
    }
}

/// Writes a line to standard output, for whoever can do nothing about a failure.
pub(super) fn line(text: &str) {
    let _ = out(&format!("{text}\n"));
}

/// Writes a value as JSON to standard output.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::refused(error, "seaworthy --version"))?;
    text.push('\n');
    out(&text)
}

/// Writes a line to standard error.
pub(super) fn note(text: &str) {
    // Nobody is left to be told that standard error is closed.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Tells people why nothing came of it.
pub(super) fn failure(failure: &Failure) {
    let style = console::Style::new().for_stderr();
    note(&format!(
        "{} {}",
        style.clone().red().bold().apply_to("error:"),
        crate::render::clean(&in_words(&failure.error))
    ));
    if !failure.details.is_empty() {
        note(failure.details.trim_end());
    }
    if !failure.hint.is_empty() {
        note(&format!(
            "{} {}",
            style.cyan().apply_to("try:"),
            failure.hint
        ));
    }
}

/// The error with its causes, but for those that it names itself.
fn in_words(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text.trim_end().to_owned()
}

/// For what is printed after the host was changed: that nobody could read it is told, and does not
/// change how the run ended.
pub(super) fn told(printed: Result<(), Failure>) {
    if let Err(unread) = printed {
        failure(&unread);
    }
}

/// Help, version or a usage error.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    let to_stdout = !error.use_stderr();
    // Whoever asked for help and closed the pipe has read enough.
    let _ = error.print();
    ExitCode::from(if to_stdout { OK } else { REFUSED })
}

/// The completion script of a shell.
pub(super) fn completions(shell: clap_complete::Shell) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "seaworthy", &mut script);
    out(&String::from_utf8_lossy(&script))?;
    Ok(OK)
}

/// The manual page.
pub(super) fn man() -> Done {
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command())
        .render(&mut page)
        .map_err(|error| Failure::refused(error, "seaworthy --help"))?;
    out(&String::from_utf8_lossy(&page))?;
    Ok(OK)
}

/// Whether somebody can be asked: the questions are on standard error.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a yes-or-no question at the terminal; the default is no, and so is leaving by Esc, q,
/// Ctrl-C or a terminal that went away. `instead` is what a script says.
///
/// # Errors
/// Without a terminal: the command says which flag decides.
pub(super) fn confirm(question: &str, instead: &str) -> Result<bool, Failure> {
    if !can_ask() {
        return Err(Failure::plain(
            "there is no terminal to ask at",
            instead.to_owned(),
        ));
    }
    // A signal is an answer here. By default it would end us while the cursor is hidden.
    let _noted =
        Interrupt::listen().map_err(|error| Failure::refused(error, instead.to_owned()))?;
    let answer = dialoguer::Confirm::new()
        .with_prompt(question)
        .default(false)
        .interact_on_opt(&Term::stderr());
    Ok(answered(answer).unwrap_or(false))
}

/// What was answered, `None` for whoever left: then the cursor is shown again, as the library
/// leaves it hidden when it is interrupted.
pub(super) fn answered<T>(answer: dialoguer::Result<Option<T>>) -> Option<T> {
    answer.unwrap_or_else(|_| {
        let term = Term::stderr();
        // The terminal may be gone, and then so is its cursor.
        let _ = term.show_cursor().and_then(|()| term.write_line(""));
        None
    })
}

/// Shows which keys there are and waits for one of them; `None` for whoever left.
pub(super) fn key(line: &str, keys: &[Key]) -> Option<Key> {
    let term = Term::stderr();
    term.write_str(line).ok()?;
    let pressed = loop {
        match term.read_key_raw() {
            Ok(Key::Escape | Key::Char('q' | 'Q') | Key::CtrlC) | Err(_) => break None,
            Ok(key) if keys.contains(&key) => break Some(key),
            Ok(_) => {}
        }
    };
    let _ = term.clear_line();
    pressed
}
