//! Our own drop-ins of units (systemd.unit(5)): `/etc/systemd/system/UNIT.d/zz-seaworthy.conf`.

use super::workbench::OWN_FILE_HEADER;
use crate::change::DropInSetting;
use crate::facts::UnitState;

/// Our own drop-in of a unit; the name sorts after others, so that it has the last word
/// (systemd.unit(5)).
pub(super) fn path(unit: &str) -> String {
    format!("/etc/systemd/system/{unit}.d/zz-seaworthy.conf")
}

/// Adds our drop-in to those that a unit has, in the order in which systemd reads them: by file name, those of the
/// unit itself after those of all units of its type.
pub(super) fn list(unit: &mut UnitState, name: &str) {
    let ours = path(name);
    if unit.drop_ins.contains(&ours) {
        return;
    }
    let own_folder = format!("{name}.d");
    let comes_later = |other: &String| {
        let mut parts = other.rsplit('/');
        let file = parts.next().unwrap_or_default();
        parts.next() == Some(own_folder.as_str()) && file > "zz-seaworthy.conf"
    };
    let place = unit.drop_ins.iter().position(comes_later);
    let place = place.unwrap_or(unit.drop_ins.len());
    unit.drop_ins.insert(place, ours);
}

/// The text of our drop-in with one more setting.
pub(super) fn with_setting(text: &str, setting: &DropInSetting) -> String {
    let prefix = format!("{}=", setting.key);
    with(
        text,
        &setting.section,
        |line| line.starts_with(&prefix),
        &[format!("{prefix}{}", setting.value)],
    )
}

/// The text of our drop-in with another start command: the empty assignment takes those back that were read before
/// (systemd.service(5)). `instead_of` says where the command stands that this one replaces; that of a former change
/// of ours stays.
pub(super) fn with_command(text: &str, command: &str, instead_of: &str) -> String {
    const NOTE: &str = "# Instead of ExecStart= in ";
    let note = text.lines().find(|line| line.starts_with(NOTE));
    let note = note.map_or_else(
        || format!("{NOTE}{instead_of}: what is changed there has no effect while this is here."),
        str::to_owned,
    );
    with(
        text,
        "Service",
        |line| line.starts_with("ExecStart=") || line.starts_with(NOTE),
        &[
            note,
            "ExecStart=".to_owned(),
            format!("ExecStart={command}"),
        ],
    )
}

/// The text of our drop-in with a variable for the service's commands; `None` for a value that cannot be written on
/// one line. Of two assignments the later one counts (systemd.exec(5)), and `%` keeps the meaning that it had.
pub(super) fn with_variable(text: &str, name: &str, value: &str) -> Option<String> {
    if value.chars().any(char::is_control) {
        return None;
    }
    let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
    let prefix = format!("Environment=\"{name}=");
    Some(with(
        text,
        "Service",
        |line| line.starts_with(&prefix),
        &[format!("{prefix}{quoted}\"")],
    ))
}

/// The text with new lines at the beginning of a section, without those that they replace.
fn with(text: &str, section: &str, replaced: impl Fn(&str) -> bool, new: &[String]) -> String {
    let header = format!("[{section}]");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        lines.push(OWN_FILE_HEADER.trim_end().to_owned());
    }
    lines.retain(|line| !replaced(line));
    let found = lines.iter().position(|line| *line == header);
    let at = found.unwrap_or_else(|| {
        lines.push(header);
        lines.len() - 1
    }) + 1;
    lines.splice(at..at, new.iter().cloned());
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_added_and_replaced() {
        let setting = |value: &str| DropInSetting {
            unit: "docker.socket".to_owned(),
            section: "Socket".to_owned(),
            key: "SocketMode".to_owned(),
            value: value.to_owned(),
        };
        let first = with_setting("", &setting("0660"));
        assert_eq!(
            first,
            format!("{OWN_FILE_HEADER}[Socket]\nSocketMode=0660\n")
        );
        assert_eq!(
            with_setting(&first, &setting("0600")),
            first.replace("0660", "0600")
        );
    }

    #[test]
    fn a_command_is_reset_first_and_says_whom_it_replaces() {
        let first = with_command("", "/d -H fd:// $O", "/lib/x.service:12");
        let text = format!(
            "{OWN_FILE_HEADER}[Service]\n# Instead of ExecStart= in /lib/x.service:12: what is changed there has no effect while this is here.\nExecStart=\nExecStart=/d -H fd:// $O\n"
        );
        assert_eq!(first, text);
        // A second change replaces ours, and the note still names the other file.
        let second = with_command(&first, "/d", "ours:4");
        assert_eq!(second, text.replace("/d -H fd:// $O", "/d"));
        let third = with_variable(&second, "O", "--label \"a\\b\" %%").unwrap();
        let unit = crate::formats::unit::parse(&[&third]);
        assert_eq!(unit.values("Service", "ExecStart"), ["/d"]);
        let start = crate::formats::unit::start(
            &unit,
            &["x"],
            &std::collections::BTreeMap::new(),
            &mut |_| crate::facts::Reading::Absent,
        );
        assert_eq!(start.variables["O"].value, "--label \"a\\b\" %%");
        let fourth = with_variable(&third, "O", "").unwrap();
        assert!(fourth.contains("\nEnvironment=\"O=\"\n"), "{fourth}");
        assert_eq!(with_variable(&third, "O", "a\nb"), None);
    }

    #[test]
    fn ours_is_read_where_its_name_says() {
        let unit = |drop_ins: &[&str]| UnitState {
            drop_ins: drop_ins.iter().map(|path| (*path).to_owned()).collect(),
            ..UnitState::default()
        };
        let ours = path("docker.service");
        for (before, place) in [
            (&[][..], 0),
            (&["/etc/systemd/system/docker.service.d/10-a.conf"][..], 1),
            (&["/usr/lib/systemd/system/service.d/zzz.conf"][..], 1),
            (
                &[
                    "/etc/systemd/system/docker.service.d/10-a.conf",
                    "/run/systemd/system/docker.service.d/zzz.conf",
                ][..],
                1,
            ),
        ] {
            let mut unit = unit(before);
            list(&mut unit, "docker.service");
            list(&mut unit, "docker.service");
            assert_eq!(unit.drop_ins.len(), before.len() + 1);
            assert_eq!(unit.drop_ins[place], ours);
        }
    }
}
