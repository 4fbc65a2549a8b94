//! Journals: what a crash left of the last record is ignored, everything else that is not as it was written is an
//! error, and never is another transaction read from it.

use super::{is_printable, text};
use seaworthy::apply::{Record, Settings, history, inverse, unfinished};
use seaworthy::facts::{Bytes, Kind, Look, Node};
use seaworthy::host::{DockerAnswers, HostError, Output, ReadHost};
use seaworthy::render::{Paper, history as render};

const ID: &str = "20261122T031146Z-25703";

/// A host with one journal.
struct Shelf {
    journal: Vec<u8>,
}

impl ReadHost for Shelf {
    fn is_live(&self) -> bool {
        false
    }

    fn is_root(&self) -> bool {
        true
    }

    fn node(&self, path: &str, _: Look) -> Result<Node, HostError> {
        let mut node = Node::absent();
        // Whom the folders belong to is asked first.
        if ["/var/lib/seaworthy", "/var/lib/seaworthy/backups"].contains(&path) {
            node.kind = Kind::Folder;
        } else if path.ends_with("/transactions") {
            node.kind = Kind::Folder;
            node.entries = Some(vec![ID.to_owned()]);
        } else if path.ends_with("/journal") {
            node.kind = Kind::File;
            node.content = Some(Bytes::new(self.journal.clone()));
        } else if path.contains("/backups/") {
            // Of the empty content only.
            let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
            assert!(path.starts_with("/var/lib/seaworthy/backups/"), "{path:?}");
            if path.ends_with(empty) {
                node = Node::file("");
            }
        } else {
            panic!("nobody needs {path:?}");
        }
        Ok(node)
    }

    fn report(&self, program: &str, _: &[&str]) -> Result<Output, HostError> {
        panic!("nobody runs {program}")
    }

    fn program(&self, _: &str) -> Option<String> {
        None
    }

    fn docker(&self, _: &str) -> Result<DockerAnswers, HostError> {
        panic!("nobody asks Docker")
    }
}

/// The record that is read, or the error.
fn read(journal: &[u8]) -> Result<Record, String> {
    let shelf = Shelf {
        journal: journal.to_vec(),
    };
    let settings = Settings::default();
    let open = unfinished(&shelf, &settings);
    let back = inverse(&shelf, &settings, ID);
    match history(&shelf, &settings) {
        Ok(mut records) => {
            assert_eq!(records.len(), 1);
            let record = records.remove(0);
            let ended = record.outcome.words() != "unfinished";
            assert_eq!(open.unwrap().is_none(), ended);
            if let Ok(back) = back {
                assert_eq!(record.outcome.words(), "committed");
                assert_eq!(back.reverts.as_deref(), Some(ID));
            }
            Ok(record)
        }
        Err(error) => {
            assert!(open.is_err() && back.is_err());
            Err(error.to_string())
        }
    }
}

/// One line as the program writes it.
fn sealed(seq: usize, entry: &[u8]) -> Vec<u8> {
    let mut line = format!("{{\"seq\":{seq},\"at\":1763781106000000,\"entry\":").into_bytes();
    line.extend_from_slice(entry);
    let sum = line.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    line.extend_from_slice(format!(",\"sum\":\"{sum:016x}\"}}\n").as_bytes());
    line
}

/// Each line of the input is an entry; number, time and checksum are put around it here.
pub fn journal(data: &[u8]) {
    // As it stands it is hardly ever a journal.
    let _ = read(data);
    // Nothing else is ever written.
    if text(data).is_none() {
        return;
    }
    let body = data.strip_suffix(b"\n").unwrap_or(data);
    let lines: Vec<Vec<u8>> = body
        .split(|byte| *byte == b'\n')
        .enumerate()
        .map(|(seq, entry)| sealed(seq, entry))
        .collect();
    let whole = lines.concat();
    let Ok(record) = read(&whole) else {
        return;
    };
    assert!(is_printable(&render(&[&record], true, &Paper::default())));
    let last = lines.last().map_or(0, Vec::len);
    let start = whole.len() - last;
    let prefix = |lines: &[Vec<u8>]| read(&lines.concat());
    let before = prefix(&lines[..lines.len() - 1]);
    if lines.len() == 1 {
        assert!(before.is_err());
    }
    // Positions that differ from input to input.
    let mut seed = whole.iter().fold(1_usize, |seed, byte| {
        seed.wrapping_mul(31).wrapping_add(usize::from(*byte))
    });
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % below.max(1)
    };
    for cut in [0, 1, next(last), last - 1] {
        assert_eq!(read(&whole[..start + cut]), before, "cut after {cut}");
        // The size was on the disk before the content.
        let mut zeros = whole[..start + cut].to_vec();
        zeros.resize(whole.len(), 0);
        assert_eq!(read(&zeros), before, "zeros from {cut}");
    }
    for at in [next(start), next(start), start + next(last)] {
        if at + 1 == start || at >= whole.len() {
            // The end of the last line but one: both are one damaged last line then.
            continue;
        }
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << next(8);
        let now = read(&flipped);
        if at < start {
            assert!(now.is_err(), "flipped {at} of {}", whole.len());
        } else {
            assert_eq!(now, before, "flipped {at} of {}", whole.len());
        }
    }
    // Lines that are gone, twice there, or of another place.
    if lines.len() > 2 {
        let one = next(lines.len() - 1);
        let mut fewer = lines.clone();
        fewer.remove(one);
        assert!(prefix(&fewer).is_err());
        let mut twice = lines.clone();
        twice.insert(one, lines[one].clone());
        assert!(prefix(&twice).is_err());
        let mut swapped = lines.clone();
        swapped.swap(one, one + 1);
        assert!(prefix(&swapped).is_err());
    }
}
