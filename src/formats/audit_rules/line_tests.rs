use super::*;
use crate::formats::audit_rules::around::Nowhere;

#[test]
fn effects_before_a_line_is_refused() {
    let outcome = run("-e 1 -b 64 # why", &Nowhere);
    assert_eq!(outcome.commands, [Command::Enable(1), Command::Backlog(64)]);
    assert!(matches!(outcome.bad, Some(Bad::Stray { .. })));
    let outcome = run("-i -w /x", &Nowhere);
    assert_eq!(outcome.commands, [Command::Ignore]);
    assert!(outcome.bad.is_some() && outcome.rule.is_none());
    // Where the action is "possible" nothing happens at all.
    let outcome = run("-a exit,possible -S nonsense", &Nowhere);
    assert_eq!((outcome.bad, outcome.rule), (None, None));
}

#[test]
fn numbers_as_in_c() {
    for (text, value) in [
        ("12", Some(12)),
        ("0x1f", Some(31)),
        ("010", Some(8)),
        ("08", Some(0)),
        ("0", Some(0)),
        ("0x", Some(0)),
        ("12abc", Some(12)),
        ("4294967295", Some(u32::MAX)),
        ("4294967296", Some(0)),
        ("99999999999999999999", Some(u32::MAX)),
        ("", None),
        ("x", None),
        ("-1", None),
    ] {
        assert_eq!(number(text), value, "{text}");
    }
}

#[test]
fn what_is_not_known_is_said() {
    for (line, doubts) in [
        ("-a always,exit -F arch=b64 -S openat", false),
        ("-a always,exit -F arch=b64 -S open", true),
        ("-a always,exit -S read -F uid=somebody", true),
        ("-a always,exit -S read -F gid=somebody", true),
        ("-w /x/y -p wa", true),
        ("-w / -p wa", false),
        ("-a always,io_uring -S openat", true),
        ("-a always,EXIT -S read", true),
        ("-b 64", false),
    ] {
        let outcome = run(line, &Nowhere);
        assert_eq!(outcome.bad, None, "{line}");
        assert_eq!(
            outcome.doubt.is_some(),
            doubts,
            "{line}: {:?}",
            outcome.doubt
        );
    }
}
