//! Why auditctl refuses a line, and what would have to be known to say so.

use std::fmt;

/// Why a line is refused: by auditctl itself, or by the kernel when it is handed the rule. Without `-i` or `-c`
/// before it, the loading ends there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bad {
    /// The carriage return becomes part of the last word.
    CarriageReturn,
    /// A tab separates nothing.
    Tab,
    /// A word that belongs to no option. `comment`: it begins with `#`; `quoted`: it has quotes.
    Stray {
        /// The word.
        word: String,
    },
    /// An option that auditctl does not have.
    UnknownOption(String),
    /// An option without its value.
    NoValue(String),
    /// A long option that takes no value has one.
    TakesNoValue(String),
    /// `-e` and `-f` take 0, 1 or 2.
    NotASwitch(char),
    /// An option takes a number.
    NotANumber(String),
    /// `-R` in a rule file.
    Nested,
    /// An option that stands for itself alone, as `-s`, with others beside it or not meant for a rule file.
    NotARule(String),
    /// `-D` takes nothing but `-k`.
    DeletesOnly,
    /// A list and an action are missing before this option.
    NoList(String),
    /// `-a`, `-A` or `-d` names no list and action that this auditctl knows.
    BadList(String),
    /// More than one of `-a`, `-A`, `-d`.
    TwoLists,
    /// `-w` after `-a` or `-d`, or a second one.
    WatchAfterRule,
    /// `-k` without a watch, a system call, a path or a permission before it.
    KeyTooEarly,
    /// All keys together are longer than 256 bytes.
    KeyTooLong,
    /// A key does not go with this list.
    KeyUnsupported,
    /// Letters other than r, w, x and a, or more than four.
    Perms(String),
    /// `-p` before there is a watch.
    PermsTooEarly,
    /// A path that does not begin with a slash.
    Relative(String),
    /// A path that ends with a slash where the kernel does not take that.
    TrailingSlash(String),
    /// A path, or its last component, is too long.
    PathTooLong,
    /// `-F` without an operator.
    NoOperator(String),
    /// `-F` with nothing before its operator.
    NoField(String),
    /// `-F` with nothing after its operator.
    NothingCompared(String),
    /// A field that auditctl does not know.
    UnknownField(String),
    /// An operator that this field does not take.
    Operator {
        /// The field.
        field: String,
        /// The operator.
        operator: String,
    },
    /// A field that this list does not take.
    FieldOfOtherList {
        /// The field.
        field: String,
        /// The list.
        list: &'static str,
    },
    /// `arch=` after `-S`.
    ArchTooLate,
    /// A machine that auditctl does not know, or without the bits that are asked for.
    UnknownArch(String),
    /// A system call that the machine does not have.
    UnknownCall {
        /// Its name.
        call: String,
        /// The machine.
        machine: String,
    },
    /// `-S` on a list that is not about system calls.
    CallsOfOtherList(&'static str),
    /// `-S` without a list.
    CallsWithoutList,
    /// No account has this name.
    UnknownUser(String),
    /// No group has this name.
    UnknownGroup(String),
    /// A type of record that does not exist.
    UnknownMessageType(String),
    /// An error that does not exist.
    UnknownError(String),
    /// A type of file that does not exist.
    UnknownFileType(String),
    /// A type of file system that cannot be named here.
    UnknownFileSystem(String),
    /// A field takes a number.
    ValueNotANumber(String),
    /// A value is out of range, or means "unset" where that cannot be compared.
    Value(String),
    /// `-C` with fields that cannot be compared with each other.
    Compared(String),
    /// Two of the fields path, dir and inode, or the same one twice.
    TwoPlaces,
    /// A field that may stand once only.
    Twice(String),
    /// More fields than the kernel takes.
    TooManyFields,
    /// `-q` without two folders.
    Equivalent(String),
    /// The folder above a file to be watched is missing.
    NoParent(String),
    /// The folder of `dir=` is missing.
    NoFolder(String),
    /// The same rule is there already: `Rule exists`.
    Exists,
    /// A rule to be deleted is not there.
    NotThere,
    /// After `-e 2` nothing changes.
    Locked,
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CarriageReturn => f.write_str(
                "a carriage return becomes part of the last word; the line must end with a bare newline",
            ),
            Self::Tab => f.write_str("a tab separates nothing here; use spaces"),
            Self::Stray { word } if word.starts_with('#') => {
                f.write_str("a comment needs a line of its own")
            }
            Self::Stray { word } if word.contains(['"', '\'']) => write!(
                f,
                "the word {word} belongs to no option; quotes do not protect spaces, a backslash does"
            ),
            Self::Stray { word } => write!(f, "the word {word} belongs to no option"),
            Self::UnknownOption(option) => write!(f, "the option {option} is unknown"),
            Self::NoValue(option) => write!(f, "the option {option} needs a value"),
            Self::TakesNoValue(option) => write!(f, "the option {option} takes no value"),
            Self::NotASwitch(option) => write!(f, "-{option} takes 0, 1 or 2"),
            Self::NotANumber(option) => write!(f, "{option} takes a number"),
            Self::Nested => f.write_str("a rule file cannot load another one"),
            Self::NotARule(option) => write!(f, "{option} is no rule"),
            Self::DeletesOnly => f.write_str("-D takes nothing but -k and a key"),
            Self::NoList(option) => write!(f, "-a must stand before {option}"),
            Self::BadList(text) => write!(f, "-a {text} names no list and action"),
            Self::TwoLists => f.write_str("a rule has one -a"),
            Self::WatchAfterRule => f.write_str("a watch cannot be combined with -a, -A or -d"),
            Self::KeyTooEarly => {
                f.write_str("-k needs a system call or a permission before it")
            }
            Self::KeyTooLong => write!(f, "the keys are longer than {} bytes", super::MAX_KEY_LENGTH),
            Self::KeyUnsupported => f.write_str("this list takes no key"),
            Self::Perms(text) => write!(f, "the permissions {text:?} are not made of r, w, x and a"),
            Self::PermsTooEarly => f.write_str("-p needs a watch before it"),
            Self::Relative(path) if path.starts_with(['"', '\'']) => write!(
                f,
                "the path {path} does not begin with a slash; quotes are part of the path"
            ),
            Self::Relative(path) => write!(f, "the path {path} does not begin with a slash"),
            Self::TrailingSlash(path) => write!(f, "the path {path} ends with a slash"),
            Self::PathTooLong => f.write_str("the path is too long"),
            Self::NoOperator(text) => write!(f, "-F {text} compares nothing"),
            Self::NoField(text) => write!(f, "-F {text} names no field"),
            Self::NothingCompared(text) => write!(f, "-F {text} compares with nothing"),
            Self::UnknownField(field) => write!(f, "the field {field} is unknown"),
            Self::Operator { field, operator } => {
                write!(f, "the field {field} does not take {operator}")
            }
            Self::FieldOfOtherList { field, list } => {
                write!(f, "the field {field} does not go with the list {list}")
            }
            Self::ArchTooLate => f.write_str("arch= must stand before -S"),
            Self::UnknownArch(arch) => write!(f, "auditctl does not know the machine {arch} here"),
            Self::UnknownCall { call, machine } => {
                write!(f, "{machine} has no system call {call}")
            }
            Self::CallsOfOtherList(list) => write!(f, "-S does not go with the list {list}"),
            Self::CallsWithoutList => f.write_str("-S needs -a beside it"),
            Self::UnknownUser(name) => write!(f, "there is no account {name}"),
            Self::UnknownGroup(name) => write!(f, "there is no group {name}"),
            Self::UnknownMessageType(name) => write!(f, "there is no type of record {name}"),
            Self::UnknownError(name) => write!(f, "there is no error {name}"),
            Self::UnknownFileType(name) => write!(f, "there is no type of file {name}"),
            Self::UnknownFileSystem(name) => write!(f, "the file system {name} cannot be named here"),
            Self::ValueNotANumber(field) => write!(f, "the field {field} takes a number"),
            Self::Value(text) => write!(f, "-F {text}: the value cannot be compared"),
            Self::Compared(text) => write!(f, "-C {text} compares what cannot be compared"),
            Self::TwoPlaces => f.write_str("a rule has one path=, dir= or inode="),
            Self::Twice(field) => write!(f, "the field {field} may stand once"),
            Self::TooManyFields => f.write_str("the rule has more than 63 fields"),
            Self::Equivalent(text) => write!(f, "-q {text} does not name two folders"),
            Self::NoParent(folder) | Self::NoFolder(folder) => {
                write!(f, "the folder {folder} does not exist")
            }
            Self::Exists => f.write_str("the same rule stands above already"),
            Self::NotThere => f.write_str("the rule to be deleted is not there"),
            Self::Locked => f.write_str("-e 2 stands above it, and nothing changes after that"),
        }
    }
}

/// What is not known of the host, so that nobody can say whether auditctl takes a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The machine, or its system calls.
    Call {
        /// The system call.
        call: String,
        /// Which machine; `None` where that is what is not known.
        machine: Option<String>,
    },
    /// The machine.
    Machine,
    /// The release of auditctl, which decides about this.
    Release(String),
    /// Whether an account or a group with this name exists.
    Account(String),
    /// Whether something is at this path.
    Path(String),
    /// Whether the security module takes a label: AppArmor refuses one of a profile that is not loaded.
    Label(String),
    /// Which rules the lines with `-D -k` have deleted: there are more of them than are followed.
    Keys,
    /// Whether the awk that augenrules(8) runs knows `\s`: it decides where this line goes.
    Awk,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call {
                call,
                machine: Some(machine),
            } => write!(f, "whether {machine} has the system call {call} is not known"),
            Self::Call { call, .. } => write!(
                f,
                "whether there is a system call {call} depends on the machine, which is not known"
            ),
            Self::Machine => f.write_str("the machine that this runs on is not known"),
            Self::Release(what) => {
                write!(f, "{what} depends on the release of auditctl, which is not known")
            }
            Self::Account(name) => write!(f, "whether there is an account {name} is not known"),
            Self::Path(path) => write!(f, "whether {path} will be there is not known"),
            Self::Label(label) => {
                write!(f, "whether the security module takes the label {label} is not known")
            }
            Self::Keys => f.write_str(
                "there are too many -D -k to say which rules they delete",
            ),
            Self::Awk => f.write_str(
                "where augenrules puts a line that begins or ends with blanks depends on its awk, which is not known",
            ),
        }
    }
}
