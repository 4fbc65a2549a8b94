//! The output of `systemctl show` (systemctl(1)).

use std::collections::BTreeMap;

/// The lines `KEY=VALUE`. A property that is printed more than once, such as `ExecStart` or `EnvironmentFiles`, has
/// its values joined by newlines.
pub fn show_properties(text: &str) -> BTreeMap<String, String> {
    let mut properties: BTreeMap<String, String> = BTreeMap::new();
    for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
        properties
            .entry(key.to_owned())
            .and_modify(|values| {
                values.push('\n');
                values.push_str(value);
            })
            .or_insert_with(|| value.to_owned());
    }
    properties
}

/// The words of `argv[]` in `{ path=… ; argv[]=… ; ignore_errors=… ; … }`, of several commands those of the first.
/// systemd prints the words with spaces between them and no quotes.
pub fn show_exec_argv(value: &str) -> Option<Vec<String>> {
    let (_, rest) = value.split_once("argv[]=")?;
    // Depending on the version the words are followed by `ignore_errors=` or `flags=`.
    let ends = [" ; ignore_errors=", " ; flags=", " ; start_time="];
    let end = ends.iter().filter_map(|end| rest.find(end)).min();
    let words = end.map_or(rest, |end| &rest[..end]);
    Some(
        words
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

/// The files of `EnvironmentFiles=`, and whether a missing one is ignored.
pub fn show_environment_files(value: &str) -> Vec<(String, bool)> {
    let mut files = Vec::new();
    let mut rest = value.trim_start();
    while let Some((path, after)) = rest.split_once(" (ignore_errors=") {
        let (ignored, after) = after.split_once(')').unwrap_or((after, ""));
        files.push((path.to_owned(), ignored == "yes"));
        rest = after.trim_start();
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties() {
        let text = "ActiveState=active\nEnvironment=A=1 B=2\nEmpty=\nEnvironmentFiles=/a (ignore_errors=yes)\nEnvironmentFiles=/b c (ignore_errors=no)\n\n";
        let properties = show_properties(text);
        assert_eq!(properties["ActiveState"], "active");
        assert_eq!(properties["Environment"], "A=1 B=2");
        assert_eq!(properties["Empty"], "");
        let expected = [("/a".to_owned(), true), ("/b c".to_owned(), false)];
        assert_eq!(
            show_environment_files(&properties["EnvironmentFiles"]),
            expected
        );
        assert_eq!(
            show_environment_files("/a (ignore_errors=yes) /b c (ignore_errors=no)"),
            expected
        );
        assert_eq!(show_environment_files(""), []);
    }

    #[test]
    fn argv() {
        let value = "{ path=/usr/bin/dockerd ; argv[]=/usr/bin/dockerd -H fd:// --containerd=/run/c.sock ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }";
        let words = [
            "/usr/bin/dockerd",
            "-H",
            "fd://",
            "--containerd=/run/c.sock",
        ];
        assert_eq!(show_exec_argv(value).unwrap(), words);
        let two = format!("{value}\n{{ path=/x ; argv[]=/x ; ignore_errors=no ; }}");
        assert_eq!(show_exec_argv(&two).unwrap(), words);
        assert_eq!(
            show_exec_argv("{ argv[]=/d ; flags= ; start_time=[n/a] }").unwrap(),
            ["/d"]
        );
        assert_eq!(show_exec_argv(""), None);
    }
}
