//! Hundreds of forms in which secrets stand in files, and lines in which none does.

use super::*;

/// Where: the name of a file, and its text with `@@` for the form.
const JSON: &str = "/etc/docker/daemon.json";
const ENVIRONMENT: &str = "/etc/environment";
const UNIT: &str = "/etc/systemd/system/docker.service.d/x.conf";
const DEFAULT: &str = "/etc/default/docker";

/// Secrets that have no blanks; each is looked for as a whole and in pieces.
const SECRETS: [&str; 6] = [
    "Hunter2Hunter2",
    "correcthorsebattery",
    "8675309867530986",
    "c2VjcmV0OnNlY3JldA==",
    "Tr0ub4dor.and-3.more_",
    "xQ9+vB2/nM7LpR5tY8wC1z=",
];

/// No piece of the secret that is eight characters long is left.
fn hidden(path: &str, text: &str, secret: &str) {
    let masked = mask(path, text);
    let chars: Vec<char> = secret.chars().collect();
    for piece in chars.windows(8.min(chars.len())) {
        let piece: String = piece.iter().collect();
        assert!(
            !masked.contains(&piece),
            "{path}: {text:?} became {masked:?}"
        );
    }
    assert_eq!(
        masked.lines().count(),
        text.lines().count(),
        "{text:?} became {masked:?}"
    );
}

fn each(path: &str, around: &[&str], forms: &[&str]) {
    for around in around {
        for form in forms {
            for secret in SECRETS {
                let text = around.replace("@@", form).replace("##", secret);
                hidden(path, &text, secret);
            }
        }
    }
}

#[test]
fn addresses_with_a_scheme() {
    let forms = [
        "http://u:##@p:3128",
        "http://u:pa,##@p:3128",
        "http://u:pa'##@p:3128",
        "http://u:pa;##@p:3128",
        "http://u:pa@##@p:3128",
        "http://u:##,x@p:3128",
        "http://u:pa%40##@p:3128",
        "http://u:pa/##@p:3128",
        "http://u:pa?##@p:3128",
        "http://u:pa###@p:3128",
        "http://##@p:3128",
        "https://##@p",
        "https://##:@p/x",
        "https://##:x-oauth-basic@p/x",
        "https://u:##@[::1]:80/x@y",
        "socks5h://u:##@p",
        "redis://:##@p/0",
        "amqp://user.name:##@p:5672/%2f",
        "postgres://u:##@p/db?sslmode=disable",
        "see http://u:##@p:1 and x@y.z",
        "http://a:##@c,https://d:##@f",
        "http:\\\\/\\\\/u:##@p",
        "http%3A%2F%2Fu:##%40p",
        "http://u:(##)@p:3128",
        "http://u:pa|##@p",
        "http://u:pa{##}@p",
        "git+https://oauth2:##@p/x.git",
        "HTTP://U:##@P",
        "http://longusername:##@p",
        "http://u:pa:##@p",
        "http://u:12,##@p:3128",
    ];
    each(
        JSON,
        &[
            "{\n  \"registry-mirrors\": [\"@@\"]\n}\n",
            "{\"proxies\": {\"http-proxy\": \"@@\"}, \"icc\": true}",
            "{\"x\": \"@@\"}",
        ],
        &forms,
    );
    each(
        ENVIRONMENT,
        &[
            "A=1\nHTTP_PROXY=@@\nB=2\n",
            "https_proxy=\"@@\"\n",
            "export X='@@'\n",
            "# was @@\n",
        ],
        &forms
            .iter()
            .copied()
            .filter(|form| !form.contains('\''))
            .collect::<Vec<_>>(),
    );
    each(
        UNIT,
        &[
            "[Service]\nEnvironment=\"HTTP_PROXY=@@\" \"NO_PROXY=h\"\n",
            "[Service]\nExecStart=/usr/bin/dockerd --registry-mirror @@ --icc=false\n",
            "Environment=HTTPS_PROXY=@@\n",
        ],
        &forms
            .iter()
            .copied()
            .filter(|form| !form.contains('\''))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn addresses_without_a_scheme() {
    let forms = [
        "u:##@p:3128",
        "u:pa,##@p:3128",
        "u:##@p",
        "u@corp:##@p:3128",
        ":##@p:6379",
        "//u:##@p/x",
        "user.name:##@10.0.0.1:80",
        "u:pa:##@p",
    ];
    each(
        JSON,
        &[
            "{\"insecure-registries\": [\"@@\"]}",
            "{\"proxies\": {\"https-proxy\": \"@@\"}}",
            "{\"x\": [\"a\", \"@@\"]}",
        ],
        &forms,
    );
    each(
        ENVIRONMENT,
        &[
            "https_proxy=@@\n",
            "X=\"@@\"\n",
            "DOCKER_OPTS=\"--x @@ --y\"\n",
        ],
        &forms,
    );
    each(
        JSON,
        &[
            "{\"insecure-registries\": [\"##@h:5000\"]}",
            "{\"proxies\": {\"http-proxy\": \"##@h\"}}",
        ],
        &["@@"],
    );
    each(
        ENVIRONMENT,
        &["https_proxy=##@p:3128\n", "ALL_PROXY='##@p'\n"],
        &["@@"],
    );
}

#[test]
fn members_by_name() {
    let names = [
        "splunk-token",
        "gelf-pass",
        "private-key",
        "x-authorization",
        "auth",
        "key",
        "cookie",
        "DB_PASS",
        "mypwd",
        "encryption-key",
        "session",
        "accessKey",
        "signature",
        "splunk-tok\\u0065n",
        "gelf-\\u0070ass",
        "bearer",
        "credential",
        "pat",
        "tok\\u0065n",
    ];
    for name in names {
        let members = [
            "{\n  \"log-opts\": {\"NAME\": \"##\", \"max-size\": \"10m\"}\n}\n",
            "{\"log-opts\": {\"NAME\" : \"a ##\"}}",
            "{\"NAME\": [\"##\", {\"x\": \"##\"}]}",
            "{\"NAME\": {\"h\": {\"x\": \"##\"}}}",
            "{\"storage-opts\": [\"x.NAME=##\"]}",
            "{\"labels\": [\"NAME=##\"]}",
            "{\"x\": [{\"name\": \"NAME\", \"value\": \"##\"}]}",
            "{\"runtimes\": {\"x\": {\"path\": \"/x\",\n  \"runtimeArgs\": [\"--NAME\", \"##\"]}}}",
            "{\"x\": [\"-NAME\", \"##\"]}",
            "{\"x\": [\"--NAME=##\", \"y\"]}",
            "{\"x\": \"run --NAME ## --y\"}",
            "{\"x\": \"run --NAME=## --y\"}",
            "{\"x\": \"run --NAME '## x' --y\"}",
            "{\"x\": \"{\\\"NAME\\\": \\\"##\\\"}\"}",
            "{\"url\": \"https://h/?sv=1&NAME=##&x=1\"}",
            "{\"NAME\": ##, // unquoted\n \"x\": 1}",
            "{\"x\": 1, // NAME=##\n \"y\": 1}",
            "{\"NAME\": \"##\n}",
            "{\"NAME\": \"\\u0061##\"}",
        ];
        for member in members {
            let escaped =
                (member.contains("\\\"NAME") || member.contains("//")) && name.contains('\\');
            if !escaped {
                each(JSON, &["@@"], &[&member.replace("NAME", name)]);
            }
        }
    }
}

#[test]
fn secrets_with_escapes_in_json() {
    for text in [
        "{\"x\": \"http://u:Hunter2\\u0048unter2\\u0040p:3128\"}",
        "{\"x\": \"http:\\u002f\\u002fu:Hunter2Hunter2@p:3128\"}",
        "{\"splunk-token\": \"Hunter2\\nHunter2\"}",
        "{\"x\": \"\\u0074oken=Hunter2Hunter2\"}",
        "{\"x\": \"-----BEGIN PRIVATE KEY-----\\nHunter2Hunter2\\n-----END PRIVATE KEY-----\"}",
    ] {
        hidden(JSON, text, "Hunter2");
        let value: Value = serde_json::from_str(&mask(JSON, text)).unwrap();
        assert!(value.is_object());
    }
}

#[test]
fn assignments_by_name() {
    let names = [
        "DB_PASS",
        "MYSQL_PWD",
        "PRIVATE_KEY",
        "ENCRYPTION_KEY",
        "GITHUB_PAT",
        "BASIC_AUTH",
        "SESSION_COOKIE",
        "X_TOKEN",
        "DOCKER_AUTH_CONFIG",
        "api_key",
        "AWS_SECRET_ACCESS_KEY",
        "sessionSignature",
        "registry.password",
    ];
    let lines = [
        "NAME=##",
        "NAME=## x",
        "NAME=x ##",
        "NAME = ##",
        "NAME= ##",
        "NAME =##",
        "  NAME=##",
        "export NAME=##",
        "export  NAME=a ##",
        "export\tNAME=##",
        "NAME=\"##\"",
        "NAME='##'",
        "NAME=\"a ##\"",
        "NAME='a \"##\"'",
        "NAME=\"a\"##",
        "NAME=\"a\\\"##\"",
        "NAME=a\\\n##",
        "NAME=\"a\\\n##\"",
        "NAME=\"a\n##\"",
        "NAME='a\n##\nb'",
        "# NAME=##",
        "#NAME=a ##",
        "NAME: ##",
        "NAME='{\"auths\":{\"h\":{\"auth\":\"##\"}}}'",
        "NAME={\"auths\":{\"h\":{\"auth\":\"##\"}}}",
        "NAME = \"##\"",
        "NAME = '''\n##\n'''",
        "NAME = \"\"\"\n##\"\"\"",
        "X={\"NAME\":\"##\"}",
        "X='{\"NAME\": \"##\"}'",
        "X=\"{\\\"NAME\\\": \\\"##\\\"}\"",
        "X=a;NAME=##",
        "set NAME=##",
        "NAME=\"##",
        "NAME='##",
        "NAME=##\r",
        "X=https://h/?a=1&NAME=##&b=2",
        "OPTS=\"--NAME ##\"",
        "OPTS=\"--NAME=## --x\"",
        "OPTS='--log-opt NAME=## --x'",
        "export A=1 NAME=a ##",
        "NAME=\"a\" ##",
        "X=\"NAME=a ##\"",
    ];
    for name in names {
        for line in lines {
            let text = format!("A=1\n{}\nB=2\n", line.replace("NAME", name));
            for path in [ENVIRONMENT, DEFAULT] {
                each(path, &["@@"], &[&text]);
            }
        }
    }
}

#[test]
fn commands_and_units() {
    let lines = [
        "ExecStart=/usr/bin/dockerd --log-opt splunk-token=## --icc=false",
        "ExecStart=/usr/bin/dockerd --log-opt \"splunk-token=a ##\" --icc=false",
        "ExecStart=/usr/bin/dockerd --log-opt splunk-token=\"a ##\" --icc=false",
        "ExecStart=/usr/bin/dockerd --log-opt 'gelf-pass=a ##' -D",
        "ExecStart=/usr/bin/dockerd --log-opt gelf-pass=a\\ ## -D",
        "ExecStart=/usr/bin/dockerd --log-opt=gelf-pass=##",
        "ExecStart=/usr/bin/dockerd -H fd:// --cluster-store u:##@h -D",
        "ExecStart=/usr/bin/x \u{e9}\u{a0}\u{2028} --token ## -D \u{e9}",
        "ExecStart=/usr/bin/x --token ## -D",
        "ExecStart=/usr/bin/x --token=## -D",
        "ExecStart=/usr/bin/x -token ##",
        "ExecStart=/usr/bin/x --token \"a ##\"",
        "ExecStart=/usr/bin/x --token \\\n  ## \\\n  -D",
        "ExecStart=/usr/bin/x \\\n  --token=## \\\n  -D",
        "ExecStart=/usr/bin/x \"--token\" \"##\"",
        "ExecStart=/usr/bin/x --api-key '##'",
        "ExecStart=/usr/bin/curl -H \"Authorization: Bearer ##\" https://h",
        "ExecStart=/usr/bin/curl -H 'X-Api-Key: ##' https://h",
        "ExecStart=/usr/bin/curl -H \"Cookie: a=##\" https://h",
        "ExecStart=/usr/bin/curl -u user:## https://h",
        "ExecStart=/usr/bin/curl --user 'user:##' https://h",
        "ExecStartPre=/usr/bin/docker login -u ci -p ## registry.example",
        "ExecStartPre=/usr/bin/docker login -p## registry.example",
        "ExecStartPre=/usr/bin/docker login --password ## registry.example",
        "ExecStartPre=/bin/sh -c 'echo ## | X_TOKEN=## docker login --password-stdin; PASS=\"##\" x'",
        "ExecStartPre=/usr/bin/sshpass -p ## ssh h",
        "ExecStartPre=/usr/bin/mysql -p## -e x",
        "Environment=X_TOKEN=##",
        "Environment=X_TOKEN=a ##",
        "Environment=A=1 X_TOKEN=## B=2",
        "Environment=\"X_TOKEN=a ##\" \"B=2\"",
        "Environment='X_TOKEN=a ##' B=2",
        "Environment=\"X_TOKEN=a \\\"##\\\"\"",
        "Environment=\"A=1\" \\\n  \"X_TOKEN=##\"",
        "SetCredential=x:##",
        "X-Auth: Bearer ##",
        "time=x msg=\"from flag: map[splunk-token:## tag:x], from file: map[a:b]\"",
    ];
    for line in lines {
        if line.contains("echo ##") {
            each(
                UNIT,
                &["[Service]\n@@\n"],
                &[&line.replace("echo ## | ", "")],
            );
        } else {
            each(UNIT, &["[Service]\n@@\nRestart=always\n"], &[line]);
        }
    }
}

#[test]
fn what_chance_has_made() {
    let secret = "kZ3xQ9vB2nM7LpR5tY8wC1hG";
    for (path, text) in [
        (JSON, "{\"runtimes\": {\"x\": {\"runtimeArgs\": [\"##\"]}}}"),
        (JSON, "{\"log-opts\": {\"x\": \"##\"}}"),
        (JSON, "{\"nobody-knows\": {\"x\": \"a ## b\"}}"),
        (ENVIRONMENT, "X=##\n"),
        (ENVIRONMENT, "X=\"a ##\" # ##\n"),
        (DEFAULT, "DOCKER_OPTS=\"--x ##\"\n"),
        (UNIT, "ExecStart=/usr/bin/x ## --y=##\n"),
        (UNIT, "Environment=X=##\n"),
        (
            "/etc/x",
            "-----BEGIN OPENSSH PRIVATE KEY-----\n##\nshort\n-----END OPENSSH PRIVATE KEY-----\n",
        ),
    ] {
        hidden(path, &text.replace("##", secret), secret);
    }
    hidden(
        "/etc/x",
        "X=\"-----BEGIN PRIVATE KEY-----\nMIIabcd\nefghijkl\n-----END PRIVATE KEY-----\"\n",
        "efghijkl",
    );
}

/// A sentence that quotes what dockerd or a parser said.
#[test]
fn sentences() {
    for (text, expected) in [
        (
            "log-opts: (from flag: map[splunk-token:Hunter2 tag:x], from file: map[tag:y])",
            "log-opts: (from flag: map[splunk-token:*** tag:x], from file: map[tag:y])",
        ),
        (
            "proxyconnect http://u:p@h:1: refused",
            "proxyconnect http://u:***@h:1: refused",
        ),
        ("Authorization: Bearer abc123", "Authorization: ***"),
        (
            "icc = false; a token of dockerd is missing",
            "icc = false; a token of dockerd is missing",
        ),
        (
            "-a always,exit -F path=/etc/x -F key=docker",
            "-a always,exit -F path=/etc/x -F key=docker",
        ),
    ] {
        assert_eq!(words(text), expected);
    }
}

#[test]
fn flags() {
    for (typed, name, value, expected) in [
        (
            "--log-opt splunk-token=a b",
            "log-opt",
            "splunk-token=a b",
            "--log-opt splunk-token=***",
        ),
        ("--token a b", "token", "a b", "--token ***"),
        ("-Hfd://", "host", "fd://", "-Hfd://"),
        ("--icc=false", "icc", "false", "--icc=false"),
        ("--tlskey /k", "tlskey", "/k", "--tlskey /k"),
    ] {
        assert_eq!(mask_flag(typed, name, value), expected);
    }
}

#[test]
fn harmless_members_stay() {
    let members = include_str!("harmless.json");
    assert_eq!(mask(JSON, members), members);
    let value: Value = serde_json::from_str(members).unwrap();
    for (key, value) in value.as_object().unwrap() {
        assert_eq!(mask_value(key, value), *value, "{key}");
    }
}

#[test]
fn harmless_lines_stay() {
    let lines = include_str!("harmless.txt");
    assert!(lines.lines().count() > 100);
    for path in [ENVIRONMENT, UNIT, DEFAULT, "/etc/audit/rules.d/x.rules"] {
        for line in lines.lines() {
            assert_eq!(mask(path, line), line, "{path}");
        }
        assert_eq!(mask(path, lines), lines, "{path}");
    }
}
