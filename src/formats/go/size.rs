//! Sizes such as `64m`: `RAMInBytes` of docker/go-units.

/// Bytes in a text such as `64m`, `1.5G`, `64 MiB`, as every version of the library reads it; `None`
/// for anything else.
pub fn bytes(text: &str) -> Option<i64> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    if !number.starts_with(|c: char| c.is_ascii_digit()) || number.ends_with('.') {
        return None;
    }
    let number: f64 = number.parse().ok()?;
    let suffix = rest.strip_prefix(' ').unwrap_or(rest).to_ascii_lowercase();
    // As Go converts: towards zero.
    #[allow(clippy::cast_possible_truncation)]
    Some((number * factor(&suffix)?) as i64)
}

fn factor(suffix: &str) -> Option<f64> {
    let power = match suffix {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        "p" | "pb" | "pib" => 5,
        _ => return None,
    };
    Some(1024_f64.powi(power))
}

/// Whether some versions of the library read a text that [`bytes`] does not: older ones take an `i`
/// alone behind the letter, later ones every spelling of a number.
pub fn is_read_by_some(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let old = ["i", "ib"].iter().any(|end| {
        let number = lower.strip_suffix(end);
        number.is_some_and(|number| bytes(number).is_some())
    });
    let end = text.rfind(|c: char| c.is_ascii_digit() || c == '.');
    let new = end.is_some_and(|end| {
        let (number, suffix) = text.split_at(end + 1);
        let suffix = suffix.strip_prefix(' ').unwrap_or(suffix);
        number.parse::<f64>().is_ok_and(|number| number >= 0.0)
            && factor(&suffix.to_ascii_lowercase()).is_some()
    });
    bytes(text).is_none() && (old || new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading() {
        for (text, expected) in [
            ("64", Some(64)),
            ("64m", Some(64 << 20)),
            ("64 MiB", Some(64 << 20)),
            ("1.5G", Some(3 << 29)),
            ("0", Some(0)),
            ("-1", None),
            ("x", None),
            ("64x", None),
            ("64m ", None),
            (" 64m", None),
            ("1.", None),
            ("M", None),
            ("", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
            assert!(expected.is_none() || !is_read_by_some(text), "{text}");
        }
        for (text, by_some) in [
            ("1e3", true),
            ("+1", true),
            ("64i", true),
            ("64x", false),
            ("-1", false),
            ("", false),
            ("64M ", false),
        ] {
            assert_eq!(is_read_by_some(text), by_some, "{text}");
        }
    }
}
