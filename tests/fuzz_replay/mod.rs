//! What the fuzzer has found stays found: every file in `fuzz/corpus` goes through the body of its target, without
//! a fuzzer and with any compiler.

#[path = "../../fuzz/src/lib.rs"]
#[allow(dead_code, reason = "the fuzz targets use the rest")]
mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// The names in a folder that are not hidden, sorted.
fn names(folder: &PathBuf) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

#[test]
fn every_target_has_a_corpus_and_a_binary() {
    let known: BTreeSet<String> = targets::TARGETS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(known, names(&corpus()).into_iter().collect());
    let binaries = corpus().join("../fuzz_targets");
    let binaries = names(&binaries).into_iter();
    assert_eq!(
        known,
        binaries.map(|name| name.replace(".rs", "")).collect()
    );
    for target in known {
        assert!(!names(&corpus().join(&target)).is_empty(), "{target}");
    }
}

#[test]
fn every_input_holds_what_is_promised() {
    // Colours are for terminals, and this may be one.
    console::set_colors_enabled(false);
    let mut wrong = Vec::new();
    for (target, body) in targets::TARGETS {
        for name in names(&corpus().join(target)) {
            let data = fs::read(corpus().join(target).join(&name)).unwrap();
            if catch_unwind(|| body(&data)).is_err() {
                wrong.push(format!("{target}/{name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
