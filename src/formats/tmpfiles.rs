//! What systemd-tmpfiles(8) makes at boot: tmpfiles.d(5).

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The letter of the type.
    pub kind: char,
    /// The path, with the specifiers that can be known filled in, without a slash at its end.
    pub path: String,
}

impl Line {
    /// Whether it makes a folder.
    pub fn makes_folder(&self) -> bool {
        matches!(self.kind, 'd' | 'D' | 'v' | 'q' | 'Q')
    }

    /// Whether it makes anything, and with that the folders above it.
    pub fn makes(&self) -> bool {
        self.makes_folder() || matches!(self.kind, 'f' | 'F' | 'L' | 'p' | 'c' | 'b' | 'C')
    }
}

/// The lines of a file. One with a specifier that depends on the host is left out.
pub fn parse(text: &str) -> Vec<Line> {
    text.lines().filter_map(line).collect()
}

fn line(text: &str) -> Option<Line> {
    let mut words = text.split_whitespace();
    let kind = words.next()?;
    if kind.starts_with('#') {
        return None;
    }
    let path = words.next()?.trim_matches('"');
    let path = path
        .replace("%t", "/run")
        .replace("%S", "/var/lib")
        .replace("%C", "/var/cache")
        .replace("%L", "/var/log")
        .replace("%T", "/tmp");
    if path.contains('%') || !path.starts_with('/') {
        return None;
    }
    let path = path
        .strip_prefix("/var/run/")
        .map_or_else(|| path.clone(), |rest| format!("/run/{rest}"));
    Some(Line {
        kind: kind.chars().next()?,
        path: path.trim_end_matches('/').to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        for (text, kind, path, folder) in [
            (
                "d /run/containerd 0711 root root -",
                'd',
                "/run/containerd",
                true,
            ),
            ("D! /run/x/ - - -", 'D', "/run/x", true),
            ("d %t/y 0755", 'd', "/run/y", true),
            ("d /var/run/z", 'd', "/run/z", true),
            ("L+ /run/link - - - - /x", 'L', "/run/link", false),
            ("f \"/run/file\"", 'f', "/run/file", false),
        ] {
            let lines = parse(text);
            assert_eq!(
                lines,
                [Line {
                    kind,
                    path: path.to_owned()
                }],
                "{text}"
            );
            assert_eq!(lines[0].makes_folder(), folder, "{text}");
            assert!(lines[0].makes(), "{text}");
        }
        assert_eq!(parse("# d /run/x\n\nd\nd relative\nd /run/%m\n"), []);
        assert!(!parse("z /run/x 0755")[0].makes());
    }
}
