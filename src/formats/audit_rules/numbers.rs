//! Numbers and names in a line.

use super::bad::{Bad, Doubt};
use super::line::Reader;
use super::tables::Known;

/// As strtoul(3) with base 0 reads it where the first character is a digit; what follows the number is not looked at.
pub(super) fn number(text: &str) -> Option<u32> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (digits, base) = match text.as_bytes() {
        [b'0', b'x' | b'X', next, ..] if next.is_ascii_hexdigit() => (&text[2..], 16),
        [b'0', ..] => (text, 8),
        _ => (text, 10),
    };
    let end = digits
        .find(|c: char| !c.is_digit(base))
        .unwrap_or(digits.len());
    // More than 64 bits are the greatest number, of which 32 bits are kept.
    let value = u64::from_str_radix(&digits[..end], base).unwrap_or(u64::MAX);
    #[allow(clippy::cast_possible_truncation)] // as the assignment to a 32-bit field does
    Some(value as u32)
}

/// Whether a name is known, or why it is not said.
pub(super) fn known(
    reader: &mut Reader<'_, '_>,
    found: Known<u32>,
    bad: impl FnOnce() -> Bad,
    doubt: impl FnOnce() -> Doubt,
) -> Result<Option<u32>, Bad> {
    match found {
        Known::Yes(number) => Ok(Some(number)),
        Known::No => Err(bad()),
        Known::Perhaps => {
            reader.doubts(doubt);
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_in_c() {
        for (text, value) in [
            ("12", Some(12)),
            ("0x1f", Some(31)),
            ("010", Some(8)),
            ("08", Some(0)),
            ("0", Some(0)),
            ("0x", Some(0)),
            ("12abc", Some(12)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", Some(0)),
            ("99999999999999999999", Some(u32::MAX)),
            ("", None),
            ("x", None),
            ("-1", None),
        ] {
            assert_eq!(number(text), value, "{text}");
        }
    }
}
