//! What of a text is a secret, and the text without it.

use super::MASK;
use std::borrow::Cow;
use std::ops::Range;

/// Places in a text that hold secrets; they may overlap.
#[derive(Debug, Default)]
pub(super) struct Spans(Vec<Range<usize>>);

impl Spans {
    /// Adds a place; an empty one holds nothing.
    pub(super) fn add(&mut self, place: Range<usize>) {
        if place.start < place.end {
            self.0.push(place);
        }
    }

    /// The places in order, those that touch as one.
    pub(super) fn places(mut self) -> Vec<Range<usize>> {
        self.0.sort_by_key(|place| place.start);
        let mut joined: Vec<Range<usize>> = Vec::with_capacity(self.0.len());
        for place in self.0 {
            match joined.last_mut() {
                Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
                _ => joined.push(place),
            }
        }
        joined
    }

    /// The text with [`MASK`] in each place, once a line: the text keeps its lines and their ends.
    pub(super) fn mask(self, text: &str) -> Cow<'_, str> {
        if self.0.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked = String::with_capacity(text.len());
        let mut from = 0;
        for place in self.places() {
            masked.push_str(&text[from..place.start]);
            for line in text[place.clone()].split_inclusive('\n') {
                let body = line.trim_end_matches(['\n', '\r']);
                if !body.is_empty() {
                    masked.push_str(MASK);
                }
                masked.push_str(&line[body.len()..]);
            }
            from = place.end;
        }
        masked.push_str(&text[from..]);
        Cow::Owned(masked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_become_one_mask_a_line() {
        let mut spans = Spans::default();
        for place in [9..12, 2..4, 3..6, 6..7, 5..5] {
            spans.add(place);
        }
        assert_eq!(spans.mask("ab34567 z\r\n2rest"), "ab*** z\r\n***rest");
    }
}
