//! Hosts without something that is needed: rights, Docker, auditd.

use super::{Tree, is_root};
use insta::assert_snapshot;

#[test]
fn no_root_no_changes() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let before = tree.manifest();
    let mut said = String::new();
    for verb in [
        &["apply", "--yes"][..],
        &["rollback", "--yes"],
        &["recover", "--yes"],
    ] {
        said += &tree.run_as_nobody(verb).all();
    }
    before.assert_untouched(&tree);
    assert_snapshot!(said, @r"
    exit 2
    error: `apply` changes the host, and only root may
    try: sudo seaworthy apply --root [folder]/root
    ---
    exit 2
    error: `rollback` changes the host, and only root may
    try: sudo seaworthy rollback --root [folder]/root
    ---
    exit 2
    error: `recover` changes the host, and only root may
    try: sudo seaworthy recover --root [folder]/root
    ---
    ");
}

#[test]
fn without_root_what_only_root_sees_is_named() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let before = tree.manifest();
    let only = ["--only", "audit-etc-docker,daemon-icc,audit-data-root"];
    let audit = tree.run_as_nobody(&[&["audit"], &only[..]].concat());
    let plan = tree.run_as_nobody(&[&["plan"], &only[..]].concat());
    before.assert_untouched(&tree);
    assert_snapshot!(format!("{}=== plan\n{}", audit.all(), plan.all()), @r#"
    exit 1
    ---
    Audit of sample Debian GNU/Linux 12 (bookworm)

    Audit rules 0 of 2 pass
      UNKNOWN low    audit-data-root CIS 1.8.0 1.1.5
              The folder that holds images, containers and volumes is watched by the
              audit system
              /var/lib/docker: permission denied; wanted: to be seen
      UNKNOWN medium audit-etc-docker CIS 1.8.0 1.1.6
              The folder of Docker's configuration is watched by the audit system
              /etc/audit/rules.d: permission denied; wanted: -w /etc/docker -p wa -k
              docker

    Docker daemon 0 of 1 pass
      FAIL    high   daemon-icc CIS 1.8.0 2.2
              Containers on the default bridge cannot reach each other
              /etc/docker/daemon.json: icc is not set, and the default is true;
              wanted: icc = false

    0 pass, 1 fail, 0 manual, 2 unknown, 0 not applicable

    Next:
      what would cure the failures, as a diff: seaworthy plan
      see what only root can see: sudo seaworthy audit
      why one of them matters: seaworthy explain daemon-icc
    === plan
    exit 0
    ---
    Plan for sample Debian GNU/Linux 12 (bookworm)

    1. /etc/docker/daemon.json (1 control)
       serves daemon-icc
    --- /etc/docker/daemon.json
    +++ /etc/docker/daemon.json
    @@ -1,3 +1,4 @@
     {
    -  "log-level": "info"
    +  "log-level": "info",
    +  "icc": false
     }

    Not known, so nothing is planned for it
      audit-data-root
        /var/lib/docker: permission denied
      audit-etc-docker
        /etc/audit/rules.d: permission denied

    1 change, 0 service actions, 0 controls held back, 2 not known.

    Next:
      sudo seaworthy apply --root [folder]/root --only audit-etc-docker,daemon-icc,audit-data-root
    "#);
}

#[test]
fn without_root_nothing_is_hidden_from_a_whole_audit() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let before = tree.manifest();
    let audit = tree.run_as_nobody(&["audit"]);
    let plan = tree.run_as_nobody(&["plan"]);
    let history = tree.run_as_nobody(&["history"]);
    before.assert_untouched(&tree);
    assert_snapshot!(
        format!(
            "{}=== plan\n{}=== history\n{}",
            audit.about(&["UNKNOWN", " pass, ", "permission"]),
            plan.about(&["changes, ", "permission", "root"]),
            history.all()
        ),
        @r"
    exit 1
    ---
      UNKNOWN medium audit-dockerd CIS 1.8.0 1.1.3
              /etc/audit/rules.d: permission denied; wanted: -w /usr/sbin/dockerd -p
      UNKNOWN low    audit-data-root CIS 1.8.0 1.1.5
              /var/lib/docker: permission denied; wanted: to be seen
      UNKNOWN medium audit-etc-docker CIS 1.8.0 1.1.6
      UNKNOWN medium audit-docker-service CIS 1.8.0 1.1.7
      UNKNOWN medium audit-api-socket CIS 1.8.0 1.1.9
      UNKNOWN medium audit-docker-socket CIS 1.6.0 1.1.9
      UNKNOWN low    audit-default-docker CIS 1.8.0 1.1.10
      UNKNOWN medium audit-daemon-json CIS 1.8.0 1.1.11
      UNKNOWN low    audit-containerd-config CIS 1.8.0 1.1.12
      UNKNOWN low    audit-containerd CIS 1.8.0 1.1.14
      UNKNOWN low    audit-runc CIS 1.8.0 1.1.18
      UNKNOWN high   daemon-insecure-registries CIS 1.8.0 2.5
      UNKNOWN medium daemon-live-restore CIS 1.8.0 2.16
              daemon refuses live-restore, could not be seen: permission denied;
    Ownership and permissions 10 of 10 pass
    19 pass, 5 fail, 4 manual, 13 unknown, 21 not applicable
    === plan
    exit 0
    ---
        /var/lib/docker: permission denied
        the daemon changes to another root, and what /var/lib/docker holds vanishes
        /etc/audit/rules.d: permission denied
      audit-data-root
        /var/lib/docker: permission denied
        refuses live-restore, could not be seen: permission denied
    0 changes, 0 service actions, 5 controls held back, 13 not known.
    === history
    exit 0
    ---
    No transactions yet.
    "
    );
}

#[test]
fn no_docker() {
    if !is_root() {
        return;
    }
    let tree = Tree::without(&[
        "usr/lib/systemd/system/docker.service",
        "usr/lib/systemd/system/docker.socket",
        "usr/sbin/dockerd",
    ]);
    let before = tree.manifest();
    let mut said = String::new();
    for verb in [&["audit"][..], &["plan"]] {
        said += &tree.run(verb).all();
    }
    before.assert_untouched(&tree);
    said += &tree.run(&["apply", "--yes"]).all();
    before.assert_only_state_added(&tree);
    assert_snapshot!(said, @r"
    exit 2
    error: no Docker found: there is neither a docker.service nor a dockerd in /usr/bin or /usr/sbin
    try: seaworthy demo
    ---
    exit 2
    error: no Docker found: there is neither a docker.service nor a dockerd in /usr/bin or /usr/sbin
    try: seaworthy demo
    ---
    exit 2
    error: no Docker found: there is neither a docker.service nor a dockerd in /usr/bin or /usr/sbin
    try: seaworthy demo
    ---
    ");
}

#[test]
fn no_auditd() {
    if !is_root() {
        return;
    }
    let tree = Tree::without(&[
        "etc/audit",
        "usr/lib/systemd/system/auditd.service",
        "usr/sbin/auditctl",
        "usr/sbin/auditd",
        "usr/sbin/augenrules",
    ]);
    let before = tree.manifest();
    let only = ["--only", "audit-etc-docker"];
    let audit = tree.run(&[&["audit"], &only[..]].concat());
    let plan = tree.run(&[&["plan"], &only[..]].concat());
    before.assert_untouched(&tree);
    let apply = tree.run(&[&["apply", "--yes"], &only[..]].concat());
    before.assert_only_state_added(&tree);
    assert_snapshot!(
        format!("{}=== plan\n{}=== apply\n{}", audit.all(), plan.all(), apply.all()),
        @r"
    exit 1
    ---
    Audit of sample Debian GNU/Linux 12 (bookworm)

    Audit rules 0 of 1 pass
      FAIL    medium audit-etc-docker CIS 1.8.0 1.1.6
              The folder of Docker's configuration is watched by the audit system
              /etc/docker: auditd is not installed; wanted: -w /etc/docker -p wa -k
              docker

    0 pass, 1 fail, 0 manual, 0 unknown, 0 not applicable

    Next:
      what would cure the failures, as a diff: seaworthy plan
      why one of them matters: seaworthy explain audit-etc-docker
    === plan
    exit 0
    ---
    Plan for sample Debian GNU/Linux 12 (bookworm)

    Nothing to do.

    Held back
      audit-etc-docker
        auditd is not installed
        release: apt-get install auditd

    0 changes, 0 service actions, 1 control held back.
    === apply
    exit 0
    ---
    Nothing to do: everything this run may change is already correct.
      held back: audit-etc-docker (apt-get install auditd)
    "
    );
}

#[test]
fn no_such_folder() {
    let tree = Tree::new();
    let mut command = super::tree::command(&tree.beside("missing"), &["audit"]);
    let ran = tree.ran(command.output().unwrap());
    assert_snapshot!(ran.all(), @r"
    exit 2
    error: [folder]/missing: cannot open: No such file or directory (os error 2)
    try: ls -ld [folder]/missing
    ---
    ");
}

#[test]
fn unknown_names_get_a_suggestion() {
    let tree = Tree::new();
    let before = tree.manifest();
    let mut said = String::new();
    for names in ["daemon-ic", "audit,daemon-live-restor", "9.9", "deamon"] {
        said += &tree.run(&["plan", "--only", names]).all();
    }
    said += &tree.run(&["audit", "--skip", "audit-ru"]).all();
    said += &tree.run(&["explain", "daemon-ic"]).all();
    before.assert_untouched(&tree);
    assert_snapshot!(said, @r"
    exit 2
    error: `daemon-ic` is not a control, an area or a benchmark number; did you mean daemon-icc?
    try: seaworthy explain
    ---
    exit 2
    error: `daemon-live-restor` is not a control, an area or a benchmark number; did you mean daemon-live-restore?
    try: seaworthy explain
    ---
    exit 2
    error: `9.9` is not a control, an area or a benchmark number
    try: seaworthy explain
    ---
    exit 2
    error: `deamon` is not a control, an area or a benchmark number; did you mean daemon?
    try: seaworthy explain
    ---
    exit 2
    error: `audit-ru` is not a control, an area or a benchmark number; did you mean audit-runc?
    try: seaworthy explain
    ---
    exit 2
    error: `daemon-ic` is not a control, an area or a benchmark number; did you mean daemon-icc?
    try: seaworthy explain
    ---
    ");
}

#[test]
fn an_area_and_a_number_choose_controls() {
    if !is_root() {
        return;
    }
    let tree = Tree::new();
    let area = tree.run(&["audit", "--only", "content-trust"]);
    let number = tree.run(&["audit", "--only", "4.5"]);
    assert_eq!(area.out, number.out);
    assert_snapshot!(area.all(), @r"
    exit 1
    ---
    Audit of sample Debian GNU/Linux 12 (bookworm)

    Content trust 0 of 1 pass
      FAIL    low    content-trust CIS 1.8.0 4.5
              The docker command of people who log in here refuses unsigned images
              /etc/environment: DOCKER_CONTENT_TRUST is not set; wanted:
              DOCKER_CONTENT_TRUST=1

    0 pass, 1 fail, 0 manual, 0 unknown, 0 not applicable

    Next:
      what would cure the failures, as a diff: seaworthy plan
      why one of them matters: seaworthy explain content-trust
    ");
}
