//! What systemd does not accept in a unit: lines at which it gives a file up, and units that it refuses.
//!
//! After systemd's `src/shared/conf-parser.c`, `src/core/load-fragment.c` (`config_parse_exec`) and
//! `src/core/{service,socket}.c` (`service_verify`, `socket_verify`), and held against
//! `systemd-analyze verify`. What only newer or older versions refuse is not here.

use super::{BLANKS, Unit};
use serde::{Deserialize, Serialize};

/// A line at which systemd stops reading a file of a unit. In the unit's own file the unit is lost;
/// of a drop-in the rest is, without a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// In which of the texts, counted from 0.
    pub text: usize,
    /// On which line of it, counted from 1.
    pub line: usize,
    /// What is wrong with it, as a clause: "its quotes are not balanced".
    pub what: String,
}

/// Why systemd refuses a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// As a clause that reads after the unit's name: "has no ExecStart=".
    pub why: String,
    /// The text and the line that it shows in, where it shows in one.
    pub at: Option<(usize, usize)>,
}

/// What becomes of a command that is not well formed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CommandFault {
    /// The file is given up there, and why.
    GivesUp(String),
    /// It is passed over, as if it did not stand there.
    PassedOver,
}

/// The settings that are commands (systemd.service(5)).
const COMMANDS: [&str; 7] = [
    "ExecCondition",
    "ExecStartPre",
    "ExecStart",
    "ExecStartPost",
    "ExecReload",
    "ExecStop",
    "ExecStopPost",
];

/// Letters that no version of systemd replaces behind `%` (systemd.unit(5), "Specifiers"), beside
/// digits. `c`, `r` and `R` were until 241, `d`, `y`, `Y` and `D` came with 250 and later.
const NO_SPECIFIERS: &str = "eFkKOQxXzZ0123456789";

/// Longer paths are none (`PATH_MAX`, `NAME_MAX`).
const LONGEST_PATH: usize = 4095;
const LONGEST_NAME: usize = 255;

/// What is wrong with an assignment that is a command.
pub(super) fn of_command(section: &str, key: &str, value: &str) -> Option<CommandFault> {
    if section != "Service" || !COMMANDS.contains(&key) {
        return None;
    }
    let mut rest = value;
    loop {
        rest = rest.trim_start_matches(BLANKS);
        if rest.is_empty() {
            return None;
        }
        match one_command(rest) {
            Ok(behind) => rest = behind,
            Err(fault) => return Some(fault),
        }
    }
}

/// Reads one command; what stands behind its `;`.
fn one_command(text: &str) -> Result<&str, CommandFault> {
    let Some((program, mut rest)) = word(text) else {
        return Err(CommandFault::PassedOver);
    };
    let (prefixes, path) = prefixed(&program);
    let ignored = prefixes.contains('-');
    let fault = |what: String| {
        Err(if ignored {
            CommandFault::PassedOver
        } else {
            CommandFault::GivesUp(what)
        })
    };
    if let Some(unknown) = bad_specifier(path) {
        return fault(format!("`{unknown}` is no specifier"));
    }
    if path.is_empty() {
        return fault("it names no program".to_owned());
    }
    // A specifier may stand for a whole path.
    if !path.starts_with('%') && !is_program(path) {
        return fault(format!(
            "`{path}` is neither an absolute path nor the name of a program"
        ));
    }
    if path.ends_with('/') {
        return fault(format!("`{path}` is a folder"));
    }
    if prefixes.contains('@') {
        match word(rest) {
            Some((_, behind)) => rest = behind,
            None if rest.trim_matches(BLANKS).is_empty() => {
                return fault("no name for the process stands behind `@`".to_owned());
            }
            None => return fault("its quotes are not balanced".to_owned()),
        }
    }
    loop {
        rest = rest.trim_start_matches(BLANKS);
        if rest.is_empty() {
            return Ok("");
        }
        if let Some(behind) = rest.strip_prefix(';')
            && (behind.is_empty() || behind.starts_with(BLANKS))
        {
            return Ok(behind);
        }
        let Some((word, behind)) = word(rest) else {
            return fault("its quotes are not balanced".to_owned());
        };
        if let Some(unknown) = bad_specifier(&word) {
            return fault(format!("`{unknown}` is no specifier"));
        }
        rest = behind;
    }
}

/// The prefixes of a program, each as often as systemd takes it, and the rest.
fn prefixed(program: &str) -> (&str, &str) {
    let mut taken = String::new();
    for c in program.chars() {
        let privileged =
            taken.contains('+') || taken.contains("!!") || taken.matches('!').count() > 1;
        let more = match c {
            '-' | '@' | ':' | '|' => !taken.contains(c),
            '+' => !taken.contains(['+', '!']),
            '!' => !privileged,
            _ => false,
        };
        if !more {
            break;
        }
        taken.push(c);
    }
    program.split_at(taken.len())
}

fn is_program(path: &str) -> bool {
    let is_name = |name: &str| name.len() <= LONGEST_NAME;
    if path.starts_with('/') {
        path.len() <= LONGEST_PATH && path.split('/').all(is_name)
    } else {
        !path.contains('/') && !matches!(path, "." | "..") && is_name(path)
    }
}

/// The first `%` with something behind it that is no specifier.
fn bad_specifier(word: &str) -> Option<String> {
    let mut chars = word.chars();
    while let Some(c) = chars.next() {
        if c == '%'
            && let Some(kind) = chars.next()
            && NO_SPECIFIERS.contains(kind)
        {
            return Some(format!("%{kind}"));
        }
    }
    None
}

/// The first word with its quotes resolved as far as it matters here, and what stands behind it; `None` where quotes
/// or a backslash stay open, or nothing is there.
fn word(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start_matches(BLANKS);
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match quote {
            None if BLANKS.contains(&c) => return Some((word, &text[at..])),
            None if matches!(c, '"' | '\'') => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ if c == '\\' => word.push(chars.next()?.1),
            _ => word.push(c),
        }
    }
    (quote.is_none() && !text.is_empty()).then_some((word, ""))
}

const TYPES: [&str; 8] = [
    "simple",
    "exec",
    "forking",
    "oneshot",
    "dbus",
    "notify",
    "notify-reload",
    "idle",
];

/// Why systemd refuses a unit as its texts stand; `name` decides of which type it is.
pub fn refused(name: &str, unit: &Unit) -> Option<Refused> {
    if let Some(fault) = unit.faults.iter().find(|fault| fault.text == 0) {
        return Some(Refused {
            why: format!("cannot be read: {}", fault.what),
            at: Some((fault.text, fault.line)),
        });
    }
    if name.ends_with(".socket") {
        refused_socket(unit)
    } else {
        refused_service(unit)
    }
}

/// The last value of a setting that systemd understands; others it passes over.
fn known(unit: &Unit, section: &str, key: &str, values: &[&str]) -> Option<String> {
    let mut found = unit.values(section, key);
    found.retain(|value| values.contains(&value.as_str()));
    found.pop()
}

fn refused_service(unit: &Unit) -> Option<Refused> {
    let refuse = |why: &str| {
        Some(Refused {
            why: why.to_owned(),
            at: None,
        })
    };
    let commands = unit.assignments("Service", "ExecStart");
    let last = |key: &str| unit.last("Service", key);
    let kind = known(unit, "Service", "Type", &TYPES);
    let oneshot = kind.as_deref() == Some("oneshot")
        || (kind.is_none() && commands.is_empty() && last("BusName").is_none());
    if commands.is_empty() {
        if !oneshot || (last("ExecStop").is_none() && unit.last("Unit", "SuccessAction").is_none())
        {
            return refuse("has no ExecStart=");
        }
        return None;
    }
    let second = commands
        .get(1)
        .map(|second| (second.text, second.line))
        .or_else(|| {
            let more = commands
                .iter()
                .find(|one| super::command_line(&one.value).more);
            more.map(|one| (one.text, one.line))
        });
    if let Some(at) = second.filter(|_| !oneshot) {
        return Some(Refused {
            why: "has more than one ExecStart=, which only Type=oneshot may have (an empty ExecStart= in front of it resets the others)".to_owned(),
            at: Some(at),
        });
    }
    let restart = known(
        unit,
        "Service",
        "Restart",
        &[
            "no",
            "on-success",
            "on-failure",
            "on-abnormal",
            "on-watchdog",
            "on-abort",
            "always",
        ],
    );
    if oneshot && matches!(restart.as_deref(), Some("always" | "on-success")) {
        return refuse("has Type=oneshot with Restart=always or on-success");
    }
    if kind.as_deref() == Some("dbus") && last("BusName").is_none() {
        return refuse("has Type=dbus without BusName=");
    }
    let kill = known(
        unit,
        "Service",
        "KillMode",
        &["control-group", "process", "mixed", "none"],
    );
    if last("PAMName").is_some() && matches!(kill.as_deref(), Some("process" | "none")) {
        return refuse("has PAMName= with KillMode=process or none");
    }
    None
}

fn refused_socket(unit: &Unit) -> Option<Refused> {
    const LISTENS: [&str; 10] = [
        "ListenStream",
        "ListenDatagram",
        "ListenSequentialPacket",
        "ListenFIFO",
        "ListenNetlink",
        "ListenSpecial",
        "ListenMessageQueue",
        "ListenUSBFunction",
        "ListenStreams",
        "ListenDatagrams",
    ];
    let listens = LISTENS
        .iter()
        .any(|key| !unit.values("Socket", key).is_empty());
    let accepts = unit
        .last("Socket", "Accept")
        .is_some_and(|value| matches!(value.as_str(), "yes" | "y" | "true" | "t" | "on" | "1"));
    let why = if !listens {
        "has no ListenStream= or other address"
    } else if accepts && unit.last("Socket", "Service").is_some() {
        "has Accept=yes with Service="
    } else {
        return None;
    };
    Some(Refused {
        why: why.to_owned(),
        at: None,
    })
}

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;
