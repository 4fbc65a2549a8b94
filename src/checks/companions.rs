//! Whatever else says what a unit starts: drop-ins, environment files, and the folders that these are in.
//!
//! Whoever may write one of them has a command run as root, as if the unit itself were theirs; the folder
//! counts like the file, as its owner may put another one there (path_resolution(7), systemd.unit(5)).

use super::installation::Installation;
use super::layout::{Layout, parent};
use super::{Evidence, FileAccess, Judgement, Outcome, Place};
use crate::change::Edit;
use crate::facts::{Facts, Kind, Look, Mode, Requests, Seen, UnitState};
use crate::formats::unit::FOLDERS;
use std::collections::BTreeSet;

/// Writing by others than the owner.
const OTHERS_WRITE: Mode = Mode(0o022);

/// The units that a place stands for.
fn units<'a>(
    layout: &Layout<'_>,
    facts: &'a Facts,
    place: &Place,
) -> Vec<(&'a str, &'a UnitState)> {
    let is_meant = |name: &str| match place {
        Place::DockerService if layout.installation == Installation::ByHand => {
            name == "docker.service"
        }
        Place::DockerService => name == layout.installation.service(),
        Place::DockerSocketUnit => name.ends_with(".socket"),
        _ => false,
    };
    facts
        .units
        .iter()
        .filter(|(name, _)| is_meant(name))
        .map(|(name, unit)| (name.as_str(), unit))
        .collect()
}

/// The paths, as far as they are known: files, what links lead to, and every folder above them.
fn paths(layout: &Layout<'_>, facts: &Facts, place: &Place) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for (name, unit) in units(layout, facts, place) {
        files.insert(unit.fragment.clone());
        files.extend(unit.drop_ins.iter().cloned());
        if name.ends_with(".service") {
            files.extend(unit.environment_files.iter().cloned());
        }
        if layout.installation != Installation::OpenRc {
            let kind = name.rsplit('.').next().unwrap_or_default();
            for folder in FOLDERS {
                // The folder counts although nothing is in it yet.
                files.insert(format!("{folder}/{name}.d/x"));
                files.insert(format!("{folder}/{kind}.d/x"));
            }
        }
    }
    let is_followed = |path: &String| path.starts_with('/') && !path.contains(['*', '?', '[', '%']);
    let mut all = BTreeSet::new();
    for file in files.into_iter().filter(is_followed) {
        for path in [facts.real_path(&file), facts.resolved(&file), file] {
            let mut at = path.as_str();
            while at != "/" {
                all.insert(at.to_owned());
                at = parent(at);
            }
        }
    }
    all.retain(|path| !path.ends_with(".d/x"));
    all
}

/// What must be looked at.
pub(super) fn requests(layout: &Layout<'_>, facts: &Facts, place: &Place) -> Requests {
    let paths = paths(layout, facts, place).into_iter();
    paths.map(|path| (path, Look::Attributes)).collect()
}

impl FileAccess {
    /// What is wrong with them, one judgement each; nothing where all is well. The unit's own files are judged apart.
    pub(super) fn companions(&self, facts: &Facts, layout: &Layout<'_>) -> Vec<Judgement> {
        let own = layout.paths(&self.place);
        paths(layout, facts, &self.place)
            .into_iter()
            .filter(|path| !own.contains(path))
            .filter_map(|path| self.companion(facts, &path))
            .collect()
    }

    fn companion(&self, facts: &Facts, path: &str) -> Option<Judgement> {
        let node = match facts.node(path) {
            Seen::Known(node) => node,
            Seen::Unseen(unseen) => {
                let evidence = Evidence::new(unseen.unseen, "to be seen", path).hint(unseen.hint);
                return Some(Judgement::new(Outcome::Unknown, evidence));
            }
        };
        // What a link leads to is judged, and the folder that it is in.
        if matches!(node.kind, Kind::Absent | Kind::Link) {
            return None;
        }
        let what = if node.kind == Kind::Folder {
            "folder"
        } else {
            "file"
        };
        let (seen, wanted, edit) = if self.at_most.is_some() {
            let beyond = Mode(node.mode.0 & OTHERS_WRITE.0);
            if beyond == Mode(0) {
                return None;
            }
            let edit = Edit::Access {
                path: path.to_owned(),
                clear: beyond,
                uid: None,
                gid: None,
            };
            let seen = format!("a {what} with mode {}", node.mode);
            (seen, "nobody but root may write there", edit)
        } else {
            if node.uid == 0 {
                return None;
            }
            let edit = Edit::Access {
                path: path.to_owned(),
                clear: Mode(0),
                uid: Some(0),
                gid: None,
            };
            (format!("a {what} of the user {}", node.uid), "root", edit)
        };
        let evidence = Evidence::new(
            format!("{seen}, which decides what {} starts", self.place),
            wanted,
            path,
        );
        Some(Self::correct(node, evidence, edit, Vec::new()))
    }
}
