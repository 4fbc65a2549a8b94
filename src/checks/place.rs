//! Names for the places that controls speak of; where they are differs from host to host.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A path, or the name of something that the host itself says where it is.
///
/// In a control file: `place = "/etc/docker"` or `place = "dockerd"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Place {
    /// An absolute path.
    Path(String),
    /// The daemon's binary: the first word of docker.service's `ExecStart=`.
    Dockerd,
    /// A program in the system's own folders, by name.
    Program(String),
    /// `--data-root`, `data-root`, or `/var/lib/docker`: as configured, not as `/info` says it.
    DataRoot,
    /// `--config-file`, or `/etc/docker/daemon.json`.
    DaemonJson,
    /// The file of docker.service.
    DockerService,
    /// The file of docker.socket.
    DockerSocketUnit,
    /// The socket of the Docker API.
    ApiSocket,
    /// The socket of the containerd that the daemon uses.
    ContainerdSocket,
    /// containerd's `config.toml`.
    ContainerdConfig,
    /// Certificates below `/etc/docker/certs.d`.
    RegistryCertificates,
    /// `--tlscacert`.
    TlsCa,
    /// `--tlscert`.
    TlsCertificate,
    /// `--tlskey`.
    TlsKey,
}

const PROGRAMS: [&str; 5] = [
    "containerd",
    "containerd-shim",
    "containerd-shim-runc-v1",
    "containerd-shim-runc-v2",
    "runc",
];

impl FromStr for Place {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Ok(match name {
            path if path.starts_with('/') => Self::Path(path.to_owned()),
            "dockerd" => Self::Dockerd,
            "data-root" => Self::DataRoot,
            "daemon-json" => Self::DaemonJson,
            "docker-service" => Self::DockerService,
            "docker-socket" => Self::DockerSocketUnit,
            "api-socket" => Self::ApiSocket,
            "containerd-socket" => Self::ContainerdSocket,
            "containerd-config" => Self::ContainerdConfig,
            "registry-certificates" => Self::RegistryCertificates,
            "tls-ca" => Self::TlsCa,
            "tls-certificate" => Self::TlsCertificate,
            "tls-key" => Self::TlsKey,
            program if PROGRAMS.contains(&program) => Self::Program(program.to_owned()),
            _ => {
                return Err(format!(
                    "`{name}` is neither an absolute path nor the name of a place"
                ));
            }
        })
    }
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path(path) => path,
            Self::Program(name) => name,
            Self::Dockerd => "dockerd",
            Self::DataRoot => "data-root",
            Self::DaemonJson => "daemon-json",
            Self::DockerService => "docker-service",
            Self::DockerSocketUnit => "docker-socket",
            Self::ApiSocket => "api-socket",
            Self::ContainerdSocket => "containerd-socket",
            Self::ContainerdConfig => "containerd-config",
            Self::RegistryCertificates => "registry-certificates",
            Self::TlsCa => "tls-ca",
            Self::TlsCertificate => "tls-certificate",
            Self::TlsKey => "tls-key",
        })
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}
