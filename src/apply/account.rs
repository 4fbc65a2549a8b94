//! Lines of one account in the files of passwd(5) and its kin: taking ours out, byte for byte
//! nothing else.

use crate::facts::Bytes;

/// Whether there is a line of this account.
pub(super) fn has(content: &Bytes, name: &str) -> bool {
    content
        .0
        .split_inclusive(|&byte| byte == b'\n')
        .any(|line| is_of(line, name))
}

/// The content without the lines of this account.
pub(super) fn without(content: &Bytes, name: &str) -> Bytes {
    Bytes::new(
        content
            .0
            .split_inclusive(|&byte| byte == b'\n')
            .filter(|line| !is_of(line, name))
            .collect::<Vec<_>>()
            .concat(),
    )
}

fn is_of(line: &[u8], name: &str) -> bool {
    line.strip_prefix(name.as_bytes())
        .is_some_and(|rest| rest.first() == Some(&b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_of_the_account_go() {
        let text = "root:x:0\ndockremap:x:1\n#dockremap:\ndockremap2:x:2\r\n\u{ff}odd\nlast:no end";
        let content = Bytes::from(text);
        assert!(has(&content, "dockremap"));
        let rest = without(&content, "dockremap");
        assert!(!has(&rest, "dockremap"));
        assert_eq!(
            rest,
            Bytes::from(text.replace("dockremap:x:1\n", "").as_str())
        );
        assert_eq!(without(&rest, "dockremap"), rest);
    }
}
