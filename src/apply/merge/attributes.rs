//! Mode, owner, group and extended attributes: each goes back only where it still is what the
//! transaction left.

use crate::facts::Attributes;

/// The attributes that a rollback sets, and a sentence for each that stays.
pub(super) fn merge(
    before: &Attributes,
    after: &Attributes,
    now: &Attributes,
) -> (Attributes, Vec<String>) {
    let mut to = now.clone();
    let mut stays = Vec::new();
    if now.mode == after.mode {
        to.mode = before.mode;
    } else if now.mode != before.mode {
        stays.push(format!("mode {} was set since and stays", now.mode));
    }
    if now.uid == after.uid {
        to.uid = before.uid;
    } else if now.uid != before.uid {
        stays.push(format!("owner uid {} was set since and stays", now.uid));
    }
    if now.gid == after.gid {
        to.gid = before.gid;
    } else if now.gid != before.gid {
        stays.push(format!("group gid {} was set since and stays", now.gid));
    }
    for name in before.xattrs.keys().chain(after.xattrs.keys()) {
        if now.xattrs.get(name) != after.xattrs.get(name) {
            continue;
        }
        match before.xattrs.get(name) {
            Some(value) => to.xattrs.insert(name.clone(), value.clone()),
            None => to.xattrs.remove(name),
        };
    }
    (to, stays)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Mode;

    #[test]
    fn only_what_is_still_ours_goes_back() {
        let attributes = |mode, uid, gid| Attributes {
            mode: Mode(mode),
            uid,
            gid,
            ..Attributes::default()
        };
        let (before, after) = (attributes(0o666, 7, 8), attributes(0o640, 0, 0));
        for (now, wanted, count) in [
            (attributes(0o640, 0, 0), before.clone(), 0),
            (attributes(0o600, 0, 0), attributes(0o600, 7, 8), 1),
            (attributes(0o640, 5, 0), attributes(0o666, 5, 8), 1),
            (attributes(0o640, 0, 6), attributes(0o666, 7, 6), 1),
            (attributes(0o644, 5, 6), attributes(0o644, 5, 6), 3),
            (attributes(0o666, 0, 8), attributes(0o666, 7, 8), 0),
        ] {
            let (to, stays) = merge(&before, &after, &now);
            assert_eq!((to, stays.len()), (wanted, count), "{now:?}");
        }
    }

    #[test]
    fn labels_too() {
        let labelled = |value: Option<&str>| Attributes {
            xattrs: value
                .map(|value| ("user.note".to_owned(), value.into()))
                .into_iter()
                .collect(),
            ..Attributes::default()
        };
        for (before, after, now, wanted) in [
            (None, Some("a"), Some("a"), None),
            (Some("a"), None, None, Some("a")),
            (None, Some("a"), Some("b"), Some("b")),
            (None, None, Some("b"), Some("b")),
        ] {
            let (to, _) = merge(&labelled(before), &labelled(after), &labelled(now));
            assert_eq!(to, labelled(wanted));
        }
    }
}
