//! Whom a plan concerns, for people: what happens, to whom by kind, and how much that is.

use super::Paper;
use crate::plan::Impact;
use std::fmt::Write as _;

/// How many of one kind are named, unless all are asked for.
const MOST_NAMED: usize = 24;

/// Each effect, with those whom it concerns below it.
pub(super) fn impacts(list: &[Impact], indent: &str, paper: &Paper) -> String {
    let mut out = String::new();
    let text = format!("{indent}  ");
    for impact in list {
        let sentence = format!("{} ({})", impact.what, impact.why);
        // Rules to copy stand on lines of their own; names in it have no line breaks.
        let lines: String = sentence
            .lines()
            .map(|line| paper.wrapped(&text, line))
            .collect();
        let _ = write!(out, "{indent}- {}", &lines[text.len()..]);
        let below = format!("{text}  ");
        for line in by_kind(&impact.who, paper.verbose) {
            out.push_str(&paper.wrapped(&below, &line));
        }
        if let Some(size) = &impact.size {
            out.push_str(&paper.wrapped(&below, size));
        }
    }
    out
}

/// `containers web, db` and `image busybox`, in the order of their first.
fn by_kind(who: &[String], all: bool) -> Vec<String> {
    const KINDS: [&str; 6] = ["container", "image", "volume", "network", "group", "user"];
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for one in who {
        let (kind, name) = one
            .split_once(' ')
            .filter(|(kind, _)| KINDS.contains(kind))
            .unwrap_or(("", one));
        match groups.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, names)) => names.push(name),
            None => groups.push((kind, vec![name])),
        }
    }
    groups
        .into_iter()
        .map(|(kind, names)| {
            let shown = if all { names.len() } else { MOST_NAMED };
            let mut line = match (kind, names.len()) {
                ("", _) => String::new(),
                (kind, 1) => format!("{kind} "),
                (kind, _) => format!("{kind}s "),
            };
            line.push_str(&names[..shown.min(names.len())].join(", "));
            if names.len() > shown {
                // Writing to a String cannot fail.
                let _ = write!(line, " and {} more", names.len() - shown);
            }
            line
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        let many: Vec<String> = (0..30).map(|number| format!("image i{number}")).collect();
        let names = |count: usize| -> String {
            let names: Vec<String> = (0..count).map(|number| format!("i{number}")).collect();
            names.join(", ")
        };
        for (who, all, lines) in [
            (vec![], false, vec![]),
            (
                vec!["container web".to_owned()],
                false,
                vec!["container web".to_owned()],
            ),
            (
                [
                    "container web",
                    "volume v",
                    "container a b",
                    "everybody else",
                ]
                .map(str::to_owned)
                .to_vec(),
                false,
                vec![
                    "containers web, a b".to_owned(),
                    "volume v".to_owned(),
                    "everybody else".to_owned(),
                ],
            ),
            (
                many.clone(),
                false,
                vec![format!("images {} and 6 more", names(24))],
            ),
            (many, true, vec![format!("images {}", names(30))]),
        ] {
            assert_eq!(by_kind(&who, all), lines);
        }
    }
}
