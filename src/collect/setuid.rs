//! Programs that gain rights, looked for in the layers of an image.
//!
//! A hint, and no more: only the usual folders are listed, and that a program is there does not say
//! that anything runs it. Nothing in a layer is trusted: an image may hold a link to anywhere, and
//! no link is followed. What hides what follows the kernel's documentation, "Overlay Filesystem".

use super::unseen;
use crate::facts::{Bytes, Docker, Kind, Look, Node, Seen, Setuid};
use crate::host::{HostError, ReadHost};
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

/// As many looks as one image is worth: a large one has a few thousand programs.
const MOST_LOOKS: usize = 20_000;

/// How many words of a command may name the script that the container starts: there can be an
/// init and a shell before it.
const MOST_SCRIPTS: usize = 4;

/// Looks once in each image of which a container may rely on such programs, and notes what was
/// found at those containers.
pub(super) fn collect(host: &dyn ReadHost, docker: &mut Docker) {
    let mut found: BTreeMap<String, Seen<Vec<String>>> = BTreeMap::new();
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
        let layers = Layers {
            host,
            folders: &container.layers,
        };
        let programs = found
            .entry(container.image_id.clone())
            .or_insert_with(|| layers.programs().unwrap_or_else(|error| unseen(&error)))
            .clone();
        container.setuid = match programs {
            Seen::Unseen(unseen) => Seen::Unseen(unseen),
            Seen::Known(programs) => match layers.named(&programs, &container.command) {
                Ok(named) => Seen::Known(Setuid { programs, named }),
                Err(error) => unseen(&error),
            },
        };
    }
}

/// The layers of an image, the topmost first.
struct Layers<'a> {
    host: &'a dyn ReadHost,
    folders: &'a [String],
}

impl Layers<'_> {
    /// The paths of all programs that gain rights.
    fn programs(&self) -> Result<Seen<Vec<String>>, HostError> {
        let mut programs = Vec::new();
        let mut looks = 0;
        for folder in FOLDERS {
            let mut decided = BTreeSet::new();
            for real in self.places(folder)? {
                let names = self.host.node(&real, Look::Entries)?.entries;
                for name in names.unwrap_or_default() {
                    looks += 1;
                    if looks > MOST_LOOKS {
                        return Ok(Seen::unseen("the image holds too many programs", ""));
                    }
                    if decided.contains(&name) {
                        continue;
                    }
                    let node = self
                        .host
                        .node(&format!("{real}/{name}"), Look::Attributes)?;
                    if gains_rights(&node) {
                        programs.push(format!("{folder}/{name}"));
                    }
                    decided.insert(name);
                }
            }
        }
        programs.sort();
        Ok(Seen::Known(programs))
    }

    /// Where a folder of the container is in the layers: several, as each layer may hold a part of
    /// it. One that is reached by a link is nowhere.
    fn places(&self, folder: &str) -> Result<Vec<String>, HostError> {
        let mut places = Vec::new();
        'layers: for layer in self.folders {
            let mut at = layer.clone();
            let mut hides_the_rest = false;
            for part in folder.split('/').filter(|part| !part.is_empty()) {
                at = format!("{at}/{part}");
                let node = self.host.node(&at, Look::Attributes)?;
                match node.kind {
                    Kind::Absent if hides_the_rest => break 'layers,
                    Kind::Absent => continue 'layers,
                    Kind::Folder => hides_the_rest |= is_opaque(&node),
                    // A whiteout is a device; whatever it is, nothing below shines through.
                    _ => break 'layers,
                }
            }
            places.push(at);
            if hides_the_rest {
                break;
            }
        }
        Ok(places)
    }

    /// A file of the container, with its content; no link is followed.
    fn file(&self, path: &str) -> Result<Option<Node>, HostError> {
        let Some((folder, name)) = path.rsplit_once('/') else {
            return Ok(None);
        };
        for real in self.places(folder)? {
            let node = self.host.node(&format!("{real}/{name}"), Look::Content)?;
            if node.kind != Kind::Absent {
                return Ok((node.kind == Kind::File).then_some(node));
            }
        }
        Ok(None)
    }

    /// Which of these programs the command of a container names, or a script that it starts.
    fn named(
        &self,
        programs: &[String],
        command: &[String],
    ) -> Result<BTreeMap<String, String>, HostError> {
        let mut named = BTreeMap::new();
        if programs.is_empty() {
            return Ok(named);
        }
        for word in command.iter().take(MOST_SCRIPTS) {
            let Some(script) = self.script(word)? else {
                continue;
            };
            for program in mentioned(programs, &script) {
                named.insert(program, word.clone());
            }
        }
        for word in command {
            for program in mentioned(programs, word) {
                named.insert(program, String::new());
            }
        }
        Ok(named)
    }

    /// The text of the script that a word of a command names, without its comments.
    fn script(&self, word: &str) -> Result<Option<String>, HostError> {
        if word.contains(char::is_whitespace) || word.split('/').any(|part| part == "..") {
            return Ok(None);
        }
        let paths: Vec<String> = match word.find('/') {
            Some(0) => vec![word.to_owned()],
            // Relative to a folder that may be anywhere.
            Some(_) => Vec::new(),
            None => FOLDERS.map(|folder| format!("{folder}/{word}")).to_vec(),
        };
        for path in paths {
            let Some(node) = self.file(&path)? else {
                continue;
            };
            let text = node.content.as_ref().and_then(Bytes::as_str);
            let Some(text) = text.filter(|text| text.starts_with("#!")) else {
                return Ok(None);
            };
            let lines = text.lines();
            return Ok(Some(
                lines
                    .filter(|line| !line.trim_start().starts_with('#'))
                    .fold(String::new(), |all, line| all + line + "\n"),
            ));
        }
        Ok(None)
    }
}

/// Whether a program runs with other rights than those who start it.
fn gains_rights(node: &Node) -> bool {
    node.kind == Kind::File
        && (node.mode.0 & 0o6000 != 0 || node.xattrs.contains_key("security.capability"))
}

/// Whether nothing of the layers below is seen in this folder.
fn is_opaque(folder: &Node) -> bool {
    let marks = ["trusted.overlay.opaque", "user.overlay.opaque"];
    marks
        .iter()
        .any(|mark| folder.xattrs.get(*mark).and_then(Bytes::as_str) == Some("y"))
}

/// The names of the programs that a text mentions, by their name or by their whole path: there are
/// other things called `passwd`.
fn mentioned(programs: &[String], text: &str) -> BTreeSet<String> {
    let is_of_a_path = |c: char| c.is_alphanumeric() || "/._-+".contains(c);
    text.split(|c| !is_of_a_path(c))
        .filter_map(|word| {
            let program = programs
                .iter()
                .find(|program| *program == word || program.rsplit('/').next() == Some(word))?;
            program.rsplit('/').next().map(str::to_owned)
        })
        .collect()
}
