//! Text line by line: the difference that the transaction made is taken out of the text of today.
//!
//! Unlike a plain three-way merge this one does not care that a later line stands right beside one
//! of ours, as that is where people add lines to a file that ends with ours.

use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::BTreeMap;

/// A text that was merged.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MergedText {
    /// It.
    pub(super) text: String,
    /// Lines that came since and stay.
    pub(super) added: Vec<String>,
    /// How many lines went since and stay away.
    pub(super) gone: usize,
    /// Nothing is left but lines that only carry others.
    pub(super) hollow: bool,
}

/// Where a line of the result comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// It is in the text of today, and was in ours.
    Shared,
    /// It comes back.
    Former,
    /// It came since.
    Theirs,
}

struct Out<'a> {
    line: &'a str,
    from: Origin,
    /// It goes unless something needs it.
    carries: bool,
}

/// A change from our text to the former one.
struct Hunk<'a> {
    start: usize,
    len: usize,
    lines: &'a [&'a str],
}

/// The text of today against ours.
struct Now<'a> {
    /// Of each line of ours, whether it is still there.
    kept: Vec<bool>,
    /// What was inserted before each line of ours, and at the end.
    inserted: Vec<&'a [&'a str]>,
    ends: bool,
}

/// Takes the change from `before` to `after` out of `now`. `carries` says of a line that it is of
/// use only to other lines, such as the header of a section: it goes when nothing else is left.
///
/// # Errors
/// The line of ours, counted from 1, whose surroundings were changed in a way that leaves no
/// place for the former line.
pub(super) fn merge(
    before: &str,
    after: &str,
    now: &str,
    carries: fn(&str) -> bool,
) -> Result<MergedText, usize> {
    let (before_lines, after_lines, now_lines) = (lines(before), lines(after), lines(now));
    let hunks = hunks(&before_lines, &after_lines);
    let today = against(&after_lines, &now_lines, now);
    let count = after_lines.len();
    let mut out: Vec<Out<'_>> = Vec::new();
    let mut moved = moved(&hunks, &after_lines, &today);
    let mut added = Vec::new();
    let mut dropped = vec![false; count];
    let mut tentative = vec![false; count];
    let mut next = hunks.iter().peekable();
    for index in 0..=count {
        let inserted = today.inserted[index];
        let mut former: &[&str] = &[];
        let mut first = false;
        while let Some(hunk) = next.next_if(|hunk| hunk.start == index) {
            for at in hunk.start..hunk.start + hunk.len {
                if hunk.lines.is_empty() && carries(after_lines[at]) {
                    tentative[at] = true;
                } else {
                    dropped[at] = true;
                }
            }
            match hunk.place(&today)? {
                Place::None => {}
                Place::First => (former, first) = (hunk.lines, true),
                Place::Last => (former, first) = (hunk.lines, false),
            }
        }
        if first {
            come_back(&mut out, former);
        }
        for line in inserted {
            if let Some(count) = moved.get_mut(line)
                && *count > 0
            {
                *count -= 1;
                continue;
            }
            if !line.trim().is_empty() {
                added.push((*line).to_owned());
            }
            out.push(Out {
                line,
                from: Origin::Theirs,
                carries: false,
            });
        }
        if !first {
            come_back(&mut out, former);
        }
        if index < count && today.kept[index] && !dropped[index] {
            out.push(Out {
                line: after_lines[index],
                from: Origin::Shared,
                carries: tentative[index],
            });
        }
    }
    let gone = (0..count)
        .filter(|&at| !today.kept[at] && !dropped[at] && !tentative[at])
        .count();
    without_idle(&mut out);
    let hollow = out
        .iter()
        .all(|out| out.line.trim().is_empty() || carries(out.line));
    Ok(MergedText {
        text: joined(&out, before, &before_lines, after, &now_lines, today.ends),
        added,
        gone,
        hollow,
    })
}

/// Where former lines go at the start of their hunk: before or after what was inserted there.
enum Place {
    None,
    First,
    Last,
}

impl Hunk<'_> {
    fn place(&self, today: &Now<'_>) -> Result<Place, usize> {
        if self.lines.is_empty() {
            return Ok(Place::None);
        }
        let end = self.start + self.len;
        let inserted: Vec<&str> = today.inserted[self.start..=end].concat();
        if self.len > 0 {
            let kept = &today.kept[self.start..end];
            if kept.iter().all(|&kept| kept) {
                return Ok(Place::Last);
            }
            // Somebody put the former lines back already.
            if kept.iter().all(|&kept| !kept) && inserted == self.lines {
                return Ok(Place::None);
            }
            return Err(self.start + 1);
        }
        if inserted == self.lines {
            return Ok(Place::None);
        }
        let count = today.kept.len();
        if count == 0 && !inserted.is_empty() {
            return Err(1);
        }
        // The beginning and the end of the file are neighbours that never go away.
        if self.start == 0 || today.kept[self.start - 1] {
            Ok(Place::First)
        } else if self.start == count || today.kept[self.start] {
            Ok(Place::Last)
        } else {
            Err(self.start + 1)
        }
    }
}

fn come_back<'a>(out: &mut Vec<Out<'a>>, former: &[&'a str]) {
    out.extend(former.iter().map(|line| Out {
        line,
        from: Origin::Former,
        carries: false,
    }));
}

fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    if lines.last() == Some(&"") {
        lines.pop();
    }
    lines
}

fn hunks<'a>(before: &'a [&'a str], after: &[&str]) -> Vec<Hunk<'a>> {
    let mut hunks = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, after, before) {
        match op {
            DiffOp::Equal { .. } => {}
            DiffOp::Delete {
                old_index, old_len, ..
            } => hunks.push(Hunk {
                start: old_index,
                len: old_len,
                lines: &[],
            }),
            DiffOp::Insert {
                old_index,
                new_index,
                new_len,
            } => hunks.push(Hunk {
                start: old_index,
                len: 0,
                lines: &before[new_index..new_index + new_len],
            }),
            DiffOp::Replace {
                old_index,
                old_len,
                new_index,
                new_len,
            } => hunks.push(Hunk {
                start: old_index,
                len: old_len,
                lines: &before[new_index..new_index + new_len],
            }),
        }
    }
    hunks
}

fn against<'a>(after: &[&str], now: &'a [&'a str], text: &str) -> Now<'a> {
    let mut today = Now {
        kept: vec![false; after.len()],
        inserted: vec![&[]; after.len() + 1],
        ends: text.ends_with('\n'),
    };
    for op in capture_diff_slices(Algorithm::Myers, after, now) {
        match op {
            DiffOp::Equal { old_index, len, .. } => {
                today.kept[old_index..old_index + len].fill(true);
            }
            DiffOp::Delete { .. } => {}
            DiffOp::Insert {
                old_index,
                new_index,
                new_len,
            }
            | DiffOp::Replace {
                old_index,
                new_index,
                new_len,
                ..
            } => today.inserted[old_index] = &now[new_index..new_index + new_len],
        }
    }
    today
}

/// Lines of ours that are no longer at their place: one that was only moved goes, too.
fn moved<'a>(hunks: &[Hunk<'_>], after: &[&'a str], today: &Now<'_>) -> BTreeMap<&'a str, usize> {
    let mut moved = BTreeMap::new();
    for hunk in hunks.iter().filter(|hunk| hunk.lines.is_empty()) {
        let range = hunk.start..hunk.start + hunk.len;
        for (line, kept) in after[range.clone()].iter().zip(&today.kept[range]) {
            if !kept && !line.trim().is_empty() {
                *moved.entry(*line).or_default() += 1;
            }
        }
    }
    moved
}

/// Takes out lines of ours that carry nothing any more: a header of a section by its section,
/// everything else by the whole file.
fn without_idle(out: &mut Vec<Out<'_>>) {
    let is_header = |line: &str| line.starts_with('[');
    let real = |out: &Out<'_>| !out.carries && !out.line.trim().is_empty();
    let any = out.iter().any(|out| real(out) && !is_header(out.line));
    let idle: Vec<bool> = (0..out.len())
        .map(|at| {
            let rest = &out[at + 1..];
            out[at].carries
                && if is_header(out[at].line) {
                    !rest.iter().take_while(|out| !is_header(out.line)).any(real)
                } else {
                    !any
                }
        })
        .collect();
    let mut idle = idle.into_iter();
    out.retain(|_| !idle.next().unwrap_or(false));
}

/// The lines as a text. Whether the last one ends is as it was where that line was the last.
fn joined(
    out: &[Out<'_>],
    before: &str,
    before_lines: &[&str],
    after: &str,
    now_lines: &[&str],
    now_ends: bool,
) -> String {
    let mut text = String::new();
    for out in out {
        text.push_str(out.line);
        text.push('\n');
    }
    let Some(last) = out.last() else {
        return text;
    };
    let last_now = now_lines.last() == Some(&last.line);
    let last_before = before_lines.last() == Some(&last.line);
    let ends = match last.from {
        Origin::Theirs => !last_now || now_ends,
        // Somebody added the end, or took it away.
        Origin::Shared if last_now && now_ends != after.ends_with('\n') => now_ends,
        Origin::Shared | Origin::Former => !last_before || before.ends_with('\n'),
    };
    if !ends {
        text.pop();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carries(line: &str) -> bool {
        line.starts_with("# ours") || line == "-D" || line.starts_with('[')
    }

    #[test]
    fn ours_goes_theirs_stays() {
        let cases: &[(&str, &str, &str, &str)] = &[
            // before, after, now, merged
            ("a\n", "a\nX\n", "a\nX\nb\n", "a\nb\n"),
            ("a\n", "a\nX\n", "b\na\nX\n", "b\na\n"),
            ("a\n", "a\nX\n", "a2\nX\n", "a2\n"),
            ("a\n", "a\nX\n", "X\n", ""),
            ("a\n", "a\nX\n", "a\nb\n", "a\nb\n"),
            // A line of ours that was moved, and one that was repeated.
            ("a\n", "a\nX\n", "X\na\n", "a\n"),
            // A replaced line comes back in its place.
            ("a\nY\nb\n", "a\nX\nb\n", "a\nX\nc\nb\n", "a\nY\nc\nb\n"),
            ("a\nY\nb\n", "a\nX\nb\n", "c\na\nX\nb\n", "c\na\nY\nb\n"),
            ("a\nY\nb\n", "a\nX\nb\n", "a\nY\nb\nc\n", "a\nY\nb\nc\n"),
            // A removed one where a neighbour is still there.
            ("a\nY\nb\n", "a\nb\n", "a\nb2\n", "a\nY\nb2\n"),
            ("a\nY\nb\n", "a\nb\n", "a2\nc\nb\n", "a2\nc\nY\nb\n"),
            ("a\nY\n", "a\n", "a\nc\n", "a\nY\nc\n"),
            // Ends of files.
            ("a", "a\nX\n", "a\nX\nb\n", "a\nb\n"),
            ("a", "a\nX\n", "b\na\nX\n", "b\na"),
            ("a\n", "a\nX\n", "a\nX\nb", "a\nb"),
            ("a\r\n", "a\r\nX\n", "a\r\nX\nb\r\n", "a\r\nb\r\n"),
            // A file of ours.
            ("", "# ours\n-D\nX\n", "# ours\n-D\n", ""),
            (
                "",
                "# ours\n-D\nX\n",
                "# ours\n-D\nX\nb\n",
                "# ours\n-D\nb\n",
            ),
            ("", "[S]\nX=1\n", "[S]\nX=1\nY=1\n", "[S]\nY=1\n"),
            ("", "[S]\nX=1\n", "[S]\nX=1\n[T]\nY=1\n", "[T]\nY=1\n"),
        ];
        for (before, after, now, wanted) in cases {
            let merged = merge(before, after, now, carries);
            let text = merged.as_ref().map(|merged| merged.text.as_str());
            assert_eq!(text, Ok(*wanted), "{before:?} {after:?} {now:?}");
        }
    }

    #[test]
    fn the_same_line_twice_changed_is_for_a_person() {
        for (before, after, now, line) in [
            ("a\nY\nb\n", "a\nX\nb\n", "a\nZ\nb\n", 2),
            ("a\nY\nb\n", "a\nX\nb\n", "a\nb\n", 2),
            ("a\nY\nb\n", "a\nb\n", "c\n", 2),
            ("a\n", "", "b\n", 1),
        ] {
            assert_eq!(merge(before, after, now, carries), Err(line), "{now:?}");
        }
    }

    #[test]
    fn what_stays_is_told() {
        let merged = merge("a\nb\n", "a\nb\nX\n", "b\nX\n\nc\n", carries).unwrap();
        assert_eq!(merged.text, "b\n\nc\n");
        assert_eq!((merged.added, merged.gone), (vec!["c".to_owned()], 1));
        assert!(
            merge("", "# ours\n-D\nX\n", "# ours\n-D\nX\n\n", carries)
                .unwrap()
                .hollow
        );
    }
}
