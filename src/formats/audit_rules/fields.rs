//! The fields that rules compare, by name.

/// What a field is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Group,
    Exit,
    MessageType,
    /// A label, or another text.
    Text,
    Place,
    Key,
    Exe,
    Arch,
    Perm,
    FileType,
    FileSystem,
    Argument,
    Session,
    Family,
    Number,
}

/// Every field: its name, its kind, and whether it goes with the list exit only.
const FIELDS: [(&str, Kind, bool); 43] = [
    ("pid", Kind::Number, false),
    ("uid", Kind::User, false),
    ("euid", Kind::User, false),
    ("suid", Kind::User, false),
    ("fsuid", Kind::User, false),
    ("gid", Kind::Group, false),
    ("egid", Kind::Group, false),
    ("sgid", Kind::Group, false),
    ("fsgid", Kind::Group, false),
    ("auid", Kind::User, false),
    ("loginuid", Kind::User, false),
    ("pers", Kind::Number, false),
    ("arch", Kind::Arch, false),
    ("msgtype", Kind::MessageType, false),
    ("subj_user", Kind::Text, false),
    ("subj_role", Kind::Text, false),
    ("subj_type", Kind::Text, false),
    ("subj_sen", Kind::Text, false),
    ("subj_clr", Kind::Text, false),
    ("ppid", Kind::Number, true),
    ("obj_user", Kind::Text, true),
    ("obj_role", Kind::Text, true),
    ("obj_type", Kind::Text, true),
    ("obj_lev_low", Kind::Text, true),
    ("obj_lev_high", Kind::Text, true),
    ("sessionid", Kind::Session, false),
    ("devmajor", Kind::Number, true),
    ("devminor", Kind::Number, true),
    ("inode", Kind::Number, true),
    ("exit", Kind::Exit, true),
    ("success", Kind::Number, true),
    ("path", Kind::Place, true),
    ("perm", Kind::Perm, false),
    ("dir", Kind::Place, true),
    ("filetype", Kind::FileType, true),
    ("fstype", Kind::FileSystem, false),
    ("obj_uid", Kind::User, false),
    ("obj_gid", Kind::Group, false),
    ("field_compare", Kind::Number, false),
    ("a0", Kind::Argument, false),
    ("a1", Kind::Argument, false),
    ("a2", Kind::Argument, false),
    ("a3", Kind::Argument, false),
];
/// Those that are no comparison of one value like the others.
const MORE: [(&str, Kind, bool); 3] = [
    ("key", Kind::Key, false),
    ("exe", Kind::Exe, false),
    ("saddr_fam", Kind::Family, false),
];

/// Fields that can be compared with each other by `-C`: any two of one group.
pub(super) const COMPARABLE: [&[&str]; 2] = [
    &["uid", "euid", "suid", "fsuid", "auid", "obj_uid"],
    &["gid", "egid", "sgid", "fsgid", "obj_gid"],
];

/// Families of addresses end here (linux/socket.h, `AF_MAX`).
pub(super) const FAMILIES: u32 = 46;

pub(super) fn find(name: &str) -> Option<(&'static str, Kind, bool)> {
    let same = |(known, ..): &&(&'static str, Kind, bool)| known.eq_ignore_ascii_case(name);
    let (name, kind, exit_only) = *FIELDS.iter().chain(&MORE).find(same)?;
    // Two names of one field.
    Some((
        if name == "loginuid" { "auid" } else { name },
        kind,
        exit_only,
    ))
}
