//! Programs that gain rights, looked for in the layers of an image.
//!
//! A hint, and no more: only the usual folders are listed, and that a program is there does not say
//! that anything runs it. An image is what a stranger made, and root reads it here: links are
//! resolved inside of the image ([`layers`](super::layers)), every look is counted, and of what is
//! found only plain names are kept.

use super::layers::{Layers, Place};
use crate::facts::{Bytes, Docker, Kind, Look, Node, Seen, Setuid, Unseen};
use crate::host::ReadHost;
use std::collections::{BTreeMap, BTreeSet};

/// Where programs are, in the order of the `PATH` that images have.
const FOLDERS: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// How many arguments of a command may name the script that the container starts, as there can be
/// an init and a shell before it, and how many words they may have together.
const MOST_ARGUMENTS: usize = 4;
const MOST_WORDS: usize = 16;

/// Looks once in each image of which a container may rely on such programs, and notes what was
/// found at those containers.
pub(super) fn collect(host: &dyn ReadHost, docker: &mut Docker) {
    let mut images: BTreeMap<String, Result<Vec<String>, Unseen>> = BTreeMap::new();
    let mut alike: BTreeMap<(String, Vec<String>), Seen<Setuid>> = BTreeMap::new();
    for container in &mut docker.containers {
        if !container.may_need_setuid() {
            continue;
        }
        if container.layers.is_empty() {
            let driver = &docker.storage_driver;
            container.setuid = Seen::unseen(
                format!("the storage driver {driver} does not say where its layers are"),
                "",
            );
            continue;
        }
        // Replicas are many, and all the same.
        let key = (container.image_id.clone(), container.command.clone());
        let found = alike.entry(key).or_insert_with(|| {
            let found = Layers::open(host, &container.layers).and_then(|layers| {
                let programs = images
                    .entry(container.image_id.clone())
                    .or_insert_with(|| programs(&layers))
                    .clone()?;
                let named = named(&layers, &programs, &container.command)?;
                Ok(Setuid { programs, named })
            });
            found.map_or_else(Seen::Unseen, Seen::Known)
        });
        container.setuid = found.clone();
    }
}

/// The paths of all programs that gain rights.
fn programs(layers: &Layers<'_>) -> Result<Vec<String>, Unseen> {
    let mut programs = Vec::new();
    let mut listed = BTreeSet::new();
    for folder in FOLDERS {
        let Place::Folder { path, parts } = layers.find(folder)? else {
            continue;
        };
        // /bin is a link to /usr/bin in many images.
        if !listed.insert(path.clone()) {
            continue;
        }
        let mut decided = BTreeSet::new();
        for part in parts {
            let names = layers.look(&part, Look::Entries)?.entries;
            for name in names.unwrap_or_default() {
                if !is_plain(&name) || decided.contains(&name) {
                    continue;
                }
                let node = layers.look(&format!("{part}/{name}"), Look::Attributes)?;
                if gains_rights(&node) {
                    programs.push(format!("{path}/{name}"));
                }
                decided.insert(name);
            }
        }
    }
    programs.sort();
    Ok(programs)
}

/// Which of these programs the command of a container names, or a script that it starts.
fn named(
    layers: &Layers<'_>,
    programs: &[String],
    command: &[String],
) -> Result<BTreeMap<String, String>, Unseen> {
    let mut found = BTreeMap::new();
    let names: BTreeSet<&str> = programs
        .iter()
        .filter_map(|program| program.rsplit('/').next())
        .collect();
    if names.is_empty() {
        return Ok(found);
    }
    let may_be_scripts = command
        .iter()
        .take(MOST_ARGUMENTS)
        .flat_map(|argument| words(argument))
        .take(MOST_WORDS);
    for word in may_be_scripts {
        let Some(script) = script(layers, word)? else {
            continue;
        };
        for program in mentioned(&names, &script) {
            found.insert(program.to_owned(), word.to_owned());
        }
    }
    for program in command.iter().flat_map(|word| mentioned(&names, word)) {
        found.insert(program.to_owned(), String::new());
    }
    Ok(found)
}

/// The text of the script that a word of a command names, without its comments.
fn script(layers: &Layers<'_>, word: &str) -> Result<Option<String>, Unseen> {
    let paths: Vec<String> = match word.find('/') {
        Some(0) => vec![word.to_owned()],
        // Relative to a folder that may be any.
        Some(_) => Vec::new(),
        None => FOLDERS.map(|folder| format!("{folder}/{word}")).to_vec(),
    };
    for path in paths {
        let place = match layers.find(&path)? {
            Place::Absent => continue,
            Place::File(place) => place,
            Place::Folder { .. } | Place::Other => return Ok(None),
        };
        let content = layers.look(&place, Look::Content)?.content;
        let text = content.as_ref().and_then(Bytes::as_str);
        return Ok(text.filter(|text| text.starts_with("#!")).map(|text| {
            let lines = text.lines();
            lines
                .filter(|line| !line.trim_start().starts_with('#'))
                .flat_map(|line| [line, "\n"])
                .collect()
        }));
    }
    Ok(None)
}

/// Whether a program runs with other rights than those who start it.
fn gains_rights(node: &Node) -> bool {
    node.kind == Kind::File
        && (node.mode.0 & 0o6000 != 0 || node.xattrs.contains_key("security.capability"))
}

/// Whether it is a name that a person would give a program, and that is shown as it is.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_of_a_name)
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-+@".contains(c)
}

/// The paths and names in a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_of_a_name(c) && c != '/')
        .filter(|word| !word.is_empty())
}

/// The programs that a text names, by their name or by a usual path: there are other things called
/// `passwd`.
fn mentioned<'a>(names: &BTreeSet<&'a str>, text: &str) -> BTreeSet<&'a str> {
    words(text)
        .filter_map(|word| {
            let name = match word.rsplit_once('/') {
                Some((folder, name)) if FOLDERS.contains(&folder) => name,
                Some(_) => return None,
                None => word,
            };
            names.get(name).copied()
        })
        .collect()
}
