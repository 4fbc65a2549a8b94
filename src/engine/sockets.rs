//! Where the daemon listens, who may talk to it, and with which certificate (moby `opts/hosts.go`,
//! `daemon/listeners/listeners_linux.go`, `cmd/dockerd/daemon.go`).

use super::{Complaint, Settings, is_absent};
use crate::facts::Reading;
use crate::formats::accounts;
use crate::formats::go::url;

pub(super) fn complain(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    for host in settings.texts("hosts") {
        if let Some(why) = wrong_host(settings, host) {
            found.push(Complaint::new(
                "hosts",
                format!("`hosts` has {host:?}, {why}"),
                "unix://PATH, tcp://ADDRESS:PORT or fd://",
            ));
            break;
        }
    }
    group(settings, found);
    certificates(settings, found);
}

fn wrong_host(settings: &Settings<'_>, host: &str) -> Option<String> {
    let said = |why: &str| Some(why.to_owned());
    let trimmed = host.trim();
    if trimmed.is_empty() {
        return None;
    }
    // What stands before the scheme is a part of it since 29.2 (`opts/hosts.go`).
    if settings.from(29, 2) && host.trim_start() != host {
        return said("which begins with a space");
    }
    let host = trimmed;
    let (scheme, rest) = host.split_once("://").unwrap_or(("tcp", host));
    match scheme {
        "unix" => {
            let folder = url::folder(rest);
            let is_missing = rest.starts_with('/') && is_absent(settings.facts, folder);
            if is_missing {
                return Some(format!("and there is no {folder}"));
            }
            rest.contains("://").then(|| "which is no path".to_owned())
        }
        "fd" => None,
        "tcp" => {
            let full = if host.contains("://") {
                host.to_owned()
            } else {
                format!("tcp://{host}")
            };
            let Some(url) = url::parse(&full) else {
                return said("which is no address");
            };
            if !url.path.is_empty() {
                return said("which has a path");
            }
            let port = url.port();
            if port.parse::<u64>().is_ok_and(|port| port > 65535) {
                return said("which has no such port");
            }
            // 20.10 lets the kernel choose one.
            if settings.from(23, 0) && port.parse() == Ok(0u64) {
                return said("which has no such port");
            }
            None
        }
        _ => Some(format!("and {scheme}:// is nothing to listen at")),
    }
}

/// The folders in which sockets are to be made.
pub(super) fn folders(settings: &Settings<'_>) -> Vec<String> {
    let hosts = settings.texts("hosts").into_iter();
    hosts
        .filter_map(|host| host.trim().strip_prefix("unix://"))
        .filter(|path| path.starts_with('/'))
        .map(|path| url::folder(path).to_owned())
        .collect()
}

/// Only a socket that the daemon makes itself needs the group: systemd makes that of `fd://`.
fn group(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    const KEY: &str = "group";
    let name = settings.text(KEY);
    let hosts = settings.texts("hosts");
    let makes_one = hosts.is_empty()
        || hosts.iter().any(|host| {
            let host = host.trim();
            host.is_empty() || host.starts_with("unix://")
        });
    // Its absence is no error where it is the default.
    let is_number = name.parse::<i64>().is_ok();
    if name.is_empty() || name == "docker" || is_number || !makes_one {
        return;
    }
    let complaint = |reason: String| Complaint::new(KEY, reason, "a group that exists");
    match settings.facts.reading("/etc/group") {
        Reading::Text(text) if accounts::id_of(&text, name).is_some() => {}
        Reading::Text(_) | Reading::Absent => found.push(complaint(format!(
            "`{KEY}` is {name:?}, and /etc/group has none of that name"
        ))),
        Reading::Unread(unseen) => found.push(
            complaint(format!(
                "`{KEY}` is {name:?}, and whether it exists is not known: /etc/group: {}",
                unseen.unseen
            ))
            .unless(true),
        ),
    }
}

/// Whether TLS is on: `tlsverify` turns it on by being there, whatever it says (`IsValueSet`).
fn is_tls(settings: &Settings<'_>) -> bool {
    let verify = settings.has("tlsverify")
        && (!settings.by_flag.contains("tlsverify") || settings.is_on("tlsverify", false));
    verify || settings.is_on("tls", false)
}

fn certificates(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    if !is_tls(settings) {
        return;
    }
    let of_file = settings.has("tls") && !settings.by_flag.contains("tls")
        || settings.has("tlsverify") && !settings.by_flag.contains("tlsverify");
    for (key, kind) in [("tlscert", "CERTIFICATE"), ("tlskey", "PRIVATE KEY")] {
        let path = settings.text(key);
        // The default folder is lost as soon as the file has a word on TLS; with flags alone it is in
        // the home folder of root.
        if path.is_empty() && of_file {
            found.push(Complaint::new(
                "tls",
                format!("TLS is on, and `{key}` names no file"),
                format!("`{key}`"),
            ));
            return;
        }
        if path.is_empty() {
            continue;
        }
        if is_absent(settings.facts, path) {
            found.push(Complaint::new(
                key,
                format!("`{key}` is {path}, which is not there"),
                "a file that exists",
            ));
            return;
        }
        let text = settings.facts.text(path);
        if text.is_some_and(|text| !text.contains(&format!("{kind}-----"))) {
            found.push(Complaint::new(
                key,
                format!("`{key}` is {path}, which holds no {}", kind.to_lowercase()),
                "a file in PEM",
            ));
            return;
        }
    }
    let authority = settings.text("tlscacert");
    if settings.is_on("tlsverify", false)
        && !authority.is_empty()
        && is_absent(settings.facts, authority)
    {
        found.push(Complaint::new(
            "tlscacert",
            format!("`tlscacert` is {authority}, which is not there"),
            "a file that exists",
        ));
    }
}

/// The files that tell.
pub(super) fn files(settings: &Settings<'_>) -> Vec<String> {
    if !is_tls(settings) {
        return Vec::new();
    }
    ["tlscacert", "tlscert", "tlskey"]
        .map(|key| settings.text(key).to_owned())
        .into_iter()
        .filter(|path| path.starts_with('/'))
        .collect()
}
