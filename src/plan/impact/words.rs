//! Sentences and sizes.

use crate::facts::{Container, Image};

/// `container web`.
pub(super) fn container(container: &Container) -> String {
    format!("container {}", plain(&container.name))
}

/// `image busybox:latest`, or the first digits of an id.
pub(super) fn image(image: &Image) -> String {
    if let Some(tag) = image.tags.first() {
        return format!("image {}", plain(tag));
    }
    let id = image.id.strip_prefix("sha256:").unwrap_or(&image.id);
    format!("image {}", id.get(..12).unwrap_or(id))
}

/// A name from the host on one line: a path may hold a newline, and must not look like another
/// effect.
pub(super) fn plain(name: &str) -> String {
    name.replace(char::is_control, "\u{fffd}")
}

/// `container web` for each.
pub(super) fn containers<'a>(all: impl IntoIterator<Item = &'a Container>) -> Vec<String> {
    all.into_iter().map(container).collect()
}

/// The names alone, `web, db`.
pub(super) fn names<'a>(all: impl IntoIterator<Item = &'a Container>) -> String {
    let names: Vec<String> = all
        .into_iter()
        .map(|container| plain(&container.name))
        .collect();
    names.join(", ")
}

/// `2 containers`, or nothing where there are none.
pub(super) fn counted(count: usize, noun: &str) -> Option<String> {
    let plural = match noun.as_bytes() {
        _ if count == 1 => "",
        [.., b'c', b'h'] => "es",
        _ => "s",
    };
    (count > 0).then(|| format!("{count} {noun}{plural}"))
}

/// `a, b and c`.
pub(super) fn listed(words: &[String]) -> String {
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// `1.2 GB`, in powers of ten as `docker system df` prints it.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    if tenths < 100 {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    } else {
        format!("{} {}", tenths / 10, UNITS[unit])
    }
}

pub(super) fn first_sentence(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.split_once(". ") {
        Some((first, _)) => first.to_owned(),
        None => line.trim_end_matches('.').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1999, "1.9 kB"),
            (9_999, "9.9 kB"),
            (10_000, "10 kB"),
            (999_999, "999 kB"),
            (1_000_000, "1.0 MB"),
            (1_234_567_890, "1.2 GB"),
            (45_000_000_000_000, "45 TB"),
            (4_500_000_000_000_000, "4500 TB"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn counting() {
        for (counts, text) in [
            ([0, 0, 0], ""),
            ([0, 1, 0], "1 image"),
            ([2, 0, 1], "2 containers and 1 volume"),
            ([2, 3, 1], "2 containers, 3 images and 1 volume"),
        ] {
            assert_eq!(counted(2, "watch").unwrap(), "2 watches");
            let nouns = ["container", "image", "volume"];
            let words: Vec<String> = counts
                .into_iter()
                .zip(nouns)
                .filter_map(|(count, noun)| counted(count, noun))
                .collect();
            assert_eq!(listed(&words), text);
        }
    }
}
