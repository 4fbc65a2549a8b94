//! Recognising a state: the one question that an undo depends on.

use crate::change::StateRecord;
use crate::facts::{Attributes, Bytes, Mode};
use std::collections::BTreeMap;

/// The bits that the kernel takes away when the owner changes (chown(2)).
const LOST_BY_CHOWN: u32 = 0o6000;

/// Whether `now` is what is wanted.
pub(super) fn same(now: &StateRecord, wanted: &StateRecord) -> bool {
    if now == wanted {
        return true;
    }
    let (Some(have), Some(want)) = (now.attributes(), wanted.attributes()) else {
        return false;
    };
    let mut have = have.clone();
    have.xattrs
        .retain(|name, _| want.xattrs.contains_key(name) || !Attributes::is_given_by_kernel(name));
    have == *want && same_body(now, wanted)
}

/// Whether `now` is what a change of nothing but attributes from `before` to `after` passes
/// through: owner, mode and each extended attribute are set one after the other.
pub(super) fn on_the_way(now: &StateRecord, before: &StateRecord, after: &StateRecord) -> bool {
    if !same_body(now, before) || !same_body(before, after) {
        return false;
    }
    let (Some(now), Some(before), Some(after)) =
        (now.attributes(), before.attributes(), after.attributes())
    else {
        return false;
    };
    let lost = |mode: Mode| Mode(mode.0 & !LOST_BY_CHOWN);
    [before.uid, after.uid].contains(&now.uid)
        && [before.gid, after.gid].contains(&now.gid)
        && [before.mode, after.mode, lost(before.mode), lost(after.mode)].contains(&now.mode)
        && labels(now, before, after)
}

fn labels(now: &Attributes, before: &Attributes, after: &Attributes) -> bool {
    let known = |name: &String, value: Option<&Bytes>| {
        Attributes::is_given_by_kernel(name)
            || value == before.xattrs.get(name)
            || value == after.xattrs.get(name)
    };
    let all: BTreeMap<_, _> = before
        .xattrs
        .iter()
        .chain(&after.xattrs)
        .chain(&now.xattrs)
        .collect();
    all.keys().all(|name| known(name, now.xattrs.get(*name)))
}

/// The same apart from the attributes.
fn same_body(one: &StateRecord, other: &StateRecord) -> bool {
    match (one, other) {
        (StateRecord::File { sha256: a, .. }, StateRecord::File { sha256: b, .. }) => a == b,
        (StateRecord::Folder { .. }, StateRecord::Folder { .. })
        | (StateRecord::Opaque { .. }, StateRecord::Opaque { .. })
        | (StateRecord::Absent, StateRecord::Absent) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::State;

    fn file(text: &str, uid: u32, mode: u32, label: Option<&str>) -> StateRecord {
        State::File {
            attributes: Attributes {
                mode: Mode(mode),
                uid,
                gid: 0,
                xattrs: label
                    .map(|label| ("security.selinux".to_owned(), label.into()))
                    .into_iter()
                    .collect(),
            },
            content: text.into(),
        }
        .record()
    }

    #[test]
    fn a_label_that_nobody_asked_for_does_not_count() {
        let wanted = file("a", 0, 0o644, None);
        assert!(same(&file("a", 0, 0o644, Some("etc_t")), &wanted));
        assert!(!same(&file("b", 0, 0o644, Some("etc_t")), &wanted));
        assert!(!same(&file("a", 0, 0o600, None), &wanted));
        assert!(!same(&wanted, &file("a", 0, 0o644, Some("etc_t"))));
        assert!(!same(&StateRecord::Absent, &wanted));
    }

    #[test]
    fn half_set_attributes_are_recognised_and_edits_are_not() {
        let before = file("a", 7, 0o4775, None);
        let after = file("a", 0, 0o755, None);
        for (uid, mode, ours) in [
            (0, 0o4775, true),
            (0, 0o775, true), // setuid was lost by chown
            (7, 0o755, true),
            (3, 0o755, false),
            (0, 0o777, false),
        ] {
            let now = file("a", uid, mode, None);
            assert_eq!(on_the_way(&now, &before, &after), ours, "{uid} {mode:o}");
        }
        assert!(!on_the_way(&file("b", 0, 0o755, None), &before, &after));
    }
}
