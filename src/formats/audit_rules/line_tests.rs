use super::*;
use crate::formats::audit_rules::around::{Account, Nowhere, Place};

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

/// A host with this release of auditctl.
struct Of(Release);

impl Around for Of {
    fn machine(&self) -> Option<Machine> {
        Some(Machine::X86_64)
    }

    fn release(&self) -> Option<Release> {
        Some(self.0)
    }

    fn user(&self, _: &str) -> Account {
        Account::Missing
    }

    fn group(&self, _: &str) -> Account {
        Account::Missing
    }

    fn place(&self, _: &str) -> Place {
        Place::Folder
    }
}

#[test]
fn short_words_that_there_is_no_room_for() {
    // 24 bytes: room for nine words, of ten.
    let dense = "-w / -p w -k a -k b -k c";
    let room = "-w / -p w -k a -k b -k cc d";
    for (line, release, bad) in [
        (dense, Release(3, 0, 9), Some(Bad::NoValue("-k".to_owned()))),
        (dense, Release(4, 0, 2), Some(Bad::NoValue("-k".to_owned()))),
        (dense, Release(4, 2, 0), None),
        // Blanks make room, too.
        ("   -w / -p w -k a -k b -k c", Release(3, 0, 9), None),
        // What is dropped may as well have been one too many.
        (room, Release(3, 0, 9), None),
        (
            room,
            Release(4, 2, 1),
            Some(Bad::Stray {
                word: "d".to_owned(),
            }),
        ),
    ] {
        let outcome = run(line, &Of(release));
        assert_eq!(
            (outcome.bad, outcome.doubt),
            (bad, None),
            "{line} {release:?}"
        );
    }
    let outcome = run(dense, &Nowhere);
    assert!(
        matches!(outcome.doubt, Some(Doubt::Release(_))),
        "{outcome:?}"
    );
}
