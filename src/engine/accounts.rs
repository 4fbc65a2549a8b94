//! `userns-remap`: whom it names, and the ids that he may map
//! (moby `daemon/daemon_unix.go`, `parseRemappedRoot` and `setupRemappedRoot`; `pkg/idtools`).

use super::{Complaint, Settings};
use crate::facts::{Facts, Kind, Seen};
use crate::formats::accounts::{self, Account};
use crate::formats::subordinate_ids;

const KEY: &str = "userns-remap";
const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";
/// nsswitch.conf(5): where else accounts may come from.
pub(super) const SWITCH: &str = "/etc/nsswitch.conf";
const SUBUID: &str = "/etc/subuid";
const SUBGID: &str = "/etc/subgid";
/// The account that dockerd makes for `default`.
const REMAP_ACCOUNT: &str = "dockremap";

/// The files that tell.
pub(super) const FILES: [&str; 5] = [PASSWD, GROUP, SUBUID, SUBGID, SWITCH];

/// What comes of looking something up.
enum Lookup {
    Found(Account),
    /// Nobody has it.
    Missing(String),
    /// It could not be found out.
    Unknown(String),
}

pub(super) fn complain(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    let value = settings.text(KEY);
    if value.is_empty() {
        return;
    }
    let complaint = match judge(settings, value) {
        Ok(()) => return,
        Err((reason, certain)) => Complaint {
            certain,
            ..Complaint::new(
                KEY,
                format!("`{KEY}` is {value:?}, and {reason}"),
                "an account that exists and has subordinate ids, or `default`",
            )
        },
    };
    // A daemon that remaps, by this very file, shows that it can.
    if complaint.certain || !settings.remaps_now {
        found.push(complaint);
    }
}

/// Whether this remapping can be set up; else why it cannot, and whether that is certain.
fn judge(settings: &Settings<'_>, value: &str) -> Result<(), (String, bool)> {
    let facts = settings.facts;
    let parts: Vec<&str> = value.split(':').collect();
    let (user, group) = match parts[..] {
        [user] => (user, None),
        [user, group] => (user, Some(group)),
        _ => return Err(("it is neither `USER` nor `USER:GROUP`".to_owned(), true)),
    };
    let is_default = user == "default";
    let named = if is_default { REMAP_ACCOUNT } else { user };
    let account = match look_up(facts, PASSWD, "account", named) {
        Lookup::Found(account) => account,
        // 28.0 reads the lines that it needs only.
        Lookup::Missing(_) if is_default && settings.before(28, 0) => return all_ranges(facts),
        Lookup::Missing(_) if is_default => return Ok(()),
        Lookup::Missing(why) => return Err((why, true)),
        Lookup::Unknown(why) => return Err((why, false)),
    };
    // Without a group the account's name, or its number, is looked up as one.
    match look_up(facts, GROUP, "group", group.unwrap_or(named)) {
        Lookup::Found(_) => {}
        Lookup::Missing(why) => return Err((why, true)),
        Lookup::Unknown(why) => return Err((why, false)),
    }
    if account.name == "root" {
        // Accepted, and maps nothing.
        return Ok(());
    }
    if number(&account.name).is_some() {
        // The daemon takes the names that it has found for numbers the second time.
        match look_up(facts, PASSWD, "account", &account.name) {
            Lookup::Found(_) => {}
            Lookup::Missing(why) => return Err((why, true)),
            Lookup::Unknown(why) => return Err((why, false)),
        }
    }
    for path in [SUBUID, SUBGID] {
        let text = text(facts, path).ok_or_else(|| (format!("{path} was not seen"), false))?;
        match subordinate_ids::ranges_of(text, &account.name, Some(account.id)) {
            Ok(ranges) if ranges.is_empty() => {
                let why = format!("{} has no subordinate ids in {path}", account.name);
                return Err((why, true));
            }
            Ok(_) => {}
            Err(line) => return Err((not_a_range(path, line), true)),
        }
    }
    Ok(())
}

/// Where the daemon makes an account, every range must be one: it looks for a free one.
fn all_ranges(facts: &Facts) -> Result<(), (String, bool)> {
    for path in [SUBUID, SUBGID] {
        // What was not seen is left to be made.
        let Some(text) = text(facts, path) else {
            continue;
        };
        if let Some(line) = subordinate_ids::first_bad_line(text) {
            return Err((not_a_range(path, line), true));
        }
    }
    Ok(())
}

fn not_a_range(path: &str, line: usize) -> String {
    format!("{path}:{line} is not a range of subordinate ids")
}

/// A number as Go's `ParseInt` reads one of 32 bits.
fn number(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_one = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_one)
}

/// An account or a group by its name, or by its number where it looks like one.
fn look_up(facts: &Facts, path: &str, what: &str, wanted: &str) -> Lookup {
    let Some(text) = text(facts, path) else {
        return Lookup::Unknown(format!("{path} was not seen"));
    };
    let id = number(wanted);
    let found = accounts::accounts(text)
        .into_iter()
        .find(|account| match id {
            Some(id) => i64::from(account.id) == i64::from(id),
            None => account.name == wanted,
        });
    if let Some(account) = found {
        return Lookup::Found(account);
    }
    let missing = match id {
        Some(id) => format!("no {what} in {path} has the number {id}"),
        None => format!("there is no {what} {wanted:?} in {path}"),
    };
    let database = if path == PASSWD { "passwd" } else { "group" };
    match elsewhere(facts, database) {
        // Nobody is called that anywhere.
        Some(_) if wanted.is_empty() => Lookup::Missing(missing),
        Some(source) => Lookup::Unknown(format!(
            "{missing}; {SWITCH} names `{source}`, too, which was not asked"
        )),
        None => Lookup::Missing(missing),
    }
}

/// The first source of accounts that is no file of this host, as `getent` would ask it.
fn elsewhere(facts: &Facts, database: &str) -> Option<String> {
    let text = text(facts, SWITCH)?;
    let line = text.lines().rev().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let (name, sources) = line.split_once(':')?;
        (name.trim() == database).then_some(sources)
    })?;
    line.split_whitespace()
        .filter(|word| !word.starts_with('['))
        .find(|word| !["files", "compat", "systemd", "altfiles"].contains(word))
        .map(str::to_owned)
}

/// The text of a file; of one that is missing the empty one.
fn text<'f>(facts: &'f Facts, path: &str) -> Option<&'f str> {
    match facts.node(path) {
        Seen::Known(node) if node.kind == Kind::Absent => Some(""),
        _ => facts.text(path),
    }
}
