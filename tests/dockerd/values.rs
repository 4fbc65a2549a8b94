//! A table of values, put before real daemons by `ask` and before ours: no difference.
//!
//! `tests/fixtures/dockerd` has the rows (`values.tsv`), the host on which they were tried (`lab.tsv`)
//! and what each daemon answered (`VERSION.tsv`).

use seaworthy::checks::Layout;
use seaworthy::checks::startable::{Refusal, refusals};
use seaworthy::facts::{Facts, Kind, Mode, Node, Seen, UnitState};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The daemons that were asked, and the releases of Debian that have them.
const DAEMONS: [(&str, &str); 5] = [
    ("20.10.5", "bullseye"),
    ("20.10.24", "bookworm"),
    ("26.1.5", "trixie"),
    ("28.5.2", "forky"),
    ("29.7.2", "29.7.2"),
];

const CONFIG: &str = "/etc/docker/daemon.json";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/dockerd")
        .join(name)
}

fn lines(name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(fixture(name)).unwrap();
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// What a real daemon made of a row.
struct Answer {
    config: String,
    flags: String,
    starts: bool,
    said: String,
}

fn answer(line: &str) -> Answer {
    let mut parts = line.split('\t').map(str::to_owned);
    let verdict = parts.next().unwrap();
    assert!(["+", "-"].contains(&verdict.as_str()), "{line}");
    let mut next = || parts.next().unwrap_or_default();
    Answer {
        starts: verdict == "+",
        config: next(),
        flags: next(),
        said: next(),
    }
}

fn program(text: &str) -> Node {
    Node {
        mode: Mode(0o755),
        ..Node::file(text)
    }
}

/// The host of `lab.tsv`, with this file and these flags. What is asked for and not there is absent.
fn host(version: &str, config: &str, flags: &str) -> Facts {
    let mut facts = Facts {
        docker_version: Seen::Known(version.to_owned()),
        ..Facts::default()
    };
    facts.host.live = true;
    let words = std::iter::once("/usr/sbin/dockerd --containerd=/run/containerd/containerd.sock")
        .chain([flags])
        .flat_map(str::split_whitespace);
    facts.units.insert(
        "docker.service".to_owned(),
        UnitState {
            fragment: "/usr/lib/systemd/system/docker.service".to_owned(),
            active: "active".to_owned(),
            argv: words.map(str::to_owned).collect::<Vec<_>>().into(),
            ..UnitState::default()
        },
    );
    let mut add = |path: &str, node: Node| facts.files.insert(path.to_owned(), Seen::Known(node));
    for line in lines("lab.tsv") {
        let (path, content) = line.split_once('\t').unwrap();
        let node = match content {
            "(folder)" => Node {
                kind: Kind::Folder,
                ..Node::default()
            },
            "(there)" => program(""),
            content if path.starts_with("/usr/") => program(content),
            content => Node::file(&content.replace("\\n", "\n")),
        };
        add(path, node);
    }
    add(CONFIG, Node::file(&format!("{config}\n")));
    loop {
        let mut wanted = Layout::of(&facts).requests();
        wanted.retain(|path, _| !facts.files.contains_key(path));
        if wanted.is_empty() {
            return facts;
        }
        for path in wanted.into_keys() {
            facts.files.insert(path, Seen::Known(Node::absent()));
        }
    }
}

/// What ours says of a row: what it refuses, and whether it does not know.
fn ours(version: &str, config: &str, flags: &str) -> (Vec<Refusal>, bool) {
    let facts = host(version, config, flags);
    let (certain, doubts): (Vec<_>, Vec<_>) = refusals(&Layout::of(&facts))
        .into_iter()
        .partition(|refusal| refusal.certain);
    let is_unknown = certain.is_empty() && !doubts.is_empty();
    (certain, is_unknown)
}

/// The recorded answers of a daemon, by row.
fn recorded(version: &str) -> BTreeMap<String, Answer> {
    lines(&format!("{version}.tsv"))
        .iter()
        .map(|line| answer(line))
        .map(|answer| (format!("{}\t{}", answer.config, answer.flags), answer))
        .collect()
}

#[test]
fn ours_and_every_recorded_daemon_agree() {
    let rows = lines("values.tsv");
    assert!(rows.len() > 1300, "{}", rows.len());
    let mut differences = Vec::new();
    let mut unknown = Vec::new();
    for (version, _) in DAEMONS {
        let answers = recorded(version);
        for row in &rows {
            let answer = answers
                .get(row)
                .unwrap_or_else(|| panic!("{version} was not asked: {row}"));
            let (found, is_unknown) = ours(version, &answer.config, &answer.flags);
            if is_unknown {
                unknown.push(format!("{version} {row}"));
            } else if found.is_empty() != answer.starts {
                let ours: Vec<&str> = found.iter().map(|it| it.reason.as_str()).collect();
                differences.push(format!(
                    "{version} {} {}\n  it {}: {}\n  ours: {ours:?}",
                    answer.config,
                    answer.flags,
                    if answer.starts { "starts" } else { "refuses" },
                    answer.said
                ));
            }
        }
        assert_eq!(answers.len(), rows.len(), "{version}");
    }
    assert!(
        differences.is_empty(),
        "{} differences\n{}",
        differences.len(),
        differences.join("\n")
    );
    // Where ours says that it does not know it cannot be wrong: that must stay the exception.
    assert!(
        unknown.len() * 30 < rows.len() * DAEMONS.len(),
        "{unknown:#?}"
    );
}

/// A message about a value says which option is meant, where that stands, what is wanted instead, and
/// what to do.
#[test]
fn what_is_refused_names_its_option_and_its_place() {
    let mut wrong = Vec::new();
    let mut refused = 0;
    for row in lines("values.tsv") {
        let (config, flags) = row.split_once('\t').unwrap_or((&row, ""));
        let facts = host("28.5.2", config, flags);
        for refusal in refusals(&Layout::of(&facts)) {
            refused += 1;
            let names = |key: &String| refusal.reason.contains(key.as_str());
            // A flag is named as it is typed.
            let is_flag = |words: &str| words.contains(" -");
            let is_named = refusal.keys.is_empty()
                || refusal.keys.iter().any(names)
                || is_flag(&refusal.reason);
            let is_placed = refusal.source.starts_with(CONFIG) || is_flag(&refusal.source);
            if !is_named || !is_placed || refusal.wanted.is_empty() {
                wrong.push(format!("{config} {flags}: {refusal:?}"));
            }
            wrong.extend(crate::hints::wrong(&refusal.cure));
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused > 500, "{refused}");
}

/// Asks the daemons themselves, as many as can be had here: every 25th row, or every Nth with
/// `SEAWORTHY_DOCKERD_EVERY=N`. All five take ten minutes each with 1.
#[test]
fn the_daemons_answer_as_they_are_recorded() {
    if !super::wanted() {
        return;
    }
    let every = std::env::var("SEAWORTHY_DOCKERD_EVERY")
        .ok()
        .and_then(|every| every.parse().ok())
        .unwrap_or(25);
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("values.tsv");
    let rows: Vec<String> = lines("values.tsv").into_iter().step_by(every).collect();
    std::fs::write(&table, rows.join("\n") + "\n").unwrap();
    let program = |name: &str| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/dockerd")
            .join(name)
    };
    let mut asked = 0;
    for (version, release) in DAEMONS {
        let made = Command::new(program("make-root"))
            .arg(release)
            .output()
            .unwrap();
        if made.status.code() == Some(77) {
            let why = String::from_utf8_lossy(&made.stderr);
            eprintln!("NOT RUN: dockerd {version} of {release}: {why}");
            continue;
        }
        assert!(made.status.success(), "{release}: {made:?}");
        let root = String::from_utf8(made.stdout).unwrap();
        let output = Command::new(program("ask"))
            .arg(root.lines().last().unwrap())
            .arg(fixture("lab.tsv"))
            .arg(&table)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let recorded = recorded(version);
        let answers: Vec<Answer> = said.lines().map(answer).collect();
        assert_eq!(
            answers.len(),
            rows.len(),
            "{version}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        for answer in answers {
            let row = format!("{}\t{}", answer.config, answer.flags);
            assert_eq!(
                recorded[&row].starts, answer.starts,
                "{version} {row}: {}",
                answer.said
            );
        }
        asked += 1;
    }
    assert!(asked > 0, "no daemon could be asked");
}
