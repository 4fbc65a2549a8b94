//! One record as one line: `{"seq":3,"at":…,"entry":{…},"sum":"…"}`.
//!
//! The sum is taken over the bytes before it, not over a value that was parsed and printed again,
//! so a line can be judged without knowing what it says.

use super::entry::Entry;
use serde::{Deserialize, Serialize};

/// Hex digits of the sum. It guards against torn and damaged lines, not against forgery: who can
/// write here is root.
const SUM: usize = 16;

const LABEL: &str = ",\"sum\":\"";
const CLOSE: &str = "\"}";

#[derive(Serialize)]
struct Out<'a> {
    seq: u64,
    at: i64,
    entry: &'a Entry,
}

/// What one line says.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub(super) seq: u64,
    pub(super) at: i64,
    pub(super) entry: Entry,
}

/// The line for a record, with its end of line.
pub(super) fn encode(seq: u64, at: i64, entry: &Entry) -> Result<String, serde_json::Error> {
    let mut line = serde_json::to_string(&Out { seq, at, entry })?;
    line.pop(); // the closing brace comes after the sum
    let sum = sum(&line);
    line.push_str(LABEL);
    line.push_str(&sum);
    line.push_str(CLOSE);
    line.push('\n');
    Ok(line)
}

/// What stands before the sum of a line without its end of line, or why the line is not whole: it
/// is torn or damaged.
pub(super) fn head(line: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not text".to_owned())?;
    let (head, found) = text
        .strip_suffix(CLOSE)
        .and_then(|text| text.split_at_checked(text.len().checked_sub(SUM)?))
        .and_then(|(head, sum)| Some((head.strip_suffix(LABEL)?, sum)))
        .ok_or("it is incomplete")?;
    if sum(head) != found {
        return Err("its checksum does not match".to_owned());
    }
    Ok(head)
}

/// The record in the head of a whole line.
pub(super) fn decode(head: &str) -> Result<Line, String> {
    serde_json::from_str(&format!("{head}}}")).map_err(|error| error.to_string())
}

/// FNV-1a with 64 bits: every step is a bijection, so no change of a single byte escapes it.
fn sum(head: &str) -> String {
    let hash = head.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:0SUM$x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_torn_or_damaged_line_is_recognised() {
        let line = encode(7, 12, &Entry::Intent { step: 3 }).unwrap();
        let line = line.trim_end().as_bytes();
        let read = decode(head(line).unwrap()).unwrap();
        assert_eq!((read.seq, read.at), (7, 12));
        assert_eq!(read.entry, Entry::Intent { step: 3 });
        for length in 0..line.len() {
            assert!(head(&line[..length]).is_err(), "{length}");
            let mut damaged = line.to_vec();
            damaged[length] ^= 1;
            assert!(head(&damaged).is_err(), "{length}");
            damaged[length] = 0xff;
            assert!(head(&damaged).is_err(), "{length}");
        }
    }

    #[test]
    fn a_whole_line_of_a_newer_version_is_not_a_torn_one() {
        let start = "{\"seq\":0,\"at\":1,\"entry\":{\"record\":\"future\"}";
        let line = format!("{start}{LABEL}{}{CLOSE}", sum(start));
        assert_eq!(head(line.as_bytes()), Ok(start));
        assert!(decode(start).unwrap_err().contains("unknown"));
        let journal = format!("{line}\n");
        let error = super::super::log::read("j", journal.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("unknown"), "{error}");
    }
}
