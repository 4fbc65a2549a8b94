//! What rules record of a path: the first rule of a list that matches decides (audit.rules(7)), in the kernel by the
//! priority that each rule gets when it is added (`audit_add_rule`), whatever else it is sorted by.

use super::Perms;
use super::brief::{Brief, Programs};
use super::entry::List;
use super::kernel::parent;
use foldhash::HashMap;
use std::fmt;

/// Rules, arranged so that a path need not be held against each of them.
#[derive(Debug)]
pub struct Index<'a> {
    rules: Vec<(&'a Brief<'a>, i64)>,
    /// `always,exit` with a place.
    watches: ByPlace<'a>,
    /// `never,exit` with a place.
    never: ByPlace<'a>,
    /// `never,exit` with a place, by the folders that it is below.
    below: Below<'a>,
    /// The first `never,exit` without a place of each sort.
    anywhere: HashMap<Sort, Place>,
    /// The first rule of the list task that matters, where it is `never`.
    task: Option<usize>,
    /// Of the lists exclude and filesystem.
    exclude: Option<usize>,
}

/// The place of a rule in its list, and which one it is.
type Place = (i64, usize);

/// What decides whether a `never` takes something away of what is asked for, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Sort {
    perms: Perms,
    touches: Perms,
    whole: bool,
}

impl Sort {
    fn of(brief: &Brief<'_>) -> Self {
        Self {
            perms: brief.perms,
            touches: brief.touches,
            whole: brief.whole,
        }
    }

    fn takes(self, asked: Perms) -> bool {
        self.perms.meets(asked) && self.touches.meets(asked)
    }

    /// How much it takes of what it is about.
    fn how<'a>(self, asked: Perms) -> Taken<'a> {
        if self.whole && self.perms.contains(asked) {
            Taken::All
        } else {
            Taken::Some
        }
    }
}

/// Rules by their place: the last one of each path, and for each rule the one of its path before it.
#[derive(Debug, Default)]
struct ByPlace<'a> {
    last: HashMap<&'a str, u32>,
    earlier: Vec<(u32, u32)>,
}

impl<'a> ByPlace<'a> {
    const NONE: u32 = u32::MAX;

    fn add(&mut self, path: &'a str, rule: usize) {
        let at = u32::try_from(self.earlier.len()).unwrap_or(Self::NONE);
        let before = self.last.insert(path, at).unwrap_or(Self::NONE);
        let rule = u32::try_from(rule).unwrap_or(Self::NONE);
        self.earlier.push((before, rule));
    }

    /// The rules with exactly this path, the last one first.
    fn of(&self, path: &str) -> impl Iterator<Item = usize> {
        let found = |at: u32| self.earlier.get(at as usize);
        let first = self.last.get(path).and_then(|at| found(*at));
        std::iter::successors(first, move |(before, _)| found(*before))
            .map(|(_, rule)| *rule as usize)
    }
}

/// Folders, and the first rule of each sort that is somewhere below them.
#[derive(Debug, Default)]
struct Below<'a> {
    folders: HashMap<&'a str, u32>,
    /// The folder above each.
    up: Vec<u32>,
    first: HashMap<(u32, Sort), Place>,
    sorts: Vec<Sort>,
    /// The folder of the rule before, as many rules share one.
    last: Option<(&'a str, u32)>,
}

impl<'a> Below<'a> {
    fn add(&mut self, path: &'a str, sort: Sort, place: Place) {
        if path == "/" {
            return;
        }
        let folder = parent(path);
        let mut at = match self.last {
            Some((last, at)) if last == folder => at,
            _ => self.folder(folder),
        };
        self.last = Some((folder, at));
        loop {
            let known = self.first.entry((at, sort)).or_insert_with(|| {
                if at == 0 {
                    self.sorts.push(sort);
                }
                (i64::MAX, usize::MAX)
            });
            // What is above it knows one that is as early, too.
            if *known <= place {
                return;
            }
            *known = place;
            if at == 0 {
                return;
            }
            at = self.up[at as usize];
        }
    }

    /// The number of a folder; that of `/` is 0.
    fn folder(&mut self, path: &'a str) -> u32 {
        let mut missing = Vec::new();
        let mut at = path;
        let mut above = loop {
            if let Some(known) = self.folders.get(at) {
                break *known;
            }
            missing.push(at);
            if at == "/" {
                break 0;
            }
            at = parent(at);
        };
        while let Some(path) = missing.pop() {
            let number = u32::try_from(self.up.len()).unwrap_or(0);
            self.folders.insert(path, number);
            self.up.push(above);
            above = number;
        }
        above
    }

    /// The first one below a folder that takes some of this.
    fn find(&self, folder: &str, asked: Perms) -> Option<Place> {
        let at = *self.folders.get(folder)?;
        let sorts = self.sorts.iter().filter(|sort| sort.takes(asked));
        sorts
            .filter_map(|sort| self.first.get(&(at, *sort)))
            .min()
            .copied()
    }
}

/// What takes away the records of a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken<'a> {
    /// `never` before it, for everything that it is about.
    All,
    /// `never` before it, for some of it: some users, programs, system calls.
    Some,
    /// `never` before it, for what is below this path.
    Below(&'a str),
    /// `never,task`: new processes are not looked at at all.
    Processes,
    /// The list exclude or filesystem leaves out records that it needs.
    Records,
}

impl fmt::Display for Taken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => {
                f.write_str("`never` stands before the watch and takes all of its records away")
            }
            Self::Some => {
                f.write_str("`never` stands before the watch and takes some of its records away")
            }
            Self::Below(path) => write!(
                f,
                "`never` stands before the watch and takes away the records of {path}"
            ),
            Self::Processes => {
                f.write_str("`never,task` makes new processes skip all rules: nothing is recorded")
            }
            Self::Records => f.write_str("records that a watch needs are left out by this rule"),
        }
    }
}

/// What is recorded of a path. Rules are named by their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage<'a> {
    /// No watch is about it.
    Missing,
    /// This watch records it.
    By(usize),
    /// This watch would, and a rule takes its records away.
    Taken {
        /// The watch.
        watch: usize,
        /// The rule.
        by: usize,
        /// How much of it.
        how: Taken<'a>,
    },
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The path, links resolved.
    pub path: &'a str,
    /// Its other names, by folders that are links to those that it is in.
    pub names: &'a [String],
    /// Whether it is a folder, of which everything below is meant.
    pub folder: bool,
    /// The kinds of access.
    pub perms: Perms,
    /// Whether programs of a second, 32-bit architecture run on the host, so that a watch for one architecture needs its
    /// twin.
    pub twins: bool,
}

impl<'a> Index<'a> {
    /// Arranges rules; each with its place in its list.
    pub fn new(rules: impl IntoIterator<Item = (&'a Brief<'a>, i64)>) -> Self {
        let rules: Vec<_> = rules.into_iter().collect();
        let mut index = Self {
            watches: ByPlace::default(),
            never: ByPlace::default(),
            below: Below::default(),
            anywhere: HashMap::default(),
            task: None,
            exclude: None,
            rules: Vec::new(),
        };
        // A rule of the list task that matches every process ends it.
        let [mut ends, mut never] = [(i64::MAX, usize::MAX); 2];
        for (at, (brief, order)) in rules.iter().enumerate() {
            let place = (*order, at);
            match (brief.list, brief.always, brief.place.as_deref()) {
                (List::Exit, true, Some(path)) => index.watches.add(path, at),
                (List::Exit, false, Some(path)) => {
                    index.never.add(path, at);
                    index.below.add(path, Sort::of(brief), place);
                }
                (List::Exit, false, None) => {
                    let first = index.anywhere.entry(Sort::of(brief)).or_insert(place);
                    *first = place.min(*first);
                }
                (List::Task, true, _) if brief.bare => ends = ends.min(place),
                (List::Task, false, _) => never = never.min(place),
                (List::Exclude | List::Filesystem, ..) => {
                    if brief.excludes {
                        index.exclude = index.exclude.or(Some(at));
                    }
                }
                (List::Exit | List::Task, true, _) | (List::User | List::IoUring, ..) => {}
            }
        }
        index.task = (never < ends).then_some(never.1);
        index.rules = rules;
        index
    }

    /// What is recorded of a path. `counts` says of a watch of a folder above it whether that counts.
    pub fn coverage(&self, asked: &Asked<'_>, counts: impl Fn(usize) -> bool) -> Coverage<'a> {
        let Some((order, watch)) = self.watch(asked, counts) else {
            return Coverage::Missing;
        };
        match self.taken(asked, order) {
            Some((by, how)) => Coverage::Taken { watch, by, how },
            None => Coverage::By(watch),
        }
    }

    /// What would take away the records of a watch at this place in its list; `i64::MAX` is the end.
    pub fn taken(&self, asked: &Asked<'_>, order: i64) -> Option<(usize, Taken<'a>)> {
        if let Some(at) = self.task {
            return Some((at, Taken::Processes));
        }
        if let Some(at) = self.exclude {
            return Some((at, Taken::Records));
        }
        if let Some((_, at)) = self.never(asked).filter(|(first, _)| *first < order) {
            return Some((at, Sort::of(self.rules[at].0).how(asked.perms)));
        }
        let (_, at) = self
            .never_below(asked)
            .filter(|(first, _)| *first < order)?;
        Some((at, Taken::Below(self.rules[at].0.place.as_deref()?)))
    }

    /// The first `never` that is about all that is asked for.
    fn never(&self, asked: &Asked<'_>) -> Option<Place> {
        let takes = |at: &usize| Sort::of(self.rules[*at].0).takes(asked.perms);
        let anywhere = self
            .anywhere
            .iter()
            .filter(|(sort, _)| sort.takes(asked.perms))
            .map(|(_, place)| *place);
        let placed = asked.names().flat_map(up).flat_map(|(path, is_above)| {
            let fits = move |at: &usize| {
                let folder = self.rules[*at].0.folder;
                folder || !(is_above || asked.folder)
            };
            self.never.of(path).filter(fits)
        });
        let placed = placed.filter(takes).map(|at| (self.rules[at].1, at));
        anywhere.chain(placed).min()
    }

    /// The first `never` that is about something below what is asked for, or about the folder alone (`path=`).
    fn never_below(&self, asked: &Asked<'_>) -> Option<Place> {
        let takes = |at: &usize| Sort::of(self.rules[*at].0).takes(asked.perms);
        let alone = asked.names().flat_map(|name| {
            let alone = self.never.of(name);
            alone.filter(|at| asked.folder && !self.rules[*at].0.folder)
        });
        let alone = alone.filter(takes).map(|at| (self.rules[at].1, at));
        let below = asked
            .names()
            .filter_map(|name| self.below.find(name, asked.perms));
        alone.chain(below).min()
    }

    /// The first watch that records it.
    fn watch(&self, asked: &Asked<'_>, counts: impl Fn(usize) -> bool) -> Option<Place> {
        let [mut plain, mut narrow, mut wide] = [None::<Place>; 3];
        for (at, is_above) in self.about(asked) {
            let (brief, order) = self.rules[at];
            // `path=` of a folder is about the folder itself, not about what is in it.
            let fits = if is_above {
                brief.folder && counts(at)
            } else {
                brief.folder || !asked.folder
            };
            if !fits || !brief.records.contains(asked.perms) {
                continue;
            }
            let first = match brief.programs {
                Programs::All => &mut plain,
                Programs::Narrow => &mut narrow,
                Programs::Wide => &mut wide,
                Programs::Others => continue,
            };
            *first = Some(first.map_or((order, at), |first| first.min((order, at))));
        }
        let pair = match (wide, narrow, asked.twins) {
            // Where there is a twin, the later one of the two completes the watch.
            (Some(one), Some(other), _) => Some(one.max(other)),
            (Some(one), None, false) => Some(one),
            _ => None,
        };
        [plain, pair].into_iter().flatten().min()
    }

    /// The first watch that would be about it, whatever else it asks for. `counts` as in [`Self::coverage`].
    pub fn meant(&self, asked: &Asked<'_>, counts: impl Fn(usize) -> bool) -> Option<usize> {
        self.about(asked)
            .filter(|(at, is_above)| {
                self.rules[*at].0.perms.contains(asked.perms) && (!is_above || counts(*at))
            })
            .map(|(at, _)| (self.rules[at].1, at))
            .min()
            .map(|(_, at)| at)
    }

    /// The watches of it and of the folders that it is in, which are marked.
    fn about(&self, asked: &Asked<'_>) -> impl Iterator<Item = (usize, bool)> {
        asked
            .names()
            .flat_map(up)
            .flat_map(|(path, is_above)| self.watches.of(path).map(move |at| (at, is_above)))
    }
}

impl Asked<'_> {
    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.path).chain(self.names.iter().map(String::as_str))
    }
}

/// A path and the folders that it is in.
fn up(path: &str) -> impl Iterator<Item = (&str, bool)> {
    std::iter::successors(Some(path), |&path| (path != "/").then(|| parent(path)))
        .enumerate()
        .map(|(at, path)| (path, at > 0))
}

#[cfg(test)]
#[path = "coverage_tests.rs"]
mod tests;
