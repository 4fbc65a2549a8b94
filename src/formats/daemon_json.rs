//! Docker's `daemon.json`: strict reading, and editing that keeps the file's own style.
//!
//! dockerd decodes the file with Go's `encoding/json`: no comments, no trailing commas, nothing after the
//! object, the last of duplicate keys wins
//! (<https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file>).

pub mod directives;
mod edit;
mod nested;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts::{Bytes, steps};
use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use edit::EditError;

/// Something that is readable, but worth a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// The file is empty or blank. Docker 20.10 refuses to start with it; later versions read no settings.
    Empty,
    /// The file begins with a UTF-8 byte order mark. Docker 20.10 refuses to start with it.
    Bom,
    /// A key occurs more than once in one object; dockerd uses the last one.
    DuplicateKey {
        /// The key; inside an object with the outer keys before it, joined by dots.
        key: String,
        /// The 1-based line of the repetition.
        line: usize,
    },
}

/// Why a text is no daemon.json that dockerd would read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("line {line}, column {column}: {reason}")]
pub struct ParseError {
    /// 1-based line.
    pub line: usize,
    /// 1-based column, counted in characters.
    pub column: usize,
    /// What is wrong, in plain words.
    pub reason: String,
}

/// A daemon.json: its text without a byte order mark, and the values in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    text: String,
    values: Map<String, Value>,
    lines: BTreeMap<String, usize>,
    flaws: Vec<Flaw>,
}

impl Document {
    /// [`Self::parse`], once for all who ask for what this content says.
    pub fn of(content: &Bytes) -> Result<Arc<Self>, ParseError> {
        let read = content.0.view(|bytes| Self::parse(bytes).map(Arc::new));
        (*read).clone()
    }

    /// Reads a file's bytes. An empty or blank file is an empty document with [`Flaw::Empty`]; everything else
    /// must be one strict JSON object.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        steps::count(bytes.len());
        let mut flaws = Vec::new();
        let bytes = match bytes {
            [0xEF, 0xBB, 0xBF, rest @ ..] => {
                flaws.push(Flaw::Bom);
                rest
            }
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, b'{', ..] | [b'{', 0, ..] => {
                return Err(ParseError {
                    line: 1,
                    column: 1,
                    reason: "the file is UTF-16; save it as UTF-8".to_owned(),
                });
            }
            all => all,
        };
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            error_at(&valid, valid.len(), "this byte is not UTF-8".to_owned())
        })?;
        let mut document = Self {
            text: text.to_owned(),
            flaws,
            ..Self::empty()
        };
        if text.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
            document.flaws.push(Flaw::Empty);
            return Ok(document);
        }
        let (root, values) = strict(text)?;
        let ast::Value::Object(root) = root else {
            return Err(error_at(
                text,
                root.start(),
                "the outermost value is not an object: the settings belong between { and }"
                    .to_owned(),
            ));
        };
        let lines = Lines::of(text);
        for property in &root.properties {
            document.lines.insert(
                property.name.as_str().to_owned(),
                lines.at(property.start()),
            );
        }
        find_duplicates(&root, None, &lines, &mut document.flaws);
        document.values = values;
        Ok(document)
    }

    /// The document of a file that does not exist.
    pub fn empty() -> Self {
        Self::default()
    }

    /// What is worth a finding although the file is readable.
    pub fn flaws(&self) -> &[Flaw] {
        &self.flaws
    }

    /// The file's text without a byte order mark.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value of a top-level key; of duplicates the last, as in dockerd.
    pub fn get(&self, key: &str) -> Option<&Value> {
        steps::count(1);
        self.values.get(key)
    }

    /// The 1-based line of a top-level key; of duplicates the last.
    pub fn line_of(&self, key: &str) -> Option<usize> {
        self.lines.get(key).copied()
    }

    /// The top-level keys in the file's order.
    pub fn keys(&self) -> Vec<&str> {
        steps::counted(self.values.keys())
            .map(String::as_str)
            .collect()
    }

    /// The booleans that take effect although they are one level inside an object: `(outer, inner, value)`.
    ///
    /// dockerd flattens every object whose key is not one of a few known ones, and sets each boolean flag it
    /// finds there (moby `daemon/config/config.go`, `configValuesSet`, `getConflictFreeConfiguration`). The text
    /// of any value goes to Go's `strconv.ParseBool`, and what that refuses counts as false.
    pub fn nested_booleans(&self) -> Vec<(String, String, bool)> {
        nested::booleans(&self.values)
    }

    /// The file's new text: `Some` sets a top-level key, `None` removes it.
    ///
    /// Untouched keys keep their order, indentation, number spelling and newlines; inside a changed object or a
    /// list that only grew, the untouched entries do too. New keys go to the end. A document without changes
    /// gives its very own text. The result was read back and holds exactly the wanted values.
    pub fn with(&self, changes: &BTreeMap<String, Option<Value>>) -> Result<String, EditError> {
        for flaw in &self.flaws {
            if let Flaw::DuplicateKey { key, line } = flaw {
                return Err(EditError::DuplicateKey {
                    key: key.clone(),
                    line: *line,
                });
            }
        }
        let mut wanted = self.values.clone();
        for (key, value) in changes {
            match value {
                Some(value) => {
                    wanted.insert(key.clone(), value.clone());
                }
                None => {
                    wanted.shift_remove(key);
                }
            }
        }
        if wanted == self.values {
            return Ok(self.text.clone());
        }
        edit::rewrite(&self.text, &self.values, &wanted)
    }
}

/// Everything that JSON itself does not have is off: dockerd refuses it.
fn strict_options() -> ParseOptions {
    ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// The tree of the text, and the values of the outermost object; none where it is another value.
fn strict(text: &str) -> Result<(ast::Value<'_>, Map<String, Value>), ParseError> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &strict_options())
        .map_err(|error| error_at(text, error.range().start, reason(&error, text)))?;
    // Both parsers must agree: what one of them lets through is not strict JSON.
    let values = match serde_json::from_str(text).map_err(|error| refused(&error))? {
        Value::Object(values) => values,
        _ => Map::new(),
    };
    let tree = parsed
        .value
        .ok_or_else(|| error_at(text, 0, "there is no value in the file".to_owned()))?;
    Ok((tree, values))
}

fn refused(error: &serde_json::Error) -> ParseError {
    let text = error.to_string();
    // serde_json appends the position, which the error already carries.
    let reason = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(before, _)| before);
    ParseError {
        line: error.line().max(1),
        column: error.column().max(1),
        reason: reason.to_owned(),
    }
}

fn reason(error: &jsonc_parser::errors::ParseError, text: &str) -> String {
    let rest = text.get(error.range().start..).unwrap_or_default();
    let words = match error.kind() {
        _ if rest.starts_with('#') => "comments are not allowed in daemon.json",
        ParseErrorKind::CommentsNotAllowed | ParseErrorKind::UnterminatedCommentBlock => {
            "comments are not allowed in daemon.json"
        }
        ParseErrorKind::TrailingCommasNotAllowed => "there is a comma after the last entry",
        ParseErrorKind::MultipleRootJsonValues => "there is more text after the end of the object",
        ParseErrorKind::ExpectedComma => "a comma is missing between two entries",
        ParseErrorKind::ExpectedColonAfterObjectKey => "a colon is missing after the key",
        ParseErrorKind::ExpectedObjectValue => "the value after the colon is missing",
        ParseErrorKind::ExpectedStringObjectProperty => "the key is not in double quotes",
        ParseErrorKind::SingleQuotedStringsNotAllowed => "strings need double quotes",
        ParseErrorKind::UnterminatedObject => "the closing } is missing",
        ParseErrorKind::UnterminatedArray => "the closing ] is missing",
        ParseErrorKind::UnexpectedWord | ParseErrorKind::UnexpectedToken
            if rest.starts_with(char::is_alphabetic) =>
        {
            "only true, false and null may stand without quotes"
        }
        other => return lower_first(&other.to_string()),
    };
    words.to_owned()
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}

fn error_at(text: &str, offset: usize, reason: String) -> ParseError {
    let (line, column) = position(text, offset);
    ParseError {
        line,
        column,
        reason,
    }
}

/// The 1-based line and column of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

/// Where the lines of a text end: counting them anew for every key takes minutes in a large file.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    /// The 1-based line of a byte offset.
    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset) + 1
    }
}

/// The keys of the objects that are open, the innermost first.
#[derive(Clone, Copy)]
struct Inside<'t> {
    key: &'t str,
    outer: Option<&'t Self>,
}

impl Inside<'_> {
    /// All of them joined by dots, the outermost first. Only the last ones of many, or of long ones: an
    /// outer key of 1 MiB would else be repeated for each key in it.
    fn path(self) -> String {
        const LONGEST: usize = 200;
        let mut keys = vec![self.key];
        let mut length = self.key.len();
        let mut outer = self.outer;
        while let Some(next) = outer {
            length += next.key.len() + 1;
            if length > LONGEST {
                keys.push("…");
                break;
            }
            keys.push(next.key);
            outer = next.outer;
        }
        keys.reverse();
        keys.join(".")
    }
}

fn find_duplicates(
    object: &ast::Object<'_>,
    outer: Option<&Inside<'_>>,
    lines: &Lines,
    flaws: &mut Vec<Flaw>,
) {
    let mut seen = BTreeSet::new();
    for property in &object.properties {
        let key = property.name.as_str();
        let inside = Inside { key, outer };
        if !seen.insert(key) {
            flaws.push(Flaw::DuplicateKey {
                key: inside.path(),
                line: lines.at(property.start()),
            });
        }
        find_duplicates_in_value(&property.value, &inside, lines, flaws);
    }
}

fn find_duplicates_in_value(
    value: &ast::Value<'_>,
    inside: &Inside<'_>,
    lines: &Lines,
    flaws: &mut Vec<Flaw>,
) {
    match value {
        ast::Value::Object(inner) => find_duplicates(inner, Some(inside), lines, flaws),
        ast::Value::Array(list) => {
            for element in &list.elements {
                find_duplicates_in_value(element, inside, lines, flaws);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(text: &str) -> Document {
        Document::parse(text.as_bytes()).unwrap()
    }

    /// Anything quadratic would not come to an end here that somebody waits for.
    #[test]
    fn the_largest_file_is_read() {
        let keys: Vec<String> = (0..60_000).map(|key| format!("\"k{key}\": 1")).collect();
        let document = Document::parse(format!("{{\n{}\n}}", keys.join(",\n")).as_bytes()).unwrap();
        assert_eq!(document.line_of("k59999"), Some(60_001));
    }

    #[test]
    fn refusals_say_what_and_where() {
        let cases: &[(&[u8], usize, usize, &str)] = &[
            (b"{\n  // no\n}", 2, 3, "comment"),
            (b"{\n  # no\n}", 2, 3, "comment"),
            (b"{ /* no */ }", 1, 3, "comment"),
            (b"{\"a\": 1,\n}", 1, 8, "comma after the last"),
            (b"{\"a\": [1, 2,]}", 1, 12, "comma after the last"),
            (b"{} {}", 1, 4, "more text after"),
            (b"{}\nrubbish", 2, 1, ""),
            (b"{\"a\": 1 \"b\": 2}", 1, 8, "comma is missing"),
            (b"{'a': 1}", 1, 2, "double quotes"),
            (b"{a: 1}", 1, 2, "double quotes"),
            (b"{\"a\": 0x1}", 1, 7, "hexadecimal"),
            (b"{\"a\": yes}", 1, 7, "quotes"),
            (b"{\"a\": 1", 1, 1, "closing }"),
            (b"[]", 1, 1, "not an object"),
            (b"null", 1, 1, "not an object"),
            (b"{\"a\": 1e400}", 1, 11, "out of range"),
            (b"\xff\xfe{\0}\0", 1, 1, "UTF-16"),
            (b"{\"a\": \"\xff\"}", 1, 8, "UTF-8"),
            (b"{\"a\": \"\x01\"}", 1, 8, "control character"),
        ];
        for (bytes, line, column, words) in cases {
            let error = Document::parse(bytes).unwrap_err();
            let shown = String::from_utf8_lossy(bytes);
            assert!(error.reason.contains(words), "{shown}: {error}");
            assert_eq!(
                (error.line, error.column),
                (*line, *column),
                "{shown}: {error}"
            );
        }
    }

    #[test]
    fn readable_flaws() {
        assert_eq!(parse("").flaws(), [Flaw::Empty]);
        assert_eq!(parse(" \r\n\t").flaws(), [Flaw::Empty]);
        assert_eq!(parse("\u{feff}{}").flaws(), [Flaw::Bom]);
        assert_eq!(parse("\u{feff}").flaws(), [Flaw::Bom, Flaw::Empty]);
        assert_eq!(parse("{}").flaws(), []);
        assert_eq!(Document::empty().flaws(), []);
        let twice =
            parse("{\n\"icc\": true,\n\"icc\": false, \"log-opts\": {\"a\": \"1\", \"a\": \"2\"}}");
        let duplicate = |key: &str| Flaw::DuplicateKey {
            key: key.to_owned(),
            line: 3,
        };
        assert_eq!(twice.flaws(), [duplicate("icc"), duplicate("log-opts.a")]);
        assert_eq!(twice.get("icc"), Some(&json!(false)));
        assert_eq!(twice.line_of("icc"), Some(3));
        assert_eq!(twice.line_of("none"), None);
        assert_eq!(twice.keys(), ["icc", "log-opts"]);
    }

    #[test]
    fn escaped_keys_are_the_same_key() {
        let document = parse("{\"\\u0069cc\": true, \"icc\": false}");
        assert_eq!(document.flaws().len(), 1);
        assert_eq!(document.get("icc"), Some(&json!(false)));
    }
}
