//! The lines that are loaded, in the order in which they are loaded: augenrules(8), which joins the files of a folder,
//! or one file as it is.

use super::bad::Doubt;
use super::tables::Release;
use memchr::{memchr, memchr_iter};
use std::borrow::Cow;
use std::cmp::Ordering;

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spot {
    /// Which file: an index into the list of files.
    pub file: u32,
    /// Which line, counted from 1.
    pub line: u32,
}

/// A line as auditctl gets it, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<'a> {
    /// Where.
    pub spot: Spot,
    /// The line without its newline, with U+FFFD for what is not UTF-8 in it.
    pub text: Cow<'a, str>,
    /// Why it is not certain that it is loaded at this place, or as it is.
    pub doubt: Option<Box<Doubt>>,
}

/// How many bytes of a line auditctl reads at once, the newline included (`LINE_SIZE` in auditctl.c, 3.0.9 to 4.2.1,
/// without the byte that ends a text in C). What is left of the line is the next line to it.
const MOST_BYTES: usize = 6143;

/// The lines of one file, as auditctl reads them. Blank ones are left out.
pub fn lines(file: u32, text: &(impl AsRef<[u8]> + ?Sized)) -> impl Iterator<Item = Placed<'_>> {
    let text = text.as_ref();
    let has_zero = memchr(0, text).is_some();
    Raw::new(file, 1, text).flat_map(move |(spot, line)| Pieces {
        spot,
        rest: Some(Cow::Borrowed(line)),
        doubt: None,
        has_zero,
    })
}

/// What fgets(3) makes of one line, each a line by itself.
struct Pieces<'a> {
    spot: Spot,
    rest: Option<Cow<'a, [u8]>>,
    doubt: Option<Box<Doubt>>,
    /// Whether there may be a zero in it.
    has_zero: bool,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Placed<'a>;

    fn next(&mut self) -> Option<Placed<'a>> {
        let mut piece = self.rest.take()?;
        if piece.len() > MOST_BYTES {
            self.rest = Some(match &mut piece {
                Cow::Borrowed(line) => {
                    let (piece, rest) = line.split_at(MOST_BYTES);
                    *line = piece;
                    Cow::Borrowed(rest)
                }
                Cow::Owned(line) => Cow::Owned(line.split_off(MOST_BYTES)),
            });
        }
        // A text ends at its first zero in C.
        if self.has_zero
            && let Some(end) = memchr(0, &piece)
        {
            match &mut piece {
                Cow::Borrowed(line) => *line = &line[..end],
                Cow::Owned(line) => line.truncate(end),
            }
        }
        Some(Placed {
            spot: self.spot,
            text: match piece {
                Cow::Borrowed(line) => text(line),
                Cow::Owned(line) => Cow::Owned(text(&line).into_owned()),
            },
            doubt: self.doubt.clone(),
        })
    }
}

/// Bytes as text; most are.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// The lines of a text that are not empty, each with its place.
#[derive(Debug, Clone)]
pub(super) struct Raw<'a> {
    spot: Spot,
    rest: &'a [u8],
}

impl<'a> Raw<'a> {
    /// `first` is the number of the first line.
    pub(super) fn new(file: u32, first: u32, rest: &'a [u8]) -> Self {
        let spot = Spot { file, line: first };
        Self { spot, rest }
    }
}

impl<'a> Iterator for Raw<'a> {
    type Item = (Spot, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        // There may be as many blank lines as bytes.
        let blank = self.rest.iter().take_while(|byte| **byte == b'\n').count();
        self.rest = &self.rest[blank..];
        self.spot.line += u32::try_from(blank).unwrap_or(u32::MAX);
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr(b'\n', self.rest).unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        let found = (self.spot, line);
        self.spot.line += 1;
        self.rest = rest.get(1..).unwrap_or_default();
        Some(found)
    }
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
/// `-b` and the last `-f` go to the beginning, the last `-e` goes to the end. Comments and blank lines go.
pub fn join<'a, T: AsRef<[u8]> + ?Sized>(
    texts: &[&'a T],
    awk: Awk,
    release: Option<Release>,
) -> impl Iterator<Item = Placed<'a>> + use<'a, T> {
    let script = Script {
        awk,
        // Since 3.1.1 a carriage return before the newline goes.
        strips: release.map(|release| release >= Release(3, 1, 1)),
    };
    let texts: Vec<&'a [u8]> = texts.iter().map(|text| T::as_ref(*text)).collect();
    let has_zero = texts.iter().any(|text| memchr(0, text).is_some());
    // The same lines are gone through twice, as keeping them would take more room than the files.
    let parts = catenated(&texts);
    let [mut delete, mut backlog, mut failure, mut enable] = [const { None }; 4];
    for line in parts.iter().flat_map(Part::lines) {
        let (turn, line) = script.line(line);
        let place = match turn {
            Turn::Delete => &mut delete,
            Turn::Backlog => &mut backlog,
            Turn::Failure => &mut failure,
            Turn::Enable => &mut enable,
            Turn::Gone | Turn::Stays => continue,
        };
        *place = Some(line);
    }
    let rest = parts.into_iter().flat_map(|part| part.lines());
    let rest = rest.filter_map(move |line| {
        let (turn, line) = script.line(line);
        (turn == Turn::Stays).then_some(line)
    });
    [delete, backlog, failure]
        .into_iter()
        .flatten()
        .chain(rest)
        .chain(enable)
        .flat_map(move |line| Pieces {
            spot: line.spot,
            rest: Some(line.text),
            doubt: line.doubt,
            has_zero,
        })
}

/// Lines that follow each other.
#[derive(Clone)]
enum Part<'a> {
    /// Whole lines of one file.
    Lines(Raw<'a>),
    /// A line that no newline ends, with what is joined to it.
    Seam(Spot, Vec<u8>),
}

/// A line of the joined files.
struct Line<'a> {
    spot: Spot,
    text: Cow<'a, [u8]>,
    doubt: Option<Box<Doubt>>,
}

impl<'a> Part<'a> {
    fn lines(&self) -> impl Iterator<Item = Line<'a>> + use<'a> {
        let (whole, seam) = match self {
            Self::Lines(raw) => (Some(raw.clone()), None),
            Self::Seam(spot, text) => (None, Some((*spot, Cow::Owned(text.clone())))),
        };
        whole
            .into_iter()
            .flatten()
            .map(|(spot, line)| (spot, Cow::Borrowed(line)))
            .chain(seam)
            .map(|(spot, text)| Line {
                spot,
                text,
                doubt: None,
            })
    }
}

/// Files one after the other: cat(1) puts nothing between two of them.
fn catenated<'a>(texts: &[&'a [u8]]) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    let mut open: Option<(Spot, Vec<u8>)> = None;
    for (file, text) in texts.iter().enumerate() {
        let file = u32::try_from(file).unwrap_or(u32::MAX);
        let (mut first, mut rest) = (1, *text);
        if let Some((_, line)) = &mut open {
            let end = memchr(b'\n', rest);
            line.extend_from_slice(&rest[..end.unwrap_or(rest.len())]);
            let Some(end) = end else { continue };
            parts.extend(open.take().map(|(spot, line)| Part::Seam(spot, line)));
            (first, rest) = (2, &rest[end + 1..]);
        }
        let whole = rest.iter().rposition(|byte| *byte == b'\n');
        let (lines, last) = rest.split_at(whole.map_or(0, |at| at + 1));
        if !last.is_empty() {
            let before = memchr_iter(b'\n', lines).count();
            let line = first + u32::try_from(before).unwrap_or(u32::MAX);
            open = Some((Spot { file, line }, last.to_vec()));
        }
        parts.push(Part::Lines(Raw::new(file, first, lines)));
    }
    parts.extend(open.map(|(spot, line)| Part::Seam(spot, line)));
    parts
}

/// Where augenrules puts a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Nowhere: a comment, or nothing at all.
    Gone,
    /// Among the others.
    Stays,
    Delete,
    Backlog,
    Failure,
    Enable,
}

/// The awk script of augenrules.
#[derive(Debug, Clone, Copy)]
struct Script {
    awk: Awk,
    /// Whether a carriage return at the end of a line goes, where that is known.
    strips: Option<bool>,
}

impl Script {
    fn line(self, mut line: Line<'_>) -> (Turn, Line<'_>) {
        if let [b'-', second, .., last] = &*line.text
            && !matches!(second, b'e' | b'D' | b'f' | b'b')
            && *last != b'\r'
        {
            // As most lines are.
            return (Turn::Stays, line);
        }
        if line.text.ends_with(b"\r") {
            match self.strips {
                Some(true) => {
                    let end = line.text.len() - 1;
                    match &mut line.text {
                        Cow::Borrowed(text) => *text = &text[..end],
                        Cow::Owned(text) => text.truncate(end),
                    }
                }
                Some(false) => {}
                None => {
                    let what = "a carriage return at the end of a line";
                    line.doubt = Some(Box::new(Doubt::Release(what.to_owned())));
                }
            }
        }
        let text: &[u8] = &line.text;
        if text.is_empty() {
            return (Turn::Gone, line);
        }
        let trimmed = trimmed(text);
        let begins = text.starts_with(b"#") || text.starts_with(b"-");
        let is = |option: &[u8]| trimmed.starts_with(option);
        let moves = is(b"-e") || is(b"-b") || is(b"-f") || trimmed == b"-D";
        let exact = begins && (trimmed != b"-D" || text.len() == trimmed.len());
        let awk_moves = match self.awk {
            _ if exact => true,
            Awk::Blank => true,
            Awk::Letter => false,
            Awk::Unseen => {
                // Before a comment blanks make no difference to auditctl, a tab does.
                if moves || (is(b"#") && text.contains(&b'\t')) {
                    line.doubt = Some(Box::new(Doubt::Awk));
                }
                is(b"#")
            }
        };
        let turn = match () {
            () if !awk_moves => Turn::Stays,
            () if is(b"#") && line.doubt.is_some() => {
                // Where awk is not known, the line stays with its doubt.
                line.text = Cow::Borrowed(b"#");
                Turn::Stays
            }
            () if is(b"#") => Turn::Gone,
            () if trimmed == b"-D" => Turn::Delete,
            () if is(b"-e") => Turn::Enable,
            () if is(b"-b") => Turn::Backlog,
            () if is(b"-f") => Turn::Failure,
            () => Turn::Stays,
        };
        (turn, line)
    }
}

/// Without what `\s` means at both ends.
fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_blank(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_blank(*last)
    {
        text = rest;
    }
    text
}

/// What `\s` means, without the newline.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0xb | 0xc)
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
