//! Inputs that can be made as long as one likes.

use crate::unread::image::Image;
use std::fmt::Write as _;

const DAEMON_JSON: &str = "/etc/docker/daemon.json";
const OPTIONS: &str = "/etc/default/docker";
const UNIT: &str = "/usr/lib/systemd/system/docker.service";
const SITE: &str = "/etc/systemd/system";

/// A kind of input.
pub(super) struct Shape {
    pub(super) name: &'static str,
    /// A host with so many of them.
    pub(super) make: fn(usize) -> Image,
}

/// The texts of each number, joined.
fn each(items: usize, between: &str, text: impl Fn(usize) -> String) -> String {
    let texts: Vec<String> = (0..items).map(text).collect();
    texts.join(between)
}

fn json(text: &str) -> Image {
    Image::debian().file(DAEMON_JSON, text)
}

fn members(items: usize, text: impl Fn(usize) -> String) -> Image {
    json(&format!("{{\n  {}\n}}\n", each(items, ",\n  ", text)))
}

fn list(key: &str, items: usize, text: impl Fn(usize) -> String) -> Image {
    let texts = each(items, ",\n    ", |item| format!("\"{}\"", text(item)));
    json(&format!("{{\n  \"{key}\": [\n    {texts}\n  ]\n}}\n"))
}

fn table(key: &str, items: usize, value: &str) -> Image {
    let texts = each(items, ",\n    ", |item| format!("\"n{item:06}\": {value}"));
    json(&format!("{{\n  \"{key}\": {{\n    {texts}\n  }}\n}}\n"))
}

fn flags(items: usize, text: impl Fn(usize) -> String) -> Image {
    let words = each(items, " ", text);
    Image::debian().file(OPTIONS, &format!("DOCKER_OPTS=\"{words}\"\n"))
}

fn service(items: usize, text: impl Fn(usize) -> String) -> Image {
    let more = each(items, "\n", text);
    Image::debian().append(UNIT, &format!("[Service]\n{more}\n"))
}

fn files(items: usize, name: impl Fn(usize) -> String, text: impl Fn(usize) -> String) -> Image {
    (0..items).fold(Image::debian(), |image, item| {
        image.file(&name(item), &text(item))
    })
}

fn lines(path: &str, first: &str, items: usize, text: impl Fn(usize) -> String) -> Image {
    let more = each(items, "\n", text);
    Image::debian().file(path, &format!("{first}{more}\n"))
}

macro_rules! shapes {
    ($($name:literal: $make:expr;)*) => {
        &[$(Shape { name: $name, make: $make }),*]
    };
}

pub(super) const SHAPES: &[Shape] = shapes! {
    "keys": |n| members(n, |at| format!("\"k{at:06}\": {at:06}"));
    "one key, again and again": |n| members(n, |_| "\"icc\": true".to_owned());
    "keys before a fault": |n| members(n, |at| format!("\"k{at:06}\": {at:06}")).append(DAEMON_JSON, ",");
    "comments": |n| json(&format!("{{\n{}\n}}\n", each(n, "\n", |at| format!("// {at:06}"))));
    "blank lines": |n| json(&format!("{{\"icc\": true}}{}", "\n".repeat(40 * n)));
    "one long value": |n| json(&format!("{{\"x\": \"{}\"}}\n", "a".repeat(40 * n)));
    "registries": |n| list("insecure-registries", n, |at| format!("r{at:06}.example:5000"));
    "hosts": |n| list("hosts", n, |at| format!("unix:///run/{at:06}.sock"));
    "labels": |n| list("labels", n, |at| format!("a{at:06}=b"));
    "labels with secrets": |n| list("labels", n, |at| format!("token{at:06}=Hunter2Hunter{at:06}"));
    "name servers": |n| list("dns", n, |at| format!("10.0.{}.{}", at / 250, at % 250));
    "exec-opts": |n| list("exec-opts", n, |_| "native.cgroupdriver=systemd".to_owned());
    "mirrors": |n| list("registry-mirrors", n, |at| format!("https://u:secret{at:06}@m.example"));
    "runtimes": |n| table("runtimes", n, r#"{"path": "/x", "runtimeArgs": ["--a"]}"#);
    "limits": |n| table("default-ulimits", n, r#"{"Name": "nofile", "Soft": 1, "Hard": 2}"#);
    "log options": |n| table("log-opts", n, "\"x\"");
    "proxies": |n| table("proxies", n, "\"http://u:secret@h\"");
    "objects in an object": |n| table("x", n, r#"{"icc": true, "y": {"z": 1}}"#);
    "flags of one name": |n| flags(n, |at| format!("--label=a{at:06}=b"));
    "flags of many names": |n| flags(n, |at| format!("--w{at:06}=b"));
    "a flag of a key, again and again": |n| flags(n, |_| "--icc".to_owned());
    "short flags in words": |n| flags(n, |at| format!("-DHunix:///run/{at:06}"));
    "words with escapes": |n| flags(n, |at| format!("--label=\\a{at:06}"));
    "flags and keys": |n| flags(n, |at| format!("--k{at:06}=b"))
        .file(DAEMON_JSON, &format!("{{{}}}", each(n, ",\n", |at| format!("\"k{at:06}\": 1"))));
    "variables of an environment file": |n| lines(OPTIONS, "DOCKER_OPTS=--icc\n", n, |at| format!("A{at:06}={at:06}"));
    "environment of all": |n| lines("/etc/environment", "", n, |at| format!("A{at:06}={at:06}"));
    "secrets of all": |n| lines("/etc/environment", "", n, |at| format!("TOKEN{at:06}=Hunter2Hunter{at:06}"));
    "one long line": |n| lines("/etc/environment", "A=", 1, |_| "x".repeat(40 * n));
    "sections": |n| service(n, |at| format!("[X{at:06}]\nA=b"));
    "Environment=": |n| service(n, |at| format!("Environment=A{at:06}={at:06}"));
    "EnvironmentFile=": |n| service(n, |at| format!("EnvironmentFile=-/etc/e{at:06}"));
    "ExecStartPre=": |n| service(n, |at| format!("ExecStartPre=/bin/true {at:06}"));
    "variables in the command": |n| {
        let variables = each(n, "\n", |at| format!("Environment=A{at:06}=--label=a{at:06}"));
        let words = each(n, " ", |at| format!("$A{at:06}"));
        let text = format!("{variables}\nExecStart=\nExecStart=/usr/sbin/dockerd {words}");
        service(1, move |_| text.clone())
    };
    "specifiers": |n| service(n, |at| format!("Environment=A{at:06}=%i"));
    "PassEnvironment=": |n| service(n, |at| format!("PassEnvironment=A{at:06}"));
    "drop-ins": |n| files(
        n,
        |at| format!("{SITE}/docker.service.d/{at:06}.conf"),
        |at| format!("[Service]\nEnvironment=A{at:06}=1\n"),
    );
    "sockets": |n| files(
        n,
        |at| format!("{SITE}/s{at:06}.socket"),
        |at| format!("[Socket]\nListenStream=/run/{at:06}\n"),
    );
    "sockets of the daemon": |n| files(
        n / 8,
        |at| format!("{SITE}/s{at:06}.socket"),
        |at| format!("[Socket]\nService=docker.service\nListenStream=/run/{at:06}\n"),
    );
    "users": |n| lines("/etc/passwd", "root:x:0:0::/root:/bin/sh\n", n, |at| {
        format!("u{at:06}:x:{:06}:{:06}::/home/u{at:06}:/bin/sh", 1000 + at, 1000 + at)
    });
    "groups": |n| lines("/etc/group", "root:x:0:\ndocker:x:113:\n", n, |at| format!("g{at:06}:x:{:06}:", 1000 + at));
    "members of docker": |n| {
        let mut text = "root:x:0:\ndocker:x:113:".to_owned();
        for at in 0..n {
            let _ = write!(text, "u{at:06},");
        }
        Image::debian().file("/etc/group", &(text + "\n"))
    };
    "subordinate ids": |n| lines("/etc/subuid", "", n, |at| format!("u{at:06}:{:06}:65536", 100_000 + at))
        .file(DAEMON_JSON, "{\"userns-remap\": \"alice:docker\"}\n");
    "packages": |n| lines("/var/lib/dpkg/status", "", n, |at| {
        format!("Package: p{at:06}\nStatus: install ok installed\nVersion: 1\n")
    });
};
