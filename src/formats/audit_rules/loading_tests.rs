use super::*;
use crate::formats::audit_rules::around::Nowhere;
use crate::formats::audit_rules::joined::lines;

fn loaded(text: &str) -> Loading<'_> {
    load(lines(0, text), &Nowhere)
}

/// The lines of the rules that are there in the end, in the order in which they are looked at.
fn order(loading: &Loading<'_>) -> Vec<u32> {
    let mut rules: Vec<&Loaded<'_>> = loading.rules.iter().collect();
    rules.sort_by_key(|rule| rule.order);
    rules.iter().map(|rule| rule.spot.line).collect()
}

#[test]
fn where_it_ends() {
    let loading = loaded("-D\n-w /a -p w\n-w relative\n-w /b -p w\n");
    assert_eq!(order(&loading), [2]);
    let (spot, bad) = loading.ended.unwrap();
    assert_eq!((spot.line, bad), (3, Bad::Relative("relative".to_owned())));
    assert_eq!(loading.unreached[0].spot.line, 4);
    // What is refused is passed over behind -i and -c, and ends it before.
    for option in ["-i", "-c"] {
        let text = format!("-D\n{option}\n-w relative\n-w /b -p w\n");
        let loading = loaded(&text);
        assert_eq!(order(&loading), [4]);
        assert_eq!((loading.ended, loading.passed.len()), (None, 1));
        let text = format!("-D\n-w relative\n{option}\n-w /b -p w\n");
        let loading = loaded(&text);
        assert!(loading.ended.is_some() && loading.rules.is_empty());
    }
    // Nothing changes after -e 2.
    let loading = loaded("-w /a\n-e 2\n-w /b\n");
    assert_eq!(order(&loading), [1]);
    assert_eq!(
        loading.ended.map(|(spot, bad)| (spot.line, bad)),
        Some((3, Bad::Locked))
    );
    assert_eq!(
        loading
            .settings
            .enabled
            .map(|(spot, value)| (spot.line, value)),
        Some((2, 2))
    );
}

#[test]
fn what_comes_and_goes() {
    for (text, expected) in [
        ("-w /a\n-w /b\n-D\n-w /c\n", vec![4]),
        ("-w /a -k x\n-w /b -k y\n-D -k x\n-w /c\n", vec![2, 4]),
        ("-w /a -k xyz\n-D -k y\n", vec![]),
        ("-w /a -k x\n-W /a -k x\n-w /a -k x\n", vec![3]),
        (
            "-w /a\n-a always,exit -F path=/b\n-d always,exit -F path=/b\n",
            vec![1],
        ),
        (
            "-w /a\n-A always,exit -F path=/b\n-A always,exit -F path=/c\n",
            vec![3, 2, 1],
        ),
        // One that is to be first is never there already.
        (
            "-w /a -p wa\n-A always,exit -F path=/a -F perm=wa\n",
            vec![2, 1],
        ),
    ] {
        let loading = loaded(text);
        assert_eq!(loading.ended, None, "{text}");
        assert_eq!(order(&loading), expected, "{text}");
    }
    assert_eq!(loaded("-w /a\n-w /a\n").ended.unwrap().1, Bad::Exists);
    assert_eq!(loaded("-W /a\n").ended.unwrap().1, Bad::NotThere);
}

#[test]
fn doubts_and_settings() {
    let loading = loaded("-b 1\n-r 5\n-f 0\n-b 0\n-w /x/a\n-w /x/b\n");
    let (spot, doubt) = loading.doubt.unwrap();
    assert_eq!((spot.line, doubt), (5, Doubt::Path("/x".to_owned())));
    assert_eq!(loading.settings.backlog.unwrap().1, 0);
    assert_eq!(loading.settings.rate.unwrap().1, 5);
    // Behind -i a doubt is about its own rule only.
    let loading = loaded("-i\n-w /x/a\n");
    assert_eq!(loading.doubt, None);
    assert!(loading.rules[0].is_doubtful);
    assert_eq!(
        loading.rules[0].read(&Nowhere).doubt,
        Some(Doubt::Path("/x".to_owned()))
    );
}

#[test]
fn deleting_by_key_is_bounded() {
    let rules = repeated(|at| format!("-w /f{at} -k k{at}\n"), 3000);
    let deletes = repeated(|at| format!("-D -k x{at}\n"), 3000);
    let text = [rules, deletes, "-w /last\n".to_owned()].concat();
    let loading = loaded(&text);
    assert_eq!(loading.doubt.map(|(_, doubt)| doubt), Some(Doubt::Keys));
    // Any rule may be gone.
    assert_eq!(loading.doubt_step, 0);
    assert!(loading.steps < 2 * MOST_KEYS);
}

#[test]
fn calls_are_told_apart_without_a_machine() {
    let text = "-a always,exit -S openat\n-a always,exit -S close\n-a always,exit -S close\n";
    assert_eq!(loaded(text).ended.map(|(spot, _)| spot.line), Some(3));
}

#[test]
fn lines_with_bytes_that_are_no_text() {
    let text = b"-w /a\xff/x -p w -k \xfe\n-w /b -p w\n-w /a\xff/x -p w -k \xfe\n";
    let loading = load(lines(0, text), &Nowhere);
    assert_eq!(
        loading.ended.map(|(spot, bad)| (spot.line, bad)),
        Some((3, Bad::Exists))
    );
    let places: Vec<_> = loading
        .rules
        .iter()
        .map(|rule| rule.brief.place.as_deref())
        .collect();
    assert_eq!(places, [Some("/a\u{fffd}/x"), Some("/b")]);
}

/// The line at each place.
type Shape = fn(usize) -> String;

fn repeated(line: Shape, count: usize) -> String {
    (0..count).map(line).collect()
}

#[test]
fn work_grows_with_the_input() {
    let shapes: [(&str, Shape); 8] = [
        ("watches", |at| format!("-w /etc/{at} -p wa -k k\n")),
        ("calls", |at| {
            format!("-a always,exit -S openat -F path=/etc/{at} -F perm=wa -k k\n")
        }),
        ("never", |at| format!("-a never,exit -F dir=/etc/{at}\n")),
        ("prepended", |at| {
            format!("-A never,exit -F path=/etc/{at}\n")
        }),
        ("refused", |at| {
            format!("{}-w relative{at}\n", if at == 0 { "-i\n" } else { "" })
        }),
        ("the same", |at| {
            format!("{}-w /etc\n", if at == 0 { "-i\n" } else { "" })
        }),
        ("unreached", |at| {
            format!("-w {}/etc/{at}\n", if at == 0 { "." } else { "" })
        }),
        ("made and deleted", |at| {
            format!("-w /etc/{at} -k k\n-D -k k\n")
        }),
    ];
    for (name, line) in shapes {
        let steps = |count| loaded(&repeated(line, count)).steps;
        let (once, twice) = (steps(1000), steps(2000));
        assert!(once >= 1000, "{name}: {once}");
        assert!(10 * twice <= 22 * once, "{name}: {once}, {twice}");
    }
}
