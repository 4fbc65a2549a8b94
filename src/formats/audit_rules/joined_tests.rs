use super::*;

fn joined(texts: &[&str], awk: Awk, release: Option<Release>) -> Vec<String> {
    join(texts, awk, release)
        .into_iter()
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
