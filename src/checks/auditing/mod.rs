//! Auditing as it is set up on this host: the rule files and what loading them comes to, what is there at boot, and what
//! makes every watch void.

mod around;
mod boot;
mod conditions;
mod files;
mod mounts;

pub(crate) use boot::{TMPFILES, makes_folder};
pub(crate) use conditions::{Condition, conditions, unread};
pub(crate) use files::{OWN_RULES_FILE, RULES_FILE, RULES_FOLDER, Rules, rule_files};
pub(crate) use mounts::late;

use super::layout::Layout;
use crate::facts::{Facts, Look, Requests, Seen};
use crate::formats::audit_rules::coverage::Index;
use std::cell::OnceCell;

/// What all checks of one judgement share, made when the first one asks for it.
#[derive(Debug)]
pub struct Shared<'a> {
    facts: &'a Facts,
    layout: OnceCell<Layout<'a>>,
    rules: &'a OnceCell<Rules<'a>>,
    files: OnceCell<Index<'a>>,
    unreached: OnceCell<Index<'a>>,
    kernel: OnceCell<Index<'a>>,
}

impl<'a> Shared<'a> {
    /// For these facts; the cell is to be empty.
    pub(crate) fn new(facts: &'a Facts, rules: &'a OnceCell<Rules<'a>>) -> Self {
        Self {
            facts,
            layout: OnceCell::new(),
            rules,
            files: OnceCell::new(),
            unreached: OnceCell::new(),
            kernel: OnceCell::new(),
        }
    }

    /// Where things are.
    pub(crate) fn layout(&self) -> &Layout<'a> {
        self.layout.get_or_init(|| Layout::of(self.facts))
    }

    pub(super) fn rules(&self) -> &'a Rules<'a> {
        self.rules.get_or_init(|| Rules::of(self.facts))
    }

    /// The rules of the files.
    pub(super) fn in_files(&self) -> &Index<'a> {
        self.files.get_or_init(|| {
            let rules = &self.rules().loading.rules;
            Index::new(rules.iter().map(|rule| (&rule.brief, rule.order)))
        })
    }

    /// Those that are never reached, in the order of the files.
    pub(super) fn unreached(&self) -> &Index<'a> {
        self.unreached.get_or_init(|| {
            let rules = self.rules().loading.unreached.iter();
            Index::new(rules.map(|rule| &rule.brief).zip(0..))
        })
    }

    /// The rules of the kernel, in the order of its listing.
    pub(super) fn in_kernel(&self) -> &Index<'a> {
        self.kernel.get_or_init(|| {
            let rules = self.rules().kernel.iter();
            Index::new(rules.map(|rule| &rule.brief).zip(0..))
        })
    }
}

/// What must be seen to judge any watch.
pub(crate) fn requests(facts: &Facts) -> Requests {
    let mut requests = files::requests(facts);
    for (path, look) in boot::requests(facts)
        .into_iter()
        .chain(conditions::requests(facts))
        .chain(mounts::requests(facts))
    {
        let wanted = requests.entry(path).or_insert(look);
        *wanted = look.max(*wanted);
    }
    requests
}

/// Where a path is at boot: `/var/run` is `/run`.
pub(crate) fn at_boot(facts: &Facts, path: &str) -> String {
    boot::real(facts, path)
}

/// Names that end so in a folder that was listed.
fn listed(facts: &Facts, folder: &str, ending: &str) -> Vec<String> {
    match facts.node(folder) {
        Seen::Known(node) => node
            .entries
            .iter()
            .flatten()
            .filter(|name| name.ends_with(ending))
            .cloned()
            .collect(),
        Seen::Unseen(_) => Vec::new(),
    }
}

/// Everything on the way to a path, and the path itself as closely as this.
fn way(facts: &Facts, path: &str, look: Look, requests: &mut Requests) {
    for part in facts.way_to(path) {
        requests.entry(part).or_insert(Look::Attributes);
    }
    let real = facts.real_path(path);
    let wanted = requests.entry(real).or_insert(look);
    *wanted = look.max(*wanted);
}
