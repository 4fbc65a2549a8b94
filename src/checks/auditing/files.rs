//! The rule files, and what loading them comes to.

use super::around::Host;
use super::{listed, way};
use crate::facts::{Bytes, Facts, Kind, Look, Requests, RuleLoader, Seen};
use crate::formats::audit_rules::brief::Brief;
use crate::formats::audit_rules::joined::{Awk, Spot, join, lines, natural};
use crate::formats::audit_rules::loading::{Loading, load};
use crate::formats::audit_rules::paths::Paths;
use crate::formats::audit_rules::{self, Doubt, Entry, Release, Rule};
use std::collections::HashSet;
use std::sync::Arc;

/// As many folders that rules name are looked at. Whoever has more gets no verdict on what depends on the others.
pub(super) const MOST_FOLDERS: usize = 4096;
/// What has these words in its path is looked at itself, so that folders are told from files.
const OF_DOCKER: [&str; 2] = ["docker", "containerd"];

/// The folder whose files augenrules(8) joins.
pub(crate) const RULES_FOLDER: &str = "/etc/audit/rules.d";
/// What the names of its files end with.
const ENDING: &str = ".rules";
/// Our own file in it.
pub(crate) const OWN_RULES_FILE: &str = "/etc/audit/rules.d/50-seaworthy-docker.rules";
/// What augenrules writes, and what is loaded where it is not used.
pub(crate) const RULES_FILE: &str = "/etc/audit/audit.rules";

/// The rule files of a host, loaded.
#[derive(Debug)]
pub(crate) struct Rules<'f> {
    /// The files, in the order in which they are read.
    pub(crate) files: Vec<String>,
    /// What loading them comes to.
    pub(crate) loading: Loading<'f>,
    /// A place of rules that could not be read, and why.
    pub(crate) unread: Option<(String, String)>,
    /// The rules in the kernel, in the order of its listing.
    pub(crate) kernel: Vec<Listed<'f>>,
}

/// A rule of the kernel.
#[derive(Debug)]
pub(crate) struct Listed<'f> {
    pub(crate) entry: Entry<'f>,
    pub(crate) brief: Brief<'f>,
}

impl<'f> Rules<'f> {
    /// Loads what was seen of them.
    pub(crate) fn of(facts: &'f Facts) -> Self {
        let files = rule_files(facts);
        let text = |file: &String| content(facts, file).map_or(&[][..], |content| &content.0[..]);
        let texts: Vec<&[u8]> = files.iter().map(text).collect();
        let joins = facts.auditing.loader == RuleLoader::Augenrules && files != [RULES_FILE];
        let host = Host::new(facts);
        let loading = if joins {
            load(join(&texts, awk(facts), release(facts)), &host)
        } else {
            load(
                (0..).zip(texts).flat_map(|(file, text)| lines(file, text)),
                &host,
            )
        };
        let kernel = facts.auditing.kernel_rules.known();
        let listed = audit_rules::listed_rules(kernel.map_or(&[], Vec::as_slice));
        Self {
            kernel: listed
                .into_iter()
                .map(|(_, entry)| {
                    let entry = told_apart(facts, entry);
                    let brief = Brief::of(&entry);
                    Listed { entry, brief }
                })
                .collect(),
            loading,
            unread: unread(facts, &files),
            files,
        }
    }

    /// Why it is not certain that a rule is there.
    pub(crate) fn doubt(&self, facts: &Facts, at: usize) -> Option<Doubt> {
        let rule = &self.loading.rules[at];
        let again = || rule.read(&Host::new(facts)).doubt;
        rule.is_doubtful.then(again)?
    }

    /// The rules that the files bring into the kernel, in the order in which it looks at them: as a file or a listing
    /// has them.
    pub(crate) fn shown(&self, facts: &Facts) -> Vec<String> {
        let host = Host::new(facts);
        let mut loaded: Vec<_> = self.loading.rules.iter().collect();
        loaded.sort_by_key(|rule| rule.order);
        let show = |entry: Entry<'_>| match entry.rule() {
            Rule::Watch(watch) => audit_rules::render(&watch),
            _ => entry.to_string(),
        };
        loaded
            .into_iter()
            .filter_map(|rule| rule.read(&host).rule.map(|(_, entry)| show(entry)))
            .collect()
    }

    /// `FILE:LINE`.
    pub(crate) fn place(&self, spot: Spot) -> String {
        format!("{}:{}", self.file(spot), spot.line)
    }

    pub(crate) fn file(&self, spot: Spot) -> &str {
        self.files
            .get(spot.file as usize)
            .map_or(RULES_FILE, String::as_str)
    }
}

/// A listing does not tell a watch of a folder from one of a file: what is there now does.
fn told_apart<'f>(facts: &Facts, mut entry: Entry<'f>) -> Entry<'f> {
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

/// What a rule file holds: auditctl reads bytes.
fn content<'f>(facts: &'f Facts, file: &str) -> Option<&'f Bytes> {
    match facts.files.get(&facts.real_path(file)) {
        Some(Seen::Known(node)) => node.content.as_ref(),
        _ => None,
    }
}

/// The paths in a rule file. They are looked for once, however often it is asked what else must be seen.
fn paths(content: &Bytes) -> Arc<Paths> {
    content
        .0
        .view(|bytes| Paths::of(bytes, &OF_DOCKER, MOST_FOLDERS))
}

/// A place of rules that could not be read, and why.
fn unread(facts: &Facts, files: &[String]) -> Option<(String, String)> {
    if facts.auditing.loader == RuleLoader::Augenrules {
        if let Some(Seen::Unseen(unseen)) = facts.files.get(RULES_FOLDER) {
            return Some((RULES_FOLDER.to_owned(), unseen.unseen.clone()));
        }
        if let Some(why) = odd_name(facts) {
            return Some((RULES_FOLDER.to_owned(), why));
        }
    }
    files.iter().find_map(|file| {
        let why = match facts.files.get(&facts.real_path(file))? {
            Seen::Unseen(unseen) => unseen.unseen.clone(),
            Seen::Known(node) if node.kind == Kind::File && node.content.is_none() => {
                "it is larger than what is read of a file".to_owned()
            }
            // cat(1) waits for what a pipe or a device has to say.
            Seen::Known(node)
                if node.kind == Kind::Other && facts.real_path(file) != "/dev/null" =>
            {
                "it is not a regular file".to_owned()
            }
            Seen::Known(_) => return None,
        };
        Some((file.clone(), why))
    })
}

/// Why it is not known what augenrules(8) reads: before 4.2 its shell takes a name with blanks for several ones and one
/// with `*`, `?`, `[` or a backslash for a pattern.
fn odd_name(facts: &Facts) -> Option<String> {
    let folder = facts.node(RULES_FOLDER);
    let folder = folder.known()?;
    if let Some(name) = folder.odd_names.iter().find(|name| name.ends_with(ENDING)) {
        return Some(format!("the name {name} is not UTF-8"));
    }
    if keeps_names(facts) {
        return None;
    }
    let names = folder.entries.as_deref().unwrap_or_default();
    let is_there = |word: &str| names.iter().any(|name| name == word);
    let rules = names.iter().filter(|name| is_rules(name));
    let mut odd = rules.filter(|name| {
        name.contains(['*', '?', '[', '\\'])
            || (name.contains(char::is_whitespace) && name.split_whitespace().any(is_there))
    });
    let name = odd.next()?;
    Some(format!(
        "augenrules before 4.2 does not take {name:?} for one name"
    ))
}

/// Whether augenrules reads names as they are, since 4.2.
fn keeps_names(facts: &Facts) -> bool {
    release(facts).is_some_and(|release| release >= Release(4, 2, 0))
}

/// Hidden ones are not listed.
fn is_rules(name: &str) -> bool {
    name.ends_with(ENDING) && !name.starts_with('.')
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
            let mut names = listed(facts, RULES_FOLDER, ENDING);
            let is_one = |name: &str| keeps_names(facts) || !name.contains(char::is_whitespace);
            names.retain(|name| is_rules(name) && is_one(name));
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
    let mut known: HashSet<String> = HashSet::new();
    for file in rule_files(facts) {
        requests.insert(file.clone(), Look::Content);
        way(facts, &file, Look::Content, &mut requests);
        let Some(paths) = content(facts, &file).map(paths) else {
            continue;
        };
        for path in paths.folders.iter().chain(&paths.watched) {
            if known.len() < MOST_FOLDERS && known.insert(path.clone()) {
                way(facts, path, Look::Attributes, &mut requests);
            }
        }
    }
    requests
}
