//! Files of settings, one `name = value` a line: auditd.conf(5), ufw's `ufw.conf`, csf's `csf.conf`.

/// The value of a setting, quotes around it left out: that of the last line that gives it one. Names
/// are told apart by their letters, whatever their case; a line that begins with `#` is a comment.
pub fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .filter(|(word, _)| word.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().trim_matches(['"', '\'']))
        .next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading() {
        for (text, expected) in [
            ("ENABLED=yes\n", Some("yes")),
            ("enabled = \"no\"  \r\n", Some("no")),
            ("# ENABLED=yes\n  #ENABLED=yes\n", None),
            ("ENABLED=yes\nENABLED=no", Some("no")),
            ("ENABLED\nENABLEDX=1\nXENABLED=1\n", None),
            ("ENABLED=\n", Some("")),
            ("", None),
        ] {
            assert_eq!(value(text, "ENABLED"), expected, "{text:?}");
        }
    }
}
