//! Writing to the terminal or the pipe: everything that people read leaves through here, and leaves
//! inert. A reader that went away is no error: `seaworthy audit | head` ends quietly.

use super::arguments::{Arguments, Colour};
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::{Done, OK, REFUSED};
use clap::CommandFactory as _;
use clap::error::ContextValue;
use console::{Key, Term};
use indicatif::ProgressBar;
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};

use crate::formats::inert;
use crate::render::{self, Paper};

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

/// The escape sequences that our own styles make: colours, bold, dim, underlined, and their end
/// (ECMA-48, 8.3.117). Nothing else that moves or hides is ever written.
const STYLES: [&str; 11] = [
    "\u{1b}[0m",
    "\u{1b}[1m",
    "\u{1b}[2m",
    "\u{1b}[4m",
    "\u{1b}[31m",
    "\u{1b}[32m",
    "\u{1b}[33m",
    "\u{1b}[34m",
    "\u{1b}[35m",
    "\u{1b}[36m",
    "\u{1b}[90m",
];

/// A text of ours as it may leave: whoever made it has escaped what came from the host, and here is
/// what was forgotten. Only styles stay, and only where there are any.
fn inert(text: &str, styled: bool) -> Cow<'_, str> {
    if !styled || !text.contains('\u{1b}') {
        return inert::lines(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        let (before, from) = rest.split_at(at);
        out.push_str(&inert::lines(before));
        let style = STYLES.iter().find(|style| from.starts_with(**style));
        let kept = style.map_or(1, |style| style.len());
        match style {
            Some(style) => out.push_str(style),
            None => out.push_str(&inert::lines(&from[..kept])),
        }
        rest = &from[kept..];
    }
    out.push_str(&inert::lines(rest));
    Cow::Owned(out)
}

/// A text of ours that a library writes to the terminal by itself.
pub(super) fn on_terminal(text: &str) -> Cow<'_, str> {
    inert(text, console::colors_enabled_stderr())
}

/// Writes to standard output.
pub(super) fn out(text: &str) -> Result<(), Failure> {
    write(&inert(text, console::colors_enabled()))
}

fn write(text: &str) -> Result<(), Failure> {
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
    write(&json_text(value)?)
}

/// A value as JSON that is safe to look at, with a line break at its end.
pub(super) fn json_text(value: &impl Serialize) -> Result<String, Failure> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::refused(error, "seaworthy --version"))?;
    text.push('\n');
    Ok(inert::json(&text).into_owned())
}

/// Writes a line to standard error.
pub(super) fn note(text: &str) {
    let text = inert(text, console::colors_enabled_stderr());
    // Nobody is left to be told that standard error is closed.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Says beside a progress line what is being done.
pub(super) fn progress(bar: &ProgressBar, what: &str) {
    bar.set_message(render::clean(what));
}

/// Tells people why nothing came of it.
pub(super) fn failure(failure: &Failure) {
    let style = console::Style::new().for_stderr();
    note(&format!(
        "{} {}",
        style.clone().red().bold().apply_to("error:"),
        render::clean_lines(&in_words(&failure.error))
    ));
    if !failure.details.is_empty() {
        note(failure.details.trim_end());
    }
    if !failure.hint.is_empty() {
        note(&format!(
            "{} {}",
            style.cyan().apply_to("try:"),
            render::clean(&failure.hint)
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
    // What failed may have been quoted: a line of a file, an address.
    crate::formats::secrets::words(text.trim_end())
}

/// For what is printed after the host was changed: that nobody could read it is told, and does not
/// change how the run ended.
pub(super) fn told(printed: Result<(), Failure>) {
    if let Err(unread) = printed {
        failure(&unread);
    }
}

/// Help, version or a usage error.
pub(super) fn usage(mut error: clap::Error) -> u8 {
    if !error.use_stderr() {
        // The name by which we were called is in it.
        let text = error.render();
        let text = if console::colors_enabled() {
            text.ansi().to_string()
        } else {
            text.to_string()
        };
        told(out(&text));
        return OK;
    }
    // What was typed is repeated in it.
    let repeated: Vec<_> = error
        .context()
        .filter_map(|(kind, value)| {
            let value = match value {
                ContextValue::String(text) => ContextValue::String(render::clean(text)),
                ContextValue::Strings(texts) => {
                    ContextValue::Strings(texts.iter().map(|text| render::clean(text)).collect())
                }
                _ => return None,
            };
            Some((kind, value))
        })
        .collect();
    for (kind, value) in repeated {
        error.insert(kind, value);
    }
    let text = error.render();
    // What another program said of a value is not told apart from clap's own styles.
    let is_ours = std::error::Error::source(&error).is_none();
    let text = if is_ours && console::colors_enabled_stderr() {
        text.ansi().to_string()
    } else {
        text.to_string()
    };
    note(text.trim_end());
    REFUSED
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
        .with_prompt(render::clean_lines(question))
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
    term.write_str(&on_terminal(line)).ok()?;
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
