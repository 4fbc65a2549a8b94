//! What is masked, and what is not.

use super::*;
use proptest::prelude::*;

fn urls(text: &str) -> String {
    let mut spans = Spans::default();
    urls::find(text, &mut spans);
    spans.mask(text).into_owned()
}

#[test]
fn urls_lose_passwords_only() {
    let cases = [
        ("http://u:p@h:3128/x", "http://u:***@h:3128/x"),
        ("http://u:p@ss@h", "http://u:***@h"),
        ("http://h:3128/a@b", "http://h:3128/a@b"),
        ("ssh://root@h", "ssh://root@h"),
        ("unix:///run/docker.sock", "unix:///run/docker.sock"),
        ("\"http:\\/\\/u:p@h\"", "\"http:\\/\\/u:***@h\""),
        (
            "http://a:b@c,https://d:e@f",
            "http://a:***@c,https://d:***@f",
        ),
        ("http://u:@h", "http://u:@h"),
    ];
    for (text, expected) in cases {
        assert_eq!(urls(text), expected);
    }
}

#[test]
fn a_password_that_looks_like_an_assignment_is_masked_as_a_whole() {
    let cases = [
        (
            "/etc/environment",
            "PROXY=http://u:ab-token=cd@h\n",
            "PROXY=http://u:***@h\n",
        ),
        (
            "/etc/docker/daemon.json",
            "{\"x\": \"http://u:ab-token=cd@h\"}",
            "{\"x\": \"http://u:***@h\"}",
        ),
    ];
    for (path, text, expected) in cases {
        assert_eq!(mask(path, text), expected);
    }
}

/// Anything quadratic would not come to an end here that somebody waits for.
#[test]
fn the_largest_file_is_masked() {
    let text = "://".repeat(1 << 18);
    assert_eq!(urls(&text), text);
}

#[test]
fn files() {
    let cases = [
        (
            "/etc/environment",
            "DB_PASSWORD=a b c\nPATH=/x\n",
            "DB_PASSWORD=***\nPATH=/x\n",
        ),
        (
            "/etc/docker/daemon.json",
            "{\"a\": \"b TOKEN=\\\" c\", \"password=d\"}",
            "{\"a\": \"b TOKEN=\\\"***\", \"password=***\"}",
        ),
        (
            "/etc/docker/daemon.json",
            "{\"a\": \"b TOKEN=\\\"c d\", \"e\": \"f TOKEN=g\\\\\\\" h\"}",
            "{\"a\": \"b TOKEN=\\\"***\", \"e\": \"f TOKEN=*** h\"}",
        ),
        ("/x", "run --token=\"a b", "run --token=\"***"),
        (
            "/etc/environment",
            "export API_TOKEN=\"a b\"\n",
            "export API_TOKEN=\"***\"\n",
        ),
        (
            "/etc/environment",
            "X_TOKEN=a\\\nb c\nY=1\n",
            "X_TOKEN=***\n***\nY=1\n",
        ),
        (
            "/etc/environment",
            "TOKEN=\nPASSWORD=\"\"\n",
            "TOKEN=\nPASSWORD=\"\"\n",
        ),
        ("/etc/environment", "TOKEN=\"a\"b\"\r\n", "TOKEN=***\r\n"),
        (
            "/etc/default/docker",
            "DOCKER_OPTS=\"--log-opt splunk-token=abc --debug\"\n",
            "DOCKER_OPTS=\"--log-opt splunk-token=*** --debug\"\n",
        ),
        (
            "/etc/systemd/system/d.conf",
            "Environment=\"HTTPS_PROXY=http://u:p@h\" A_TOKEN=x B=y\n",
            "Environment=\"HTTPS_PROXY=http://u:***@h\" A_TOKEN=*** B=y\n",
        ),
        (
            "/etc/systemd/system/d.conf",
            "Environment='MY_SECRET=a b'\n",
            "Environment='MY_SECRET=***'\n",
        ),
        (
            "/etc/audit/rules.d/x.rules",
            "-w /etc/passwd -p wa -k passwd\n-a always,exit -F path=/etc/passwd -F key=passwd_changes\n",
            "-w /etc/passwd -p wa -k passwd\n-a always,exit -F path=/etc/passwd -F key=passwd_changes\n",
        ),
        (
            "/etc/shadow",
            "root:$6$x$y:1:0\ndaemon:*:1\nx:!:1\nlocked:!$6$a:1\n",
            "root:***:1:0\ndaemon:*:1\nx:!:1\nlocked:***:1\n",
        ),
        (
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\n",
            "root:x:0:0:root:/root:/bin/bash\n",
        ),
    ];
    for (path, text, expected) in cases {
        assert_eq!(mask(path, text), expected, "{path} {text:?}");
    }
}

/// What a value is says what is a secret in it, also where it is quoted.
#[test]
fn a_sentence_that_quotes_a_value() {
    for (key, value, sentence, masked) in [
        (
            "insecure-registries",
            serde_json::json!(["Hunter2@h:5000"]),
            "`insecure-registries` has \"Hunter2@h:5000\", which is no host",
            "`insecure-registries` has \"***@h:5000\", which is no host",
        ),
        (
            "log-opts",
            serde_json::json!({ "splunk-token": "Hunter2", "tag": "x" }),
            "Hunter2 is not x",
            "*** is not x",
        ),
        (
            "features",
            serde_json::json!({ "token=Hunter2": true }),
            "`features` has token=Hunter2",
            "`features` has token=***",
        ),
        (
            "bip",
            serde_json::json!("172.17.0.1"),
            "`bip` is \"172.17.0.1\"",
            "`bip` is \"172.17.0.1\"",
        ),
    ] {
        assert_eq!(mask_quoted(sentence, key, &value), masked);
    }
}

/// A password that only chance makes is masked as one that has a name is: what is around it stays.
#[test]
fn an_address_keeps_its_host() {
    let secret = "kZ3xQ9vB2nM7LpR5tY8wC1";
    for (path, before, after) in [
        (
            "/etc/environment",
            "https_proxy=u:",
            "@proxy.example.com:3128\n",
        ),
        ("/etc/environment", "X=u:", "@proxy.example.com:3128/a\n"),
        ("/etc/environment", "X=http://u:", "@proxy:3128\n"),
        (
            "/etc/default/docker",
            "OPTS=\"--dns-opt u:",
            "@h --icc=false\"\n",
        ),
        ("/x.conf", "Environment=\"P=u:", "@h:1\" \"LANG=C\"\n"),
        ("/a.json", "{\"x\": \"u:", "@h:3128\"}"),
        (
            "/a.json",
            "{\"proxies\": {\"http-proxy\": \"u:",
            "@h:3128\"}}",
        ),
        ("/a.json", "{\"x\": [\"--opt\", \"u:", "@h:3128\"]}"),
    ] {
        let masked = mask(path, &format!("{before}{secret}{after}"));
        assert_eq!(masked, format!("{before}***{after}"), "{path}");
        // And what is one of chance beside it is masked by itself.
        let second = mask(
            path,
            &format!("{before}{secret}{after}").replace("3128", &format!("1/{secret}")),
        );
        assert!(!second.contains(secret), "{second}");
    }
}

#[test]
fn names() {
    for name in [
        "splunk-token",
        "DB_PASSWORD",
        "apiKey",
        "awslogs-credentials-endpoint",
        "client_secret",
        "auth",
        "key",
    ] {
        assert!(holds_secret(name), "{name}");
    }
    for name in [
        "max-size",
        "tlskey",
        "authorization-plugins",
        "path",
        "labels",
    ] {
        assert!(!holds_secret(name), "{name}");
    }
}

proptest! {
    #[test]
    fn lines_stay_and_masking_settles(text in "([A-Z_=\"' \\\\:/@]|TOKEN=|http://|é|\u{a0}|-----BEGIN |Bearer |--key |\\[|map|\r?\n|x){0,30}", path in "(/etc/environment|/a.json|/etc/shadow)") {
        let masked = mask(&path, &text);
        prop_assert_eq!(masked.matches('\n').count(), text.matches('\n').count());
        prop_assert_eq!(mask(&path, &masked), masked.clone(), "{:?}", masked);
    }
}
