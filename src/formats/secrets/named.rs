//! Values by their names: `NAME=value`, `name: value`, `"name": "value"`, `--name value`, in whatever quotes.

use super::names::{Weight, is_secret, is_single, is_switch, weight};
use super::spans::Spans;
use std::ops::Range;

/// Adds the value of every name that says secret, but for names in these places, which are in order: what looks like
/// an assignment in a password is none.
pub(super) fn find(text: &str, but: &[Range<usize>], spans: &mut Spans) {
    let mut but = but.iter().peekable();
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        line: 0,
        open: None,
        maps: 0,
        again: 0,
        unclosed: [false; 2],
    };
    let mut at = 0;
    while at < text.len() {
        while but.next_if(|place| place.end <= at).is_some() {}
        match but.peek() {
            Some(place) if place.start <= at => {
                reader.pass(at, &(at..place.end));
                at = place.end;
            }
            _ => at = reader.step(at, spans),
        }
    }
}

/// A quote and how many backslashes stand before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Quote {
    quote: u8,
    escapes: usize,
}

impl Quote {
    fn len(self) -> usize {
        self.escapes + 1
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    /// Where this line begins.
    line: usize,
    /// The quote that is open here.
    open: Option<u8>,
    /// How many of Go's maps are open here.
    maps: usize,
    /// How much was read of values that are no secrets, to be read again.
    again: usize,
    /// That nothing closes `"` or `'` up to the end: it is looked for once.
    unclosed: [bool; 2],
}

/// How a name and its value are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Join {
    /// `=`
    Assigned,
    /// `:` behind a name in quotes.
    Member,
    /// `: ` behind a bare name.
    Header,
    /// `:` in what Go prints of a map.
    Map,
    /// A blank or a comma behind a flag.
    Flag,
}

impl Reader<'_> {
    /// Reads on at `at`, and says where it goes on.
    fn step(&mut self, at: usize, spans: &mut Spans) -> usize {
        match self.bytes[at] {
            b'\n' => {
                self.line = at + 1;
                self.open = None;
                self.maps = 0;
                at + 1
            }
            b'\\' if matches!(self.bytes.get(at + 1), Some(b'\\' | b'"' | b'\'')) => at + 2,
            quote @ (b'"' | b'\'') => {
                match self.open {
                    Some(open) if open == quote => self.open = None,
                    None => self.open = Some(quote),
                    Some(_) => {}
                }
                at + 1
            }
            byte if is_name(byte) => {
                let end = self.run(at, is_name);
                match self.value(at..end) {
                    Some(value) if !value.is_empty() => {
                        self.pass(end, &value);
                        let next = value.end;
                        spans.add(value);
                        next
                    }
                    _ => end,
                }
            }
            b'[' => {
                self.maps += usize::from(self.bytes[..at].ends_with(b"map"));
                at + 1
            }
            b']' => {
                self.maps = self.maps.saturating_sub(1);
                at + 1
            }
            _ => at + 1,
        }
    }

    /// Keeps line and quote right over a value that is skipped, with what joins it to its name.
    fn pass(&mut self, name: usize, value: &Range<usize>) {
        for quote in self.bytes[name..value.start].iter().copied() {
            match (quote, self.open) {
                (b'"' | b'\'', None) => self.open = Some(quote),
                (_, Some(open)) if open == quote => self.open = None,
                _ => {}
            }
        }
        if let Some(newline) = self.text[name..value.end].rfind('\n') {
            self.line = name + newline + 1;
            self.open = self.open.filter(|_| newline + name < value.start);
        }
    }

    fn run(&self, from: usize, is: fn(u8) -> bool) -> usize {
        let rest = &self.bytes[from..];
        from + rest
            .iter()
            .position(|byte| !is(*byte))
            .unwrap_or(rest.len())
    }

    /// Blanks on one line; a backslash at its end joins the next one.
    fn blanks(&self, mut at: usize) -> usize {
        loop {
            match self.bytes.get(at) {
                Some(b' ' | b'\t') => at += 1,
                Some(b'\\') if self.bytes.get(at + 1) == Some(&b'\n') => at += 2,
                _ => return at,
            }
        }
    }

    fn quote_at(&self, at: usize) -> Option<Quote> {
        let start = self.run(at, |byte| byte == b'\\');
        let quote = *self.bytes.get(start)?;
        matches!(quote, b'"' | b'\'').then_some(Quote {
            quote,
            escapes: start - at,
        })
    }

    /// The quote right before a name.
    fn quote_before(&self, at: usize) -> Option<Quote> {
        let quote = *at.checked_sub(1).and_then(|at| self.bytes.get(at))?;
        let before = &self.bytes[..at - 1];
        let escapes = before
            .iter()
            .rev()
            .take_while(|byte| **byte == b'\\')
            .count();
        matches!(quote, b'"' | b'\'').then_some(Quote { quote, escapes })
    }

    /// The value of the name in this place, if it is a secret.
    fn value(&mut self, name: Range<usize>) -> Option<Range<usize>> {
        let word = &self.text[name.clone()];
        let weight = weight(word)?;
        let is_flag = word.starts_with('-');
        let before = &self.text[self.line..name.start];
        // A key of audit rules is a label (auditctl(8)).
        if word == "key" && (before.ends_with("-F ") || before.ends_with("-C ")) {
            return None;
        }
        let close = self.quote_at(name.end);
        let mut at = name.end + close.map_or(0, Quote::len);
        at += usize::from(close.is_some() && self.bytes.get(at) == Some(&b']'));
        let joined = self.blanks(at);
        let rest = &self.bytes[joined..];
        let (join, value) = match rest {
            [b':' | b'+', b'=', ..] | [b'=', b'>', ..] => (Join::Assigned, joined + 2),
            [b'=', ..] => (Join::Assigned, joined + 1),
            [b':', ..] if close.is_some() => (Join::Member, joined + 1),
            [b':', ..] if self.maps > 0 => (Join::Map, joined + 1),
            [b':', next, ..] if joined == at && self.is_header(word, weight, *next, name.start) => {
                (Join::Header, joined + 1)
            }
            [b',', ..] if is_flag && close.is_some() => {
                let next = self.run(joined + 1, |byte| byte.is_ascii_whitespace());
                self.quote_at(next)?;
                (Join::Flag, next)
            }
            _ if is_flag && joined > at && !is_switch(word) => (Join::Flag, joined),
            _ => return None,
        };
        let value = self.extent(name, close, join, value)?;
        let text = &self.text[value.clone()];
        if join == Join::Flag
            && text.starts_with('-')
            && text[1..].starts_with(|c: char| c == '-' || c.is_ascii_alphabetic())
        {
            return None;
        }
        let bare = text.trim_matches(['"', '\'', '\\', ' ', '\t', ';', ',']);
        let no_value = join == Join::Member && matches!(bare, "null" | "true" | "false");
        if is_secret(weight, bare) && !no_value {
            return Some(value);
        }
        // Names within it are looked at, too; not for ever.
        self.again += value.len();
        (self.again > 4 * self.text.len() + 4096).then_some(value)
    }

    /// Whether a bare name with a colon is that of a header or of a member (`X-Api-Key: …`, `password: …`).
    fn is_header(&self, name: &str, weight: Weight, next: u8, start: usize) -> bool {
        let single = is_single(name);
        if matches!(next, b' ' | b'\t') {
            // The last part of a path that a sentence begins with: `/etc/docker/key.pem: mode 0666`.
            let before = &self.text[self.line..start];
            let word = before
                .rsplit(|c: char| c.is_whitespace() || "\"'`".contains(c))
                .next();
            if word.is_some_and(|word| word.starts_with('/')) {
                return false;
            }
            let known = ["authorization", "cookie", "auth"];
            return weight == Weight::Strong
                || !single
                || known.contains(&name.to_ascii_lowercase().as_str());
        }
        // `pass:…` of openssl(1); an image of such a name has a path before it.
        let free = self.text[..start].chars().next_back();
        weight == Weight::Strong
            && single
            && next != b'/'
            && next != b'\n'
            && free.is_none_or(|c| c.is_whitespace() || "\"'=,".contains(c))
    }

    /// From where to where the value goes that begins behind the join.
    fn extent(
        &mut self,
        name: Range<usize>,
        close: Option<Quote>,
        join: Join,
        from: usize,
    ) -> Option<Range<usize>> {
        let start = match join {
            Join::Map => from,
            _ => self.blanks(from),
        };
        let first = *self.bytes.get(start)?;
        if first == b'\n' || first == b'\r' {
            return None;
        }
        // In the quotes that the name stands in, too.
        if close.is_none()
            && let Some(around) = self.quote_before(name.start)
            && (around.escapes > 0 || self.open == Some(around.quote))
        {
            let end = self.closing(start, around, false);
            let end = end.unwrap_or_else(|| self.line_end(start));
            return Some(start..end);
        }
        let whole = close.is_none() && join == Join::Assigned && self.is_whole_line(name.start);
        if let Some(quote) = self.quote_at(start) {
            return Some(self.in_quotes(start, quote, whole, join));
        }
        if matches!(first, b'{' | b'[') && join != Join::Flag && !whole {
            return Some(start..self.balanced(start));
        }
        let end = match join {
            _ if whole => self.line_end(start),
            Join::Map => self.until(start, b" ]\n"),
            Join::Member => self.until(start, b",}]\n"),
            Join::Header => match self.open {
                Some(quote) => {
                    let around = Quote { quote, escapes: 0 };
                    let end = self.closing(start, around, false);
                    end.unwrap_or_else(|| self.line_end(start))
                }
                None => self.line_end(start),
            },
            Join::Assigned if self.is_parameter(name.start) => self.until(start, b"&#\"'` \t\n\\"),
            Join::Assigned | Join::Flag => {
                let end = self.word_end(start);
                if join == Join::Assigned {
                    self.strays(end)
                } else {
                    end
                }
            }
        };
        Some(start..end)
    }

    /// A value that begins with a quote.
    fn in_quotes(&mut self, start: usize, quote: Quote, whole: bool, join: Join) -> Range<usize> {
        let triple = [quote.quote; 3];
        if quote.escapes == 0 && self.bytes[start..].starts_with(&triple) {
            let from = start + 3;
            let mut end = from;
            while end < self.bytes.len() && !self.bytes[end..].starts_with(&triple) {
                end += 1;
            }
            return from..end;
        }
        let from = start + quote.len();
        let Some(end) = self.closing(from, quote, quote.escapes == 0) else {
            return from..self.line_end(from);
        };
        let after = (end + quote.len()).min(self.bytes.len());
        if whole {
            let rest = self.text[after..self.line_end(after)].trim_start();
            let only = rest.is_empty() || rest.starts_with(['#', ',', '}', ']', ';', ')']);
            return if only {
                from..end
            } else {
                start..self.line_end(after)
            };
        }
        let goes_on = quote.escapes == 0
            && matches!(join, Join::Assigned | Join::Flag)
            && self.open.is_none()
            && self
                .bytes
                .get(after)
                .is_some_and(|next| !next.is_ascii_whitespace() && !b",;&|)]}\\".contains(next));
        if goes_on {
            start..self.word_end(after)
        } else {
            from..end
        }
    }

    /// Where the quote is that closes one of this kind: one with as many backslashes before it, or with fewer, which
    /// closes what is around.
    fn closing(&mut self, from: usize, quote: Quote, over_lines: bool) -> Option<usize> {
        let cache = usize::from(quote.quote == b'"');
        let over_lines = over_lines && !self.unclosed[cache];
        let mut escapes = 0;
        for at in from..self.bytes.len() {
            let byte = self.bytes[at];
            if byte == quote.quote {
                if quote.escapes == 0 && escapes % 2 == 0 {
                    return Some(at);
                }
                if escapes <= quote.escapes && quote.escapes > 0 {
                    return Some(at - escapes);
                }
            }
            if byte == b'\n' && !over_lines && escapes == 0 {
                return None;
            }
            escapes = if byte == b'\\' { escapes + 1 } else { 0 };
        }
        self.unclosed[cache] |= over_lines;
        None
    }

    fn until(&self, from: usize, ends: &[u8]) -> usize {
        let rest = &self.bytes[from..];
        from + rest
            .iter()
            .position(|byte| ends.contains(byte))
            .unwrap_or(rest.len())
    }

    /// The end of the line, lines joined by a backslash taken as one.
    fn line_end(&self, from: usize) -> usize {
        let mut at = from;
        while at < self.bytes.len() && self.bytes[at] != b'\n' {
            at +=
                1 + usize::from(self.bytes[at] == b'\\' && self.bytes.get(at + 1) == Some(&b'\n'));
        }
        let at = at.min(self.bytes.len());
        at - usize::from(at > from && self.bytes[at - 1] == b'\r')
    }

    /// The end of a word as a shell reads it, in the quotes that are open around it.
    fn word_end(&mut self, from: usize) -> usize {
        let mut at = from;
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b'\\' => at += 2,
                byte if byte.is_ascii_whitespace() => break,
                byte if self.open == Some(*byte) => break,
                quote @ (b'"' | b'\'') if self.open.is_none() => {
                    let quote = Quote {
                        quote: *quote,
                        escapes: 0,
                    };
                    match self.closing(at + 1, quote, false) {
                        Some(end) => at = end + 1,
                        None => return self.line_end(at),
                    }
                }
                _ => at += 1,
            }
        }
        let mut at = at.min(self.bytes.len());
        while !self.text.is_char_boundary(at) {
            at += 1;
        }
        at
    }

    /// The end of an object or a list.
    fn balanced(&self, from: usize) -> usize {
        let (mut depth, mut at) = (0_usize, from);
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        self.bytes.len()
    }

    /// Words behind a value in `export` and `Environment=` that are no assignments belong to it, whatever reads them.
    fn strays(&self, end: usize) -> usize {
        let line = self.text[self.line..].trim_start();
        if self.open.is_some() || !(line.starts_with("export") || line.starts_with("Environment="))
        {
            return end;
        }
        let mut last = end;
        loop {
            let word = self.blanks(last);
            let word_end = self.until(word, b" \t\n\\");
            let text = &self.text[word..word_end];
            let assigns = text.split_once('=').is_some_and(|(name, value)| {
                name.bytes().all(is_name) && !value.trim_matches('=').is_empty()
            });
            if text.is_empty() || assigns || text.starts_with(['-', '"', '\'', '#', ';', '&', '|'])
            {
                return last;
            }
            last = word_end - usize::from(text.ends_with('\r'));
        }
    }

    /// Whether nothing but `export` and comment signs stands before a name on its line.
    fn is_whole_line(&self, name: usize) -> bool {
        let before = self.text[self.line..name].trim_matches([' ', '\t', '#', ';']);
        !self.text[name..].starts_with('-')
            && matches!(before, "" | "export" | "set" | "declare -x" | "setenv")
    }

    /// Whether a name is that of a parameter in a URL.
    fn is_parameter(&self, name: usize) -> bool {
        name.checked_sub(1)
            .is_some_and(|before| matches!(self.bytes[before], b'?' | b'&'))
            || self.text[..name].ends_with("&amp;")
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}
