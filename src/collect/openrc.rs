//! Services of OpenRC: `/etc/init.d`, `/etc/conf.d`, `/etc/runlevels` (openrc-run(8), rc-update(8)).
//!
//! They go by the names that systemd has for them, so that everything else need not know.

use super::files::Files;
use super::unit_files::names;
use crate::facts::{Reading, UnitState, Unread, Unseen};
use crate::formats::unit::{Start, flaw_of_environment, openrc_start};
use std::collections::BTreeMap;

/// OpenRC's service and systemd's name of it.
const SERVICES: [(&str, &str); 3] = [
    ("docker", "docker.service"),
    ("containerd", "containerd.service"),
    ("auditd", "auditd.service"),
];

/// The first line of its scripts.
const SHEBANG: &str = "#!/sbin/openrc-run";

/// Where a host that systemd has booted shows it (sd_booted(3)).
const BOOTED_BY_SYSTEMD: &str = "/run/systemd/system";

/// The services, `None` where OpenRC does not run them.
pub(super) fn collect(files: &mut Files<'_>) -> Option<BTreeMap<String, UnitState>> {
    if files.may_exist(BOOTED_BY_SYSTEMD)
        // In an image of systemd there may be scripts of both kinds.
        || (!files.host().is_live() && files.may_exist("/usr/lib/systemd/systemd"))
    {
        return None;
    }
    let services: BTreeMap<String, UnitState> = SERVICES
        .into_iter()
        .filter_map(|(name, unit)| Some((unit.to_owned(), service(files, name)?)))
        .collect();
    (!services.is_empty()).then_some(services)
}

fn service(files: &mut Files<'_>, name: &str) -> Option<UnitState> {
    let script = format!("/etc/init.d/{name}");
    let mut unread = Vec::new();
    let mut keep = |path: &str, unseen: Unseen| {
        unread.push(Unread {
            path: path.to_owned(),
            why: unseen.unseen,
            hint: unseen.hint,
        });
    };
    let text = match files.reading(&script) {
        Reading::Absent => return None,
        Reading::Text(text) => text.into_owned(),
        Reading::Unread(unseen) => {
            keep(&script, unseen);
            SHEBANG.to_owned()
        }
    };
    // Scripts of System V are there on many hosts.
    if !text.lines().next()?.contains("openrc-run") {
        return None;
    }
    let settings = format!("/etc/conf.d/{name}");
    let text_of_settings = match files.reading(&settings) {
        Reading::Absent => None,
        Reading::Text(text) => {
            let text = text.into_owned();
            if let Some((line, why)) = flaw_of_environment(&text) {
                let hint = format!("editor {settings}");
                keep(&settings, Unseen::new(format!("line {line}: {why}"), hint));
            }
            Some(text)
        }
        Reading::Unread(unseen) => {
            keep(&settings, unseen);
            None
        }
    };
    let levels = names(files, "/etc/runlevels", &mut Vec::new());
    let enabled = levels
        .iter()
        .any(|level| files.may_exist(&format!("/etc/runlevels/{level}/{name}")));
    let start = match name {
        "docker" => {
            let settings = text_of_settings
                .as_deref()
                .map(|text| (settings.as_str(), text));
            openrc_start((&script, &text), settings)
        }
        _ => Start {
            environment_files: text_of_settings.map(|_| settings).into_iter().collect(),
            ..Start::default()
        },
    };
    Some(UnitState {
        argv: start.argv().into(),
        origins: start.origins().into(),
        unfollowed: start.open_questions(),
        environment_files: start.environment_files,
        active: state(files, name),
        enabled: if enabled { "enabled" } else { "disabled" }.to_owned(),
        fragment: script,
        unread,
        ..UnitState::default()
    })
}

/// What `rc-service` says of it, in the words of systemd; empty where it cannot be asked.
fn state(files: &Files<'_>, name: &str) -> String {
    if !files.host().is_live() {
        return String::new();
    }
    let output = files.host().report("rc-service", &[name, "status"]);
    // openrc-run(8): 3 for one that is stopped; 32 for one that has crashed.
    match output.ok().and_then(|output| output.status) {
        Some(0) => "active",
        Some(3) => "inactive",
        Some(32) => "failed",
        _ => "",
    }
    .to_owned()
}
