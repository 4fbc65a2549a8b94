//! passwd(5) and its kin, and os-release(5).

use super::text;
use seaworthy::formats::accounts::{
    accounts as read, id_of, lines_of, members_of, name_of, without_account,
};
use seaworthy::formats::os_release::parse;
use seaworthy::formats::subordinate_ids::ranges_of;
use std::fmt::Write as _;

/// passwd, group, subuid, subgid.
pub fn accounts(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let accounts = read(text);
    assert!(accounts.len() <= text.lines().count());
    for account in &accounts {
        assert!(!account.name.is_empty() && !account.name.contains([':', '\n']));
        // Of duplicates the first.
        let first = accounts.iter().find(|other| other.name == account.name);
        assert_eq!(id_of(text, &account.name), first.map(|first| first.id));
        let first = accounts.iter().find(|other| other.id == account.id);
        let name = first.map(|first| first.name.clone());
        assert_eq!(name_of(text, account.id), name);
        let members = members_of(text, text, account.id);
        assert!(members.iter().all(|member| !member.is_empty()));
        assert!(members.is_sorted());
        match ranges_of(text, &account.name, Some(account.id)) {
            Ok(ranges) => assert!(ranges.len() <= text.lines().count()),
            Err(line) => assert!((1..=text.lines().count()).contains(&line)),
        }
    }
    let first = accounts.first().map(|account| account.name.as_str());
    for name in ["dockremap"].into_iter().chain(first) {
        let without = without_account(text, name);
        assert_eq!(lines_of(&without, name), [""; 0]);
        assert_eq!(without_account(&without, name), without);
        let kept = text
            .split_inclusive('\n')
            .filter(|line| !line.starts_with(&format!("{name}:")));
        assert_eq!(kept.collect::<String>(), without);
        if lines_of(text, name).is_empty() {
            assert_eq!(without, text);
        }
    }
}

/// os-release.
pub fn os_release(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let read = parse(text);
    let mut printed = String::new();
    for (name, value) in &read {
        assert!(!name.is_empty() && !value.contains('\n'));
        let escaped = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('$', "\\$")
            .replace('`', "\\`");
        let _ = writeln!(printed, "{name}=\"{escaped}\"");
    }
    assert_eq!(parse(&printed), read);
}
