//! The environment that systemd gives to every service.

use super::files::Files;
use super::unit_files::names;
use crate::facts::{Inherited, Reading, Unread};
use crate::formats::unit::{parse, words};
use std::collections::BTreeMap;

/// Folders with a `system.conf` and a `system.conf.d`, the first one wins (systemd-system.conf(5)).
const FOLDERS: [&str; 4] = [
    "/etc/systemd",
    "/run/systemd",
    "/usr/local/lib/systemd",
    "/usr/lib/systemd",
];

/// What shows the environment of a manager that runs.
const SHOW: &str = "systemctl show-environment";

/// Variables, and what may set others.
#[derive(Default)]
pub(super) struct Environment {
    pub(super) variables: BTreeMap<String, Inherited>,
    pub(super) unread: Vec<Unread>,
}

/// Asks the manager where one runs; what it says has its files in it. Else the files are read.
pub(super) fn environment(files: &mut Files<'_>, runs: bool) -> Environment {
    if runs
        && let Ok(output) = files.host().report("systemctl", &["show-environment"])
        && output.status == Some(0)
    {
        return shown(&output.stdout);
    }
    from_files(files)
}

/// The lines `NAME=VALUE`; a value with special characters is written `$'…'`, as a shell reads it.
fn shown(text: &str) -> Environment {
    let mut found = Environment::default();
    for (index, line) in text.lines().enumerate() {
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        if value.starts_with(['$', '\'', '"']) {
            found.unread.push(Unread {
                path: SHOW.to_owned(),
                why: format!("the value of {name} is quoted, and is not followed"),
                hint: SHOW.to_owned(),
            });
            continue;
        }
        found.variables.insert(
            name.to_owned(),
            Inherited {
                value: value.to_owned(),
                source: SHOW.to_owned(),
                line: index + 1,
            },
        );
    }
    found
}

fn from_files(files: &mut Files<'_>) -> Environment {
    let mut found = Environment::default();
    let main = FOLDERS
        .map(|folder| format!("{folder}/system.conf"))
        .into_iter()
        .find(|path| files.may_exist(path));
    let mut drop_ins: BTreeMap<String, String> = BTreeMap::new();
    for folder in FOLDERS {
        let folder = format!("{folder}/system.conf.d");
        for name in names(files, &folder, &mut found.unread) {
            if name
                .strip_suffix(".conf")
                .is_some_and(|stem| !stem.is_empty())
            {
                let path = format!("{folder}/{name}");
                drop_ins.entry(name).or_insert(path);
            }
        }
    }
    let paths: Vec<String> = main.into_iter().chain(drop_ins.into_values()).collect();
    let mut texts = Vec::new();
    for path in &paths {
        texts.push(match files.reading(path) {
            Reading::Text(text) => text.into_owned(),
            Reading::Absent => String::new(),
            Reading::Unread(unseen) => {
                found.unread.push(Unread {
                    path: path.clone(),
                    why: unseen.unseen,
                    hint: unseen.hint,
                });
                String::new()
            }
        });
    }
    let unit = parse(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    for assignment in unit.assignments("Manager", "DefaultEnvironment") {
        let source = paths.get(assignment.text).cloned().unwrap_or_default();
        for word in words(&assignment.value) {
            let Some((name, value)) = word.split_once('=') else {
                continue;
            };
            if value.contains('%') {
                found.unread.push(Unread {
                    path: source.clone(),
                    why: format!("the specifiers in the value of {name} are not followed"),
                    hint: format!("editor {source}"),
                });
            }
            found.variables.insert(
                name.to_owned(),
                Inherited {
                    value: value.to_owned(),
                    source: source.clone(),
                    line: assignment.line,
                },
            );
        }
    }
    found
}
