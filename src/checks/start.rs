//! The start command of a unit as the files say that were seen; what systemd will make of them once it reads them.

use crate::facts::Facts;
use crate::formats::unit::{Start, parse, start};

/// Reads a unit's start command from its files and the environment files that they name. `None` where one of the
/// unit's files was not seen.
pub fn start_command(facts: &Facts, unit: &str) -> Option<Start> {
    let unit = facts.units.get(unit)?;
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
