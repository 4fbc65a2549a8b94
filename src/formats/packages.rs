//! What a package manager has installed: the records of dpkg (`/var/lib/dpkg/status`, deb-control(5)) and of apk
//! (`/lib/apk/db/installed`, "APKINDEX" fields, wiki.alpinelinux.org/wiki/Apk_spec).

use crate::facts::steps;

/// Packages that bring `/usr/bin/dockerd` or `/usr/sbin/dockerd`: Debian's and Ubuntu's own, Docker's, Microsoft's and
/// Fedora's, Alpine's.
const DOCKERD: [&str; 4] = ["docker.io", "docker-ce", "moby-engine", "docker-engine"];

/// The version of dockerd as its project counts, by the package that brings it: `20.10.24` of
/// `20.10.24+dfsg1-1+deb12u1`. `None` where no such package is installed, or more than one is.
pub fn dockerd(records: &str) -> Option<String> {
    steps::count(records.len());
    let mut versions = records
        .split("\n\n")
        .filter_map(installed)
        .filter(|(name, _)| DOCKERD.contains(name))
        .map(|(_, version)| upstream(version));
    let only = versions.next()?;
    if versions.next().is_some() {
        return None;
    }
    only
}

/// Name and version of a record, if what it describes is installed. apk lists nothing else.
fn installed(record: &str) -> Option<(&str, &str)> {
    let field = |long: &str, short: &str| {
        record.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name == long || name == short).then(|| value.trim())
        })
    };
    // dpkg(1): what was removed and keeps its configuration still has a record.
    let is_there = field("Status", "")
        .is_none_or(|status| status.split_ascii_whitespace().nth(2) == Some("installed"));
    is_there
        .then(|| Some((field("Package", "P")?, field("Version", "V")?)))
        .flatten()
}

/// The three numbers of a version, without epoch, repackaging, release candidate and revision (deb-version(7)). A
/// version of any other form is none.
fn upstream(version: &str) -> Option<String> {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let end = version
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(version.len());
    let numbers = &version[..end];
    let parts: Vec<&str> = numbers.split('.').collect();
    (parts.len() == 3 && parts.iter().all(|part| !part.is_empty())).then(|| numbers.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_that_brings_dockerd() {
        let status = |package: &str, status: &str, version: &str| {
            format!(
                "Package: {package}\nStatus: {status}\nDescription: x\n Version: 1\nVersion: {version}\n"
            )
        };
        let other = status("bash", "install ok installed", "5.2.15-2+b2");
        let cases = [
            (
                "docker.io",
                "install ok installed",
                "20.10.24+dfsg1-1+deb12u1+b2",
                Some("20.10.24"),
            ),
            (
                "docker.io",
                "hold ok installed",
                "26.1.5+dfsg1-9+b4",
                Some("26.1.5"),
            ),
            (
                "docker-ce",
                "install ok installed",
                "5:29.10.0-1~debian.13~trixie",
                Some("29.10.0"),
            ),
            (
                "moby-engine",
                "install ok installed",
                "25.0.6-ubuntu22.04u1",
                Some("25.0.6"),
            ),
            (
                "docker-ce",
                "install ok installed",
                "5:28.0.0~rc.1-1~debian.12",
                Some("28.0.0"),
            ),
            (
                "docker.io",
                "deinstall ok config-files",
                "20.10.24+dfsg1-1",
                None,
            ),
            ("docker.io", "install ok unpacked", "20.10.24+dfsg1-1", None),
            ("docker.io", "install ok installed", "snapshot", None),
            ("docker-ce-cli", "install ok installed", "5:28.0.0-1", None),
        ];
        for (package, state, version, expected) in cases {
            let records = format!("{other}\n{}\n{other}", status(package, state, version));
            assert_eq!(
                dockerd(&records).as_deref(),
                expected,
                "{package} {state} {version}"
            );
        }
    }

    #[test]
    fn alpine() {
        let records = "C:Q1x\nP:docker-cli\nV:28.3.3-r1\nA:x86_64\n\nC:Q1y\nP:docker-engine\nV:28.3.3-r2\nF:usr/bin\nR:dockerd\n";
        assert_eq!(dockerd(records).as_deref(), Some("28.3.3"));
    }

    #[test]
    fn of_two_nobody_knows() {
        let records = "Package: docker.io\nStatus: install ok installed\nVersion: 20.10.24-1\n\nPackage: docker-ce\nStatus: install ok installed\nVersion: 5:28.0.1-1\n";
        assert_eq!(dockerd(records), None);
        assert_eq!(dockerd(""), None);
    }
}
