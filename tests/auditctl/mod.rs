//! What auditctl makes of a line, held against what ours does: the recorded answers of real ones always, the one of
//! this machine where it may be touched.
//!
//! `tests/vm/scenarios/auditctl-table/lines` is run line by line in machines; what they print
//! is kept there in `answers`.

mod real;

use seaworthy::formats::audit_rules::around::{Account, Around, Place};
use seaworthy::formats::audit_rules::joined::lines;
use seaworthy::formats::audit_rules::loading::{Loading, load};
use seaworthy::formats::audit_rules::{Machine, Release};

/// Whole sets, written by the shape of those that are in use.
const SETS: [(&str, &str); 5] = [
    (
        "guide",
        include_str!("../vm/scenarios/auditctl-table/sets/guide.rules"),
    ),
    (
        "profile",
        include_str!("../vm/scenarios/auditctl-table/sets/profile.rules"),
    ),
    (
        "public",
        include_str!("../vm/scenarios/auditctl-table/sets/public.rules"),
    ),
    (
        "samples",
        include_str!("../vm/scenarios/auditctl-table/sets/samples.rules"),
    ),
    (
        "pairs",
        include_str!("../vm/scenarios/auditctl-table/sets/pairs.rules"),
    ),
];

/// The host that the table rests on.
struct Table(Release);

impl Around for Table {
    fn machine(&self) -> Option<Machine> {
        Some(Machine::X86_64)
    }

    fn release(&self) -> Option<Release> {
        Some(self.0)
    }

    fn user(&self, name: &str) -> Account {
        match name {
            "root" => Account::Is(0),
            "daemon" => Account::Is(1),
            _ => Account::Missing,
        }
    }

    fn group(&self, name: &str) -> Account {
        self.user(name)
    }

    fn place(&self, path: &str) -> Place {
        let trimmed = path.trim_end_matches('/');
        match trimmed {
            "" | "/etc" | "/usr/bin" | "/usr/sbin" | "/usr/share" | "/sbin" | "/var"
            | "/var/lib" | "/var/log" | "/var/log/audit" | "/var/run" | "/var/spool" | "/home"
            | "/root" | "/dev/shm" | "/usr/lib" | "/etc/security" | "/etc/ssh" | "/etc/."
            | "/etc/../etc" => Place::Folder,
            "/etc/passwd" | "/etc/group" | "/usr/bin/env" | "/usr/bin/id" | "/etc/./passwd"
            | "/etc/../etc/passwd" => Place::Other,
            _ => Place::Missing,
        }
    }
}

/// What ours makes of a line alone: `None` where it depends on something that is not known.
fn ours<'t>(line: &'t str, around: &dyn Around) -> (Option<bool>, Loading<'t>) {
    let loading = load(lines(0, line), around);
    let verdict = match (&loading.ended, &loading.doubt) {
        (Some(_), _) => Some(false),
        (None, Some(_)) => None,
        (None, None) => Some(loading.passed.is_empty()),
    };
    (verdict, loading)
}

/// The lines on which a recorded auditctl and ours disagree, and how many were compared.
fn differences(answers: &str, release: Release) -> (Vec<String>, usize, Vec<String>) {
    let around = Table(release);
    let (mut wrong, mut open, mut count) = (Vec::new(), Vec::new(), 0);
    for answer in answers.split('\n').filter(|answer| !answer.is_empty()) {
        let (word, line) = answer.split_once(' ').unwrap();
        let (verdict, loading) = ours(line, &around);
        count += 1;
        // A refused line that `-i` passes over ends nothing.
        let real = word == "good";
        match verdict {
            Some(verdict) if verdict == real || (real && !loading.passed.is_empty()) => {}
            Some(_) => wrong.push(format!(
                "auditctl: {word}, ours: {:?}: {line:?}",
                loading.ended
            )),
            None => open.push(line.to_owned()),
        }
    }
    (wrong, count, open)
}

/// What auditctl printed for a set, run line by line with what it has loaded kept: `good LINE` or `bad LINE` each, then
/// `rules COUNT`.
fn set_differences(answers: &str, around: &dyn Around) -> Vec<String> {
    let answers: Vec<(&str, &str)> = answers
        .split('\n')
        .filter(|answer| !answer.is_empty())
        .map(|answer| answer.split_once(' ').unwrap())
        .collect();
    let (count, answers) = answers.split_last().unwrap();
    // Line by line nothing ends the loading.
    let text: String = std::iter::once("-i")
        .chain(answers.iter().map(|(_, line)| *line))
        .flat_map(|line| [line, "\n"])
        .collect();
    let loading = load(lines(0, &text), around);
    let mut wrong = Vec::new();
    for (index, (word, line)) in answers.iter().enumerate() {
        let bad = loading
            .passed
            .iter()
            .find(|(spot, _)| spot.line as usize == index + 2);
        if (*word == "bad") != bad.is_some() {
            wrong.push(format!("auditctl: {word}, ours: {bad:?}: {line:?}"));
        }
    }
    let ours = loading.rules.len().max(1).to_string();
    if ours != count.1 {
        wrong.push(format!("auditctl lists {} lines, ours {ours}", count.1));
    }
    assert_eq!(loading.doubt, None);
    wrong
}

/// What is recorded of one release: of the lines and of each set.
type Recorded = (Release, &'static str, [(&'static str, &'static str); 5]);

macro_rules! recorded {
    ($release:literal, $set:literal) => {
        (
            $set,
            include_str!(concat!(
                "../vm/scenarios/auditctl-table/answers/",
                $release,
                "/",
                $set
            )),
        )
    };
    ($number:expr, $release:literal) => {
        (
            $number,
            include_str!(concat!(
                "../vm/scenarios/auditctl-table/answers/",
                $release,
                "/lines"
            )),
            [
                recorded!($release, "guide"),
                recorded!($release, "profile"),
                recorded!($release, "public"),
                recorded!($release, "samples"),
                recorded!($release, "pairs"),
            ],
        )
    };
}

fn releases() -> [Recorded; 2] {
    [
        recorded!(Release(3, 0, 9), "3.0.9"),
        recorded!(Release(4, 0, 2), "4.0.2"),
    ]
}

#[test]
fn recorded_answers_to_lines() {
    for (release, answers, _) in releases() {
        let (wrong, count, open) = differences(answers, release);
        assert!(
            wrong.is_empty(),
            "{release:?}: {} of {count}:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
        assert!(count > 400, "{count}");
        // What depends on how auditctl was built, and on the security module.
        assert!(open.len() <= 6, "{release:?}: {open:#?}");
    }
}

#[test]
fn recorded_answers_to_sets() {
    for (release, _, sets) in releases() {
        for (name, answers) in sets {
            let wrong = set_differences(answers, &Table(release));
            assert!(
                wrong.is_empty(),
                "{release:?} {name}: {}:\n{}",
                wrong.len(),
                wrong.join("\n")
            );
        }
    }
}
