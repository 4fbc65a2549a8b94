//! What is too large to be read, or too much together.

use crate::unread::image::Image;
use seaworthy::audit::judge;
use seaworthy::catalog::Selection;
use seaworthy::checks::Outcome;
use seaworthy::facts::{Cause, Facts, LARGEST_FILE, MOST_CONTENT, Seen};
use seaworthy::plan::{Options, plan};
use seaworthy::policy::Policy;

fn bytes(mebibytes: u64) -> String {
    " ".repeat(usize::try_from(mebibytes << 20).unwrap())
}

/// Why a file is not known.
fn why(facts: &Facts, path: &str) -> Option<(String, String)> {
    facts
        .reading(path)
        .unread()
        .map(|unseen| (unseen.unseen.clone(), unseen.hint.clone()))
}

/// Five drop-ins of 15 MiB: the fifth is more than a run reads, and is named; what is small is read all
/// the same, and no flag that may stand in the fifth is taken for absent.
#[test]
fn the_file_that_is_too_much_is_named() {
    assert_eq!((LARGEST_FILE >> 20, MOST_CONTENT >> 20), (16, 64));
    let name = |at: usize| format!("/etc/systemd/system/docker.service.d/{at}.conf");
    let text = format!("[Service]\n#{}\n", bytes(15));
    let debian = Image::debian().file("/etc/docker/daemon.json", "{}\n");
    let image = (1..=5).fold(debian, |image, at| image.file(&name(at), &text));
    let facts = image.facts();
    for at in 1..=4 {
        assert_eq!(why(&facts, &name(at)), None, "{at}");
    }
    assert_eq!(
        why(&facts, &name(5)),
        Some((
            "with it, more than 64 MiB of files would be read in one run".to_owned(),
            format!("ls -l {}", name(5))
        ))
    );
    let Some(Seen::Unseen(unseen)) = facts.files.get(&name(5)) else {
        panic!("it was seen");
    };
    assert_eq!(unseen.cause, Cause::TooBig);
    assert_eq!(why(&facts, "/etc/docker/daemon.json"), None);
    let catalog = crate::unread::catalog();
    let policy = Policy::default();
    let judged = judge(
        catalog,
        &facts,
        &policy,
        &Selection::default(),
        "2026-01-01",
    );
    let of = |id: &str| {
        let one = judged.iter().find(|one| one.control.id == id).unwrap();
        (one.judgement.outcome, one.judgement.seen())
    };
    // It may say `--tlsverify` or another `ExecStart=`.
    let (outcome, seen) = of("daemon-tls");
    assert_eq!(outcome, Outcome::Unknown, "{seen}");
    assert!(seen.contains(&name(5)) && seen.contains("64 MiB"), "{seen}");
    let options = Options {
        selection: Selection::default(),
        allow_disruption: true,
        restart_containers: false,
    };
    let plan = plan(catalog, &facts, &policy, &options, "2026-01-01");
    assert!(
        plan.steps
            .iter()
            .all(|step| step.action.path != "/etc/docker/daemon.json"),
        "a key may repeat a flag"
    );
}

/// A folder of large files is not read to its end once nothing more is kept.
#[test]
fn what_cannot_be_kept_is_not_read_for_ever() {
    let text = bytes(16);
    let name = |at: usize| format!("/etc/systemd/system/docker.service.d/{at:02}.conf");
    let image = (0..16).fold(Image::debian(), |image, at| image.file(&name(at), &text));
    let facts = image.facts();
    // 64 MiB, less what was read before.
    let known = (0..16).filter(|at| why(&facts, &name(*at)).is_none());
    assert_eq!(known.count(), 3);
    // The others are unknown by name, and what is small was read all the same.
    assert_eq!(
        why(&facts, &name(15)).map(|(why, _)| why),
        Some(seaworthy::facts::too_much())
    );
    assert_eq!(why(&facts, "/etc/docker/daemon.json"), None);
}

/// To the byte: 16 MiB are read, one more is not.
#[test]
fn the_largest_file_is_read_and_one_byte_more_is_unknown() {
    let largest = usize::try_from(LARGEST_FILE).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("etc/docker")).unwrap();
    let path = "/etc/docker/daemon.json";
    let file = folder.path().join("etc/docker/daemon.json");
    let host = seaworthy::host::LinuxHost::folder(folder.path()).unwrap();
    for (size, expected) in [
        (largest, None),
        (largest + 1, Some("it is larger than 16 MiB")),
    ] {
        let mut text = "{\n  \"icc\": false\n}\n".to_owned();
        text.extend(std::iter::repeat_n(' ', size - text.len()));
        std::fs::write(&file, text).unwrap();
        let wanted = |_: &Facts| [(path.to_owned(), seaworthy::facts::Look::Content)].into();
        let facts = seaworthy::collect::collect(&host, None, &wanted, &mut |_| {});
        let why = why(&facts, path);
        assert_eq!(why.as_ref().map(|(why, _)| why.as_str()), expected);
        if let Some((_, hint)) = why {
            assert_eq!(hint, format!("ls -ld {path}"));
        }
    }
}
