//! What the account tools leave beside passwd(5) and its kin when they are ended in the middle.
//!
//! useradd(8) and its kin of the shadow suite make `FILE.PID`, link it to `FILE.lock`, write `FILE+` and
//! rename that over `FILE` (shadow, lib/commonio.c); busybox has `FILE+`. A loss of power while dockerd
//! makes its account can leave each of them. `FILE-` is the tools' own backup, and `.pwd.lock` the file
//! that lckpwdf(3) locks for ever: these are theirs.

use super::journal::{ActionRecord, Entry};
use super::perform::{now, perform};
use super::run::{Failure, Run};
use crate::change::{Action, State};
use crate::checks::parent;
use crate::facts::{Kind, Look};
use crate::host::{HostError, ReadHost};
use std::collections::BTreeSet;

/// Programs that may be at work on the files right now.
const TOOLS: [&str; 12] = [
    "adduser", "addgroup", "chpasswd", "groupadd", "groupdel", "groupmod", "newusers", "passwd",
    "useradd", "userdel", "usermod", "vipw",
];

/// The names of such files beside these.
pub(super) fn beside<'a>(
    host: &dyn ReadHost,
    files: impl Iterator<Item = &'a String>,
) -> Result<BTreeSet<String>, HostError> {
    let mut found = BTreeSet::new();
    for file in files {
        let folder = parent(file);
        let entries = host
            .node(folder, Look::Entries)?
            .entries
            .unwrap_or_default();
        let paths = entries.into_iter().map(|name| {
            let folder = folder.trim_end_matches('/');
            format!("{folder}/{name}")
        });
        found.extend(paths.filter(|path| is_stray(path, file)));
    }
    Ok(found)
}

/// Whether a tool makes a file of this name while it works on `file`.
fn is_stray(path: &str, file: &str) -> bool {
    path.strip_prefix(file).is_some_and(|rest| {
        rest == "+" || rest == ".lock" || rest.strip_prefix('.').is_some_and(is_number)
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Run<'_> {
    /// Takes back what appeared beside these files since the transaction began, or names it: where a
    /// tool is at work it may be that tool's.
    pub(super) fn remove_strays<'a>(
        &mut self,
        files: impl Iterator<Item = &'a String>,
        before: Option<&BTreeSet<String>>,
    ) {
        let Some(before) = before else { return };
        let now = match beside(self.host, files) {
            Ok(now) => now,
            Err(error) => {
                self.note(format!(
                    "what account tools may have left was not seen: {error}"
                ));
                return;
            }
        };
        for path in now.difference(before) {
            let why = match self.remove_stray(path) {
                Ok(None) => continue,
                Ok(Some(why)) => why,
                Err(error) => error.to_string(),
            };
            self.note(format!(
                "{path} appeared meanwhile and is left, remove it when no account tool runs: {why}"
            ));
        }
    }

    /// Why it was left, if so.
    fn remove_stray(&mut self, path: &str) -> Result<Option<String>, Failure> {
        let node = self.host.node(path, Look::Attributes)?;
        if node.kind == Kind::Absent {
            return Ok(None);
        }
        if node.kind != Kind::File || node.uid != 0 {
            return Ok(Some("it is no file of root".to_owned()));
        }
        if let Some(tool) = self.tool_at_work()? {
            return Ok(Some(format!("{tool} is at work")));
        }
        let Some(before) = now(self.host, path, Look::Attributes)? else {
            return Ok(Some("it is no file".to_owned()));
        };
        let action = Action {
            path: path.to_owned(),
            before,
            after: State::Absent,
        };
        self.write_anyway(&Entry::Writing {
            action: ActionRecord::from(&action),
        });
        perform(self.host, &self.id, &action, self.settings.mutation)?;
        Ok(None)
    }

    /// An account tool that runs now: "process 4711 (useradd)". Nothing runs on a disk.
    fn tool_at_work(&self) -> Result<Option<String>, HostError> {
        if !self.host.is_live() {
            return Ok(None);
        }
        let processes = self.host.node("/proc", Look::Entries)?.entries;
        for process in processes.iter().flatten().filter(|name| is_number(name)) {
            let name = self
                .host
                .node(&format!("/proc/{process}/comm"), Look::Content);
            // It has ended meanwhile.
            let Ok(name) = name else { continue };
            let name = name.content.unwrap_or_default();
            let name = name.as_str().unwrap_or_default().trim();
            if TOOLS.contains(&name) {
                return Ok(Some(format!("process {process} ({name})")));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tools_leave_and_what_is_theirs() {
        for (path, stray) in [
            ("/etc/shadow.4711", true),
            ("/etc/shadow.lock", true),
            ("/etc/shadow+", true),
            ("/etc/shadow-", false),
            ("/etc/shadow", false),
            ("/etc/shadow.bak", false),
            ("/etc/shadow.1.gz", false),
            ("/etc/shadow.", false),
            ("/etc/gshadow.4711", false),
            ("/etc/.pwd.lock", false),
        ] {
            assert_eq!(is_stray(path, "/etc/shadow"), stray, "{path}");
        }
    }
}
