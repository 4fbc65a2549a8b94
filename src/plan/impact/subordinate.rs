//! Whether the account of userns-remap and its subordinate ids will do.
//!
//! `default` means the account `dockremap`, which the daemon makes with the host's own programs, and
//! gives a range (moby, pkg/idtools/usergroupadd_linux.go). Everybody else must exist and have ranges
//! in `/etc/subuid` and `/etc/subgid`, or the daemon does not start.
//!
//! Nothing else of the host is asked there: neither SELinux nor the storage driver
//! (moby, daemon/daemon_unix.go, setupRemappedRoot). What Docker 29 refuses together with the
//! containerd image store is in [`super::super::refusal`].

use super::{Impact, Turn};
use crate::facts::{Facts, Kind, Look, Reading, Requests, Unseen};
use crate::formats::accounts;
use crate::formats::subordinate_ids::{self, Range};
use crate::plan::REMAP_ACCOUNT;

const SUBUID: &str = "/etc/subuid";
const SUBGID: &str = "/etc/subgid";
const PASSWD: &str = "/etc/passwd";
/// user_namespaces(7); it holds for root, too.
const MOST_NAMESPACES: &str = "/proc/sys/user/max_user_namespaces";

/// As many ids as images use: 0 to 65535, what `useradd` gives and the daemon, too.
const ENOUGH: u64 = 65_536;

/// Ranges beyond these are not used (docs.docker.com, "Isolate containers with a user namespace").
const MOST_RANGES: usize = 5;

/// What makes accounts, and what gives them ids.
const MAKERS: [&str; 2] = ["adduser", "useradd"];
const PROGRAM_FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// The files that must be seen.
pub(super) fn requests(facts: &Facts) -> Requests {
    let mut requests: Requests = [PASSWD, SUBUID, SUBGID]
        .map(|path| (path.to_owned(), Look::Content))
        .into();
    if facts.host.live {
        requests.insert(MOST_NAMESPACES.to_owned(), Look::Content);
    }
    for path in candidates().flat_map(|(_, path)| facts.way_to(&path)) {
        requests.insert(path, Look::Attributes);
    }
    requests
}

/// The names of the programs, and where each may be.
fn candidates() -> impl Iterator<Item = (&'static str, String)> {
    MAKERS.iter().flat_map(|name| {
        PROGRAM_FOLDERS
            .iter()
            .map(move |folder| (*name, format!("{folder}/{name}")))
    })
}

/// Whether the daemon takes what is there for this program: a link must lead to one of the same name,
/// so one to busybox does not count (moby, pkg/idtools/utils_unix.go, `resolveBinary`).
fn is_no_maker(facts: &Facts, name: &str, path: &str) -> bool {
    let real = facts.real_path(path);
    let is_absent = facts
        .node(&real)
        .known()
        .is_some_and(|node| node.kind == Kind::Absent);
    is_absent || real.rsplit('/').next() != Some(name)
}

/// The account in `default`, `bob` or `bob:staff`.
pub(super) fn account(value: &str) -> &str {
    match value.split(':').next().unwrap_or_default() {
        "default" => REMAP_ACCOUNT,
        name => name,
    }
}

/// The ranges that the daemon uses.
pub(super) fn ranges(text: &str, user: &str, uid: Option<u32>) -> Result<Vec<Range>, usize> {
    // An account may be given by its number.
    let uid = uid.or_else(|| user.parse().ok());
    let mut ranges = subordinate_ids::ranges_of(text, user, uid)?;
    ranges.truncate(MOST_RANGES);
    Ok(ranges)
}

/// Why the daemon would not start, and what helps.
pub(super) fn obstacle(turn: &Turn<'_>) -> Option<(String, String)> {
    let value = turn.remaps()?;
    let facts = turn.facts;
    // Kernels that can have none lack the file, and so did those before 4.9: then the daemon finds out.
    // Of an image it is not known which kernel boots.
    if facts.host.live && turn.table(MOST_NAMESPACES).trim() == "0" {
        return Some((
            "userns-remap needs user namespaces, and this kernel allows none (user.max_user_namespaces = 0)"
                .to_owned(),
            "sysctl user.max_user_namespaces".to_owned(),
        ));
    }
    let user = account(value);
    let passwd = match turn.reading(PASSWD) {
        Reading::Text(text) => text,
        Reading::Absent => "".into(),
        Reading::Unread(unseen) => return Some(not_known(user, PASSWD, &unseen)),
    };
    let uid = accounts::id_of(&passwd, user);
    if user == REMAP_ACCOUNT && uid.is_none() {
        // The daemon makes account and ranges.
        let missing = candidates().all(|(name, path)| is_no_maker(facts, name, &path));
        return missing.then(|| {
            (
                format!("the daemon would make the account {REMAP_ACCOUNT} for userns-remap, and there is neither adduser nor useradd here"),
                format!("command -v {}", MAKERS.join(" ")),
            )
        });
    }
    for path in [SUBUID, SUBGID] {
        let text = match turn.reading(path) {
            Reading::Text(text) => text,
            Reading::Absent => "".into(),
            Reading::Unread(unseen) => return Some(not_known(user, path, &unseen)),
        };
        match ranges(&text, user, uid) {
            Ok(ranges) if !ranges.is_empty() => {}
            Ok(_) => {
                return Some((
                    format!(
                        "{user} has no subordinate ids in {path}, and the daemon would not start"
                    ),
                    format!("editor {path}"),
                ));
            }
            Err(line) => {
                return Some((
                    format!(
                        "{path}:{line}: it is not a range of subordinate ids, and the daemon would not start"
                    ),
                    format!("editor {path}"),
                ));
            }
        }
    }
    None
}

/// Without its ids the daemon does not start: what could not be read may lack them.
fn not_known(user: &str, path: &str, unseen: &Unseen) -> (String, String) {
    let cure = match unseen.hint.as_str() {
        "" => format!("ls -ld {path}"),
        hint => hint.to_owned(),
    };
    (
        format!(
            "whether {user} exists and has subordinate ids is not known: {path}: {}",
            unseen.unseen
        ),
        cure,
    )
}

/// Ranges that are there, but short.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    let Some(user) = turn.remaps().map(account) else {
        return Vec::new();
    };
    let uid = accounts::id_of(&turn.table(PASSWD), user);
    let count = |path: &str| -> Option<u64> {
        let ranges = ranges(&turn.table(path), user, uid).ok()?;
        (!ranges.is_empty()).then(|| ranges.iter().map(|range| u64::from(range.count)).sum())
    };
    let fewest = [count(SUBUID), count(SUBGID)].into_iter().flatten().min();
    match fewest {
        Some(fewest) if fewest < ENOUGH => vec![Impact {
            what: format!(
                "images that hold files of users or groups from {fewest} on cannot be unpacked"
            ),
            who: Vec::new(),
            why: format!("{user} has {fewest} subordinate ids only"),
            size: None,
        }],
        _ => Vec::new(),
    }
}
