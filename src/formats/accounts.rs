//! Users and groups: passwd(5), group(5), shadow(5), gshadow(5), subuid(5) and subgid(5).

use crate::facts::steps;
use serde::{Deserialize, Serialize};

/// A user or a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The name.
    pub name: String,
    /// The uid or gid.
    pub id: u32,
}

/// A line of a passwd file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The uid.
    pub uid: u32,
    /// The home folder.
    pub home: String,
}

/// The users of a passwd file who have a home folder.
pub fn users(text: &str) -> Vec<User> {
    steps::count(text.len());
    text.lines()
        .filter_map(|line| {
            let Account { name, id: uid } = account(line)?;
            let home = line.split(':').nth(5)?.trim_end_matches('/');
            home.starts_with('/').then(|| User {
                name,
                uid,
                home: home.to_owned(),
            })
        })
        .collect()
}

/// The accounts of a passwd or group file; lines that are none (comments, NIS `+` lines, malformed ones) are
/// passed over.
pub fn accounts(text: &str) -> Vec<Account> {
    steps::count(text.len());
    text.lines().filter_map(account).collect()
}

fn account(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let name = fields
        .next()
        .filter(|name| !name.is_empty() && !name.starts_with(['+', '-', '#']))?;
    let id = fields.nth(1)?.trim_end().parse().ok()?;
    Some(Account {
        name: name.to_owned(),
        id,
    })
}

/// The users of a passwd file who can log in: those whose shell is not one of the programs that turn
/// people away (nologin(8), false(1)); an empty one is `/bin/sh`.
pub fn who_can_log_in(text: &str) -> Vec<Account> {
    steps::count(text.len());
    let can = |line: &&str| {
        let shell = line.split(':').nth(6).map(str::trim);
        let program = shell.and_then(|shell| shell.rsplit('/').next());
        // Accounts of old that do one thing (Debian's base-passwd, Fedora's setup).
        !matches!(
            program,
            None | Some("nologin" | "false" | "true" | "sync" | "shutdown" | "halt")
        )
    };
    text.lines().filter(can).filter_map(account).collect()
}

/// The uid or gid of a name; of duplicates the first, as getpwnam(3) finds it.
pub fn id_of(text: &str, name: &str) -> Option<u32> {
    accounts(text)
        .into_iter()
        .find(|account| account.name == name)
        .map(|account| account.id)
}

/// The name of a uid or gid; of duplicates the first, as getpwuid(3) finds it.
pub fn name_of(text: &str, id: u32) -> Option<String> {
    accounts(text)
        .into_iter()
        .find(|account| account.id == id)
        .map(|account| account.name)
}

/// Who is in a group: the members that its lines list, and the users whose own group it is.
pub fn members_of(group: &str, passwd: &str, gid: u32) -> Vec<String> {
    steps::count(group.len() + passwd.len());
    let listed = group
        .lines()
        .filter(|line| account(line).is_some_and(|account| account.id == gid))
        .filter_map(|line| line.split(':').nth(3))
        .flat_map(|members| members.trim().split(','))
        .filter(|member| !member.is_empty());
    let own = passwd.lines().filter_map(|line| {
        let own = line.split(':').nth(3)?.trim().parse() == Ok(gid);
        account(line).filter(|_| own).map(|account| account.name)
    });
    let mut members: Vec<String> = listed.map(str::to_owned).chain(own).collect();
    members.sort();
    members.dedup();
    members
}

/// The text without the lines `name:…`; everything else stays byte for byte, member lists included.
pub fn without_account(text: &str, name: &str) -> String {
    steps::count(text.len());
    text.split_inclusive('\n')
        .filter(|line| !is_of(line, name))
        .collect()
}

/// The lines `name:…` without their newlines.
pub fn lines_of<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    steps::count(text.len());
    text.lines().filter(|line| is_of(line, name)).collect()
}

fn is_of(line: &str, name: &str) -> bool {
    line.strip_prefix(name)
        .is_some_and(|rest| rest.starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n# no\n\n+nis:::::\nbroken:x\nbad:x:y:0:::\nbob:x:1000:1000::/:/bin/sh\ntoor:x:0:0:::";

    #[test]
    fn reading() {
        let names: Vec<_> = accounts(PASSWD)
            .into_iter()
            .map(|account| (account.name, account.id))
            .collect();
        assert_eq!(
            names,
            [
                ("root".to_owned(), 0),
                ("bob".to_owned(), 1000),
                ("toor".to_owned(), 0)
            ]
        );
        assert_eq!(id_of("docker:x:998:bob,eve\n", "docker"), Some(998));
        assert_eq!(id_of("docker:x:998\n", "docker"), Some(998));
        assert_eq!(id_of("docker:x:998:bob\n", "dock"), None);
        assert_eq!(name_of(PASSWD, 0).as_deref(), Some("root"));
        assert_eq!(name_of(PASSWD, 7), None);
        let homes: Vec<_> =
            users("a:x:1:1:A,,,:/home/a/:/bin/sh\nb:x:2:2::/:/x\nc:x:3:3::rel:\nd:x:4:4\n")
                .into_iter()
                .map(|user| (user.name, user.uid, user.home))
                .collect();
        assert_eq!(homes, [("a".to_owned(), 1, "/home/a".to_owned())]);
    }

    #[test]
    fn logging_in() {
        let text = "root:x:0:0::/root:/bin/bash\ndaemon:x:1:1::/:/usr/sbin/nologin\nmail:x:8:8::/:/bin/false\nbob:x:1000:1000::/:\nci:x:998:998::/:/bin/sh\r\nsync:x:5:0::/:/bin/sync\nshort:x:7:7\n+nis:::::\n";
        let names: Vec<String> = who_can_log_in(text)
            .into_iter()
            .map(|account| account.name)
            .collect();
        assert_eq!(names, ["root", "bob", "ci"]);
    }

    #[test]
    fn membership() {
        let group = "root:x:0:\nops:x:500:eve,bob\nops2:x:500:ann\nother:x:501:zoe\n+nis:::\n";
        for (gid, members) in [
            (500, vec!["ann", "bob", "eve"]),
            (501, vec!["zoe"]),
            (1000, vec!["bob"]),
            (0, vec!["root", "toor"]),
            (7, vec![]),
        ] {
            assert_eq!(members_of(group, PASSWD, gid), members, "{gid}");
        }
    }

    #[test]
    fn removal() {
        let cases = [
            ("a:1\ndockremap:231072:65536\nb:2\n", "a:1\nb:2\n"),
            ("a:1\ndockremap:231072:65536", "a:1\n"),
            (
                "dockremap2:1\nxdockremap:2\ndocker:x:9:dockremap\n",
                "dockremap2:1\nxdockremap:2\ndocker:x:9:dockremap\n",
            ),
            ("dockremap:!:1\r\nb\r\ndockremap:1:1\n", "b\r\n"),
            ("", ""),
        ];
        for (before, after) in cases {
            assert_eq!(without_account(before, "dockremap"), after, "{before:?}");
        }
        assert_eq!(
            lines_of("a:1\ndockremap:2:3\n", "dockremap"),
            ["dockremap:2:3"]
        );
    }

    proptest! {
        #[test]
        fn removal_is_complete_and_settles(text in "([ab]{1,2}:[0-9]{0,2}\r?\n?){0,6}") {
            let gone = without_account(&text, "a");
            prop_assert!(lines_of(&gone, "a").is_empty());
            prop_assert_eq!(without_account(&gone, "a"), gone.clone());
            let kept: Vec<_> = text.split_inclusive('\n').filter(|line| !line.starts_with("a:")).collect();
            prop_assert_eq!(kept.concat(), gone);
        }
    }
}
