use super::*;
use crate::formats::audit_rules::Perms;
use crate::formats::audit_rules::around::Nowhere;
use crate::formats::audit_rules::joined::lines;
use crate::formats::audit_rules::loading::load;

const FOLDER: Asked<'_> = Asked {
    path: "/var/lib/docker",
    names: &[],
    folder: true,
    perms: Perms::WRITE_ATTRIBUTE,
    twins: true,
};

/// The verdict on `/var/lib/docker` with these lines: `by N`, `N takes …`, `missing`; N is the line.
fn verdict(text: &str, asked: &Asked<'_>) -> String {
    let loading = load(lines(0, text), &Nowhere);
    assert_eq!(loading.ended, None, "{text}");
    let index = Index::new(loading.rules.iter().map(|rule| (&rule.brief, rule.order)));
    let line = |at: usize| loading.rules[at].spot.line;
    match index.coverage(asked, |_| true) {
        Coverage::Missing => "missing".to_owned(),
        Coverage::By(at) => format!("by {}", line(at)),
        Coverage::Taken { by, how, .. } => format!("{} takes {how:?}", line(by)),
    }
}

#[test]
fn the_first_rule_that_matches_decides() {
    const WATCH: &str = "-a always,exit -F dir=/var/lib/docker -F perm=wa -k docker";
    let cases = [
        (vec![WATCH], "by 1"),
        (
            vec!["-a never,exit -F dir=/var/lib/docker", WATCH],
            "1 takes All",
        ),
        (
            vec!["-a exit,never -F dir=/var/lib -F key=quiet", WATCH],
            "1 takes All",
        ),
        (vec!["-a never,exit -F dir=/", WATCH], "1 takes All"),
        (vec![WATCH, "-a never,exit -F dir=/var/lib/docker"], "by 1"),
        (
            vec![WATCH, "-A never,exit -F dir=/var/lib/docker"],
            "2 takes All",
        ),
        (vec!["-a never,exit -F dir=/var/lib/dockers", WATCH], "by 2"),
        (
            vec!["-a never,exit -F dir=/var/lib/docker/overlay2", WATCH],
            "1 takes Below(\"/var/lib/docker/overlay2\")",
        ),
        (
            vec!["-a never,exit -F path=/var/lib/docker", WATCH],
            "1 takes Below(\"/var/lib/docker\")",
        ),
        (
            vec!["-a never,exit -F dir=/var/lib/docker -F perm=r", WATCH],
            "by 2",
        ),
        (
            vec!["-a never,exit -F dir=/var/lib/docker -F perm=w", WATCH],
            "1 takes Some",
        ),
        (
            vec!["-a never,exit -F dir=/var/lib/docker -F uid=0", WATCH],
            "1 takes Some",
        ),
        (
            vec!["-a never,exit -F arch=b64 -F dir=/var/lib/docker", WATCH],
            "1 takes Some",
        ),
        (vec!["-a never,exit -S all", WATCH], "1 takes All"),
        (
            vec!["-a never,exit -F exe=/usr/bin/dockerd", WATCH],
            "1 takes Some",
        ),
        (vec!["-a never,exit -F arch=b64 -S adjtimex", WATCH], "by 2"),
        (
            vec!["-a never,exit -F arch=b64 -S openat", WATCH],
            "1 takes Some",
        ),
        (
            vec!["-a never,exit -F arch=b64 -S 257", WATCH],
            "1 takes Some",
        ),
        (vec![WATCH, "-a never,task"], "2 takes Processes"),
        (vec![WATCH, "-a task,always", "-a task,never"], "by 1"),
        (vec![WATCH, "-a task,never -F uid=0"], "2 takes Processes"),
        (vec![WATCH, "-a always,exclude -F msgtype=CWD"], "by 1"),
        (
            vec![WATCH, "-a never,exclude -F msgtype=PATH"],
            "2 takes Records",
        ),
        (
            vec![WATCH, "-a always,exclude -F msgtype>=1300 -F msgtype<=1301"],
            "2 takes Records",
        ),
        (vec![WATCH, "-a always,exclude -F msgtype>1302"], "by 1"),
        (
            vec![WATCH, "-a always,exclude -F auid=1000"],
            "2 takes Records",
        ),
        (vec![WATCH, "-a never,filesystem -F fstype=tracefs"], "by 1"),
        (
            vec![WATCH, "-a never,filesystem -F fstype=0xEF53"],
            "2 takes Records",
        ),
        (vec!["-a never,user", WATCH], "by 2"),
        (
            vec!["-a always,exit -F path=/var/lib/docker -F perm=wa"],
            "missing",
        ),
        (vec!["-a always,exit -F dir=/var/lib -F perm=wa"], "by 1"),
        (vec!["-a always,exit -F dir=/var/lib -F perm=w"], "missing"),
        (vec!["-a always,exit -F dir=/var/lib"], "by 1"),
        (
            vec!["-a always,exit -F dir=/var/lib/docker -F perm=wa -F auid>=1000"],
            "missing",
        ),
        (
            vec!["-a always,exit -F arch=b64 -F dir=/var/lib/docker -F perm=wa"],
            "missing",
        ),
        (
            vec![
                "-a always,exit -F arch=b64 -F dir=/var/lib/docker -F perm=wa",
                "-a always,exit -F arch=b32 -F dir=/var/lib/docker -F perm=wa",
            ],
            "by 2",
        ),
        (
            vec![
                "-a always,exit -F arch=b64 -F dir=/var/lib/docker -F perm=wa",
                "-a never,exit -F dir=/var/lib/docker",
                "-a always,exit -F arch=b32 -F dir=/var/lib/docker -F perm=wa",
            ],
            "2 takes All",
        ),
        (vec![], "missing"),
    ];
    for (lines, expected) in cases {
        assert_eq!(verdict(&lines.join("\n"), &FOLDER), expected, "{lines:#?}");
    }
    let file = Asked {
        path: "/etc/docker/daemon.json",
        folder: false,
        ..FOLDER
    };
    for (text, expected) in [
        ("-w /etc/docker/daemon.json -p wa", "by 1"),
        ("-a always,exit -F dir=/etc/docker -F perm=wa", "by 1"),
        // One by `path=` is about the folder itself.
        ("-a always,exit -F path=/etc/docker -F perm=wa", "missing"),
        (
            "-a never,exit -F path=/etc/docker/daemon.json\n-w /etc/docker/daemon.json -p wa",
            "1 takes All",
        ),
    ] {
        assert_eq!(verdict(text, &file), expected, "{text}");
    }
    // Without programs of 32 bits one architecture is all.
    let alone = Asked {
        twins: false,
        ..FOLDER
    };
    assert_eq!(
        verdict(
            "-a always,exit -F arch=b64 -F dir=/var/lib/docker -F perm=wa",
            &alone
        ),
        "by 1"
    );
    let names = ["/lib/x".to_owned()];
    let linked = Asked {
        path: "/usr/lib/x",
        names: &names,
        folder: false,
        ..FOLDER
    };
    for (text, expected) in [
        ("-w /lib/x -p wa", "by 1"),
        ("-a always,exit -F dir=/lib -F perm=wa", "by 1"),
        (
            "-a never,exit -F dir=/lib\n-w /usr/lib/x -p wa",
            "1 takes All",
        ),
    ] {
        assert_eq!(verdict(text, &linked), expected, "{text}");
    }
}
