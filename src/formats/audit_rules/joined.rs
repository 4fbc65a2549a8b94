//! The lines that are loaded, in the order in which they are loaded: augenrules(8), which joins the files of a folder,
//! or one file as it is.

use super::bad::Doubt;
use super::tables::Release;
use std::borrow::Cow;
use std::cmp::Ordering;

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spot {
    /// Which file: an index into the list of files.
    pub file: usize,
    /// Which line, counted from 1.
    pub line: usize,
}

/// A line and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<'a> {
    /// Where.
    pub spot: Spot,
    /// The line without its newline.
    pub text: Cow<'a, str>,
    /// Why it is not certain that it is loaded at this place, or as it is.
    pub doubt: Option<Doubt>,
}

/// The lines of one file.
pub fn lines(file: usize, text: &str) -> impl Iterator<Item = Placed<'_>> {
    let body = text.strip_suffix('\n').unwrap_or(text);
    // Not str::lines(), which would hide the carriage returns that auditctl takes as part of a word.
    let lines = (!text.is_empty()).then(|| body.split('\n'));
    lines
        .into_iter()
        .flatten()
        .enumerate()
        .map(move |(index, text)| Placed {
            spot: Spot {
                file,
                line: index + 1,
            },
            text: Cow::Borrowed(text),
            doubt: None,
        })
}

/// How the awk of a host reads `\s`, with which augenrules finds the lines that it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awk {
    /// A blank, as gawk does.
    Blank,
    /// The letter s, as mawk 1.3.4 of 2020 does.
    Letter,
    /// Not known.
    Unseen,
}

/// What augenrules makes of these files, which are in its order ([`natural`]): the last `-D` without a key, the last
/// `-b` and the last `-f` go to the beginning, the last `-e` goes to the end. Comments go.
pub fn join<'a>(texts: &[&'a str], awk: Awk, release: Option<Release>) -> Vec<Placed<'a>> {
    let mut all: Vec<Placed<'a>> = Vec::new();
    let mut open = false;
    for (file, text) in texts.iter().enumerate() {
        for placed in lines(file, text) {
            // cat(1) puts nothing between two files.
            match all.last_mut().filter(|_| open) {
                Some(last) => last.text = Cow::Owned(format!("{}{}", last.text, placed.text)),
                None => all.push(placed),
            }
            open = false;
        }
        open = if text.is_empty() {
            open
        } else {
            !text.ends_with('\n')
        };
    }
    // Since 3.1.1 a carriage return before the newline goes.
    let strips = release.map(|release| release >= Release(3, 1, 1));
    let [mut delete, mut backlog, mut failure, mut enable] = [const { None }; 4];
    let mut rest = Vec::with_capacity(all.len());
    for mut placed in all {
        if placed.text.ends_with('\r') {
            match strips {
                Some(true) => {
                    let end = placed.text.len() - 1;
                    placed.text = match placed.text {
                        Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
                        Cow::Owned(mut text) => {
                            text.truncate(end);
                            Cow::Owned(text)
                        }
                    };
                }
                Some(false) => {}
                None => {
                    placed.doubt = Some(Doubt::Release(
                        "a carriage return at the end of a line".to_owned(),
                    ));
                }
            }
        }
        let text: &str = &placed.text;
        let trimmed = text.trim_matches(is_blank);
        if text.is_empty() {
            continue;
        }
        let begins = text.starts_with(['#', '-']);
        let moves = trimmed.starts_with("-e")
            || trimmed.starts_with("-b")
            || trimmed.starts_with("-f")
            || trimmed == "-D";
        let exact = begins && (trimmed != "-D" || text.len() == trimmed.len());
        let awk_moves = match awk {
            _ if exact => true,
            Awk::Blank => true,
            Awk::Letter => false,
            Awk::Unseen => {
                // Before a comment blanks make no difference to auditctl, a tab does.
                if moves || (trimmed.starts_with('#') && text.contains('\t')) {
                    placed.doubt = Some(Doubt::Awk);
                }
                trimmed.starts_with('#')
            }
        };
        if awk_moves && trimmed.starts_with('#') {
            // Where awk is not known, the line stays with its doubt.
            if placed.doubt.is_some() {
                placed.text = Cow::Borrowed("#");
                rest.push(placed);
            }
            continue;
        }
        let place = match trimmed {
            _ if !awk_moves => None,
            "-D" => Some(&mut delete),
            line if line.starts_with("-e") => Some(&mut enable),
            line if line.starts_with("-b") => Some(&mut backlog),
            line if line.starts_with("-f") => Some(&mut failure),
            _ => None,
        };
        match place {
            Some(place) => *place = Some(placed),
            None => rest.push(placed),
        }
    }
    let mut joined: Vec<Placed<'a>> = [delete, backlog, failure].into_iter().flatten().collect();
    joined.append(&mut rest);
    joined.extend(enable);
    joined
}

/// What `\s` means, without the newline.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\u{b}' | '\u{c}')
}

/// The order of `ls -v`, in which augenrules reads files: runs of digits count as numbers, letters come before other
/// characters, and endings count last (filevercmp in gnulib).
pub fn natural(one: &str, other: &str) -> Ordering {
    let (a, b) = (stem(one), stem(other));
    // Where the stems are the same the endings decide.
    let (a, b) = if a == b { (one, other) } else { (a, b) };
    compare(a.as_bytes(), b.as_bytes()).then_with(|| one.cmp(other))
}

/// Without endings such as `.rules`.
fn stem(name: &str) -> &str {
    let mut end = name.len();
    while let Some(dot) = name[..end].rfind('.') {
        let ending = &name.as_bytes()[dot + 1..end];
        let is_ending = ending
            .first()
            .is_some_and(|first| first.is_ascii_alphabetic() || *first == b'~')
            && ending
                .iter()
                .all(|c| c.is_ascii_alphanumeric() || *c == b'~');
        if !is_ending || dot == 0 {
            break;
        }
        end = dot;
    }
    &name[..end]
}

fn compare(mut a: &[u8], mut b: &[u8]) -> Ordering {
    let weight = |c: Option<&u8>| match c {
        None => -1,
        Some(b'~') => -2,
        Some(c) if c.is_ascii_digit() => 0,
        Some(c) if c.is_ascii_alphabetic() => i32::from(*c),
        Some(c) => i32::from(*c) + 256,
    };
    while !a.is_empty() || !b.is_empty() {
        let is_text = |text: &[u8]| text.first().is_some_and(|c| !c.is_ascii_digit());
        while is_text(a) || is_text(b) {
            let order = weight(a.first()).cmp(&weight(b.first()));
            if order != Ordering::Equal {
                return order;
            }
            a = a.get(1..).unwrap_or_default();
            b = b.get(1..).unwrap_or_default();
        }
        let digits = |text: &mut &[u8]| {
            let zeros = text.iter().take_while(|c| **c == b'0').count();
            let end = text.iter().take_while(|c| c.is_ascii_digit()).count();
            let number = text[zeros..end].to_vec();
            *text = &text[end..];
            number
        };
        let (one, other) = (digits(&mut a), digits(&mut b));
        let order = one.len().cmp(&other.len()).then_with(|| one.cmp(&other));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

#[cfg(test)]
#[path = "joined_tests.rs"]
mod tests;
