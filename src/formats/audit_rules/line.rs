//! One line of a rule file, read as auditctl reads it.

use super::options::{Given, options, words};
use super::{Perms, Rule, Watch};
use std::collections::BTreeSet;

/// linux/audit.h, `AUDIT_MAX_KEY_LEN`: all keys of a rule together, with a separator between them.
const MAX_KEY_LENGTH: usize = 256;

pub(super) fn read(line: &str) -> Result<Option<Rule>, String> {
    if is_ignored(line) {
        return Ok(None);
    }
    if line.contains('\r') {
        return Err("a carriage return becomes part of the last word; the line must end with a bare newline".into());
    }
    if line.contains('\t') {
        return Err("a tab separates nothing here; use spaces".into());
    }
    rule(&words(line)).map(Some)
}

/// As [`read`], for a line of `auditctl -l`, which prints paths and keys as they are.
pub(super) fn read_listed(line: &str) -> Result<Option<Rule>, String> {
    if is_ignored(line) {
        return Ok(None);
    }
    let mut words: Vec<String> = Vec::new();
    for word in line.split(' ') {
        match words.last_mut() {
            // An option is two characters long; the first word after it begins its value, the next ones go on.
            Some(value) if !word.starts_with('-') && !is_option(value) => {
                value.push(' ');
                value.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    rule(&words).map(Some)
}

fn is_option(word: &str) -> bool {
    word.len() == 2 && word.starts_with('-')
}

/// Blank, or a comment. auditctl knows no tab before a `#`, but augenrules(8) takes such comments out.
fn is_ignored(line: &str) -> bool {
    line.trim_matches(' ').is_empty() || line.trim_start_matches([' ', '\t']).starts_with('#')
}

fn rule(words: &[String]) -> Result<Rule, String> {
    let given = options(words)?;
    if given.iter().any(|(name, _)| name == "w") {
        watch(&given)
    } else if given.iter().any(|(name, _)| name == "a" || name == "A") {
        filter(&given)
    } else {
        control(&given)
    }
}

fn control(given: &[Given]) -> Result<Rule, String> {
    // What is removed is described as a rule is, or by its key.
    let removes = given
        .iter()
        .any(|(name, _)| matches!(name.as_str(), "D" | "W" | "d"));
    for (name, value) in given {
        let number = value
            .as_deref()
            .is_some_and(|value| value.starts_with(|c: char| c.is_ascii_digit()));
        match (name.as_str(), value.as_deref()) {
            ("e" | "f", Some("0" | "1" | "2")) => {}
            ("e" | "f", _) => return Err(format!("-{name} takes 0, 1 or 2")),
            ("b" | "r", _) if !number => return Err(format!("-{name} takes a number")),
            ("backlog_wait_time", _) if !number => return Err(format!("--{name} takes a number")),
            ("R", _) => return Err("a rule file cannot load another one".to_owned()),
            ("h", _) => return Err("-h is no rule".to_owned()),
            ("p" | "F" | "S" | "C", _) if !removes => {
                return Err(format!("-{name} needs -a or -w before it"));
            }
            ("k", _) if !removes => {
                return Err("-k needs a watch or a system call before it".to_owned());
            }
            _ => {}
        }
    }
    let shown = given.iter().map(|(name, value)| {
        let dashes = if name.len() > 1 { "--" } else { "-" };
        value.as_ref().map_or_else(
            || format!("{dashes}{name}"),
            |value| format!("{dashes}{name} {value}"),
        )
    });
    Ok(Rule::Control(shown.collect::<Vec<_>>().join(" ")))
}

/// `-w PATH [-p PERMS] [-k KEY]…`
fn watch(given: &[Given]) -> Result<Rule, String> {
    let mut path = None;
    let mut perms = None;
    let mut keys = Vec::new();
    let mut further = Vec::new();
    for (name, value) in given {
        let value = value.as_deref().unwrap_or_default();
        match name.as_str() {
            "w" if path.is_none() => path = Some(absolute(value)?),
            "p" | "k" if path.is_none() => return Err(format!("-{name} needs a watch before it")),
            "p" => perms = Some(parse_perms(value)?),
            "k" => add_key(&mut keys, value),
            "a" | "A" | "d" => {
                return Err("a watch cannot be combined with -a, -A or -d".to_owned());
            }
            "F" | "S" | "C" => further.push(format!("-{name} {value}")),
            _ => return Err(format!("-{name} does not belong to a watch")),
        }
    }
    check_keys(&keys)?;
    let watch = Watch {
        path: path.unwrap_or_default(),
        perms: perms.unwrap_or(Perms::ALL),
        keys,
    };
    // A watch with further conditions logs less than the watch, and one for no access at all nothing.
    Ok(if further.is_empty() && !watch.perms.is_empty() {
        Rule::Watch(watch)
    } else {
        further.insert(0, super::render(&watch));
        Rule::Other(further.join(" "))
    })
}

/// What an `-a` rule says, collected.
#[derive(Default)]
struct Filter {
    list: String,
    path: Option<String>,
    perms: Option<Perms>,
    arch: Option<String>,
    keys: Vec<String>,
    /// Those of every `-S`; `None` without any, which is every call.
    syscalls: Option<BTreeSet<String>>,
    /// `-F` and `-C` in order, other than keys.
    conditions: Vec<String>,
    /// Some condition is neither path, perm nor arch.
    conditional: bool,
}

/// `-a always,exit [-F arch=…] [-S …] -F path=… [-F perm=…] [-k KEY]…`, and every other rule of that form.
fn filter(given: &[Given]) -> Result<Rule, String> {
    let mut filter = Filter::default();
    let mut key_allowed = false;
    for (name, value) in given {
        let value = value.as_deref().unwrap_or_default();
        match name.as_str() {
            "a" | "A" if filter.list.is_empty() => filter.list = list(value)?,
            "a" | "A" | "d" => return Err("a rule has one -a".to_owned()),
            "F" | "C" if filter.list.is_empty() => {
                return Err(format!("-a must stand before -{name}"));
            }
            "F" => {
                key_allowed |= ["perm", "exe", "fstype"]
                    .iter()
                    .any(|field| value.starts_with(field));
                filter.field(value)?;
            }
            "C" => {
                filter.conditional = true;
                filter.conditions.push(format!("-C {value}"));
            }
            "S" => {
                key_allowed = true;
                // Nothing between two commas is no call. A rule with nothing but commas is for no call at all.
                let calls = value.split(',').filter(|call| !call.is_empty());
                let known = filter.syscalls.get_or_insert_default();
                known.extend(calls.map(str::to_owned));
            }
            "p" => {
                key_allowed = true;
                filter.perms = Some(parse_perms(value)?);
                filter
                    .conditions
                    .push(format!("-F perm={}", parse_perms(value)?));
            }
            "k" if !key_allowed => {
                return Err("-k needs a system call or a permission before it".to_owned());
            }
            "k" => add_key(&mut filter.keys, value),
            _ => return Err(format!("-{name} does not belong to a rule")),
        }
    }
    check_keys(&filter.keys)?;
    Ok(filter.rule())
}

impl Filter {
    fn field(&mut self, text: &str) -> Result<(), String> {
        let at = text
            .find(['=', '!', '<', '>', '&'])
            .ok_or_else(|| format!("-F {text} compares nothing"))?;
        let (field, comparison) = text.split_at(at);
        let value = comparison.strip_prefix('=');
        match (field, value) {
            ("key", Some(value)) => {
                add_key(&mut self.keys, value);
                return Ok(());
            }
            _ if compared(comparison).is_empty() => {
                return Err(format!("-F {text} compares with nothing"));
            }
            ("path" | "dir", Some(value)) => {
                self.conditional |= self.path.is_some();
                let path = absolute(value)?;
                self.conditions.push(format!("-F {field}={path}"));
                self.path = Some(path);
                return Ok(());
            }
            ("perm", Some(value)) => {
                let perms = parse_perms(value)?;
                self.conditions.push(format!("-F perm={perms}"));
                self.perms = Some(perms);
                return Ok(());
            }
            ("arch", Some(value)) if self.arch.is_none() => self.arch = Some(value.to_owned()),
            _ => self.conditional = true,
        }
        self.conditions.push(format!("-F {text}"));
        Ok(())
    }

    fn rule(mut self) -> Rule {
        let some_calls = self.syscalls.filter(|calls| !calls.contains("all"));
        // Without perm= the rule logs every system call on the path, whatever its kind.
        let perms = self.perms.unwrap_or(Perms::ALL);
        if let Some(path) = &self.path
            && self.list == "always,exit"
            && some_calls.is_none()
            && !self.conditional
            && !perms.is_empty()
        {
            let watch = Watch {
                path: path.clone(),
                perms,
                keys: self.keys,
            };
            return match self.arch {
                None => Rule::Watch(watch),
                Some(arch) => Rule::ArchWatch { arch, watch },
            };
        }
        let mut words = vec![format!("-a {}", self.list)];
        if let Some(calls) = some_calls {
            let calls: Vec<String> = calls.into_iter().collect();
            let calls = if calls.is_empty() {
                ",".to_owned()
            } else {
                calls.join(",")
            };
            words.push(format!("-S {calls}"));
        }
        words.append(&mut self.conditions);
        words.extend(self.keys.iter().map(|key| format!("-F key={key}")));
        Rule::Other(words.join(" "))
    }
}

/// `always,exit` and `exit,always` alike, as the first.
fn list(text: &str) -> Result<String, String> {
    let is_action = |word: &str| matches!(word, "always" | "never" | "possible");
    let is_list = |word: &str| {
        matches!(
            word,
            "task" | "exit" | "entry" | "user" | "exclude" | "filesystem" | "io_uring"
        )
    };
    let words = text.split_once(',').map(|(first, second)| {
        if is_action(first) {
            (first, second)
        } else {
            (second, first)
        }
    });
    match words {
        Some((action, list)) if is_action(action) && is_list(list) => {
            Ok(format!("{action},{list}"))
        }
        _ => Err(format!("-a {text} names no list and action")),
    }
}

fn absolute(path: &str) -> Result<String, String> {
    if !path.starts_with('/') {
        let quoted = if path.starts_with(['"', '\'']) {
            "; quotes are part of the path"
        } else {
            ""
        };
        return Err(format!(
            "the path {path} does not begin with a slash{quoted}"
        ));
    }
    let trimmed = path.trim_end_matches('/');
    Ok(if trimmed.is_empty() { "/" } else { trimmed }.to_owned())
}

fn parse_perms(text: &str) -> Result<Perms, String> {
    text.parse()
        .map_err(|error: super::BadPerms| error.to_string())
}

/// What a comparison of the form `!=VALUE` compares with.
fn compared(comparison: &str) -> &str {
    ["!=", ">=", "<=", "&="]
        .iter()
        .find_map(|operator| comparison.strip_prefix(operator))
        .unwrap_or_else(|| comparison.get(1..).unwrap_or_default())
}

/// An empty key is no key: the kernel does not get it, and a listing does not show it.
fn add_key(keys: &mut Vec<String>, key: &str) {
    if !key.is_empty() {
        keys.push(key.to_owned());
    }
}

fn check_keys(keys: &[String]) -> Result<(), String> {
    if keys.join(",").len() > MAX_KEY_LENGTH {
        return Err(format!("the keys are longer than {MAX_KEY_LENGTH} bytes"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watches() {
        let cases = [
            (
                "-w /etc/docker -p wa -k docker",
                "/etc/docker",
                "wa",
                "docker",
            ),
            (
                "  -w  /etc/docker/  -p aw  -k docker ",
                "/etc/docker",
                "wa",
                "docker",
            ),
            ("-w/etc/docker -pwa -kdocker", "/etc/docker", "wa", "docker"),
            ("-w /x", "/x", "rwxa", ""),
            ("-w /x -k a -k b", "/x", "rwxa", "a|b"),
            ("-w / -p w", "/", "w", ""),
            ("-w /my\\ data\\\\x\\y -p w", "/my data\\x\\y", "w", ""),
            ("-w /x -p wa -k \"docker\"", "/x", "wa", "\"docker\""),
            (
                "-a always,exit -F path=/x -F perm=wa -F key=k",
                "/x",
                "wa",
                "k",
            ),
            ("-a exit,always -F dir=/x/ -F perm=wa -k k", "/x", "wa", "k"),
            (
                "-a always,exit -S all -F path=/x -F perm=r -F key=a -F key=b",
                "/x",
                "r",
                "a|b",
            ),
            ("-A always,exit -F dir=/x -F perm=wa", "/x", "wa", ""),
            ("-a always,exit -F path=/x", "/x", "rwxa", ""),
            // An empty key is none.
            ("-a always,exit -F path=/x -F perm=w -F key=", "/x", "w", ""),
            (
                "-a always,exit -F path=/x -F perm=w -F key= -F key=k",
                "/x",
                "w",
                "k",
            ),
            // Every call and some more are every call.
            ("-a always,exit -S open -S all -F path=/x", "/x", "rwxa", ""),
            ("-a always,exit -S ,all -F path=/x", "/x", "rwxa", ""),
        ];
        for (text, path, perms, keys) in cases {
            let Ok(Some(Rule::Watch(watch))) = read(text) else {
                panic!("{text}: {:?}", read(text))
            };
            let shown = (
                watch.path.as_str(),
                watch.perms.to_string(),
                watch.keys.join("|"),
            );
            assert_eq!(shown, (path, perms.to_owned(), keys.to_owned()), "{text}");
        }
        let arch = read("-a always,exit -F arch=b64 -S all -F path=/x -F perm=wa -F key=k");
        assert!(matches!(arch, Ok(Some(Rule::ArchWatch { arch, .. })) if arch == "b64"));
    }

    #[test]
    fn other_rules() {
        let cases = [
            (
                "-a always,exit -F arch=b64 -S open,openat -F path=/x -k k",
                "-a always,exit -S open,openat -F arch=b64 -F path=/x -F key=k",
            ),
            (
                "-a never,exit -F path=/x -F perm=wa",
                "-a never,exit -F path=/x -F perm=wa",
            ),
            (
                "-a always,exit -F path=/x -F perm=wa -F auid>=1000",
                "-a always,exit -F path=/x -F perm=wa -F auid>=1000",
            ),
            ("-a never,task", "-a never,task"),
            (
                "-a exclude,always -F msgtype=CWD",
                "-a always,exclude -F msgtype=CWD",
            ),
            ("-w /x -p wa -F auid!=0", "-w /x -p wa -F auid!=0"),
            // auditctl passes over nothing between commas. With nothing else the rule is for no call.
            (
                "-a always,exit -F arch=b64 -S ,open,,close, -F key=",
                "-a always,exit -S close,open -F arch=b64",
            ),
            (
                "-a always,exit -F arch=b64 -S ,, -F path=/x",
                "-a always,exit -S , -F arch=b64 -F path=/x",
            ),
            (
                "-a always,exit -S , -F path=/x -F auid!=0",
                "-a always,exit -S , -F path=/x -F auid!=0",
            ),
        ];
        for (text, normal) in cases {
            assert_eq!(
                read(text),
                Ok(Some(Rule::Other(normal.to_owned()))),
                "{text}"
            );
        }
    }

    #[test]
    fn a_watch_for_no_access_logs_nothing() {
        // Only a shell can make such a rule: auditctl -w /x -p ''
        for line in ["-w /x -p ", "-w /x -p  -k k"] {
            let rule = read_listed(line);
            assert!(matches!(rule, Ok(Some(Rule::Other(_)))), "{line}: {rule:?}");
        }
        let rule = read_listed("-a always,exit -S all -F dir=/x -p ");
        assert!(matches!(rule, Ok(Some(Rule::Other(_)))), "{rule:?}");
        let rule = read_listed("-a always,exit -F arch=b64 -S all -F path=/x -F perm=");
        assert!(rule.is_err(), "{rule:?}");
    }

    #[test]
    fn controls() {
        let cases = [
            ("-D", "-D"),
            (" -b  8192", "-b 8192"),
            ("-e2", "-e 2"),
            ("-f 1", "-f 1"),
            ("-c", "-c"),
            ("-i", "-i"),
            ("-r 100", "-r 100"),
            ("--backlog_wait_time 60000", "--backlog_wait_time 60000"),
            ("--loginuid-immutable", "--loginuid-immutable"),
            ("-D -k docker", "-D -k docker"),
            ("-W /x -p wa -k k", "-W /x -p wa -k k"),
        ];
        for (text, normal) in cases {
            assert_eq!(
                read(text),
                Ok(Some(Rule::Control(normal.to_owned()))),
                "{text}"
            );
        }
    }

    #[test]
    fn refusals() {
        let cases = [
            ("-w /x -p wa # why", "line of its own"),
            ("-w /x -p wa\r", "carriage return"),
            ("\r", "carriage return"),
            ("-w\t/x", "tab"),
            ("-w etc/docker", "slash"),
            ("-w \"/x\" -p wa", "quotes"),
            ("-w /x -k \"my key\"", "quotes"),
            ("-w /x -p wq", "r, w, x and a"),
            ("-p wa -w /x", "before it"),
            ("-w /x -k", "needs a value"),
            ("-z", "unknown"),
            ("--nope", "unknown"),
            ("rubbish", "no option"),
            ("-k docker", "before it"),
            ("-e 3", "0, 1 or 2"),
            ("-b many", "number"),
            ("-F path=/x -a always,exit", "before -F"),
            ("-a always,exit -F path=/x -k k", "before it"),
            ("-a always,exit -F path=x", "slash"),
            ("-a always,exit -F path=/x -F perm=", "with nothing"),
            ("-a always,exit -F arch= -S open", "with nothing"),
            ("-a always,exit -F auid!= -S open", "with nothing"),
            ("-a always,exit -F path= -S open", "with nothing"),
            ("-a sometimes,exit", "list and action"),
            ("-R /x", "another"),
        ];
        for (text, words) in cases {
            let error = read(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        for text in ["", "   ", "# x", "  # x\r", "\t# x"] {
            assert_eq!(read(text), Ok(None), "{text:?}");
        }
        assert!(read(&format!("-w /x -k {}", "k".repeat(257))).is_err());
    }
}
