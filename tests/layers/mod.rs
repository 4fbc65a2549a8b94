//! Who may use whom: the pure core must not reach the doors, and nothing but `apply` and the
//! command line may hold the one that changes a host.

use std::fs;
use std::path::{Path, PathBuf};

/// Each module and what it may use of this crate, besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("facts", &[]),
    ("options", &["facts"]),
    ("formats", &["facts", "options"]),
    ("engine", &["facts", "options", "formats"]),
    ("change", &["facts", "options", "formats"]),
    ("policy", &["facts", "options", "formats", "change"]),
    (
        "checks",
        &[
            "facts", "options", "formats", "engine", "change", "policy", "probes",
        ],
    ),
    (
        "probes",
        &["facts", "options", "formats", "change", "policy", "checks"],
    ),
    (
        "catalog",
        &[
            "facts", "options", "formats", "change", "policy", "checks", "probes",
        ],
    ),
    (
        "audit",
        &[
            "facts", "options", "formats", "change", "policy", "checks", "probes", "catalog",
        ],
    ),
    (
        "plan",
        &[
            "facts", "options", "formats", "change", "policy", "checks", "probes", "catalog",
            "audit",
        ],
    ),
    ("host", &["facts", "options", "formats", "change"]),
    ("collect", &["facts", "options", "formats", "host"]),
    (
        "apply",
        &[
            "facts", "options", "formats", "change", "policy", "checks", "catalog", "audit",
            "plan", "host", "collect",
        ],
    ),
    (
        "render",
        &[
            "facts", "options", "formats", "change", "policy", "checks", "probes", "catalog",
            "audit", "plan", "apply",
        ],
    ),
    (
        "cli",
        &[
            "facts", "options", "formats", "change", "policy", "checks", "probes", "catalog",
            "audit", "plan", "host", "collect", "apply", "render",
        ],
    ),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The modules of this crate that a file names in code.
fn used(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect()
        })
        .collect()
}

#[test]
fn modules_use_only_what_is_to_their_left() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for path in sources(&root) {
        let inside = path.strip_prefix(&root).unwrap().with_extension("");
        let module = inside
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy()
            .into_owned();
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("`{module}` has no place in the table"));
        for other in used(&fs::read_to_string(&path).unwrap()) {
            if other != module && !allowed.contains(&other.as_str()) {
                wrong.push(format!("{} uses {other}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_apply_and_the_command_line_name_the_door_that_changes_a_host() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in sources(&root) {
        let inside = path
            .strip_prefix(&root)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        if ["host/", "apply/", "cli/"]
            .iter()
            .any(|folder| inside.starts_with(folder))
        {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for line in text
            .lines()
            .map(|line| line.split("//").next().unwrap_or_default())
        {
            assert!(!line.contains("dyn Host"), "{inside}: {line}");
        }
    }
}

/// `Facts::text` cannot tell what is not there from what could not be read. Nobody decides by it, but
/// those who have always done so.
#[test]
fn what_could_not_be_read_is_told_apart_from_what_is_not_there() {
    const STILL: [&str; 7] = [
        "checks/audit_watch",
        "checks/auditing/",
        "checks/startable",
        "engine/",
        "plan/simulate",
        "plan/workbench",
        "collect/tests",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in sources(&root) {
        let inside = path.strip_prefix(&root).unwrap();
        let inside = inside.to_string_lossy().into_owned();
        if STILL.iter().any(|start| inside.starts_with(start)) {
            continue;
        }
        for (index, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            assert!(
                !line.contains("facts.text("),
                "{inside}:{}: ask `facts.reading`, and say what is unknown",
                index + 1
            );
        }
    }
}

#[test]
fn no_file_needs_scrolling_for_ever() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in sources(&root) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(
            lines <= 560,
            "{}: {lines} lines; split it along an idea",
            path.display()
        );
    }
}
