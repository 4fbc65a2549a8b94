//! The rule files, and what loading them comes to.

use super::super::parent;
use super::around::Host;
use super::{listed, way};
use crate::facts::{Facts, Kind, Look, Node, Requests, RuleLoader, Seen};
use crate::formats::audit_rules::joined::{Awk, Placed, Spot, join, lines, natural};
use crate::formats::audit_rules::loading::{Loading, load};
use crate::formats::audit_rules::{self, Entry, Release, paths};
use std::borrow::Cow;
use std::collections::HashSet;

/// The folder whose files augenrules(8) joins.
pub(crate) const RULES_FOLDER: &str = "/etc/audit/rules.d";
/// Our own file in it.
pub(crate) const OWN_RULES_FILE: &str = "/etc/audit/rules.d/50-seaworthy-docker.rules";
/// What augenrules writes, and what is loaded where it is not used.
pub(crate) const RULES_FILE: &str = "/etc/audit/audit.rules";

/// The rule files of a host, loaded.
#[derive(Debug)]
pub(crate) struct Rules {
    /// The files, in the order in which they are read.
    pub(crate) files: Vec<String>,
    /// What loading them comes to.
    pub(crate) loading: Loading,
    /// A place of rules that could not be read, and why.
    pub(crate) unread: Option<(String, String)>,
    /// The rules in the kernel, in the order of its listing.
    pub(crate) kernel: Vec<Entry>,
}

impl Rules {
    /// Loads what was seen of them.
    pub(crate) fn of(facts: &Facts) -> Self {
        let files = rule_files(facts);
        let texts: Vec<Cow<'_, str>> = files.iter().map(|file| text(facts, file)).collect();
        let borrowed: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        let joins = facts.auditing.loader == RuleLoader::Augenrules && files != [RULES_FILE];
        let placed: Box<dyn Iterator<Item = Placed<'_>>> = if joins {
            let release = release(facts);
            Box::new(join(&borrowed, awk(facts), release).into_iter())
        } else {
            Box::new(
                borrowed
                    .iter()
                    .enumerate()
                    .flat_map(|(file, text)| lines(file, text)),
            )
        };
        let loading = load(placed, &Host::new(facts));
        let unread = unread(facts, &files);
        let kernel = facts.auditing.kernel_rules.known();
        Self {
            kernel: audit_rules::listed_rules(kernel.map_or(&[], Vec::as_slice))
                .into_iter()
                .map(|(_, entry)| told_apart(facts, entry))
                .collect(),
            loading,
            unread,
            files,
        }
    }

    /// `FILE:LINE`.
    pub(crate) fn place(&self, spot: Spot) -> String {
        format!("{}:{}", self.file(spot), spot.line)
    }

    pub(crate) fn file(&self, spot: Spot) -> &str {
        self.files.get(spot.file).map_or(RULES_FILE, String::as_str)
    }
}

/// A listing does not tell a watch of a folder from one of a file: what is there now does.
fn told_apart(facts: &Facts, mut entry: Entry) -> Entry {
    let is_folder = entry.place().is_some_and(|(path, _)| {
        let real = facts.real_path(path);
        let node = facts.node(&real);
        node.known().is_some_and(|node| node.kind == Kind::Folder)
            || super::boot::has_children(facts, &real)
    });
    if is_folder {
        entry.watches_folder();
    }
    entry
}

/// The text of a rule file. auditctl reads bytes: those that are no UTF-8 are left as signs of themselves.
fn text<'a>(facts: &'a Facts, file: &str) -> Cow<'a, str> {
    match facts.node(&facts.real_path(file)) {
        Seen::Known(Node {
            content: Some(content),
            ..
        }) => String::from_utf8_lossy(&content.0),
        _ => Cow::Borrowed(""),
    }
}

/// A place of rules that could not be read, and why.
fn unread(facts: &Facts, files: &[String]) -> Option<(String, String)> {
    if facts.auditing.loader == RuleLoader::Augenrules
        && let Some(Seen::Unseen(unseen)) = facts.files.get(RULES_FOLDER)
    {
        return Some((RULES_FOLDER.to_owned(), unseen.unseen.clone()));
    }
    files.iter().find_map(|file| {
        let why = match facts.files.get(&facts.real_path(file))? {
            Seen::Unseen(unseen) => unseen.unseen.clone(),
            Seen::Known(node) if node.kind == Kind::File && node.content.is_none() => {
                "it is larger than what is read of a file".to_owned()
            }
            Seen::Known(_) => return None,
        };
        Some((file.clone(), why))
    })
}

/// The files from which rules are loaded at boot, in the order in which they are read. A file that this very plan creates
/// is one.
pub(crate) fn rule_files(facts: &Facts) -> Vec<String> {
    match facts.auditing.loader {
        RuleLoader::Augenrules => {
            let is_missing = facts
                .node(RULES_FOLDER)
                .known()
                .is_some_and(|node| node.kind == Kind::Absent);
            if is_missing && !facts.exists(OWN_RULES_FILE) {
                // Then it loads what is there.
                return vec![RULES_FILE.to_owned()];
            }
            // Hidden ones are not listed, and a blank makes two names of one.
            let mut names = listed(facts, RULES_FOLDER, ".rules");
            names.retain(|name| !name.starts_with('.') && !name.contains(char::is_whitespace));
            let own = OWN_RULES_FILE.rsplit('/').next().unwrap_or_default();
            if facts.exists(OWN_RULES_FILE) && !names.iter().any(|name| name == own) {
                names.push(own.to_owned());
            }
            names.sort_by(|one, other| natural(one, other));
            names
                .into_iter()
                .map(|name| format!("{RULES_FOLDER}/{name}"))
                .collect()
        }
        RuleLoader::RulesFile => vec![RULES_FILE.to_owned()],
        RuleLoader::None => Vec::new(),
    }
}

/// The release of auditctl, as far as it is known.
pub(super) fn release(facts: &Facts) -> Option<Release> {
    Release::parse(facts.auditing.release.as_deref()?)
}

/// Where the awk is that augenrules runs.
fn awk_path(facts: &Facts) -> String {
    facts.real_path("/usr/bin/awk")
}

fn awk(facts: &Facts) -> Awk {
    let path = awk_path(facts);
    match path.rsplit('/').next() {
        Some("gawk") if facts.exists(&path) => Awk::Blank,
        // Releases of mawk differ in it.
        _ => Awk::Unseen,
    }
}

pub(super) fn requests(facts: &Facts) -> Requests {
    let mut requests = Requests::new();
    requests.insert(RULES_FOLDER.to_owned(), Look::Entries);
    for file in [
        RULES_FILE,
        OWN_RULES_FILE,
        "/etc/passwd",
        "/etc/group",
        "/etc/nsswitch.conf",
    ] {
        requests.insert(file.to_owned(), Look::Content);
    }
    if facts.auditing.loader == RuleLoader::Augenrules {
        way(facts, "/usr/bin/awk", Look::Attributes, &mut requests);
    }
    for file in rule_files(facts) {
        requests.insert(file.clone(), Look::Content);
        way(facts, &file, Look::Content, &mut requests);
        let text = text(facts, &file);
        let mut seen: HashSet<String> = HashSet::new();
        for (path, is_folder) in paths(&text) {
            let path = path.trim_end_matches('/');
            // Most rules share a few folders.
            let folder = if is_folder { path } else { parent(path) };
            if !folder.is_empty() && !seen.contains(folder) {
                way(facts, folder, Look::Attributes, &mut requests);
                seen.insert(folder.to_owned());
            }
            // What is watched in those folders that Docker is in, so that folders are told from files.
            if !is_folder && path.contains("docker") || path.contains("containerd") {
                way(facts, path, Look::Attributes, &mut requests);
            }
        }
    }
    requests
}
