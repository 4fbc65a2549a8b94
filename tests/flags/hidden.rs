//! Flags that cannot be seen, and those of OpenRC.

use super::{CONFIG, SERVICE, SITE, host, planned, unit};
use seaworthy::catalog::Catalog;
use seaworthy::checks::reread;
use seaworthy::facts::{DaemonProcess, Facts, Seen};

/// What is written is a key, and the daemon refuses to start with a flag for it.
#[test]
fn a_flag_that_is_not_seen_is_feared() {
    let why = |facts: &Facts| {
        let plan = planned(facts, &["daemon-userland-proxy"]);
        let held = plan.held_back.iter().map(|held| held.reason.clone()).next();
        assert_eq!(held.is_none(), !plan.steps.is_empty());
        held
    };
    let unit_of = |lines: &str| format!("[Service]\nEnvironmentFile=\n{lines}\n");
    let stopped = |lines: &str| {
        let mut facts = host(&[(SITE, &unit_of(lines))]);
        facts.daemon_process = Seen::default();
        facts
    };
    let opts = "ExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// $OPTS";
    for (lines, part) in [
        (opts.to_owned(), None),
        (
            format!("EnvironmentFile=-/etc/x/*\n{opts}"),
            Some("(`EnvironmentFile=-/etc/x/*` is not followed)"),
        ),
        (
            format!("EnvironmentFile=-/etc/%p\n{opts}"),
            Some("is not followed"),
        ),
        (
            format!("PassEnvironment=OPTS\n{opts}"),
            Some("is not followed"),
        ),
        (
            "ExecStart=\nExecStart=/bin/sh -c \"exec dockerd --userland-proxy=true\"".to_owned(),
            Some("(it starts `/bin/sh`)"),
        ),
    ] {
        let why = why(&stopped(&lines));
        match part {
            None => assert_eq!(why, None, "{lines}"),
            Some(part) => assert!(
                why.as_ref().is_some_and(|why| why.contains(part)),
                "{lines} {why:?}"
            ),
        }
    }
    // The process shows what came of it, unless the unit was changed since.
    let runs = |argv: &[&str], modified: i64| {
        let mut facts = stopped(&format!("EnvironmentFile=-/etc/x/*\n{opts}"));
        unit(&mut facts).started = 1000;
        if let Some(Seen::Known(node)) = facts.files.get_mut(SITE) {
            node.modified = modified;
        }
        facts.daemon_process = Seen::Known(DaemonProcess {
            pid: 100,
            argv: argv
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
                .into(),
            ..DaemonProcess::default()
        });
        why(&facts)
    };
    let with = ["/usr/sbin/dockerd", "-H", "fd://", "--userland-proxy=true"];
    assert_eq!(runs(&with[..3], 900), None);
    let unexplained = runs(&with, 900).unwrap();
    assert!(
        unexplained.contains("which its unit does not explain"),
        "{unexplained}"
    );
    // Whatever the pattern names by now.
    let feared = runs(&with[..3], 1100).unwrap();
    assert!(feared.contains("is not followed"), "{feared}");
}

/// OpenRC's flags are in a file of settings. In an image they can be taken away there.
#[test]
fn the_settings_of_openrc_are_edited_in_place() {
    const SETTINGS: &str = "/etc/conf.d/docker";
    let image = |text: &str| {
        let catalog = Catalog::embedded().unwrap();
        let script = "#!/sbin/openrc-run\ncommand_args=\"${DOCKER_OPTS}\"\n";
        let file = |text: &str| serde_json::json!({ "kind": "file", "mode": "0644", "text": text });
        let overlay = serde_json::json!({ "files": {
            "/etc/init.d/docker": file(script), SETTINGS: file(text) } });
        let mut facts = crate::versions::sample("alpine-3.20-image", &overlay, &catalog);
        reread(&mut facts, SERVICE);
        planned(&facts, &["daemon-userland-proxy"])
    };
    let plan = image("# flags\nDOCKER_OPTS=\"--debug --userland-proxy=true\"\n");
    let paths: Vec<&str> = plan
        .steps
        .iter()
        .map(|step| step.action.path.as_str())
        .collect();
    assert_eq!(paths, [SETTINGS, CONFIG]);
    let settings = plan.steps[0].action.after.text();
    assert_eq!(settings, "# flags\nDOCKER_OPTS=\"--debug\"\n");
    let plan = image("DOCKER_OPTS=\"--userland-proxy=true $MORE\"\n");
    assert_eq!(plan.steps.len(), 0);
    let held = &plan.held_back[0];
    let part = "(`DOCKER_OPTS in /etc/conf.d/docker` is not followed)";
    assert!(held.reason.contains(part), "{}", held.reason);
    assert_eq!(held.release, "editor /etc/conf.d/docker");
}
