//! The command that a service unit starts, and where each of its words comes from.

use super::Unit;
use super::command::{Expanded, command_line, expand, variable_words};
use super::env_file::assigned;
use crate::facts::Origin;
use std::collections::BTreeMap;

/// The start command of a service, from the unit's files and the environment files that they name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// `ExecStart=` as it is written, variables unexpanded; of several the first.
    pub command: String,
    /// Where it stands.
    pub at: Option<Origin>,
    /// How many commands there are, those behind a lone `;` as one more.
    pub commands: usize,
    /// The words after expansion.
    pub words: Vec<StartWord>,
    /// The environment files that are named, whether they exist or not.
    pub environment_files: Vec<String>,
    /// The variables that the command can see.
    pub variables: BTreeMap<String, Variable>,
    /// Settings by which systemd may make other words of the command than [`Self::words`], as they are
    /// written: patterns and specifiers are not followed, and nobody knows the manager's own variables.
    pub unfollowed: Vec<String>,
}

/// One word of a start command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartWord {
    /// The word.
    pub text: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Which of the words typed in the command it is, or is a part of (see
    /// [`super::CommandLine::typed`]).
    pub typed: usize,
    /// Which word of the variable's value it is, where it comes out of one.
    pub part: usize,
}

/// A variable of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its value.
    pub value: String,
    /// The file with its assignment.
    pub file: String,
    /// The line.
    pub line: usize,
    /// It is set in an environment file, not by `Environment=` in a unit file.
    pub in_environment_file: bool,
}

impl Start {
    /// The words alone.
    pub fn argv(&self) -> Vec<String> {
        self.words.iter().map(|word| word.text.clone()).collect()
    }

    /// Where the words come from, one for each.
    pub fn origins(&self) -> Vec<Origin> {
        self.words.iter().map(|word| word.origin.clone()).collect()
    }
}

/// The start command of a unit that was read from `paths`. `lookup` gives the text of an environment file, `None`
/// where there is none that can be read.
///
/// Environment files win over `Environment=`, later ones over earlier ones (systemd.exec(5)).
pub fn start(unit: &Unit, paths: &[&str], lookup: &mut dyn FnMut(&str) -> Option<String>) -> Start {
    let path = |text: usize| paths.get(text).copied().unwrap_or_default().to_owned();
    let environment_files: Vec<String> = unit
        .values("Service", "EnvironmentFile")
        .iter()
        .map(|path| path.strip_prefix('-').unwrap_or(path).to_owned())
        .collect();
    let mut variables = BTreeMap::new();
    for assignment in unit.assignments("Service", "Environment") {
        for (_, word) in command_line(&assignment.value).words {
            if let Some((name, value)) = word.split_once('=') {
                let variable = Variable {
                    value: value.to_owned(),
                    file: path(assignment.text),
                    line: assignment.line,
                    in_environment_file: false,
                };
                variables.insert(name.to_owned(), variable);
            }
        }
    }
    for file in &environment_files {
        for one in lookup(file).as_deref().map_or_else(Vec::new, assigned) {
            let variable = Variable {
                value: one.value(),
                file: file.clone(),
                line: one.line,
                in_environment_file: true,
            };
            variables.insert(one.name, variable);
        }
    }
    // Whatever has set them (systemd.exec(5)).
    for unset in unit.values("Service", "UnsetEnvironment") {
        for (_, word) in command_line(&unset).words {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word.as_str(), None),
            };
            let is_meant = |found: &Variable| value.is_none_or(|value| found.value == value);
            if variables.get(name).is_some_and(is_meant) {
                variables.remove(name);
            }
        }
    }
    let commands = unit.assignments("Service", "ExecStart");
    let Some(first) = commands.first() else {
        return Start {
            environment_files,
            variables,
            ..Start::default()
        };
    };
    let at = Origin {
        file: path(first.text),
        line: first.line,
        variable: None,
    };
    let command = command_line(&first.value);
    let mut words = Vec::new();
    for (typed, word) in &command.words {
        let one = |text: String| StartWord {
            text,
            origin: at.clone(),
            typed: *typed,
            part: 0,
        };
        if command.literal {
            words.push(one(word.clone()));
            continue;
        }
        let value = |name: &str| variables.get(name).map(|found| found.value.as_str());
        match expand(word, &value) {
            Expanded::Word(text) => words.push(one(text)),
            Expanded::Variable(name) => {
                let Some(variable) = variables.get(name) else {
                    continue;
                };
                let origin = Origin {
                    file: variable.file.clone(),
                    line: variable.line,
                    variable: Some(name.to_owned()),
                };
                for (part, word) in variable_words(&variable.value).into_iter().enumerate() {
                    words.push(StartWord {
                        text: word.value,
                        origin: origin.clone(),
                        typed: *typed,
                        part,
                    });
                }
            }
        }
    }
    Start {
        unfollowed: unfollowed(unit, &first.value, &variables),
        command: first.value.clone(),
        commands: commands.len() + usize::from(command.more),
        at: Some(at),
        words,
        environment_files,
        variables,
    }
}

/// What is not followed of what this command may use.
fn unfollowed(unit: &Unit, command: &str, variables: &BTreeMap<String, Variable>) -> Vec<String> {
    // `%%` is a percent sign (systemd.unit(5), "Specifiers").
    let has_specifier = |text: &str| text.replace("%%", "").contains('%');
    let mut found = Vec::new();
    if has_specifier(command) {
        found.push(format!("ExecStart={command}"));
    }
    if !command.contains('$') {
        return found;
    }
    for file in unit.values("Service", "EnvironmentFile") {
        if has_specifier(&file) || file.contains(['*', '?', '[']) {
            found.push(format!("EnvironmentFile={file}"));
        }
    }
    for text in unit.values("Service", "Environment") {
        if has_specifier(&text) {
            found.push(format!("Environment={text}"));
        }
    }
    for text in unit.values("Service", "PassEnvironment") {
        let is_used = |name: &str| {
            let used = [format!("${name}"), format!("${{{name}}}")];
            !variables.contains_key(name) && used.iter().any(|it| command.contains(it))
        };
        if text.split_whitespace().any(is_used) {
            found.push(format!("PassEnvironment={text}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn started(texts: &[&str], files: &[(&str, &str)]) -> Start {
        let paths: Vec<String> = (0..texts.len()).map(|at| format!("/unit/{at}")).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        start(&parse(texts), &paths, &mut |path| {
            let found = files.iter().find(|(known, _)| *known == path)?;
            Some(found.1.to_owned())
        })
    }

    #[test]
    fn every_word_has_its_origin() {
        let unit = "[Service]\nEnvironmentFile=-/etc/default/docker\nEnvironmentFile=/etc/x\n\
            Environment=\"A=--a b\" B=1\nExecStart=/usr/bin/dockerd -H fd:// $OPTS\n";
        let drop_in = "# site\n[Service]\nEnvironment=B=2\nExecStart=\nExecStart=@/usr/bin/dockerd docker \\\n  --icc=${B} $A $OPTS $NONE \"--l x\"\n";
        let files = [
            (
                "/etc/default/docker",
                "# x\n\nOPTS=\"--debug \\\n --tls\"\n",
            ),
            ("/etc/x", "A='--other'\n"),
        ];
        let start = started(&[unit, drop_in], &files);
        let told: Vec<String> = start
            .words
            .iter()
            .map(|word| format!("{} {} {}.{}", word.text, word.origin, word.typed, word.part))
            .collect();
        assert_eq!(
            told,
            [
                "/usr/bin/dockerd in /unit/1:5 0.0",
                "--icc=2 in /unit/1:5 2.0",
                "--other from A in /etc/x:1 3.0",
                "--debug from OPTS in /etc/default/docker:3 4.0",
                "--tls from OPTS in /etc/default/docker:3 4.1",
                "--l x in /unit/1:5 6.0",
            ]
        );
        assert_eq!(start.environment_files, ["/etc/default/docker", "/etc/x"]);
        assert_eq!(start.commands, 1);
        assert!(start.variables["A"].in_environment_file);
        assert!(!start.variables["B"].in_environment_file);
        assert_eq!(start.argv().len(), start.origins().len());
    }

    #[test]
    fn what_is_not_followed() {
        let unit = |lines: &str| format!("[Service]\nExecStart=/d $A ${{B}}\n{lines}\n");
        for (lines, words, unfollowed) in [
            ("Environment=A=1 B=2", &["/d", "1", "2"][..], &[][..]),
            ("Environment=A=1 B=50%%", &["/d", "1", "50%%"], &[]),
            (
                "EnvironmentFile=-/etc/x-*",
                &["/d", ""],
                &["EnvironmentFile=-/etc/x-*"],
            ),
            (
                "EnvironmentFile=/etc/%p",
                &["/d", ""],
                &["EnvironmentFile=/etc/%p"],
            ),
            ("Environment=A=%n", &["/d", "%n", ""], &["Environment=A=%n"]),
            ("PassEnvironment=X B", &["/d", ""], &["PassEnvironment=X B"]),
            ("PassEnvironment=X", &["/d", ""], &[]),
            (
                "Environment=A=1 B=2\nUnsetEnvironment=A B=3",
                &["/d", "2"],
                &[],
            ),
            ("Environment=A=1\nUnsetEnvironment=A=1", &["/d", ""], &[]),
        ] {
            let start = started(&[&unit(lines)], &[]);
            assert_eq!(start.argv(), words, "{lines}");
            assert_eq!(start.unfollowed, unfollowed, "{lines}");
        }
        let plain = "[Service]\nEnvironmentFile=/etc/x-*\nExecStart=/d --label %H\n";
        let start = started(&[plain], &[]);
        assert_eq!(start.unfollowed, ["ExecStart=/d --label %H"]);
    }

    #[test]
    fn oddities() {
        let cases: &[(&str, &[&str], usize)] = &[
            ("[Service]\nType=notify\n", &[], 0),
            (
                "[Service]\nExecStart=:/d $A ${A}\n",
                &["/d", "$A", "${A}"],
                1,
            ),
            ("[Service]\nExecStart=/d a\nExecStart=/e\n", &["/d", "a"], 2),
            ("[Service]\nExecStart=/d a ; /e\n", &["/d", "a"], 2),
            (
                "[Service]\nExecStart=/d $A a$A $$A\n",
                &["/d", "a$A", "$A"],
                1,
            ),
            ("[Service]\nEnvironment=A=\nExecStart=/d $A\n", &["/d"], 1),
        ];
        for (unit, words, commands) in cases {
            let start = started(&[unit], &[]);
            assert_eq!(start.argv(), *words, "{unit}");
            assert_eq!(start.commands, *commands, "{unit}");
        }
    }
}
