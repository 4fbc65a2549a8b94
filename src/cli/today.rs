//! Today's date where the person is who runs us.

use crate::host::read_regular;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Where the zones are, and the one of this host (tzfile(5), localtime(5)).
const ZONES: &str = "/usr/share/zoneinfo";
const LOCAL: &str = "/etc/localtime";

/// The largest zone has some four kilobytes.
const LARGEST: u64 = 1 << 20;

/// The date of a moment, ISO 8601, in the time zone that `TZ` names as tzset(3) reads it; in the
/// host's own where it is not set, and in UTC where neither can be read. The library's own way opens
/// whatever `TZ` and `TZDIR` name, and waits for a pipe.
pub(super) fn today(at: Timestamp, tz: Option<&OsStr>) -> String {
    let zone = zone(tz).unwrap_or(TimeZone::UTC);
    Zoned::new(at, zone).date().to_string()
}

fn zone(tz: Option<&OsStr>) -> Option<TimeZone> {
    let Some(tz) = tz else {
        return from_file(Path::new(LOCAL));
    };
    let text = tz.to_str()?;
    let name = text.strip_prefix(':').unwrap_or(text);
    if name.is_empty() {
        return None;
    }
    let path = if name.starts_with('/') {
        PathBuf::from(name)
    } else {
        Path::new(ZONES).join(name)
    };
    from_file(&path).or_else(|| TimeZone::posix(text).ok())
}

fn from_file(path: &Path) -> Option<TimeZone> {
    let bytes = read_regular(path, LARGEST).ok()?;
    TimeZone::tzif("local", &bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hours east of UTC on a day in winter.
    fn offset(tz: &str) -> Option<i32> {
        let zone = zone(Some(OsStr::new(tz)))?;
        let day: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        Some(zone.to_offset(day).seconds() / 3600)
    }

    #[test]
    fn a_zone_may_be_named_in_every_way() {
        assert_eq!(offset("UTC0"), Some(0));
        assert_eq!(offset("JST-9"), Some(9));
        assert_eq!(offset("EST5EDT,M3.2.0,M11.1.0"), Some(-5));
        if Path::new(ZONES).join("Asia/Tokyo").exists() {
            for name in [
                "Asia/Tokyo",
                ":Asia/Tokyo",
                "/usr/share/zoneinfo/Asia/Tokyo",
            ] {
                assert_eq!(offset(name), Some(9), "{name}");
            }
        }
    }

    #[test]
    fn what_is_no_zone_is_utc_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        for tz in [
            pipe.to_str().unwrap(),
            "/dev/zero",
            "/dev/null",
            "/",
            "",
            ":",
            "no such zone",
            "../../../etc/passwd",
        ] {
            assert_eq!(offset(tz), None, "{tz}");
            assert_eq!(today(Timestamp::UNIX_EPOCH, Some(OsStr::new(tz))).len(), 10);
        }
    }
}
