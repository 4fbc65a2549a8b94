//! The table.
//!
//! Names and versions are those of moby's `cmd/dockerd/{options,config,config_unix}.go`
//! (`daemon/command` since 29), defaults those of `daemon/config/config_linux.go` and of dockerd(8);
//! docs.docker.com, "Deprecated Docker Engine features" and the release notes tell what went.
//! 20.10.24, 26.1.5, 28.5.2 and 29.7.2 were asked about every name.

use super::depends::Depends;
use super::row::Preset::{Nothing, Number, Off, On, Since, Text, Unset};
use super::row::Row;
use super::shape::Shape;
use super::shown::{
    AUTHORIZATION, DEBUG, EXPERIMENTAL, ICC, INSECURE, LIVE_RESTORE, LOG_DRIVER, NO_NEW_PRIVILEGES,
    SELINUX, STORAGE_DRIVER, USERNS,
};
use super::version::{OLDEST, Version, v};

/// Every key, by name in the order of bytes.
pub(super) const ROWS: &[Row] = &[
    Row::switch("allow-direct-routing", Off).since(v(28, 2)),
    Row::new("allow-nondistributable-artifacts", Shape::Texts)
        .ignored(v(28, 0))
        .preset(Nothing)
        .reloaded(),
    // 27 ignores it unless DOCKERD_DEPRECATED_CORS_HEADER is set; 28 refuses one that is not empty.
    Row::text("api-cors-header")
        .ignored(v(27, 0))
        .gone(v(29, 0)),
    AUTHORIZATION,
    Row::text("bip"),
    Row::text("bip6").since(v(28, 0)),
    Row::text("bridge"),
    Row::text("bridge-accept-fwmark").since(v(29, 0)),
    Row::new("builder", Shape::Table).no_flag().whole(OLDEST),
    Row::texts("cdi-spec-dirs", "cdi-spec-dir")
        .since(v(25, 0))
        .preset(Unset),
    Row::text("cgroup-parent")
        .fixed()
        .serves(Depends::StartingContainers),
    Row::text("cluster-advertise").gone(v(23, 0)).reloaded(),
    Row::text("cluster-store")
        .gone(v(23, 0))
        .reloaded()
        .private(),
    Row::new("cluster-store-opts", Shape::TextTable)
        .gone(v(23, 0))
        .by_flag("cluster-store-opt")
        .whole(OLDEST)
        .reloaded()
        .private(),
    Row::text("containerd").fixed(),
    Row::text("containerd-namespace").fixed(),
    Row::number("cpu-rt-period", Number(0)),
    Row::number("cpu-rt-runtime", Number(0)),
    Row::switch("cri-containerd", Off),
    Row::text("data-root").fixed(),
    DEBUG,
    Row::new("default-address-pools", Shape::List).by_flag("default-address-pool"),
    // `private` with cgroup v2, `host` with v1.
    Row::text("default-cgroupns-mode")
        .reloaded()
        .serves(Depends::NewContainers),
    Row::text("default-gateway"),
    Row::text("default-gateway-v6"),
    Row::text("default-ipc-mode")
        .preset(Text("private"))
        .reloaded()
        .serves(Depends::NewContainers),
    Row::new("default-network-opts", Shape::Table)
        .since(v(24, 0))
        .by_flag("default-network-opt")
        .whole(v(24, 0))
        .private(),
    Row::text("default-runtime")
        .preset(Text("runc"))
        .reloaded()
        .serves(Depends::NewContainers),
    Row::text("default-shm-size").reloaded(),
    Row::number("default-stop-timeout", Number(10))
        .since(v(29, 7))
        .reloaded(),
    Row::new("default-ulimits", Shape::Table)
        .by_flag("default-ulimit")
        .whole(OLDEST)
        .serves(Depends::StartingContainers),
    Row::text("deprecated-key-path").no_flag().ignored(v(24, 0)),
    Row::texts("dns", "dns"),
    Row::texts("dns-opts", "dns-opt"),
    Row::texts("dns-search", "dns-search"),
    Row::texts("exec-opts", "exec-opt"),
    Row::text("exec-root").fixed(),
    EXPERIMENTAL.fixed(),
    // The flag is of 27.0.
    Row::new("features", Shape::SwitchTable)
        .by_flag("feature")
        .whole(OLDEST)
        .reloaded(),
    Row::text("firewall-backend").since(v(29, 0)),
    Row::text("fixed-cidr"),
    Row::text("fixed-cidr-v6"),
    Row::text("graph").gone(v(23, 0)).fixed(),
    Row::text("group").preset(Text("docker")),
    Row::text("host-gateway-ip"),
    // Before 28.0 the key had the flag's name.
    Row::texts("host-gateway-ips", "host-gateway-ip").since(v(28, 0)),
    Row::texts("hosts", "host").preset(Unset).fixed(),
    ICC.fixed(),
    Row::switch("init", Off).serves(Depends::StartingContainers),
    Row::text("init-path"),
    INSECURE.fixed(),
    Row::text("ip"),
    Row::switch("ip-forward", On),
    Row::switch("ip-forward-no-drop", Off).since(v(28, 0)),
    Row::switch("ip-masq", On),
    Row::switch("ip6tables", Since(v(27, 0), &Off, &On)).serves(Depends::Firewall),
    Row::switch("iptables", On)
        .fixed()
        .serves(Depends::Firewall),
    Row::switch("ipv6", Off),
    Row::texts("labels", "label").reloaded(),
    LIVE_RESTORE.fixed(),
    LOG_DRIVER,
    Row::text("log-format").since(v(25, 0)).preset(Text("text")),
    Row::text("log-level")
        .preset(Text("info"))
        .fixed()
        .serves(Depends::LOG),
    Row::new("log-opts", Shape::TextTable)
        .by_flag("log-opt")
        .whole(OLDEST)
        .private(),
    Row::number("max-concurrent-downloads", Number(3)).reloaded(),
    Row::number("max-concurrent-uploads", Number(5)).reloaded(),
    Row::number("max-download-attempts", Number(5)).reloaded(),
    Row::text("metrics-addr"),
    // Only in the file. 1.44 in 29.0 to 29.2.
    Row::text("min-api-version")
        .since(v(29, 0))
        .no_flag()
        .preset(Since(v(29, 3), &Text("1.44"), &Text("1.40"))),
    Row::number("mtu", Number(1500)),
    Row::number("network-control-plane-mtu", Number(1500)),
    Row::number("network-diagnostic-port", Number(0)).reloaded(),
    NO_NEW_PRIVILEGES.fixed(),
    Row::texts("node-generic-resources", "node-generic-resource"),
    Row::new("nri-opts", Shape::Table)
        .since(v(29, 2))
        .whole(v(29, 2))
        .reloaded(),
    // 24 warns, 25 refuses another value than 0.
    Row::number("oom-score-adjust", Unset).gone(v(26, 0)),
    Row::text("pidfile").fixed(),
    Row::switch("raw-logs", Off),
    Row::texts("registry-mirrors", "registry-mirror")
        .reloaded()
        .private(),
    Row::switch("rootless", Off).fixed(),
    Row::new("runtimes", Shape::Table)
        .by_flag("add-runtime")
        .whole(OLDEST)
        .reloaded()
        .private(),
    Row::text("seccomp-profile").serves(Depends::StartingContainers),
    SELINUX,
    Row::number("shutdown-timeout", Number(15)).reloaded(),
    STORAGE_DRIVER.fixed(),
    Row::texts("storage-opts", "storage-opt").fixed(),
    Row::text("swarm-default-advertise-addr"),
    // What a missing `tls` means depends on `tlsverify` and on the environment.
    Row::new("tls", Shape::Switch),
    Row::text("tlscacert"),
    Row::text("tlscert"),
    Row::text("tlskey"),
    Row::switch("tlsverify", Off),
    Row::switch("userland-proxy", On)
        .fixed()
        .serves(Depends::PublishedPorts),
    Row::text("userland-proxy-path"),
    USERNS.fixed(),
];

/// The name of a flag that is accepted as a key and never has an effect, as the file has another name
/// for the option or none.
pub(super) struct Dead {
    pub(super) name: &'static str,
    /// The key that works.
    pub(super) instead: Option<&'static str>,
    pub(super) since: Version,
    pub(super) gone_from: Option<Version>,
}

const fn dead(name: &'static str, instead: Option<&'static str>) -> Dead {
    Dead {
        name,
        instead,
        since: OLDEST,
        gone_from: None,
    }
}

const fn dead_since(version: Version, name: &'static str, instead: Option<&'static str>) -> Dead {
    Dead {
        since: version,
        ..dead(name, instead)
    }
}

/// By name in the order of bytes.
pub(super) const DEAD: &[Dead] = &[
    dead("add-runtime", Some("runtimes")),
    dead("authorization-plugin", Some("authorization-plugins")),
    dead_since(v(25, 0), "cdi-spec-dir", Some("cdi-spec-dirs")),
    Dead {
        gone_from: Some(v(23, 0)),
        ..dead("cluster-store-opt", Some("cluster-store-opts"))
    },
    dead("config-file", None),
    dead("containerd-plugins-namespace", None),
    dead("default-address-pool", Some("default-address-pools")),
    dead_since(
        v(24, 0),
        "default-network-opt",
        Some("default-network-opts"),
    ),
    dead("default-ulimit", Some("default-ulimits")),
    dead("dns-opt", Some("dns-opts")),
    dead("exec-opt", Some("exec-opts")),
    dead_since(v(27, 0), "feature", Some("features")),
    dead("help", None),
    dead("host", Some("hosts")),
    dead_since(v(23, 0), "http-proxy", Some("proxies")),
    dead_since(v(23, 0), "https-proxy", Some("proxies")),
    dead("insecure-registry", Some("insecure-registries")),
    dead("label", Some("labels")),
    dead("log-opt", Some("log-opts")),
    dead_since(v(23, 0), "no-proxy", Some("proxies")),
    dead("node-generic-resource", Some("node-generic-resources")),
    dead("registry-mirror", Some("registry-mirrors")),
    dead("restart", None),
    dead("storage-opt", Some("storage-opts")),
    dead_since(v(23, 0), "validate", None),
    dead("version", None),
];

/// Boolean flags that are no keys with an effect, of all versions together.
pub(super) const BOOLEAN_FLAGS: [&str; 5] = [
    "disable-legacy-registry",
    "help",
    "restart",
    "validate",
    "version",
];

/// The short flags and their long names.
pub(super) const SHORT_FLAGS: [(char, &str); 10] = [
    ('D', "debug"),
    ('G', "group"),
    ('H', "host"),
    ('b', "bridge"),
    ('h', "help"),
    ('l', "log-level"),
    ('p', "pidfile"),
    ('r', "restart"),
    ('s', "storage-driver"),
    ('v', "version"),
];
