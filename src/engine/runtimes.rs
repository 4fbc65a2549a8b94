//! `runtimes` and `default-runtime` (moby `daemon/runtime_unix.go`, `setupRuntimes`; before 25
//! `daemon/config/config.go`, `Validate`).

use super::{Complaint, Settings, field};
use serde_json::{Map, Value};

const KEY: &str = "runtimes";
const DEFAULT: &str = "default-runtime";
const STOCK: &str = "runc";

pub(super) fn complain(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    for (name, entry) in settings.table(KEY).into_iter().flatten() {
        if let Some((why, wanted)) = wrong(settings, name, entry) {
            found.push(Complaint::new(
                KEY,
                format!("`{KEY}` has {name:?}, {why}"),
                wanted,
            ));
            break;
        }
    }
    let default = settings.text(DEFAULT);
    if !is_there(settings, default) {
        found.push(Complaint::new(
            DEFAULT,
            format!("`{DEFAULT}` is {default:?}, which has no entry in `{KEY}`"),
            "a runtime that is listed",
        ));
    }
}

/// Texts in the options of the shim of runc (containerd `api/types/runc/options`).
const RUNC_TEXTS: [&str; 7] = [
    "BinaryName",
    "CriuImagePath",
    "CriuPath",
    "CriuWorkPath",
    "Root",
    "ShimCgroup",
    "TaskApiAddress",
];

/// What is wrong with an entry, and what is wanted.
fn wrong(settings: &Settings<'_>, name: &str, entry: &Value) -> Option<(String, &'static str)> {
    let said = |why: &str, wanted| Some((why.to_owned(), wanted));
    if name == STOCK {
        return said("which is reserved", "another name");
    }
    let empty = Map::new();
    let entry = match entry {
        Value::Null => &empty,
        Value::Object(entry) => entry,
        _ => return said("which is no object", "an object"),
    };
    let typed = |key: &str| field(entry, key);
    if typed("path").is_some_and(|path| !path.is_string())
        || typed("runtimeArgs").is_some_and(|args| !crate::options::Shape::Texts.fits(args))
    {
        return said(
            "whose `path` or `runtimeArgs` has another type",
            "a text and a list of texts",
        );
    }
    let arguments = typed("runtimeArgs")
        .and_then(Value::as_array)
        .is_some_and(|arguments| !arguments.is_empty());
    if name.contains('/') && arguments {
        return said(
            "and with arguments it becomes the name of a file",
            "a name without `/`",
        );
    }
    // 20.10 knows `path` and `runtimeArgs`, and looks at neither.
    if !settings.from(23, 0) {
        return None;
    }
    if typed("runtimeType").is_some_and(|kind| !kind.is_string())
        || typed("options").is_some_and(|options| !options.is_object())
    {
        return said(
            "whose `runtimeType` or `options` has another type",
            "a text and an object",
        );
    }
    if !settings.from(24, 0) {
        return None;
    }
    let text = |key: &str| typed(key).and_then(Value::as_str).unwrap_or_default();
    let options = typed("options").and_then(Value::as_object);
    let has_options = options.is_some_and(|options| !options.is_empty());
    match (text("path"), text("runtimeType")) {
        ("", "") => said("without a `path` or a `runtimeType`", "one of them"),
        ("", _) if arguments => said("and a `runtimeType` takes no `runtimeArgs`", "`options`"),
        ("", "io.containerd.runc.v2") => {
            let texts = options.into_iter().flatten();
            let mut texts = texts.filter(|(key, _)| RUNC_TEXTS.contains(&key.as_str()));
            texts.any(|(_, value)| !value.is_string()).then(|| {
                (
                    "whose `options` has a value of another type".to_owned(),
                    "a text",
                )
            })
        }
        ("", _) => None,
        (_, "") if has_options => said("and a `path` takes no `options`", "`runtimeArgs`"),
        (_, "") => None,
        _ => said("with both a `path` and a `runtimeType`", "one of them"),
    }
}

/// Whether a default runtime is one that the daemon finds.
fn is_there(settings: &Settings<'_>, name: &str) -> bool {
    let is_listed = |table: &Map<String, Value>| table.contains_key(name);
    if matches!(name, "" | STOCK | "io.containerd.runc.v2")
        || settings.table(KEY).is_some_and(is_listed)
    {
        return true;
    }
    let by_flags = settings
        .runtimes_by_flag
        .iter()
        .any(|flag| flag.split('=').next() == Some(name));
    // Shims stand for themselves since 23.0: whatever has a dot and is no path.
    let is_shim = name.contains('.') && !name.starts_with('.') && !name.contains('/');
    if settings.before(23, 0) {
        // 20.10 looks at the file alone before it looks at the flags, too.
        let default_by_flag = settings.by_flag.contains(DEFAULT);
        return name == "io.containerd.runtime.v1.linux" || (by_flags && default_by_flag);
    }
    by_flags || is_shim
}
