//! A value, and where it stands in the text that it was read from.

use std::ops::Range;

/// A value that was read character by character: quotes, escapes and joined lines of the text are no
/// part of it.
#[derive(Debug, Default)]
pub(super) struct Placed {
    text: String,
    /// In the order of both.
    runs: Vec<Run>,
}

/// Characters that stand side by side in the text as they do in the value, or a single one that is
/// written with an escape.
#[derive(Debug)]
struct Run {
    /// Where it begins in the value.
    at: usize,
    /// Where it stands in the text.
    from: Range<usize>,
    /// It is written with an escape.
    escaped: bool,
}

impl Placed {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Adds a character, which stands there in the text.
    pub(super) fn push(&mut self, c: char, from: Range<usize>) {
        let at = self.text.len();
        self.text.push(c);
        let escaped = from.len() != c.len_utf8();
        match self.runs.last_mut() {
            Some(last) if !escaped && !last.escaped && last.from.end == from.start => {
                last.from.end = from.end;
            }
            _ => self.runs.push(Run { at, from, escaped }),
        }
    }

    /// Takes away what goes beyond so many bytes.
    pub(super) fn truncate(&mut self, length: usize) {
        self.text.truncate(length);
        while self.runs.last().is_some_and(|run| run.at >= length) {
            self.runs.pop();
        }
        if let Some(last) = self.runs.last_mut().filter(|run| !run.escaped) {
            last.from.end = last.from.start + length - last.at;
        }
    }

    /// Where a part of the value stands in the text; `None` where it is empty, or where something stands
    /// within that `joins` does not take for a join.
    pub(super) fn place(
        &self,
        part: &Range<usize>,
        joins: impl Fn(Range<usize>) -> bool,
    ) -> Option<Range<usize>> {
        let first = self.runs.partition_point(|run| run.at <= part.start);
        let runs = &self.runs[first.checked_sub(1)?..];
        let end = runs.partition_point(|run| run.at < part.end);
        let runs = &runs[..end];
        let within = |run: &Run, at: usize| {
            if run.escaped && at > run.at {
                run.from.end
            } else {
                run.from.start + at - run.at
            }
        };
        let (first, last) = (runs.first()?, runs.last()?);
        let all_join = runs
            .windows(2)
            .all(|pair| joins(pair[0].from.end..pair[1].from.start));
        (!part.is_empty() && all_join).then(|| within(first, part.start)..within(last, part.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_know_their_places() {
        // An escaped quote, two joined lines, and blanks at the end.
        let text = "ab\\\"c\\\nd  ";
        let mut value = Placed::default();
        for (c, from) in [
            ('a', 0..1),
            ('b', 1..2),
            ('"', 2..4),
            ('c', 4..5),
            ('d', 7..8),
            (' ', 8..9),
            (' ', 9..10),
        ] {
            value.push(c, from);
        }
        value.truncate(5);
        assert_eq!(value.text(), "ab\"cd");
        let place = |part: Range<usize>, joins: bool| {
            value
                .place(&part, |gap| text[gap].is_empty() || joins)
                .map(|place| &text[place])
        };
        for (part, joins, expected) in [
            (0..2, false, Some("ab")),
            (1..2, false, Some("b")),
            (1..3, false, Some("b\\\"")),
            (2..3, false, Some("\\\"")),
            (2..4, false, Some("\\\"c")),
            (3..5, true, Some("c\\\nd")),
            (3..5, false, None),
            (4..5, false, Some("d")),
            (0..5, true, Some("ab\\\"c\\\nd")),
            (2..2, true, None),
        ] {
            assert_eq!(place(part.clone(), joins), expected, "{part:?}");
        }
        assert_eq!(value.into_text().len(), 5);
        assert_eq!(Placed::default().place(&(0..1), |_| true), None);
    }
}
