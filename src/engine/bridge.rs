//! The default bridge: its addresses, and what excludes what (moby `daemon/daemon_unix.go`,
//! `verifyDaemonSettings` and `initBridgeDriver`; `libnetwork/drivers/bridge`).

use super::{Complaint, Settings, has_leading_zero};
use crate::formats::go::address;
use serde_json::Value;

pub(super) fn complain(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    addresses(settings, found);
    pairs(settings, found);
    // What follows is read only where there is a bridge to set up.
    let has_bridge = settings.text("bridge") != "none";
    mtu(settings, has_bridge, found);
    second_range(settings, has_bridge, found);
    if has_bridge {
        networks(settings, found);
    }
}

/// Values that are addresses to Go, whether or not they are used.
fn addresses(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    for key in ["default-gateway", "default-gateway-v6", "ip"] {
        let text = settings.text(key);
        if !text.is_empty() && address::ip(text).is_none() {
            let complaint = Complaint::new(
                key,
                format!("`{key}` is {text:?}, which is no address"),
                "an address",
            );
            found.push(complaint.unless(has_leading_zero(settings, text)));
        }
    }
}

fn pairs(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    for key in ["bip", "bip6"] {
        if !settings.text("bridge").is_empty() && !settings.text(key).is_empty() {
            found.push(Complaint {
                keys: vec!["bridge", key],
                ..Complaint::new(
                    "bridge",
                    format!("both bridge and {key} are set"),
                    "one of them",
                )
            });
        }
    }
    let (icc, iptables) = (
        settings.is_on("icc", true),
        settings.is_on("iptables", true),
    );
    if !icc && !iptables {
        found.push(Complaint {
            keys: vec!["icc", "iptables"],
            hint: Some("seaworthy plan --only daemon-iptables,daemon-icc"),
            ..Complaint::new(
                "icc",
                "icc = false while iptables = false",
                "iptables = true",
            )
        });
    }
    let with_v6 = settings.is_on("ip6tables", settings.from(27, 0));
    if settings.from(27, 0) && !icc && settings.is_on("ipv6", false) && !with_v6 {
        found.push(Complaint {
            keys: vec!["icc", "ip6tables"],
            ..Complaint::new(
                "icc",
                "icc = false with ipv6 while ip6tables = false",
                "ip6tables = true",
            )
        });
    }
    // An experiment until 27.0.
    if settings.before(27, 0) && with_v6 && !settings.is_on("experimental", false) {
        found.push(Complaint {
            keys: vec!["experimental", "ip6tables"],
            ..Complaint::new(
                "ip6tables",
                "ip6tables = true without experimental = true",
                "one or the other",
            )
        });
    }
    if settings.in_swarm != Some(false) && settings.is_on("live-restore", false) {
        found.push(Complaint {
            hint: Some("docker info --format '{{.Swarm.LocalNodeState}}'"),
            ..Complaint::new(
                "live-restore",
                "the daemon of a swarm member refuses to start with live-restore = true",
                "live-restore = false",
            )
            .unless(settings.in_swarm.is_none())
        });
    }
}

fn mtu(settings: &Settings<'_>, has_bridge: bool, found: &mut Vec<Complaint>) {
    const KEY: &str = "mtu";
    let Some(mtu) = settings.get(KEY).and_then(Value::as_i64) else {
        return;
    };
    // The kernel has these limits for a bridge; later versions set it at once.
    let limits = has_bridge && settings.from(25, 0) && mtu != 0;
    let is_bad = (mtu < 0 && (has_bridge || settings.from(23, 0)))
        || (limits && !(68..=65535).contains(&mtu));
    if is_bad {
        found.push(Complaint::new(
            KEY,
            format!("`{KEY}` is {mtu}"),
            "68 to 65535",
        ));
    }
}

/// `fixed-cidr-v6`, which 25.0 began to check in any case.
fn second_range(settings: &Settings<'_>, has_bridge: bool, found: &mut Vec<Complaint>) {
    const KEY: &str = "fixed-cidr-v6";
    let text = settings.text(KEY);
    let range = address::cidr(text);
    if !text.is_empty() && (has_bridge || settings.from(25, 0)) {
        let is_v4 = range.is_some_and(address::Cidr::is_v4);
        if range.is_none() || (is_v4 && settings.from(25, 0)) {
            found.push(Complaint::new(
                KEY,
                format!("`{KEY}` is {text:?}, which is no network of IPv6"),
                "a network of IPv6",
            ));
        }
    }
    // Later versions take a range of their own.
    if has_bridge && settings.before(28, 0) && text.is_empty() && settings.is_on("ipv6", false) {
        found.push(Complaint {
            keys: vec!["ipv6", KEY],
            ..Complaint::new(
                "ipv6",
                format!("`ipv6` is true without `{KEY}`"),
                "a network of IPv6",
            )
        });
    }
}

fn networks(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    let bip = settings.text("bip");
    let network = address::cidr(bip);
    if !bip.is_empty() {
        let complaint = |why: &str| {
            Complaint::new(
                "bip",
                format!("`bip` is {bip:?}, {why}"),
                "ADDRESS/LENGTH of IPv4",
            )
        };
        match network {
            None => found.push(
                complaint("which is no address with a length")
                    .unless(has_leading_zero(settings, bip)),
            ),
            Some(it) if !it.is_v4() => found.push(complaint("which is of IPv6")),
            Some(it) if it.bits == 0 => found.push(complaint("which leaves no network")),
            // Without room for the two ends they are no ends, and 20.10 has no room then.
            Some(it) if it.host_bits() < 2 => {
                if settings.before(23, 0) {
                    found.push(complaint("which leaves no address"));
                }
            }
            Some(it) if it.is_end() => found.push(complaint("which is an end of its network")),
            Some(_) => {}
        }
    }
    let bip6 = settings.text("bip6");
    if settings.is_on("ipv6", false)
        && !bip6.is_empty()
        && address::cidr(bip6).is_none_or(address::Cidr::is_v4)
    {
        found.push(Complaint::new(
            "bip6",
            format!("`bip6` is {bip6:?}, which is no address of IPv6 with a length"),
            "ADDRESS/LENGTH of IPv6",
        ));
    }
    let fixed = settings.text("fixed-cidr");
    if !fixed.is_empty() && address::cidr(fixed).is_none_or(|range| !range.is_v4()) {
        let complaint = Complaint::new(
            "fixed-cidr",
            format!("`fixed-cidr` is {fixed:?}, which is no network of IPv4"),
            "a network of IPv4",
        );
        found.push(complaint.unless(has_leading_zero(settings, fixed)));
    }
    let gateway = settings.text("default-gateway");
    if let Some(ip) = address::ip(gateway) {
        // Without `bip` it is one of Docker's own networks, the first one that is free.
        let lies_in = |network: &str| address::cidr(network).is_some_and(|it| it.holds(ip));
        let is_own = !settings.has("default-address-pools") && settings.text("bridge").is_empty();
        let (fits, is_sure) = match network {
            // The bridge itself has that one.
            Some(network) => (network.holds(ip) && network.ip != ip, true),
            None if !is_own => (true, true),
            None if gateway == "172.17.0.1" => (false, false),
            None if lies_in("172.17.0.0/16") => (true, true),
            None => (
                false,
                !lies_in("172.16.0.0/12") && !lies_in("192.168.0.0/16"),
            ),
        };
        if !fits {
            let complaint = Complaint::new(
                "default-gateway",
                format!(
                    "`default-gateway` is {gateway}, which is not in the default bridge's network"
                ),
                "an address of that network",
            );
            found.push(complaint.unless(!is_sure));
        }
    }
    let bridge = settings.text("bridge");
    if !["", "docker0"].contains(&bridge)
        && super::is_absent(settings.facts, &device(bridge))
        && settings.facts.host.live
    {
        found.push(Complaint::new(
            "bridge",
            format!("`bridge` is {bridge:?}, and there is no such device"),
            "a bridge that is there",
        ));
    }
}

/// Where a network device shows (sysfs(5)).
pub(super) fn device(name: &str) -> String {
    format!("/sys/class/net/{name}")
}
