//! A line by itself, of a rule file or of `auditctl -l`, with nothing known of a host.

use super::around::Nowhere;
use super::command::Change;
use super::line::{Outcome, run, run_words};
use super::{Bad, Entry, Rule};
use std::borrow::Cow;

pub(super) fn read(line: &str) -> Result<Option<Rule>, Bad> {
    if is_ignored(line) {
        return Ok(None);
    }
    rule(run(line, &Nowhere))
}

/// As [`read`], for a line of `auditctl -l`, which prints paths and keys as they are.
pub(super) fn read_listed(line: &str) -> Result<Option<Rule>, Bad> {
    if is_ignored(line) {
        return Ok(None);
    }
    rule(run_listed(line))
}

/// The rule in a line of `auditctl -l`.
pub(super) fn entry(line: &str) -> Option<Entry<'_>> {
    run_listed(line).rule.map(|(_, entry)| entry)
}

fn run_listed(line: &str) -> Outcome<'_> {
    let mut words: Vec<Cow<'_, str>> = Vec::new();
    for word in line.split(' ') {
        match words.last_mut() {
            // An option is two characters long; the first word after it begins its value, the next ones go on.
            Some(value) if !word.starts_with('-') && !is_option(value) => {
                let value = value.to_mut();
                value.push(' ');
                value.push_str(word);
            }
            _ => words.push(Cow::Borrowed(word)),
        }
    }
    run_words(words, &Nowhere)
}

fn is_option(word: &str) -> bool {
    word.len() == 2 && word.starts_with('-')
}

/// Blank, or a comment. auditctl knows no tab before a `#`, but augenrules(8) takes such comments out.
fn is_ignored(line: &str) -> bool {
    line.trim_matches(' ').is_empty() || line.trim_start_matches([' ', '\t']).starts_with('#')
}

fn rule(outcome: Outcome<'_>) -> Result<Option<Rule>, Bad> {
    if let Some(bad) = outcome.bad {
        return Err(bad);
    }
    Ok(match outcome.rule {
        Some((Change::Append | Change::Prepend, entry)) => Some(entry.rule()),
        Some((Change::Delete, entry)) => {
            let text = entry.to_string();
            Some(Rule::Control(text.replacen("-a ", "-d ", 1)))
        }
        None => {
            let shown: Vec<String> = outcome.commands.iter().map(ToString::to_string).collect();
            Some(Rule::Control(shown.join(" ")))
        }
    })
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
                "-a always,exit -F arch=b64 -S open,openat -F path=/x -F key=k",
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
            (
                "-w /x -p wa -F auid!=0",
                "-a always,exit -F path=/x -F perm=wa -F auid!=0",
            ),
            // auditctl passes over nothing between commas. With nothing else the rule is for no call.
            (
                "-a always,exit -F arch=b64 -S ,open,,close, -F key=",
                "-a always,exit -F arch=b64 -S close,open",
            ),
            (
                "-a always,exit -F arch=b64 -S ,, -F path=/x",
                "-a always,exit -F arch=b64 -S , -F path=/x",
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
            (
                "-W /x -p wa -k k",
                "-d always,exit -F path=/x -F perm=wa -F key=k",
            ),
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
            ("-a always,exit -F uid=0 -k k", "before it"),
            ("-a always,exit -F path=x", "slash"),
            ("-a always,exit -F path=/x -F perm=", "with nothing"),
            ("-a always,exit -F arch= -S open", "with nothing"),
            ("-a always,exit -F auid!= -S open", "with nothing"),
            ("-a always,exit -F path= -S open", "with nothing"),
            ("-a sometimes,exit", "list and action"),
            ("-R /x", "another"),
        ];
        for (text, words) in cases {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
        for text in ["", "   ", "# x", "  # x\r", "\t# x"] {
            assert_eq!(read(text), Ok(None), "{text:?}");
        }
        assert!(read(&format!("-w /x -k {}", "k".repeat(257))).is_err());
    }
}
