//! The flags of a dockerd command line, in the syntax of the pflag library that dockerd uses.
//!
//! The flags' names and types are in [`crate::options`], all versions from 20.10 together.

use crate::facts::{Kept, steps};
use crate::options::{flag_of_key, is_boolean_flag, is_renamed_flag, long_flag};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// One flag as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    /// The long name without dashes.
    pub name: String,
    /// The value; `true` for a boolean flag without one.
    pub value: String,
    /// The words as they were typed, joined by a space.
    pub typed: String,
    /// Which words of the command line these are, counted from 0, the program. Short flags can share a word.
    pub words: Range<usize>,
}

impl Flag {
    /// The words as they were typed, without secrets.
    pub fn shown(&self) -> String {
        super::secrets::mask_flag(&self.typed, &self.name, &self.value)
    }
}

/// The flags of a command line, in order. Copies share them, as a command line may have 60,000.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    all: Kept<All>,
}

/// The flags, and where those of each name stand among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct All {
    flags: Vec<Flag>,
    by_name: BTreeMap<String, Vec<usize>>,
}

/// Whether a program is dockerd, by its name, so that the words after it are dockerd's flags: not a shell or a script
/// that starts it. RHEL 7 called it `dockerd-current` and `dockerd-latest`.
pub fn is_dockerd(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or_default();
    matches!(name, "dockerd" | "dockerd-current" | "dockerd-latest")
}

/// [`parse`], once for all who ask for the flags of these words.
pub fn of(argv: &Kept<Vec<String>>) -> Flags {
    (*argv.view(|words| parse(words))).clone()
}

/// Reads a command line whose first word is the program. Words that are no flags are passed over, as are all
/// after `--`.
pub fn parse(argv: &[String]) -> Flags {
    steps::count(argv.len());
    let mut flags = Vec::new();
    let mut words = argv.iter().enumerate().skip(1);
    while let Some((at, word)) = words.next() {
        if word == "--" {
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            flags.push(match long.split_once('=') {
                Some((name, value)) => flag(name, value, word, at),
                None if is_boolean_flag(long) => flag(long, "true", word, at),
                None => with_next(long, word, at, &mut words),
            });
        } else if let Some(cluster) = word.strip_prefix('-').filter(|cluster| !cluster.is_empty()) {
            shorts(cluster, word, at, &mut words, &mut flags);
        }
    }
    Flags::from_iter(flags)
}

impl FromIterator<Flag> for Flags {
    fn from_iter<I: IntoIterator<Item = Flag>>(flags: I) -> Self {
        let flags: Vec<Flag> = flags.into_iter().collect();
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, flag) in flags.iter().enumerate() {
            match by_name.get_mut(&flag.name) {
                Some(of_name) => of_name.push(at),
                None => {
                    by_name.insert(flag.name.clone(), vec![at]);
                }
            }
        }
        Self {
            all: Kept::new(All { flags, by_name }),
        }
    }
}

fn flag(name: &str, value: &str, typed: &str, at: usize) -> Flag {
    Flag {
        name: name.to_owned(),
        value: value.to_owned(),
        typed: typed.to_owned(),
        words: at..at + 1,
    }
}

fn with_next<'a>(
    name: &str,
    word: &str,
    at: usize,
    words: &mut impl Iterator<Item = (usize, &'a String)>,
) -> Flag {
    match words.next() {
        None => flag(name, "", word, at),
        Some((_, value)) => Flag {
            words: at..at + 2,
            ..flag(name, value, &format!("{word} {value}"), at)
        },
    }
}

/// A word of short flags: `-D`, `-Hfd://`, `-H=fd://`, `-H fd://`, and booleans before another as in `-DHfd://`.
fn shorts<'a>(
    cluster: &str,
    word: &str,
    at: usize,
    words: &mut impl Iterator<Item = (usize, &'a String)>,
    flags: &mut Vec<Flag>,
) {
    for (index, letter) in cluster.char_indices() {
        let rest = &cluster[index + letter.len_utf8()..];
        let short = letter.to_string();
        let name = long_flag(letter).unwrap_or(&short);
        if let Some(value) = rest.strip_prefix('=') {
            flags.push(flag(name, value, word, at));
        } else if is_boolean_flag(name) {
            flags.push(flag(name, "true", word, at));
            continue;
        } else if rest.is_empty() {
            flags.push(with_next(name, word, at, words));
        } else {
            flags.push(flag(name, rest, word, at));
        }
        break;
    }
}

impl Flags {
    /// The flags of a name, in order: from the last one on, where one goes backwards.
    fn named(&self, name: &str) -> impl DoubleEndedIterator<Item = &Flag> {
        let places = self.all.by_name.get(name).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|at| {
            steps::count(1);
            self.all.flags.get(*at)
        })
    }

    /// Every value of a flag, in order.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.named(name).map(|flag| flag.value.as_str()).collect()
    }

    /// The last value of a flag, which is the effective one where a flag takes one value.
    pub fn last(&self, name: &str) -> Option<&str> {
        self.named(name).next_back().map(|flag| flag.value.as_str())
    }

    /// The effective value of a boolean flag; `None` where it is absent or no boolean for Go's
    /// `strconv.ParseBool`.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        match self.last(name)? {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
            _ => None,
        }
    }

    /// The long names in order, each once.
    pub fn names(&self) -> Vec<&str> {
        let names = steps::counted(&self.all.by_name);
        let mut first: Vec<(Option<&usize>, &str)> = names
            .map(|(name, places)| (places.first(), name.as_str()))
            .collect();
        first.sort_unstable();
        first.into_iter().map(|(_, name)| name).collect()
    }

    /// The flags in order.
    pub fn iter(&self) -> impl Iterator<Item = &Flag> {
        steps::counted(&self.all.flags)
    }

    /// The flags that set a daemon.json key, in order. dockerd refuses to start where both the flag and the key are
    /// there, except for `runtimes`, which are merged.
    ///
    /// A flag's own name is no key where the key is called differently: dockerd ignores `"label"` in the file.
    pub fn of_key(&self, daemon_json_key: &str) -> Vec<&Flag> {
        if is_renamed_flag(daemon_json_key) {
            return Vec::new();
        }
        self.named(flag_of_key(daemon_json_key)).collect()
    }

    /// The last of the flags that set a daemon.json key, as [`Self::of_key`] has them.
    pub fn last_of_key(&self, daemon_json_key: &str) -> Option<&Flag> {
        if is_renamed_flag(daemon_json_key) {
            return None;
        }
        self.named(flag_of_key(daemon_json_key)).next_back()
    }

    /// The flag, as typed, that sets a daemon.json key; of several the last.
    pub fn sets_key(&self, daemon_json_key: &str) -> Option<String> {
        let flag = self.last_of_key(daemon_json_key)?;
        Some(flag.typed.clone())
    }

    /// Whether another flag is typed in one of the words of this one, as in `-DHfd://`.
    pub fn shares_a_word(&self, flag: &Flag) -> bool {
        // They stand in the order of their words.
        let at = flag.words.start;
        let flags = &self.all.flags;
        let first = flags.partition_point(|other| other.words.end <= at);
        steps::counted(&flags[first..])
            .take_while(|other| other.words.start <= at)
            .any(|other| other.name != flag.name && other.words.contains(&at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(line: &str) -> Flags {
        parse(
            &line
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn syntax() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("dockerd", &[]),
            (
                "dockerd -H fd:// --containerd=/run/c.sock",
                &[("host", "fd://"), ("containerd", "/run/c.sock")],
            ),
            (
                "dockerd -Hfd:// -H=unix:///x",
                &[("host", "fd://"), ("host", "unix:///x")],
            ),
            (
                "dockerd -D -l warn",
                &[("debug", "true"), ("log-level", "warn")],
            ),
            ("dockerd -DHfd://", &[("debug", "true"), ("host", "fd://")]),
            (
                "dockerd --icc --label a=b",
                &[("icc", "true"), ("label", "a=b")],
            ),
            (
                "dockerd --icc=false --label=a=b",
                &[("icc", "false"), ("label", "a=b")],
            ),
            (
                "dockerd --icc false --debug",
                &[("icc", "true"), ("debug", "true")],
            ),
            ("dockerd --debug -- --icc=false", &[("debug", "true")]),
            (
                "dockerd -G g -s overlay2 -b br0 -p /p",
                &[
                    ("group", "g"),
                    ("storage-driver", "overlay2"),
                    ("bridge", "br0"),
                    ("pidfile", "/p"),
                ],
            ),
            ("dockerd --label", &[("label", "")]),
            ("dockerd --log-opt --x", &[("log-opt", "--x")]),
        ];
        for (line, expected) in cases {
            let flags = flags(line);
            let got: Vec<_> = flags
                .iter()
                .map(|flag| (flag.name.as_str(), flag.value.as_str()))
                .collect();
            assert_eq!(got, *expected, "{line}");
        }
    }

    #[test]
    fn reading() {
        let flags = flags("dockerd --icc=false --icc=T --dns 1.1.1.1 --dns 9.9.9.9 --init=maybe");
        assert_eq!(flags.boolean("icc"), Some(true));
        assert_eq!(flags.boolean("init"), None);
        assert_eq!(flags.boolean("debug"), None);
        assert_eq!(flags.all("dns"), ["1.1.1.1", "9.9.9.9"]);
        assert_eq!(flags.last("dns"), Some("9.9.9.9"));
        assert_eq!(flags.names(), ["icc", "dns", "init"]);
    }

    #[test]
    fn places() {
        let found: Vec<(String, Range<usize>, bool)> = {
            let flags = flags("dockerd --icc=false -DHfd:// --log-driver local x -D -- --tls");
            flags
                .iter()
                .map(|flag| {
                    let shares = flags.shares_a_word(flag);
                    (flag.name.clone(), flag.words.clone(), shares)
                })
                .collect()
        };
        let expected = [
            ("icc", 1..2, false),
            ("debug", 2..3, true),
            ("host", 2..3, true),
            ("log-driver", 3..5, false),
            ("debug", 6..7, false),
        ]
        .map(|(name, words, shares)| (name.to_owned(), words, shares));
        assert_eq!(found, expected);
        let both = flags("dockerd -l warn --log-level=debug");
        assert_eq!(both.of_key("log-level").len(), 2);
        for (program, is) in [
            ("/usr/bin/dockerd", true),
            ("dockerd", true),
            ("/usr/bin/dockerd-current", true),
            ("/usr/bin/dockerd-rootless.sh", false),
            ("/bin/sh", false),
            ("", false),
        ] {
            assert_eq!(is_dockerd(program), is, "{program}");
        }
    }

    #[test]
    fn keys() {
        let cases = [
            ("dockerd -H fd://", "hosts", Some("-H fd://")),
            ("dockerd --label a=b", "labels", Some("--label a=b")),
            (
                "dockerd --live-restore",
                "live-restore",
                Some("--live-restore"),
            ),
            (
                "dockerd --default-ulimit nofile=1:2",
                "default-ulimits",
                Some("--default-ulimit nofile=1:2"),
            ),
            (
                "dockerd --insecure-registry=x",
                "insecure-registries",
                Some("--insecure-registry=x"),
            ),
            (
                "dockerd --add-runtime oci=/x",
                "runtimes",
                Some("--add-runtime oci=/x"),
            ),
            ("dockerd -D", "debug", Some("-D")),
            ("dockerd --icc", "iptables", None),
            ("dockerd --label a=b", "label", None),
            (
                "dockerd --host-gateway-ip ::1",
                "host-gateway-ips",
                Some("--host-gateway-ip ::1"),
            ),
        ];
        for (line, key, expected) in cases {
            assert_eq!(
                flags(line).sets_key(key).as_deref(),
                expected,
                "{line} {key}"
            );
        }
    }
}
