//! `insecure-registries`: whose images come from a registry that must prove who it is from then on
//! (docs.docker.com, "dockerd", "Insecure registries").

use super::{Impact, Turn, words};
use serde_json::Value;
use std::net::IpAddr;

/// The registries that are trusted no more.
fn lost(turn: &Turn<'_>) -> Vec<String> {
    let Some((was, then)) = turn.changes("insecure-registries") else {
        return Vec::new();
    };
    let items = |value: Option<&Value>| -> Vec<String> {
        let items = value.and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (mut was, then) = (items(was.as_ref()), items(then));
    if let Some(docker) = turn.docker() {
        was.extend(docker.insecure_registries.iter().cloned());
    }
    was.sort();
    was.dedup();
    was.retain(|registry| !then.contains(registry));
    was
}

/// The registry in the name of an image; `None` for one of Docker Hub
/// (distribution/reference, "domain").
fn registry(image: &str) -> Option<&str> {
    let (host, _) = image.split_once('/')?;
    (host.contains(['.', ':']) || host == "localhost").then_some(host)
}

/// Whether a host, `[::1]:5000` or `registry:5000`, is one of those that an item stands for: a name, or
/// a range of addresses.
fn stands_for(item: &str, host: &str) -> bool {
    // A scheme is passed over (moby, registry/config.go).
    let item = item.split_once("://").map_or(item, |(_, rest)| rest);
    if item == host {
        return true;
    }
    let Some((net, bits)) = item.split_once('/') else {
        return false;
    };
    let (Ok(net), Ok(bits)) = (net.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    match (net, name.parse()) {
        (IpAddr::V4(net), Ok(IpAddr::V4(host))) => {
            bits <= 32
                && u32::from(net).checked_shr(32 - bits) == u32::from(host).checked_shr(32 - bits)
        }
        (IpAddr::V6(net), Ok(IpAddr::V6(host))) => {
            bits <= 128
                && u128::from(net).checked_shr(128 - bits)
                    == u128::from(host).checked_shr(128 - bits)
        }
        _ => false,
    }
}

/// Who is pulled from there.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    let lost = lost(turn);
    let Some(docker) = turn.docker().filter(|_| !lost.is_empty()) else {
        return Vec::new();
    };
    let comes_from = |image: &str| {
        registry(image).is_some_and(|host| lost.iter().any(|item| stands_for(item, host)))
    };
    let mut who: Vec<String> = docker
        .containers
        .iter()
        .filter(|container| comes_from(&container.image))
        .map(words::container)
        .collect();
    let tags = docker.images.iter().flat_map(|image| &image.tags);
    who.extend(
        tags.filter(|tag| comes_from(tag))
            .map(|tag| format!("image {}", words::plain(tag))),
    );
    let registries = words::plain(&words::listed(&lost));
    vec![Impact {
        what: if who.is_empty() {
            format!(
                "pulls from and pushes to {registries} fail until it offers TLS that this host trusts; no image here comes from there"
            )
        } else {
            format!(
                "their images can be pulled and pushed again only once {registries} offers TLS that this host trusts"
            )
        },
        who,
        why: "insecure-registries changes; what is here already stays and can be run".to_owned(),
        size: None,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_in_names_of_images() {
        for (image, expected) in [
            ("nginx", None),
            ("library/nginx:1", None),
            ("registry.example.com/app", Some("registry.example.com")),
            ("registry:5000/team/app:3", Some("registry:5000")),
            ("localhost/app", Some("localhost")),
            ("[fd00::1]:5000/app", Some("[fd00::1]:5000")),
            ("10.0.0.7:5000/app@sha256:ab", Some("10.0.0.7:5000")),
        ] {
            assert_eq!(registry(image), expected, "{image}");
        }
    }

    #[test]
    fn what_an_item_stands_for() {
        for (item, host, expected) in [
            ("registry:5000", "registry:5000", true),
            ("http://registry:5000", "registry:5000", true),
            ("registry", "registry:5000", false),
            ("10.0.0.0/8", "10.1.2.3:5000", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("0.0.0.0/0", "11.1.2.3", true),
            ("10.0.0.7/32", "10.0.0.7", true),
            ("10.0.0.7/33", "10.0.0.7", false),
            ("fd00::/8", "[fd00::1]:5000", true),
            ("fd00::/8", "10.0.0.1", false),
            ("::/0", "[2001:db8::1]:5000", true),
        ] {
            assert_eq!(stands_for(item, host), expected, "{item} {host}");
        }
    }
}
