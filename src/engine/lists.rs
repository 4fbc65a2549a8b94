//! Lists of texts that mean something: labels, name servers, search domains, generic resources
//! (moby `opts/opts.go`, `daemon/config/config.go` `Validate`, `daemon/cluster/convert`).

use super::{Complaint, Settings, has_leading_zero};
use crate::formats::go::address;
use std::collections::BTreeMap;

pub(super) fn complain(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    labels(settings, found);
    name_servers(settings, found);
    search_domains(settings, found);
    gateways(settings, found);
    generic_resources(settings, found);
}

/// Namespaces that Docker keeps to itself, whatever the case of their letters.
const RESERVED: [&str; 3] = ["com.docker.", "io.docker.", "org.dockerproject."];

fn labels(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    let mut values: BTreeMap<&str, &str> = BTreeMap::new();
    for label in settings.texts("labels") {
        let Some((key, value)) = label.split_once('=') else {
            found.push(Complaint::new(
                "labels",
                format!("`labels` has an entry without `=`: {label:?}"),
                "KEY=VALUE",
            ));
            return;
        };
        let lower = label.to_lowercase();
        if let Some(space) = RESERVED.iter().find(|space| lower.starts_with(*space)) {
            found.push(Complaint::new(
                "labels",
                format!("`labels` has {key:?}, and {space}* is reserved"),
                "a name of its own",
            ));
            return;
        }
        if values
            .insert(key, value)
            .is_some_and(|other| other != value)
        {
            found.push(Complaint::new(
                "labels",
                format!("`labels` gives {key:?} two values"),
                "one value for each label",
            ));
            return;
        }
    }
}

fn name_servers(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    let is_address = |text: &str| match (settings.before(25, 0), settings.from(25, 0)) {
        (true, _) => address::ip(text.trim()).is_some(),
        // Go's unmarshalling of an address: the empty text is none.
        (_, true) => text.is_empty() || address::ip(text).is_some(),
        // Of an unknown version, what none takes.
        _ => text.is_empty() || address::ip(text.trim()).is_some(),
    };
    // Since 29 an address may name the interface.
    let may_have_zone = !settings.before(29, 0);
    let wrong = settings
        .texts("dns")
        .into_iter()
        .find(|text| !(is_address(text) || (may_have_zone && text.contains('%'))));
    if let Some(wrong) = wrong {
        found.push(
            Complaint::new(
                "dns",
                format!("`dns` has {wrong:?}, which is no address"),
                "IPv4 and IPv6 addresses",
            )
            .unless(has_leading_zero(settings, wrong)),
        );
    }
}

fn gateways(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    const OLD: &str = "host-gateway-ip";
    const NEW: &str = "host-gateway-ips";
    let single = settings.text(OLD);
    let is_listed = settings.texts(OLD).len() > 1;
    if !single.is_empty() && !is_listed && address::ip(single).is_none() && !single.contains('%') {
        found.push(Complaint::new(
            OLD,
            format!("`{OLD}` is {single:?}, which is no address"),
            "an address",
        ));
    }
    let all = settings.texts(NEW);
    if settings.get(NEW).is_some() && settings.get(OLD).is_some() && !settings.by_flag.contains(OLD)
    {
        found.push(Complaint {
            keys: vec![OLD, NEW],
            ..Complaint::new(
                OLD,
                format!("both `{OLD}` and `{NEW}` are set"),
                "one of them",
            )
        });
    }
    let mut families = [0, 0];
    for text in all {
        match address::ip(text) {
            Some(ip) => families[usize::from(ip.is_ipv6())] += 1,
            None if text.is_empty() || text.contains('%') => {}
            None => {
                found.push(Complaint::new(
                    NEW,
                    format!("`{NEW}` has {text:?}, which is no address"),
                    "an IPv4 and an IPv6 address",
                ));
                return;
            }
        }
    }
    if families.iter().any(|count| *count > 1) {
        found.push(Complaint::new(
            NEW,
            format!("`{NEW}` has several addresses of one family"),
            "one IPv4 and one IPv6 address",
        ));
    }
}

fn search_domains(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    let wrong = settings
        .texts("dns-search")
        .into_iter()
        .find(|text| !is_domain(text.trim_matches(' ')));
    if let Some(wrong) = wrong {
        found.push(Complaint::new(
            "dns-search",
            format!("`dns-search` has {wrong:?}, which is no domain"),
            "domains",
        ));
    }
}

/// As moby's `domainRegexp`: labels of letters, digits and inner hyphens. (A slip in it lets a colon
/// stand before each of them.)
fn is_domain(text: &str) -> bool {
    if text == "." {
        return true;
    }
    let body = text.trim_end_matches([' ', '\t', '\n', '\r', '\u{c}']);
    let body = body.strip_suffix('.').unwrap_or(body);
    let is_label = |label: &str| {
        let label = label.strip_prefix(':').unwrap_or(label);
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        ends(label.chars().next())
            && ends(label.chars().last())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    text.contains(|c: char| c.is_ascii_alphabetic())
        && body.len() < 255
        && body.split('.').all(is_label)
}

/// `gpu=UUID1`, several of one kind, or one count of a kind; never both.
fn generic_resources(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    const KEY: &str = "node-generic-resources";
    let mut kinds: BTreeMap<&str, bool> = BTreeMap::new();
    for text in settings.texts(KEY) {
        let complaint =
            |why: &str| Complaint::new(KEY, format!("`{KEY}` has {text:?}, {why}"), "NAME=VALUE");
        let parts: Vec<&str> = text.split('=').collect();
        let [kind, value] = parts[..] else {
            found.push(complaint("which is not NAME=VALUE"));
            return;
        };
        let count = value.parse::<i64>().ok();
        if count.is_some_and(|count| count < 0) {
            found.push(complaint("and a count is not negative"));
            return;
        }
        let before = kinds.insert(kind, count.is_some());
        if before.is_some_and(|before| before || count.is_some()) {
            found.push(complaint("beside another value of the same name"));
            return;
        }
    }
}
