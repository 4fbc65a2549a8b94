//! `log-opts` by the log driver: moby `daemon/logger/factory.go`, `ValidateLogOpts`, and the drivers'
//! own `ValidateLogOpt`. Options that are there are looked at only where any is set.

use super::{Complaint, Settings};
use crate::formats::go::{address, size, url};
use std::collections::BTreeMap;

const KEY: &str = "log-opts";

type Options<'o> = BTreeMap<&'o str, &'o str>;

/// What is wrong with the options.
type Wrong = Option<String>;

/// Options of every driver: how lines are handed on, and the copies that are kept to be read again.
const OF_ALL: [&str; 7] = [
    "cache-compress",
    "cache-disabled",
    "cache-max-file",
    "cache-max-size",
    "max-buffer-size",
    "mode",
    "",
];
const LABELS: [&str; 5] = ["env", "env-regex", "labels", "labels-regex", "tag"];
const FILES: [&str; 3] = ["compress", "max-file", "max-size"];
const SYSLOG: [&str; 7] = [
    "syslog-address",
    "syslog-facility",
    "syslog-format",
    "syslog-tls-ca-cert",
    "syslog-tls-cert",
    "syslog-tls-key",
    "syslog-tls-skip-verify",
];
const GELF: [&str; 5] = [
    "gelf-address",
    "gelf-compression-level",
    "gelf-compression-type",
    "gelf-tcp-max-reconnect",
    "gelf-tcp-reconnect-delay",
];
const FLUENTD: [&str; 7] = [
    "fluentd-address",
    "fluentd-async",
    "fluentd-buffer-limit",
    "fluentd-max-retries",
    "fluentd-request-ack",
    "fluentd-retry-wait",
    "fluentd-sub-second-precision",
];
const AWSLOGS: [&str; 11] = [
    "awslogs-create-group",
    "awslogs-credentials-endpoint",
    "awslogs-datetime-format",
    "awslogs-endpoint",
    "awslogs-force-flush-interval-seconds",
    "awslogs-group",
    "awslogs-max-buffered-events",
    "awslogs-multiline-pattern",
    "awslogs-region",
    "awslogs-stream",
    "tag",
];
const SPLUNK: [&str; 13] = [
    "splunk-caname",
    "splunk-capath",
    "splunk-format",
    "splunk-gzip",
    "splunk-gzip-level",
    "splunk-index",
    "splunk-index-acknowledgment",
    "splunk-insecureskipverify",
    "splunk-source",
    "splunk-sourcetype",
    "splunk-token",
    "splunk-url",
    "splunk-verify-connection",
];
const GCPLOGS: [&str; 9] = [
    "env",
    "env-regex",
    "gcp-log-cmd",
    "gcp-meta-id",
    "gcp-meta-name",
    "gcp-meta-zone",
    "gcp-project",
    "labels",
    "labels-regex",
];

pub(super) fn complain(settings: &Settings<'_>, found: &mut Vec<Complaint>) {
    let words = settings.texts(KEY);
    let by_flag = words
        .iter()
        .map(|word| word.split_once('=').unwrap_or((word, "")));
    let in_file = settings.table(KEY).into_iter().flatten();
    let options: Options<'_> = in_file
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
        .chain(by_flag)
        .collect();
    let driver = match settings.text("log-driver") {
        "" => "json-file",
        driver => driver,
    };
    if options.is_empty() || driver == "none" {
        return;
    }
    let complaint = |why: String| {
        Complaint::new(
            KEY,
            format!("`{KEY}` with the driver {driver}: {why}"),
            "options of the log driver",
        )
    };
    if let Some(why) = of_all(&options) {
        found.push(complaint(why));
        return;
    }
    let Some(known) = known(settings, driver) else {
        // A plugin may be called that, and look at its options as it likes.
        let why = "the driver is a plugin or none at all".to_owned();
        found.push(complaint(why).unless(true));
        return;
    };
    let own = options.iter().filter(|(name, _)| !OF_ALL.contains(*name));
    let own: Options<'_> = own.map(|(name, value)| (*name, *value)).collect();
    if let Some(name) = own.keys().find(|name| !known.contains(*name)) {
        let why = if FILES.contains(name) {
            format!("it refuses options of rotated files, as `{name}` is one")
        } else {
            format!("it does not know `{name}`")
        };
        found.push(complaint(why));
        return;
    }
    let wrong = match driver {
        "syslog" => syslog(settings, &own),
        "gelf" => gelf(&own),
        "fluentd" => fluentd(settings, &own),
        "awslogs" => awslogs(&own),
        _ => None,
    };
    found.extend(wrong.map(complaint));
}

fn of_all(options: &Options<'_>) -> Wrong {
    let mode = options.get("mode").copied().unwrap_or_default();
    if !["", "blocking", "non-blocking"].contains(&mode) {
        return Some(format!("`mode` is {mode:?}, not blocking or non-blocking"));
    }
    let buffer = options.get("max-buffer-size")?;
    if mode != "non-blocking" {
        return Some("`max-buffer-size` needs `mode` = non-blocking".to_owned());
    }
    size::bytes(buffer)
        .is_none()
        .then(|| format!("`max-buffer-size` is {buffer:?}, which is no size"))
}

/// The names that a driver knows; `None` where it is none of dockerd's own.
fn known(settings: &Settings<'_>, driver: &str) -> Option<Vec<&'static str>> {
    let mut names: Vec<&'static str> = match driver {
        // The logs say what the container was since 29.5 (`logger/local/local.go`).
        "local" if settings.before(29, 5) => FILES.to_vec(),
        "json-file" | "local" => [&LABELS[..], &FILES].concat(),
        "journald" => LABELS.to_vec(),
        "syslog" => [&LABELS[..], &SYSLOG].concat(),
        "gelf" => [&LABELS[..], &GELF].concat(),
        "fluentd" => [&LABELS[..], &FLUENTD].concat(),
        "awslogs" => AWSLOGS.to_vec(),
        "splunk" => [&LABELS[..], &SPLUNK].concat(),
        "gcplogs" => GCPLOGS.to_vec(),
        _ => return None,
    };
    match driver {
        "fluentd" => {
            if !settings.before(23, 0) {
                names.push("fluentd-async-reconnect-interval");
            }
            if !settings.from(28, 0) {
                names.push("fluentd-async-connect");
            }
            if !settings.before(28, 3) {
                names.push("fluentd-write-timeout");
            }
        }
        "awslogs" => {
            if !settings.before(23, 0) {
                names.push("awslogs-format");
            }
            if !settings.before(29, 0) {
                names.push("awslogs-create-stream");
            }
        }
        _ => {}
    }
    Some(names)
}

/// Go's `strconv.ParseBool`.
fn is_bool(text: &str) -> bool {
    matches!(
        text,
        "1" | "t" | "T" | "true" | "TRUE" | "True" | "0" | "f" | "F" | "false" | "FALSE" | "False"
    )
}

const FACILITIES: [&str; 20] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];

fn syslog(settings: &Settings<'_>, options: &Options<'_>) -> Wrong {
    let of = |name: &str| options.get(name).copied().unwrap_or_default();
    let text = of("syslog-address");
    let bad = || {
        Some(format!(
            "`syslog-address` is {text:?}, which is no address of a syslog"
        ))
    };
    if !text.is_empty() {
        let Some(url) = url::parse(text) else {
            return bad();
        };
        match url.scheme.as_str() {
            "unix" | "unixgram" => {
                if super::is_absent(settings.facts, &url.path) {
                    return Some(format!(
                        "`syslog-address` is {text:?}, and there is no {}",
                        url.path
                    ));
                }
            }
            "udp" | "tcp" | "tcp+tls" if settings.before(23, 0) => {
                // 20.10 looks at the beginning as it is written.
                if !text.starts_with(&format!("{}://", url.scheme)) {
                    return bad();
                }
            }
            "udp" | "tcp" | "tcp+tls" => {}
            _ => return bad(),
        }
    }
    let facility = of("syslog-facility");
    let is_number = facility.parse::<u8>().is_ok_and(|number| number <= 23);
    if !facility.is_empty() && !is_number && !FACILITIES.contains(&facility) {
        return Some(format!("`syslog-facility` is {facility:?}, which is none"));
    }
    let format = of("syslog-format");
    (!["", "rfc3164", "rfc5424", "rfc5424micro"].contains(&format))
        .then(|| format!("`syslog-format` is {format:?}, which is none"))
}

fn gelf(options: &Options<'_>) -> Wrong {
    if options.is_empty() {
        return Some("`gelf-address` is missing".to_owned());
    }
    let text = options.get("gelf-address").copied().unwrap_or_default();
    let url = url::parse(text).filter(|url| {
        ["udp", "tcp"].contains(&url.scheme.as_str()) && address::host_port(&url.host).is_some()
    });
    let Some(url) = url else {
        return Some(format!(
            "`gelf-address` is {text:?}, not udp://HOST:PORT or tcp://HOST:PORT"
        ));
    };
    let number = |text: &str| text.parse::<i64>().ok();
    for (name, value) in options {
        let (scheme, is_good) = match *name {
            "gelf-compression-level" => (
                "udp",
                number(value).is_some_and(|level| (-1..=9).contains(&level)),
            ),
            "gelf-compression-type" => ("udp", ["gzip", "zlib", "none"].contains(value)),
            "gelf-tcp-max-reconnect" | "gelf-tcp-reconnect-delay" => {
                ("tcp", number(value).is_some_and(|count| count >= 0))
            }
            _ => continue,
        };
        if url.scheme != scheme {
            return Some(format!("`{name}` is for {scheme} only"));
        }
        if !is_good {
            return Some(format!("`{name}` is {value:?}"));
        }
    }
    None
}

fn fluentd(settings: &Settings<'_>, options: &Options<'_>) -> Wrong {
    let text = options.get("fluentd-address").copied().unwrap_or_default();
    if !is_fluentd_address(settings, text) {
        return Some(format!(
            "`fluentd-address` is {text:?}, which is no address"
        ));
    }
    if options.contains_key("fluentd-async") && options.contains_key("fluentd-async-connect") {
        return Some("`fluentd-async` and `fluentd-async-connect` are one".to_owned());
    }
    let is_good = |name: &str, value: &str| match name {
        "fluentd-buffer-limit" => size::bytes(value).is_some(),
        "fluentd-max-retries" => value.parse::<u32>().is_ok(),
        "fluentd-retry-wait" => seconds(value).is_some(),
        "fluentd-async-reconnect-interval" => {
            seconds(value).is_some_and(|time| time == 0.0 || (0.1..=10.0).contains(&time))
        }
        "fluentd-write-timeout" => seconds(value).is_some_and(|time| time >= 0.0),
        "fluentd-async"
        | "fluentd-async-connect"
        | "fluentd-request-ack"
        | "fluentd-sub-second-precision" => is_bool(value),
        _ => true,
    };
    let mut set = options.iter().filter(|(_, value)| !value.is_empty());
    set.find(|(name, value)| !is_good(name, value))
        .map(|(name, value)| format!("`{name}` is {value:?}"))
}

fn is_fluentd_address(settings: &Settings<'_>, text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    let full = if text.contains("://") {
        text.to_owned()
    } else {
        format!("tcp://{text}")
    };
    let Some(url) = url::parse(&full) else {
        return false;
    };
    if settings.before(23, 0) {
        // 20.10 asks for less.
        return ["tcp", "unix"].contains(&url.scheme.as_str());
    }
    let port = url.port();
    match url.scheme.as_str() {
        "unix" => !url.path.trim_start_matches('/').is_empty(),
        "tcp" | "tls" => url.path.is_empty() && (port.is_empty() || port.parse::<u16>().is_ok()),
        _ => false,
    }
}

/// Go's `time.ParseDuration`, in seconds.
fn seconds(text: &str) -> Option<f64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0.0);
    }
    let mut all = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let unit = &rest[end..];
        let length = unit
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(unit.len());
        let factor = match &unit[..length] {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        all += number * factor;
        rest = &unit[length..];
    }
    (!text.is_empty()).then_some(sign * all)
}

fn awslogs(options: &Options<'_>) -> Wrong {
    let of = |name: &str| options.get(name).copied().unwrap_or_default();
    if options
        .get("awslogs-group")
        .is_none_or(|group| group.is_empty())
    {
        return Some("`awslogs-group` is missing".to_owned());
    }
    for name in ["awslogs-create-group", "awslogs-create-stream"] {
        if !of(name).is_empty() && !is_bool(of(name)) {
            return Some(format!("`{name}` is {:?}", of(name)));
        }
    }
    for name in [
        "awslogs-force-flush-interval-seconds",
        "awslogs-max-buffered-events",
    ] {
        let is_good = of(name).parse::<i64>().is_ok_and(|number| number > 0);
        if !of(name).is_empty() && !is_good {
            return Some(format!("`{name}` is {:?}, not a number above 0", of(name)));
        }
    }
    let has = |name: &str| options.contains_key(name);
    let (pattern, time) = ("awslogs-multiline-pattern", "awslogs-datetime-format");
    if has(pattern) && has(time) {
        return Some(format!("`{pattern}` and `{time}` exclude each other"));
    }
    match of("awslogs-format") {
        "json/emf" if has(pattern) || has(time) => Some(format!(
            "`awslogs-format` excludes `{pattern}` and `{time}`"
        )),
        "" | "json/emf" => None,
        other => Some(format!("`awslogs-format` is {other:?}")),
    }
}

/// The socket of a syslog on this host that the options name.
pub(super) fn socket(settings: &Settings<'_>) -> Option<String> {
    let options = settings.table(KEY)?;
    let url = url::parse(options.get("syslog-address")?.as_str()?)?;
    (settings.text("log-driver") == "syslog" && url.scheme.starts_with("unix")).then_some(url.path)
}
