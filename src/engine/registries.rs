//! Registries: mirrors, and those that are trusted without a certificate
//! (moby `registry/config.go`, `ValidateMirror`, `LoadInsecureRegistries`).

use super::{Complaint, Settings};
use crate::formats::go::{address, url};

pub(super) fn complain(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    for mirror in settings.texts("registry-mirrors") {
        if let Some(why) = wrong_mirror(settings, mirror) {
            found.push(Complaint::new(
                "registry-mirrors",
                format!("`registry-mirrors` has {mirror:?}, {why}"),
                "https://HOST or http://HOST",
            ));
            break;
        }
    }
    for registry in settings.texts("insecure-registries") {
        // 25.0 began to take an IPv6 address in brackets.
        let bare = registry
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let is_v6 = bare.is_some_and(|bare| address::ip(bare).is_some_and(|ip| ip.is_ipv6()));
        if is_v6 && !settings.before(25, 0) {
            continue;
        }
        if let Some(why) = wrong_registry(registry) {
            found.push(Complaint::new(
                "insecure-registries",
                format!("`insecure-registries` has {registry:?}, {why}"),
                "HOST, HOST:PORT or a network",
            ));
            break;
        }
    }
    // Later versions ignore it.
    if settings.before(28, 0) {
        let wrong = settings
            .texts("allow-nondistributable-artifacts")
            .into_iter()
            .find(|registry| registry.contains("://") || wrong_registry(registry).is_some());
        if let Some(registry) = wrong {
            found.push(Complaint::new(
                "allow-nondistributable-artifacts",
                format!(
                    "`allow-nondistributable-artifacts` has {registry:?}, which is no registry"
                ),
                "HOST, HOST:PORT or a network",
            ));
        }
    }
}

fn wrong_mirror(settings: &Settings<'_>, mirror: &str) -> Option<&'static str> {
    let Some(url) = url::parse(mirror) else {
        return Some("which is no URL");
    };
    if !["http", "https"].contains(&url.scheme.as_str()) {
        return Some("which is neither http:// nor https://");
    }
    if settings.from(28, 3) && !mirror.contains("://") {
        return Some("which is neither http:// nor https://");
    }
    // 24.0 began to take mirrors below a path.
    if settings.before(24, 0) && !matches!(url.path.as_str(), "" | "/") {
        return Some("and this version takes no path");
    }
    if !url.query.is_empty() || !url.fragment.is_empty() {
        return Some("and a mirror has no query and no fragment");
    }
    url.user
        .is_some()
        .then_some("and a mirror has no user and no password")
}

fn wrong_registry(registry: &str) -> Option<&'static str> {
    if registry.starts_with('-') || registry.ends_with('-') {
        return Some("which begins or ends with a hyphen");
    }
    let lower = registry.to_ascii_lowercase();
    let scheme = ["http://", "https://"]
        .iter()
        .find(|scheme| lower.starts_with(**scheme));
    // These two are taken off with a warning.
    let name = &registry[scheme.map_or(0, |scheme| scheme.len())..];
    if scheme.is_none() && registry.contains("://") {
        return Some("which has a scheme");
    }
    if address::cidr(name).is_some() {
        return None;
    }
    let (host, port) = address::host_port(name).unwrap_or((name, ""));
    if !is_host_port(name) && address::ip(host).is_none() {
        return Some("which is no host");
    }
    let is_port = port.is_empty() || port.parse::<u16>().is_ok();
    (!is_port).then_some("which has no such port")
}

/// A domain as of image references, with a port or without (distribution/reference, `DomainRegexp`).
fn is_host_port(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "0"));
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        ends(bytes.first())
            && ends(bytes.last())
            && bytes
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    host.split('.').all(is_label)
        && !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
}
