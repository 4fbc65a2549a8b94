//! What on a host can rely on a setting: whom a change of it concerns.

/// What can rely on the former value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depends {
    /// The host's own firewall, and the containers whose published ports it closes.
    Firewall,
    /// Containers that publish ports.
    PublishedPorts,
    /// Containers that share the default bridge.
    DefaultBridge,
    /// Containers that are created anew later on: those that exist keep what they were created with.
    NewContainers,
    /// Containers that exist, from their next start on.
    StartingContainers,
    /// All that the daemon keeps: it changes to another root.
    Stored,
    /// Containers that have checkpoints.
    Checkpoints,
    /// Images that come from registries without TLS that this host trusts.
    Registries,
    /// Whoever speaks to the Docker API.
    ApiClients,
    /// Users, groups and containers that may do something with a file.
    Access,
    /// The audit log of a host that stops when it is full, or that loses events.
    AuditLog,
    /// Nobody has said.
    Unknown,
    /// Nobody: why.
    Nobody(&'static str),
}

impl Depends {
    /// Only what the daemon writes to its own log changes.
    pub(super) const LOG: Self = Self::Nobody("only what the daemon writes to its own log changes");

    /// Whether those who rely on it are seen among the containers and images that the daemon knows.
    pub fn is_of_docker(self) -> bool {
        match self {
            Self::Unknown | Self::Nobody(_) => false,
            Self::Firewall
            | Self::PublishedPorts
            | Self::DefaultBridge
            | Self::NewContainers
            | Self::StartingContainers
            | Self::Stored
            | Self::Checkpoints
            | Self::Registries
            | Self::ApiClients
            | Self::Access
            | Self::AuditLog => true,
        }
    }
}
