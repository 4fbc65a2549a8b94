use super::*;
use crate::formats::audit_rules::around::Nowhere;
use crate::formats::audit_rules::joined::lines;

fn loaded(text: &str) -> Loading {
    load(lines(0, text), &Nowhere)
}

/// The lines of the rules that are there in the end, in the order in which they are looked at.
fn order(loading: &Loading) -> Vec<usize> {
    let mut rules: Vec<&Loaded> = loading.rules.iter().collect();
    rules.sort_by_key(|rule| rule.order);
    rules.iter().map(|rule| rule.spot.line).collect()
}

#[test]
fn where_it_ends() {
    let loading = loaded("-D\n-w /a -p w\n-w relative\n-w /b -p w\n");
    assert_eq!(order(&loading), [2]);
    let (spot, bad) = loading.ended.unwrap();
    assert_eq!((spot.line, bad), (3, Bad::Relative("relative".to_owned())));
    assert_eq!(loading.unreached[0].0.line, 4);
    // What is refused is passed over behind -i and -c, and ends it before.
    for option in ["-i", "-c"] {
        let loading = loaded(&format!("-D\n{option}\n-w relative\n-w /b -p w\n"));
        assert_eq!(order(&loading), [4]);
        assert_eq!((loading.ended, loading.passed.len()), (None, 1));
        let loading = loaded(&format!("-D\n-w relative\n{option}\n-w /b -p w\n"));
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
    assert!(loading.rules[0].doubt.is_some());
}

#[test]
fn work_grows_with_the_input() {
    let lines = |count: usize| -> String {
        let line = |at| ["-w /etc/", &"x".repeat(at), " -p wa -k k\n"].concat();
        (1..=count).map(line).collect()
    };
    assert_eq!(loaded(&lines(200)).steps, 2 * loaded(&lines(100)).steps);
    // Calls are told apart where the machine is not known as well.
    let text = "-a always,exit -S openat\n-a always,exit -S close\n-a always,exit -S close\n";
    assert_eq!(loaded(text).ended.map(|(spot, _)| spot.line), Some(3));
}
