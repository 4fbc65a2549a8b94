//! Words for a POSIX shell.

use super::inert;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;

/// The word as a shell must see it: as it is where that is safe, in quotes otherwise. What is not
/// inert is written by its number, `$'\033'`, which bash, zsh, ksh and POSIX.1-2024 read back: a
/// command that is shown must neither hide anything nor end before its end.
pub fn quoted(word: &str) -> String {
    quoted_os(OsStr::new(word))
}

/// The same for a word that need not be UTF-8, such as a path.
pub fn quoted_os(word: &OsStr) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-,+=:@%".contains(c);
    match word.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
        Some(text) if text.chars().all(inert::is_inert) => {
            format!("'{}'", text.replace('\'', "'\\''"))
        }
        _ => by_number(word.as_bytes()),
    }
}

fn by_number(word: &[u8]) -> String {
    let mut out = "$'".to_owned();
    for chunk in word.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '\'' || c == '\\' {
                out.push('\\');
                out.push(c);
            } else if inert::is_inert(c) {
                out.push(c);
            } else {
                bytes(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        bytes(&mut out, chunk.invalid());
    }
    out.push('\'');
    out
}

/// Always three digits: what follows may be one.
fn bytes(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\{byte:03o}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn words_are_quoted_for_the_shell() {
        for (word, shown) in [
            ("/mnt/host", "/mnt/host"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
            ("$HOME", "'$HOME'"),
            ("Zürich", "'Zürich'"),
            ("a\nrm -rf /", "$'a\\012rm -rf /'"),
            ("\u{202e}1'\\", "$'\\342\\200\\2561\\'\\\\'"),
        ] {
            assert_eq!(quoted(word), shown);
        }
        assert_eq!(
            quoted_os(OsStr::from_bytes(b"p\xfc9.json")),
            "$'p\\3749.json'"
        );
    }

    #[test]
    fn a_shell_reads_the_same_bytes() {
        let words: [&[u8]; 6] = [
            b"p\xfc.json",
            b"\xff\xfe'\\\n\t\x1b[2J$(id)`id`",
            b"a\n# rm -rf /",
            "\u{202e}x\u{200b}'\u{feff}9".as_bytes(),
            b"'",
            b"it's $HOME",
        ];
        for word in words {
            let script = format!("printf %s {}", quoted_os(OsStr::from_bytes(word)));
            match Command::new("bash").args(["-c", &script]).output() {
                Ok(said) => assert_eq!(said.stdout, word, "{script}"),
                Err(_) => eprintln!("NOT RUN: there is no bash"),
            }
        }
    }
}
