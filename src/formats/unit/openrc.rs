//! OpenRC's service of docker, in the words for a unit.

use super::command::variable_words;
use super::env_file::assigned;
use super::start::{Start, StartWord, Variable};
use crate::facts::Origin;

/// The variable with the daemon's flags.
const OPTIONS: &str = "DOCKER_OPTS";

/// The start command, as far as a script in shell says it in words (moby
/// `contrib/init/openrc/docker.{initd,confd}`, and Alpine's and Gentoo's of the same names). `script`
/// and `settings` are the path and the text of `/etc/init.d/docker` and `/etc/conf.d/docker`.
///
/// The settings are a shell script, too (openrc-run(8)): where it does more with the flags than set
/// them once to a plain text, they are [`Start::unfollowed`].
pub fn openrc_start(script: (&str, &str), settings: Option<(&str, &str)>) -> Start {
    let (path, text) = settings.unwrap_or_default();
    let mut start = Start {
        commands: 1,
        environment_files: settings.map(|_| path.to_owned()).into_iter().collect(),
        ..Start::default()
    };
    let found = assigned(text);
    for one in &found {
        let variable = Variable {
            value: one.value().to_owned(),
            file: path.to_owned(),
            line: one.line,
            in_environment_file: true,
        };
        start.variables.insert(one.name.clone(), variable);
    }
    let value = |name: &str| start.variables.get(name).map(|it| it.value.as_str());
    let by_script = Origin {
        file: script.0.to_owned(),
        line: 1,
        variable: None,
    };
    let mut command = vec![value("DOCKERD_BINARY").unwrap_or("/usr/bin/dockerd")];
    // The script names the file of the process id itself, where it does.
    let mut arguments = script
        .1
        .lines()
        .filter(|line| line.trim_start().starts_with("command_args="));
    if arguments.any(|line| line.contains("-p ")) {
        command.extend(["-p", value("DOCKER_PIDFILE").unwrap_or("/run/docker.pid")]);
    }
    let mut words: Vec<StartWord> = command
        .into_iter()
        .enumerate()
        .map(|(typed, text)| StartWord {
            text: text.to_owned(),
            origin: by_script.clone(),
            typed,
            part: 0,
        })
        .collect();
    let typed = words.len();
    if let Some(options) = start.variables.get(OPTIONS) {
        for (part, word) in variable_words(&options.value).into_iter().enumerate() {
            words.push(StartWord {
                text: word.value,
                origin: Origin {
                    file: path.to_owned(),
                    line: options.line,
                    variable: Some(OPTIONS.to_owned()),
                },
                typed,
                part,
            });
        }
    }
    let mentions = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#') && line.contains(OPTIONS));
    let settings = found.iter().filter(|one| one.name == OPTIONS).count();
    if mentions.count() != settings || settings > 1 || value(OPTIONS).is_some_and(has_expansion) {
        start.unfollowed.push(format!("{OPTIONS} in {path}"));
    }
    start.words = words;
    start
}

/// Whether a shell would put something else in.
fn has_expansion(value: &str) -> bool {
    value.contains(['$', '`'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_alpine_starts() {
        let script = "#!/sbin/openrc-run\ncommand_args=\"${DOCKER_OPTS}\"\n";
        let with_pid = "command_args=\"-p \\\"${DOCKER_PIDFILE}\\\" ${DOCKER_OPTS}\"\n";
        for (script, settings, argv, unfollowed) in [
            (script, None, "/usr/bin/dockerd", false),
            (
                script,
                Some("# DOCKER_OPTS=\"--x\"\n"),
                "/usr/bin/dockerd",
                false,
            ),
            (
                script,
                Some("DOCKERD_BINARY=/opt/dockerd\nDOCKER_OPTS=\"--icc=true  --debug\"\n"),
                "/opt/dockerd --icc=true --debug",
                false,
            ),
            (
                with_pid,
                Some("DOCKER_PIDFILE=/run/d.pid\nDOCKER_OPTS=--debug\n"),
                "/usr/bin/dockerd -p /run/d.pid --debug",
                false,
            ),
            (
                script,
                Some("DOCKER_OPTS=\"--label $(hostname)\"\n"),
                "/usr/bin/dockerd --label $(hostname)",
                true,
            ),
            (
                script,
                Some("export DOCKER_OPTS=--debug\n"),
                "/usr/bin/dockerd",
                true,
            ),
            (
                script,
                Some("DOCKER_OPTS=--debug\n[ -e /x ] && DOCKER_OPTS=--icc=true\n"),
                "/usr/bin/dockerd --debug",
                true,
            ),
        ] {
            let settings = settings.map(|text| ("/etc/conf.d/docker", text));
            let start = openrc_start(("/etc/init.d/docker", script), settings);
            assert_eq!(start.argv().join(" "), argv);
            assert_eq!(!start.unfollowed.is_empty(), unfollowed, "{argv}");
        }
        let settings = ("/etc/conf.d/docker", "# x\nDOCKER_OPTS='--a --b'\n");
        let start = openrc_start(("/etc/init.d/docker", script), Some(settings));
        let last = start.words.last().unwrap();
        assert_eq!(
            last.origin.to_string(),
            "from DOCKER_OPTS in /etc/conf.d/docker:2"
        );
        assert_eq!((last.typed, last.part), (1, 1));
    }
}
