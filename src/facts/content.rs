//! What is in a file.

use super::{Kept, steps};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// File content. Serialised as a string when it is UTF-8, as `{ "hex": "…" }` otherwise.
///
/// Copies share it, and what was read from it: see [`Kept`].
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Kept<Vec<u8>>);

impl Bytes {
    /// These bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Kept::new(bytes))
    }

    /// The bytes themselves; copied where somebody shares them.
    pub fn into_vec(self) -> Vec<u8> {
        self.0.into_inner()
    }

    /// The content as text, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        steps::count(self.0.len());
        std::str::from_utf8(&self.0).ok()
    }
}

impl From<&str> for Bytes {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes().to_vec())
    }
}

impl From<String> for Bytes {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_str() {
            Some(text) => write!(f, "{text:?}"),
            None => write!(f, "{} bytes", self.0.len()),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum BytesForm {
    Text(String),
    Hex { hex: String },
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_str() {
            Some(text) => BytesForm::Text(text.to_owned()),
            None => BytesForm::Hex {
                hex: self.0.iter().fold(String::new(), |mut hex, byte| {
                    // Writing to a String cannot fail.
                    let _ = fmt::Write::write_fmt(&mut hex, format_args!("{byte:02x}"));
                    hex
                }),
            },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match BytesForm::deserialize(deserializer)? {
            BytesForm::Text(text) => Ok(text.into()),
            BytesForm::Hex { hex } => {
                let digits = hex.as_bytes();
                let pairs = digits.chunks_exact(2);
                if !pairs.remainder().is_empty() {
                    return Err(serde::de::Error::custom("an odd number of hex digits"));
                }
                pairs
                    .map(|pair| {
                        std::str::from_utf8(pair)
                            .ok()
                            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                            .ok_or_else(|| serde::de::Error::custom("not a hex digit"))
                    })
                    .collect::<Result<_, _>>()
                    .map(Self::new)
            }
        }
    }
}
