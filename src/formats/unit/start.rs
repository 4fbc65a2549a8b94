//! The command that a service unit starts, and where each of its words comes from.

use super::Unit;
use super::command::{Expanded, command_line, expand, variable_words, words};
use super::env_file::understood;
use crate::facts::{Inherited, Origin, Reading, Unread, steps};
use std::collections::{BTreeMap, BTreeSet};

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
    /// written: patterns and specifiers are not followed, and not every variable of the manager is known.
    pub unfollowed: Vec<String>,
    /// Environment files that the command depends on, and of which not everything was understood.
    pub unread: Vec<Unread>,
    /// Environment files that must exist (no `-` in front), and do not: the service does not start.
    pub missing: Vec<Origin>,
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
        steps::counted(&self.words)
            .map(|word| word.text.clone())
            .collect()
    }

    /// Why systemd may start something else than these words, as clauses.
    pub fn open_questions(&self) -> Vec<String> {
        let mut open: Vec<String> = self
            .unfollowed
            .iter()
            .map(|setting| format!("`{setting}` is not followed"))
            .collect();
        if self.commands > 1 {
            open.push(format!(
                "it has more than one ExecStart=, {}",
                self.commands
            ));
        }
        open
    }

    /// Where the words come from, one for each.
    pub fn origins(&self) -> Vec<Origin> {
        self.words.iter().map(|word| word.origin.clone()).collect()
    }
}

/// The start command of a unit that was read from `paths`. `lookup` gives what is known of an environment file,
/// `inherited` are the variables that the manager gives to every service.
///
/// Environment files win over `Environment=`, later ones over earlier ones (systemd.exec(5)), and both over what is
/// inherited.
pub fn start(
    unit: &Unit,
    paths: &[&str],
    inherited: &BTreeMap<String, Inherited>,
    lookup: &mut dyn FnMut(&str) -> Reading<'static>,
) -> Start {
    let path = |text: usize| paths.get(text).copied().unwrap_or_default().to_owned();
    let environment_files: Vec<String> = unit
        .values("Service", "EnvironmentFile")
        .iter()
        .map(|path| path.strip_prefix('-').unwrap_or(path).to_owned())
        .collect();
    let mut variables: BTreeMap<String, Variable> = inherited
        .iter()
        .map(|(name, from)| {
            let variable = Variable {
                value: from.value.clone(),
                file: from.source.clone(),
                line: from.line,
                in_environment_file: false,
            };
            (name.clone(), variable)
        })
        .collect();
    for assignment in unit.assignments("Service", "Environment") {
        for word in words(&assignment.value) {
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
    let (mut unread, mut missing) = (Vec::new(), Vec::new());
    for assignment in unit.assignments("Service", "EnvironmentFile") {
        let optional = assignment.value.strip_prefix('-');
        let file = optional.unwrap_or(&assignment.value);
        if has_specifier(file) || file.contains(['*', '?', '[']) || !file.starts_with('/') {
            // Patterns are not followed, and a relative path is passed over.
            continue;
        }
        let doubt = |why: String, hint: &str| Unread {
            path: file.to_owned(),
            why,
            hint: hint.to_owned(),
        };
        match lookup(file) {
            Reading::Absent if optional.is_none() => missing.push(Origin {
                file: path(assignment.text),
                line: assignment.line,
                variable: Some(file.to_owned()),
            }),
            Reading::Absent => {}
            Reading::Unread(unseen) => unread.push(doubt(unseen.unseen, &unseen.hint)),
            Reading::Text(text) => {
                let (found, flaw) = understood(&text);
                if let Some((line, what)) = flaw {
                    let hint = format!("LC_ALL=C grep -nP '[^ -~\\t]' {file}");
                    unread.push(doubt(format!("line {line}: {what}"), &hint));
                }
                for one in found {
                    let name = one.name.clone();
                    let variable = Variable {
                        line: one.line,
                        value: one.into_value(),
                        file: file.to_owned(),
                        in_environment_file: true,
                    };
                    variables.insert(name, variable);
                }
            }
        }
    }
    // Whatever has set them (systemd.exec(5)).
    for unset in unit.values("Service", "UnsetEnvironment") {
        for word in words(&unset) {
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
            unread,
            missing,
            ..Start::default()
        };
    };
    let at = Origin {
        file: path(first.text),
        line: first.line,
        variable: None,
    };
    let command = command_line(&first.value);
    let mut started = Vec::new();
    for (typed, word) in &command.words {
        let one = |text: String| StartWord {
            text,
            origin: at.clone(),
            typed: *typed,
            part: 0,
        };
        if command.literal {
            started.push(one(word.clone()));
            continue;
        }
        let value = |name: &str| variables.get(name).map(|found| found.value.as_str());
        match expand(word, &value) {
            Expanded::Word(text) => started.push(one(text)),
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
                    started.push(StartWord {
                        text: word.value,
                        origin: origin.clone(),
                        typed: *typed,
                        part,
                    });
                }
            }
        }
    }
    if !first.value.contains('$') {
        // It takes no word from them.
        unread.clear();
    }
    Start {
        unread,
        missing,
        unfollowed: unfollowed(unit, &first.value, &variables),
        command: first.value.clone(),
        commands: commands.len() + usize::from(command.more),
        at: Some(at),
        words: started,
        environment_files,
        variables,
    }
}

/// The names of variables that a service's start command uses.
pub fn variables_used(unit: &Unit) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for command in unit.values("Service", "ExecStart") {
        for piece in command.split('$').skip(1) {
            let name: String = piece
                .trim_start_matches('{')
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            if !name.is_empty() {
                used.insert(name);
            }
        }
    }
    used
}

/// `%%` is a percent sign (systemd.unit(5), "Specifiers").
fn has_specifier(text: &str) -> bool {
    text.replace("%%", "").contains('%')
}

/// What is not followed of what this command may use.
fn unfollowed(unit: &Unit, command: &str, variables: &BTreeMap<String, Variable>) -> Vec<String> {
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
        start(
            &parse(texts),
            &paths,
            &BTreeMap::new(),
            &mut |path| match files.iter().find(|(known, _)| *known == path) {
                Some((_, text)) => Reading::Text((*text).to_owned().into()),
                None => Reading::Absent,
            },
        )
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
    fn what_the_environment_brings() {
        let unit = "[Service]\nEnvironmentFile=-/etc/x\nEnvironmentFile=/etc/y\nExecStart=/d $A\n";
        let inherited = |value: &str| {
            let from = Inherited {
                value: value.to_owned(),
                source: "/etc/systemd/system.conf".to_owned(),
                line: 3,
            };
            BTreeMap::from([("A".to_owned(), from)])
        };
        let unseen = || Reading::Unread(crate::facts::Unseen::new("no", ""));
        let text = |text: &str| Reading::Text(text.to_owned().into());
        for (x, y, argv, unread, missing) in [
            (Reading::Absent, text(""), "/d -m", 0, 0),
            (Reading::Absent, Reading::Absent, "/d -m", 0, 1),
            (text("A=-x"), text(""), "/d -x", 0, 0),
            (text("# f\u{fffd}r\nA=-x"), text(""), "/d -x", 0, 0),
            (text("A=-x\nB=\u{fffd}"), text(""), "/d -x", 1, 0),
            (text("A=-x\u{fffd}"), text(""), "/d -x\u{fffd}", 1, 0),
            (text("A=-x\0"), text(""), "/d -x\0", 1, 0),
            (unseen(), text("A=-y"), "/d -y", 1, 0),
            (Reading::Absent, unseen(), "/d -m", 1, 0),
        ] {
            let told = start(&parse(&[unit]), &["/u"], &inherited("-m"), &mut |path| {
                if path == "/etc/x" {
                    x.clone()
                } else {
                    y.clone()
                }
            });
            assert_eq!(told.argv().join(" "), argv);
            assert_eq!(told.unread.len(), unread, "{argv} {x:?} {y:?}");
            assert_eq!(told.missing.len(), missing, "{argv} {x:?} {y:?}");
        }
        // A command without variables does not depend on any of them.
        let plain = unit.replace("$A", "");
        let told = start(&parse(&[&plain]), &["/u"], &BTreeMap::new(), &mut |_| {
            unseen()
        });
        assert_eq!(told.unread, []);
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
