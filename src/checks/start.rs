//! The start command of a unit as the files say that were seen; what systemd will make of them once it reads them.

use super::installation::INIT_SCRIPT;
use super::layout::Layout;
use super::unread::started;
use crate::facts::{Facts, Reading, UnitState};
use crate::formats::command_line;
use crate::formats::unit::{Start, Unit, openrc_start, parse, start};

const DOCKER: &str = "docker.service";

/// Reads a unit's start command from its files and the environment files that they name. `None` where one of the
/// unit's files was not seen.
pub fn start_command(facts: &Facts, unit: &str) -> Option<Start> {
    let unit = facts.units.get(unit)?;
    if unit.fragment == INIT_SCRIPT {
        let script = facts.reading(INIT_SCRIPT);
        let path = unit.environment_files.first();
        let settings = match path.map(|path| (path, facts.reading(path))) {
            Some((path, Reading::Text(text))) => Some((path.as_str(), text)),
            Some((_, Reading::Unread(_))) => return None,
            Some((_, Reading::Absent)) | None => None,
        };
        let settings = settings.as_ref().map(|(path, text)| (*path, text.as_ref()));
        return Some(openrc_start((INIT_SCRIPT, script.text()?), settings));
    }
    let (paths, text) = unit_text(facts, unit)?;
    let mut lookup = |path: &str| facts.reading(path).into_owned();
    Some(start(&text, &paths, &facts.inherited, &mut lookup))
}

/// A unit's files and what they say together; `None` where one of them was not seen.
pub(crate) fn unit_text<'a>(facts: &Facts, unit: &'a UnitState) -> Option<(Vec<&'a str>, Unit)> {
    let paths: Vec<&str> = std::iter::once(&unit.fragment)
        .chain(&unit.drop_ins)
        .map(String::as_str)
        .filter(|path| !path.is_empty())
        .collect();
    let mut texts = Vec::new();
    for path in &paths {
        texts.push(match facts.reading(path) {
            Reading::Text(text) => text,
            Reading::Absent => "".into(),
            Reading::Unread(_) => return None,
        });
    }
    let text = parse(&texts.iter().map(AsRef::as_ref).collect::<Vec<_>>());
    Some((paths, text))
}

/// Why a flag may set this option at the next start of the daemon that is not among those which are
/// known, and what helps; `None` where all of them are known.
///
/// Some settings of a unit are not followed, and a shell or a script may add flags of its own. The
/// process that runs shows what came of that, unless the unit was changed since.
pub fn hidden_flag(facts: &Facts, key: &str) -> Option<(String, String)> {
    let layout = Layout::of(facts);
    let see = layout.edit_start();
    if let Some(unseen) = &layout.blind {
        return Some((
            format!(
                "which flags docker.service gives the daemon cannot be known ({}), and with {key} as a flag, too, it would not start",
                unseen.unseen
            ),
            see,
        ));
    }
    let unit = facts.units.get(DOCKER)?;
    let program = unit.argv.first()?;
    if !command_line::is_dockerd(program) || layout.flags.sets_key(key).is_some() {
        return None;
    }
    let (_, flag) = layout.by_running_flag(key)?;
    if !explains(facts, unit) {
        return None;
    }
    Some((
        format!(
            "the daemon runs with {flag}, which its unit does not explain, and with {key} in its file, too, it would not start"
        ),
        see,
    ))
}

/// Whether the process that runs was started from the unit's files as they stand, so that it shows what came of
/// them.
pub(super) fn explains(facts: &Facts, unit: &UnitState) -> bool {
    let started = started(facts);
    let mut files = std::iter::once(&unit.fragment)
        .chain(&unit.drop_ins)
        .chain(&unit.environment_files);
    let is_newer = |path: &String| {
        let node = facts.node(&facts.resolved(path));
        node.known().is_some_and(|node| node.modified > started)
    };
    started != 0 && !unit.needs_reload && !files.any(is_newer)
}

/// Brings a unit in line with its files, as reloading systemd does.
pub fn reread(facts: &mut Facts, unit: &str) {
    let Some(start) = start_command(facts, unit) else {
        return;
    };
    if let Some(unit) = facts.units.get_mut(unit) {
        unit.argv = start.argv().into();
        unit.origins = start.origins().into();
        unit.unfollowed = start.open_questions();
        unit.environment_files = start.environment_files;
    }
}
