//! systemd's units, environment files and answers, and dockerd's command line.

use super::text;
use seaworthy::facts::Reading;
use seaworthy::formats::command_line;
use seaworthy::formats::unit::{
    environment_file, parse, show_environment_files, show_exec_argv, show_properties,
    split_command, start, variable_words, without_words,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A word as it can be written in a unit.
fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A unit; a line `----` stands between it and a drop-in.
pub fn unit(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let texts: Vec<&str> = text.split("\n----\n").collect();
    let unit = parse(&texts);
    let paths = vec!["/unit"; texts.len()];
    let started = start(&unit, &paths, &BTreeMap::new(), &mut |_| {
        Reading::Text("A='--icc=false -D'".into())
    });
    assert_eq!(started.argv().len(), started.origins().len());
    assert_eq!(started.commands == 0, started.at.is_none());
    for word in &started.words {
        let variable = word.origin.variable.as_ref();
        assert!(variable.is_none_or(|name| started.variables.contains_key(name)));
        assert!(variable.is_some() || Some(&word.origin) == started.at.as_ref());
        assert!(word.origin.line > 0);
    }
    if !started.command.contains(['$', '\\']) {
        assert_eq!(started.argv(), split_command(&started.command));
    }
    flags(&started.argv());
    for (section, key) in [
        ("Service", "ExecStart"),
        ("Service", "ExecStartPost"),
        ("Service", "Environment"),
        ("Socket", "ListenStream"),
        ("Unit", "RefuseManualStop"),
        ("Install", "WantedBy"),
    ] {
        let values = unit.values(section, key);
        assert_eq!(unit.last(section, key), values.last().cloned());
        for value in &values {
            assert!(!value.is_empty() && value.trim() == value && !value.contains('\n'));
            command(value);
        }
        // An empty assignment in a drop-in resets the key, one more adds to it.
        let reset = format!("[{section}]\n{key}=\n");
        let with = |drop_in: &str| {
            let mut texts = texts.clone();
            texts.push(drop_in);
            parse(&texts).values(section, key)
        };
        assert_eq!(with(&reset), [""; 0]);
        assert_eq!(with(&format!("{reset}{key}=x\n")), ["x"]);
        let more = with(&format!("[{section}]\n{key}=x\n"));
        assert_eq!(more, [values, vec!["x".to_owned()]].concat());
    }
}

fn command(line: &str) {
    let words = split_command(line);
    if let Some(program) = words.first() {
        assert!(!program.starts_with(['@', '-', ':', '+', '!', '|']));
    }
    let again: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    assert_eq!(split_command(&again.join(" ")), words);
    flags(&words);
}

/// A command line: one word a line.
pub fn command_line(data: &[u8]) {
    let Some(text) = text(data) else { return };
    flags(&text.lines().map(str::to_owned).collect::<Vec<_>>());
}

fn flags(argv: &[String]) {
    let flags = command_line::parse(argv);
    // Each flag as typed stands in the command line.
    let typed = argv.join(" ");
    for flag in flags.iter() {
        assert!(typed.contains(&flag.typed) && flag.typed.starts_with('-'));
        assert_eq!(
            flags.last(&flag.name),
            flags.all(&flag.name).last().copied()
        );
        assert!(flags.names().contains(&flag.name.as_str()));
    }
    for key in ["hosts", "icc", "labels", "label", "runtimes", "log-level"] {
        let name = seaworthy::options::flag_of_key(key);
        if let Some(typed) = flags.sets_key(key) {
            assert!(flags.last(name).is_some() && !typed.is_empty());
        }
    }
    // What stands behind `--` is no flag.
    let behind = [argv, &["--".to_owned(), "--icc=false".to_owned()]].concat();
    let unread = |last: Option<&String>| last.is_none_or(|last| !last.starts_with('-'));
    if unread(argv.last()) && !argv.is_empty() {
        assert_eq!(command_line::parse(&behind), flags);
    }
}

/// A file of `EnvironmentFile=`.
pub fn env_file(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let read = environment_file(text);
    let mut printed = String::new();
    for (name, value) in &read {
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        assert!(!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()));
        let mut escaped = value.replace('\\', "\\\\");
        for c in ['"', '`', '$'] {
            escaped = escaped.replace(c, &format!("\\{c}"));
        }
        let _ = writeln!(printed, "{name}=\"{escaped}\"");
    }
    assert_eq!(environment_file(&printed), read);
    // Taking words out of a value leaves the others, and every other variable.
    for (name, value) in &read {
        let Ok(edited) = without_words(text, name, &BTreeSet::from([0])) else {
            continue;
        };
        let mut left: BTreeMap<String, String> = environment_file(&edited);
        let words = |value: &str| -> Vec<String> {
            variable_words(value)
                .into_iter()
                .map(|word| word.value)
                .collect()
        };
        let shorter = left.remove(name).expect("the variable stays");
        assert_eq!(words(&shorter), words(value)[1..]);
        assert!(left.iter().all(|(other, value)| read[other] == *value));
        assert_eq!(left.len() + 1, read.len());
    }
}

/// What `systemctl show` prints.
pub fn unit_show(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let properties = show_properties(text);
    let mut printed = String::new();
    for (key, value) in &properties {
        for line in value.split('\n') {
            let _ = writeln!(printed, "{key}={line}");
        }
        for word in show_exec_argv(value).into_iter().flatten() {
            assert!(!word.is_empty() && !word.contains(' '));
        }
        for (path, _) in show_environment_files(value) {
            assert!(value.contains(&path));
        }
    }
    // A carriage return before the end of a line is not printed by systemctl, and is taken off.
    if !text.contains('\r') {
        assert_eq!(show_properties(&printed), properties);
    }
}
