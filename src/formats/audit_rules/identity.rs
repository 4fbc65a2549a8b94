//! What makes two rules one to the kernel, which answers the second with `Rule exists`.

use super::entry::{Entry, Value};
use foldhash::quality::RandomState;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher};

/// A digest of all that the kernel compares (`audit_compare_rule` in kernel/auditfilter.c), as there may be millions of
/// rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Identity(u64, u64);

/// Rules by their identity.
pub(super) type ByIdentity<T> = HashMap<Identity, T, BuildHasherDefault<First>>;

/// Makes identities, in room that is used again.
#[derive(Debug, Default)]
pub(super) struct Identities {
    bytes: Vec<u8>,
    first: RandomState,
    second: RandomState,
}

impl Identities {
    /// That of a rule.
    pub(super) fn of(&mut self, entry: &Entry<'_>) -> Identity {
        self.bytes.clear();
        let bytes = &mut self.bytes;
        bytes.extend([
            entry.list as u8,
            entry.always.into(),
            entry.calls.all.into(),
        ]);
        for field in &entry.fields {
            add(bytes, field.name);
            bytes.push(field.operator as u8);
            match &field.value {
                Value::Number(number) => bytes.extend_from_slice(&number.to_le_bytes()),
                Value::Text(text) => add(bytes, text),
            }
        }
        bytes.push(0);
        entry.keys.iter().for_each(|key| add(bytes, key));
        if !entry.calls.all {
            bytes.push(0);
            for number in &entry.calls.numbers {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            // Without a machine calls have no numbers of their own.
            if entry.machine.is_none() || entry.calls.names.len() != entry.calls.numbers.len() {
                bytes.push(0);
                entry.calls.names.iter().for_each(|name| add(bytes, name));
            }
        }
        let hash = |state: &RandomState| {
            let mut hasher = state.build_hasher();
            hasher.write(bytes);
            hasher.finish()
        };
        Identity(hash(&self.first), hash(&self.second))
    }
}

/// A text with its length before it, so that no two of them read as others.
fn add(bytes: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// Hashes what is a digest already: by its last number.
#[derive(Debug, Default)]
pub(super) struct First(u64);

impl Hasher for First {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
