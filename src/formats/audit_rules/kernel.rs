//! What the kernel says to a rule that auditctl hands it: `audit_data_to_entry`, `audit_field_valid` and
//! `audit_add_rule` in kernel/auditfilter.c, `audit_make_tree` in kernel/audit_tree.c, `audit_add_watch` in
//! kernel/audit_watch.c.

use super::around::{Around, Place};
use super::bad::{Bad, Doubt};
use super::command::Change;
use super::entry::{Entry, Field, List, Operator, Value};

/// Why the kernel refuses it, or what is not known.
pub(super) fn check(
    entry: &Entry<'_>,
    change: Change,
    around: &dyn Around,
) -> Result<Option<Doubt>, Bad> {
    let mut places = 0;
    for (index, field) in entry.fields.iter().enumerate() {
        operator(field)?;
        list(entry.list, field)?;
        value(field)?;
        match field.name {
            "path" | "dir" | "inode" => {
                places += 1;
                if places > 1 {
                    return Err(Bad::TwoPlaces);
                }
                if field.name != "inode" {
                    path(field)?;
                }
            }
            "exe" => {
                path(field)?;
                if entry.fields[..index]
                    .iter()
                    .any(|other| other.name == "exe")
                {
                    return Err(Bad::Twice("exe".to_owned()));
                }
            }
            "key" => {
                let other = entry.fields[..index]
                    .iter()
                    .any(|other| other.name == "key");
                if other || !entry.keys.is_empty() {
                    return Err(Bad::Twice("key".to_owned()));
                }
            }
            _ => {}
        }
    }
    let mut doubt = None;
    for field in &entry.fields {
        let Some(path) = field.as_text() else {
            continue;
        };
        // Nothing is looked for when a watch is taken out.
        let found = match field.name {
            "subj_role" => {
                doubt = Some(Doubt::Label(path.to_owned()));
                continue;
            }
            "dir" if change != Change::Delete => (around.place(path), path),
            "path" if change != Change::Delete => (around.place(parent(path)), parent(path)),
            "exe" => (around.place(parent(path)), parent(path)),
            _ => continue,
        };
        if found.1 == "/" {
            continue;
        }
        match found {
            (Place::Missing, path) if field.name == "dir" => {
                return Err(Bad::NoFolder(path.to_owned()));
            }
            (Place::Missing | Place::Other, path) if field.name != "dir" => {
                return Err(Bad::NoParent(path.to_owned()));
            }
            (Place::Unseen, path) => doubt = Some(Doubt::Path(path.to_owned())),
            _ => {}
        }
    }
    Ok(doubt)
}

/// The folder that a path is in.
pub(super) fn parent(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(at) => &path[..at],
    }
}

fn operator(field: &Field<'_>) -> Result<(), Bad> {
    let bits = matches!(field.operator, Operator::Mask | Operator::Bits);
    let good = match field.name {
        "a0" | "a1" | "a2" | "a3" | "pers" | "devminor" => true,
        "path" | "dir" | "perm" => field.operator == Operator::Equal,
        "subj_user" | "subj_role" | "subj_type" | "obj_user" | "obj_role" | "obj_type" | "key"
        | "arch" | "fstype" | "filetype" | "field_compare" | "compare" | "exe" => {
            field.operator.is_equality()
        }
        // Whether a login id is set is a yes or no.
        "auid" if field.value == Value::Number(u32::MAX) => field.operator.is_equality(),
        _ => !bits,
    };
    if good {
        return Ok(());
    }
    Err(Bad::Operator {
        field: field.name.to_owned(),
        operator: field.operator.sign().to_owned(),
    })
}

fn list(list: List, field: &Field<'_>) -> Result<(), Bad> {
    let good = match field.name {
        "msgtype" => matches!(list, List::Exclude | List::User),
        "fstype" => list == List::Filesystem,
        "perm" => list != List::IoUring,
        "inode" | "path" | "dir" => matches!(list, List::Exit | List::IoUring),
        _ => true,
    } && (list != List::Filesystem || matches!(field.name, "fstype" | "key"));
    if good {
        return Ok(());
    }
    Err(Bad::FieldOfOtherList {
        field: field.name.to_owned(),
        list: list.name(),
    })
}

fn value(field: &Field<'_>) -> Result<(), Bad> {
    let is_id = matches!(
        field.name,
        "uid"
            | "euid"
            | "suid"
            | "fsuid"
            | "obj_uid"
            | "gid"
            | "egid"
            | "sgid"
            | "fsgid"
            | "obj_gid"
    );
    if is_id && field.value == Value::Number(u32::MAX) {
        return Err(Bad::Value(field.to_string()));
    }
    Ok(())
}

fn path(field: &Field<'_>) -> Result<(), Bad> {
    let path = field.as_text().unwrap_or_default();
    if !path.starts_with('/') {
        return Err(Bad::Relative(path.to_owned()));
    }
    if field.name != "dir" && path.ends_with('/') {
        return Err(Bad::TrailingSlash(path.to_owned()));
    }
    if path.len() > 4096 {
        return Err(Bad::PathTooLong);
    }
    Ok(())
}
