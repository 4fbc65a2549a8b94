use super::*;

fn joined(texts: &[&str], awk: Awk, release: Option<Release>) -> Vec<String> {
    join(texts, awk, release)
        .map(|placed| {
            let doubt = if placed.doubt.is_some() { "?" } else { "" };
            format!(
                "{}:{}{doubt} {}",
                placed.spot.file, placed.spot.line, placed.text
            )
        })
        .collect()
}

#[test]
fn what_moves_and_what_goes() {
    let one = "# a\n-b 1\n-D\n\n-w /a\n-e 2\n-f 0\n-w /b\n";
    let other = "-D\n-b 2\n-e 1\n-w /c\n-D -k x\n-f 1\n--backlog_wait_time 1\n";
    assert_eq!(
        joined(&[one, other], Awk::Blank, None),
        [
            "1:1 -D",
            "1:2 -b 2",
            "1:6 -f 1",
            "0:5 -w /a",
            "0:8 -w /b",
            "1:4 -w /c",
            "1:5 -D -k x",
            "1:7 --backlog_wait_time 1",
            "1:3 -e 1",
        ]
    );
    // Nothing is put between two files.
    assert_eq!(
        joined(&["-w /a", "-w /b\n"], Awk::Blank, None),
        ["0:1 -w /a-w /b"]
    );
    assert_eq!(
        joined(&["-w /a", "", "\n-w /b\n"], Awk::Blank, None),
        ["0:1 -w /a", "2:2 -w /b"]
    );
}

#[test]
fn what_depends_on_awk_and_on_the_release() {
    let text = "  # a\n\t# b\n -e 1\n-D \n-w /a\n";
    assert_eq!(
        joined(&[text], Awk::Blank, None),
        ["0:4 -D ", "0:5 -w /a", "0:3  -e 1"]
    );
    assert_eq!(
        joined(&[text], Awk::Letter, None),
        [
            "0:1   # a",
            "0:2 \t# b",
            "0:3  -e 1",
            "0:4 -D ",
            "0:5 -w /a"
        ]
    );
    let unseen = joined(&[text], Awk::Unseen, None);
    assert_eq!(unseen, ["0:2? #", "0:3?  -e 1", "0:4? -D ", "0:5 -w /a"]);
    assert_eq!(
        joined(&["-w /a\r\n\r\n"], Awk::Blank, Some(Release(4, 0, 2))),
        ["0:1 -w /a"]
    );
    assert_eq!(
        joined(&["-w /a\r\n"], Awk::Blank, Some(Release(3, 0, 9))),
        ["0:1 -w /a\r"]
    );
    assert_eq!(joined(&["-w /a\r\n"], Awk::Blank, None), ["0:1? -w /a\r"]);
}

#[test]
fn long_lines_are_read_in_pieces() {
    let long = format!("-w /{}", "a".repeat(MOST_BYTES - 4));
    for (text, expected) in [
        // The newline alone is a blank line.
        (format!("{long}\n-D\n"), vec![(1, MOST_BYTES), (2, 2)]),
        (
            format!("{long} -p\n-D"),
            vec![(1, MOST_BYTES), (1, 3), (2, 2)],
        ),
        (
            format!("{long}{long}{long}"),
            vec![(1, MOST_BYTES), (1, MOST_BYTES), (1, MOST_BYTES)],
        ),
        // Pieces are made of bytes.
        (
            format!("{}\u{e9}", &long[1..]),
            vec![(1, MOST_BYTES + 2), (1, 3)],
        ),
    ] {
        let found: Vec<(u32, usize)> = lines(0, &text)
            .map(|placed| (placed.spot.line, placed.text.len()))
            .collect();
        assert_eq!(found, expected);
        // In whatever way it comes there.
        let joined: Vec<(u32, usize)> = join(&["", &text], Awk::Blank, None)
            .map(|placed| (placed.spot.line, placed.text.len()))
            .collect();
        if !text.ends_with("-D\n") && !text.ends_with("-D") {
            assert_eq!(joined, expected);
        }
    }
}

#[test]
fn a_zero_ends_a_line() {
    let texts: Vec<String> = lines(0, "-D\0 # x\n\0-D\n-w /a\n")
        .map(|placed| placed.text.into_owned())
        .collect();
    assert_eq!(texts, ["-D", "", "-w /a"]);
}

#[test]
fn blank_lines_count() {
    let spots: Vec<u32> = lines(0, "\n\n-D\n\n\n-w /a\n\n")
        .map(|placed| placed.spot.line)
        .collect();
    assert_eq!(spots, [3, 6]);
    assert_eq!(lines(0, "").count(), 0);
}

#[test]
fn natural_order() {
    let mut names = [
        "10.rules",
        "2.rules",
        "a.rules",
        "1.rules",
        "B.rules",
        "10-x.rules",
    ];
    names.sort_by(|one, other| natural(one, other));
    assert_eq!(
        names,
        [
            "1.rules",
            "2.rules",
            "10.rules",
            "10-x.rules",
            "B.rules",
            "a.rules"
        ]
    );
}
