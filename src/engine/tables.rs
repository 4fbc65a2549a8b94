//! Objects and lists of objects: `default-ulimits`, `default-address-pools`, `default-network-opts`
//! (the structs that Go reads them into; moby `libnetwork/ipamutils`, `libnetwork/ipams/defaultipam`).

use super::{Complaint, Settings, field, flags, has_leading_zero, is_integer};
use crate::formats::go::address;
use serde_json::Value;

pub(super) fn complain(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    ulimits(settings, found);
    pools(settings, found);
    network_options(settings, found);
}

fn ulimits(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    const KEY: &str = "default-ulimits";
    let is_limit = |value: &Value| match value {
        Value::Null => true,
        Value::Object(limit) => {
            field(limit, "Name").is_none_or(Value::is_string)
                && field(limit, "Soft").is_none_or(is_integer)
                && field(limit, "Hard").is_none_or(is_integer)
        }
        _ => false,
    };
    let mut limits = settings.table(KEY).into_iter().flatten();
    if let Some((name, _)) = limits.find(|(_, value)| !is_limit(value)) {
        found.push(Complaint::new(
            KEY,
            format!("`{KEY}` has {name:?}, which is no object with a text `Name` and whole numbers `Soft` and `Hard`"),
            "{\"Name\": \"nofile\", \"Soft\": 1024, \"Hard\": 2048}",
        ));
    }
}

fn pools(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    const KEY: &str = "default-address-pools";
    const WANTED: &str = "{\"base\": \"10.200.0.0/16\", \"size\": 24}";
    let Some(Value::Array(pools)) = settings.get(KEY) else {
        return;
    };
    let mut v4 = 0;
    let mut is_odd = false;
    for pool in pools {
        let of_flag = pool
            .as_str()
            .filter(|_| settings.by_flag.contains(KEY))
            .map(flags::pool);
        let pool = of_flag.as_ref().unwrap_or(pool);
        let complaint =
            |why: &str| Complaint::new(KEY, format!("`{KEY}` has {pool}, {why}"), WANTED);
        let Value::Object(pool) = pool else {
            found.push(complaint("which is no object"));
            return;
        };
        let (base, size) = (field(pool, "base"), field(pool, "size"));
        if base.is_some_and(|base| !base.is_string()) || size.is_some_and(|size| !is_integer(size))
        {
            found.push(complaint(
                "whose `base` is no text or whose `size` is no whole number",
            ));
            return;
        }
        let text = base.and_then(Value::as_str).unwrap_or_default();
        let Some(base) = address::cidr(text) else {
            let complaint = complaint("whose `base` is no network");
            found.push(complaint.unless(has_leading_zero(settings, text)));
            return;
        };
        // How such a network is cut into pieces that it cannot have differs from version to version.
        is_odd |= text.starts_with("::ffff:");
        let size = size.and_then(Value::as_i64).unwrap_or_default();
        let width = i64::from(base.bits + base.host_bits());
        // Of IPv6 the later versions do not look at the upper end.
        is_odd |= size - i64::from(base.bits) >= 64;
        let is_too_long = size > width && (base.is_v4() || settings.before(23, 0));
        if size < i64::from(base.bits).max(1) || is_too_long {
            found.push(complaint("whose `size` is no length of a prefix in it"));
            return;
        }
        v4 += i32::from(base.is_v4());
        let first = v4 == 1 && base.is_v4();
        // The default bridge needs an address in the first one.
        if first && size == 32 && settings.before(23, 0) && settings.needs_bridge_pool() {
            found.push(complaint("which leaves no address for the default bridge"));
            return;
        }
    }
    if v4 == 0 && !pools.is_empty() && settings.needs_bridge_pool() {
        found.push(
            Complaint::new(
                KEY,
                format!("`{KEY}` has no IPv4 network for the default bridge"),
                WANTED,
            )
            .unless(is_odd),
        );
    }
}

fn network_options(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    const KEY: &str = "default-network-opts";
    let is_table = |value: &Value| match value {
        Value::Null => true,
        Value::Object(options) => options.values().all(|it| it.is_string() || it.is_null()),
        _ => false,
    };
    let mut drivers = settings.table(KEY).into_iter().flatten();
    if let Some((driver, _)) = drivers.find(|(_, options)| !is_table(options)) {
        found.push(Complaint::new(
            KEY,
            format!("`{KEY}` has {driver:?}, whose options are no object of texts in quotes"),
            "{\"bridge\": {\"OPTION\": \"VALUE\"}}",
        ));
    }
}
