//! Saved plans: exactly what was reviewed is applied, or nothing.

use super::tree::Ran;
use super::{Tree, is_root};
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::fs;

const ONLY: [&str; 2] = [
    "--only",
    "daemon-icc,daemon-live-restore,audit-etc-docker,content-trust",
];

/// Plans, lets `edit` change the saved plan, and applies that.
fn edited(tree: &Tree, edit: impl FnOnce(&mut Value)) -> Ran {
    let file = saved(tree);
    let mut plan: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    edit(&mut plan);
    fs::write(&file, serde_json::to_vec_pretty(&plan).unwrap()).unwrap();
    apply(tree)
}

fn saved(tree: &Tree) -> std::path::PathBuf {
    let file = tree.beside("plan.json");
    let plan = tree.run(&[&["plan", "--out", file.to_str().unwrap()], &ONLY[..]].concat());
    assert_eq!(plan.status, Some(0), "{}", plan.err);
    file
}

fn apply(tree: &Tree) -> Ran {
    tree.run(&["apply", "--yes", tree.beside("plan.json").to_str().unwrap()])
}

/// The message of a refusal that leaves the host alone.
fn refused(edit: impl FnOnce(&mut Value)) -> String {
    let tree = Tree::new();
    let before = tree.manifest();
    let ran = edited(&tree, edit);
    before.assert_only_state_added(&tree);
    assert_eq!(ran.out, "");
    ran.messages()
}

#[test]
fn of_another_version() {
    if is_root() {
        assert_snapshot!(refused(|plan| plan["tool"] = json!("seaworthy 99.0.0")), @r"
        exit 2
        error: [folder]/plan.json: it was made by seaworthy 99.0.0 (format 1), and this is seaworthy 0.1.0 (format 1)
        try: seaworthy plan --root [folder]/root --out [folder]/plan.json
        ");
        assert_snapshot!(refused(|plan| plan["format"] = json!(2)), @r"
        exit 2
        error: [folder]/plan.json: it was made by seaworthy 0.1.0 (format 2), and this is seaworthy 0.1.0 (format 1)
        try: seaworthy plan --root [folder]/root --out [folder]/plan.json
        ");
    }
}

#[test]
fn of_another_host() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    saved(&tree);
    tree.write(
        "etc/machine-id",
        "00000000000000000000000000000001\n",
        0o444,
    );
    tree.write("etc/hostname", "other\n", 0o644);
    let before = tree.manifest();
    let ran = apply(&tree);
    before.assert_only_state_added(&tree);
    assert_snapshot!(ran.all(), @r"
    exit 2
    error: [folder]/plan.json: it was made for the host `sample` (machine id 5f3c9a1e7b2d4c60a8e1f0d2b4c69712), and this is `other` (machine id 00000000000000000000000000000001)
    try: seaworthy plan --root [folder]/root --out [folder]/plan.json
    ---
    ");
}

#[test]
fn of_a_host_with_the_same_name() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    saved(&tree);
    tree.write(
        "etc/machine-id",
        "00000000000000000000000000000001\n",
        0o444,
    );
    let before = tree.manifest();
    let ran = apply(&tree);
    before.assert_only_state_added(&tree);
    assert_snapshot!(ran.all(), @r"
    exit 2
    error: [folder]/plan.json: it was made for the host `sample` (machine id 5f3c9a1e7b2d4c60a8e1f0d2b4c69712), and this is `sample` (machine id 00000000000000000000000000000001)
    try: seaworthy plan --root [folder]/root --out [folder]/plan.json
    ---
    ");
}

#[test]
fn with_another_diff() {
    if is_root() {
        let said = refused(|plan| {
            let diff = plan["steps"][0]["diff"].as_str().unwrap().replace('+', "-");
            plan["steps"][0]["diff"] = json!(diff);
        });
        assert_snapshot!(said, @r"
        exit 2
        error: [folder]/plan.json: it is not what this host's facts lead to: its change of /etc/audit/rules.d/50-seaworthy-docker.rules would not be planned
        try: seaworthy plan --root [folder]/root --out [folder]/plan.json
        ");
    }
}

#[test]
fn with_another_content() {
    if is_root() {
        let said = refused(|plan| {
            let steps = plan["steps"].as_array_mut().unwrap();
            let step = steps
                .iter_mut()
                .find(|step| step["path"] == "/etc/docker/daemon.json");
            let after = &mut step.unwrap()["after"];
            let digest = after["sha256"].as_str().expect("a digest").to_owned();
            let other = if digest.starts_with('0') { "1" } else { "0" };
            after["sha256"] = json!(format!("{other}{}", &digest[1..]));
        });
        assert_snapshot!(said, @r"
        exit 2
        error: [folder]/plan.json: it is not what this host's facts lead to: its change of /etc/docker/daemon.json would not be planned
        try: seaworthy plan --root [folder]/root --out [folder]/plan.json
        ");
    }
}

#[test]
fn with_a_step_for_another_file() {
    if is_root() {
        let said = refused(|plan| {
            let mut step = plan["steps"][0].clone();
            step["path"] = json!("/etc/shadow");
            plan["steps"].as_array_mut().unwrap().push(step);
        });
        assert_snapshot!(said, @r"
        exit 2
        error: [folder]/plan.json: it is not what this host's facts lead to: its change of /etc/shadow would not be planned
        try: seaworthy plan --root [folder]/root --out [folder]/plan.json
        ");
    }
}

#[test]
fn with_a_step_less() {
    if is_root() {
        let said = refused(|plan| {
            plan["steps"].as_array_mut().unwrap().pop();
        });
        assert_snapshot!(said, @r"
        exit 2
        error: [folder]/plan.json: it is not what this host's facts lead to: more would be planned now than it holds
        try: seaworthy plan --root [folder]/root --out [folder]/plan.json
        ");
    }
}

#[test]
fn with_an_unknown_key() {
    if is_root() {
        assert_snapshot!(refused(|plan| plan["stepz"] = json!([])), @r"
        exit 2
        error: [folder]/plan.json: it is not a saved plan: unknown field `stepz`, expected one of `format`, `tool`, `made_from`, `steps`, `activations`, `impact`, `held_back`, `pending`, `unknown`, `forecast`, `unseen` at line 150 column 9
        try: seaworthy plan --root [folder]/root --out [folder]/plan.json
        ");
        assert_snapshot!(refused(|plan| plan["steps"][0]["mode"] = json!("0777")), @r"
        exit 2
        error: [folder]/plan.json: it is not a saved plan: unknown field `mode`, expected one of `path`, `kind`, `controls`, `before`, `after`, `diff`, `before_text` at line 50 column 12
        try: seaworthy plan --root [folder]/root --out [folder]/plan.json
        ");
    }
}

#[test]
fn with_other_options() {
    if is_root() {
        let said = refused(|plan| {
            plan["made_from"]["options"]["selection"]["only"] = json!(["daemon-icc"]);
        });
        assert_snapshot!(said, @r"
        exit 2
        error: [folder]/plan.json: it is not what this host's facts lead to: its change of /etc/audit/rules.d/50-seaworthy-docker.rules would not be planned
        try: seaworthy plan --root [folder]/root --out [folder]/plan.json
        ");
    }
}

#[test]
fn made_before_the_policy_changed() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    saved(&tree);
    tree.write("etc/seaworthy/policy.toml", "level = 2\n", 0o644);
    let before = tree.manifest();
    let ran = apply(&tree);
    before.assert_only_state_added(&tree);
    assert_snapshot!(ran.all(), @r"
    exit 2
    error: [folder]/plan.json: the policy or the site's controls changed since it was made
    try: seaworthy plan --root [folder]/root --out [folder]/plan.json
    ---
    ");
}

#[test]
fn stale() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    saved(&tree);
    tree.write(
        "etc/docker/daemon.json",
        "{\n  \"log-level\": \"debug\"\n}\n",
        0o644,
    );
    tree.write("etc/environment", "PATH=\"/usr/bin:/bin\"\nLANG=C\n", 0o640);
    let before = tree.manifest();
    let ran = apply(&tree);
    before.assert_only_state_added(&tree);
    assert_snapshot!(ran.all(), @r#"
    exit 2
    error: [folder]/plan.json: the host changed since it was made: /etc/docker/daemon.json, /etc/environment
    --- /etc/docker/daemon.json
    +++ /etc/docker/daemon.json
    @@ -1,3 +1,3 @@
     {
    -  "log-level": "info"
    +  "log-level": "debug"
     }
    /etc/environment: mode 0644 -> 0640
    --- /etc/environment
    +++ /etc/environment
    @@ -1 +1,2 @@
     PATH="/usr/bin:/bin"
    +LANG=C
    try: seaworthy plan --root [folder]/root --out [folder]/plan.json
    ---
    "#);
}

#[test]
fn truncated() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let file = saved(&tree);
    let text = fs::read(&file).unwrap();
    fs::write(&file, &text[..text.len() - 3]).unwrap();
    let before = tree.manifest();
    let applied = apply(&tree);
    let shown = tree.run(&["show", file.to_str().unwrap()]);
    before.assert_untouched(&tree);
    assert_eq!(applied.status, Some(2));
    assert_eq!(applied.all(), shown.all());
    assert_snapshot!(applied.messages(), @r"
    exit 2
    error: [folder]/plan.json: it is not a saved plan: EOF while parsing an object at line 149 column 14
    try: seaworthy plan --root [folder]/root --out [folder]/plan.json
    ");
}

#[test]
fn no_plan_at_all() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let before = tree.manifest();
    let mut said = String::new();
    fs::write(tree.beside("plan.json"), "Plan for sample\n").unwrap();
    said += &apply(&tree).all();
    fs::write(tree.beside("plan.json"), "{}").unwrap();
    said += &apply(&tree).all();
    fs::remove_file(tree.beside("plan.json")).unwrap();
    said += &apply(&tree).all();
    fs::create_dir(tree.beside("plan.json")).unwrap();
    said += &apply(&tree).all();
    before.assert_untouched(&tree);
    assert_snapshot!(said, @r"
    exit 2
    error: [folder]/plan.json: it is not a saved plan: expected value at line 1 column 1
    try: seaworthy plan --root [folder]/root --out [folder]/plan.json
    ---
    exit 2
    error: [folder]/plan.json: it is not a saved plan: missing field `format` at line 1 column 2
    try: seaworthy plan --root [folder]/root --out [folder]/plan.json
    ---
    exit 2
    error: [folder]/plan.json: cannot read: No such file or directory (os error 2)
    try: ls -l [folder]/plan.json
    ---
    exit 2
    error: [folder]/plan.json: cannot read: Is a directory (os error 21)
    try: ls -l [folder]/plan.json
    ---
    ");
}

#[test]
fn twice() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    saved(&tree);
    let first = apply(&tree);
    assert_eq!(first.status, Some(0), "{}", first.err);
    let before = tree.manifest();
    let second = apply(&tree);
    assert_eq!((second.status, second.err.as_str()), (Some(0), ""));
    before.assert_only_state_added(&tree);
    assert_snapshot!(second.out, @"Nothing to do: everything this run may change is already correct.");
}

#[test]
fn saved_where_it_cannot_be() {
    let tree = Tree::new();
    let before = tree.manifest();
    let file = tree.beside("missing").join("plan.json");
    let ran = tree.run(&[
        "plan",
        "--only",
        "daemon-icc",
        "--out",
        file.to_str().unwrap(),
    ]);
    before.assert_untouched(&tree);
    assert_snapshot!(ran.all(), @r"
    exit 2
    error: [folder]/missing/plan.json: there is no folder [folder]/missing
    try: mkdir -p [folder]/missing
    ---
    ");
}

#[test]
fn chosen_from_once_more() {
    let tree = Tree::new();
    let file = saved(&tree);
    let before = tree.manifest();
    let ran = tree.run(&[
        "apply",
        "--yes",
        "--only",
        "daemon-icc",
        file.to_str().unwrap(),
    ]);
    before.assert_untouched(&tree);
    assert_snapshot!(ran.all(), @r"
    exit 2
    error: a saved plan is applied as a whole: --only, --skip and --profile belong to `plan --out`
    try: seaworthy apply --help
    ---
    ");
}
