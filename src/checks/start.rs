//! The start command of a unit as the files say that were seen; what systemd will make of them once it reads them.

use super::installation::INIT_SCRIPT;
use super::layout::Layout;
use crate::facts::Facts;
use crate::formats::command_line;
use crate::formats::unit::{Start, openrc_start, parse, start};

const DOCKER: &str = "docker.service";

/// Reads a unit's start command from its files and the environment files that they name. `None` where one of the
/// unit's files was not seen.
pub fn start_command(facts: &Facts, unit: &str) -> Option<Start> {
    let unit = facts.units.get(unit)?;
    if unit.fragment == INIT_SCRIPT {
        let settings = match unit.environment_files.first() {
            Some(path) => Some((path.as_str(), facts.text(path)?)),
            None => None,
        };
        return Some(openrc_start(
            (INIT_SCRIPT, facts.text(INIT_SCRIPT)?),
            settings,
        ));
    }
    let paths: Vec<&str> = std::iter::once(&unit.fragment)
        .chain(&unit.drop_ins)
        .map(String::as_str)
        .collect();
    let texts: Option<Vec<&str>> = paths
        .iter()
        .map(|path| facts.text(&facts.resolved(path)))
        .collect();
    let mut lookup = |path: &str| facts.text(&facts.resolved(path)).map(str::to_owned);
    Some(start(&parse(&texts?), &paths, &mut lookup))
}

/// Why a flag may set this option at the next start of the daemon that is not among those which are
/// known, and what helps; `None` where all of them are known.
///
/// Some settings of a unit are not followed, and a shell or a script may add flags of its own. The
/// process that runs shows what came of that, unless the unit was changed since.
pub fn hidden_flag(facts: &Facts, key: &str) -> Option<(String, String)> {
    let unit = facts.units.get(DOCKER)?;
    let program = unit.argv.first()?;
    let layout = Layout::of(facts);
    let see = layout.edit_start();
    if layout.running.is_none() {
        let unfollowed = start_command(facts, DOCKER).map_or_else(Vec::new, |it| it.unfollowed);
        let why = if command_line::is_dockerd(program) {
            format!("`{}` is not followed", unfollowed.first()?)
        } else {
            format!("it starts `{program}`")
        };
        return Some((
            format!(
                "which flags docker.service gives the daemon cannot be known ({why}), and with {key} as a flag, too, it would not start"
            ),
            see,
        ));
    }
    if !command_line::is_dockerd(program) || layout.flags.sets_key(key).is_some() {
        return None;
    }
    let (_, flag) = layout.by_running_flag(key)?;
    let mut files = std::iter::once(&unit.fragment)
        .chain(&unit.drop_ins)
        .chain(&unit.environment_files);
    let is_newer = |path: &String| {
        let node = facts.node(&facts.resolved(path));
        node.known()
            .is_some_and(|node| node.modified > unit.started)
    };
    if unit.started == 0 || unit.needs_reload || files.any(is_newer) {
        return None;
    }
    Some((
        format!(
            "the daemon runs with {flag}, which its unit does not explain, and with {key} in its file, too, it would not start"
        ),
        see,
    ))
}

/// Brings a unit in line with its files, as reloading systemd does.
pub fn reread(facts: &mut Facts, unit: &str) {
    let Some(start) = start_command(facts, unit) else {
        return;
    };
    if let Some(unit) = facts.units.get_mut(unit) {
        unit.argv = start.argv();
        unit.origins = start.origins();
        unit.environment_files = start.environment_files;
    }
}
