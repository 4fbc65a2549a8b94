//! An image of a Debian host as a table, parts of which cannot be read.

use seaworthy::collect::collect;
use seaworthy::facts::{Bytes, Facts, Kind, Look, Mode, Node, Requests};
use seaworthy::host::{DockerAnswers, HostError, Output, ReadHost};
use seaworthy::{catalog::Catalog, plan};
use std::collections::BTreeMap;

/// How a file is spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoil {
    /// A byte that is not UTF-8, in a comment.
    Comment,
    /// Such a byte in every value.
    Values,
    /// More than is read.
    TooLarge,
    /// Nobody may read it.
    Forbidden,
}

impl Spoil {
    pub(crate) const ALL: [Self; 4] =
        [Self::Comment, Self::Values, Self::TooLarge, Self::Forbidden];
}

/// A host that does not run.
#[derive(Clone, Default)]
pub(crate) struct Image {
    nodes: BTreeMap<String, Node>,
    forbidden: Option<String>,
}

impl Image {
    /// Debian's packages, with defaults alone.
    pub(crate) fn debian() -> Self {
        let mut image = Self::default()
            .file("/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n")
            .file("/etc/hostname", "sample\n")
            .file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/sh\n")
            .file("/etc/group", "root:x:0:\ndocker:x:113:\n")
            .file("/etc/subuid", "")
            .file("/etc/subgid", "")
            .file("/etc/environment", "LANG=C\n")
            .file("/etc/default/docker", "# none\n")
            .file("/etc/docker/daemon.json", "{\n  \"experimental\": true\n}\n")
            .file("/etc/audit/rules.d/audit.rules", "-D\n-b 8192\n")
            .file(
                "/usr/lib/systemd/system/docker.service",
                "[Service]\nType=notify\nEnvironmentFile=-/etc/default/docker\n\
                 ExecStart=/usr/sbin/dockerd -H fd:// $DOCKER_OPTS\n[Install]\nWantedBy=multi-user.target\n",
            )
            .file(
                "/usr/lib/systemd/system/docker.socket",
                "[Socket]\nListenStream=/run/docker.sock\nSocketMode=0660\nSocketUser=root\nSocketGroup=docker\n",
            )
            .file("/usr/lib/systemd/system/containerd.service", "[Service]\nExecStart=/usr/bin/containerd\n")
            .file("/usr/lib/systemd/system/auditd.service", "[Service]\nExecStart=/sbin/auditd\n");
        for program in [
            "/usr/sbin/dockerd",
            "/usr/bin/docker",
            "/usr/bin/containerd",
            "/usr/sbin/auditctl",
        ] {
            image = image.file(program, "");
            image.nodes.get_mut(program).unwrap().mode = Mode(0o755);
        }
        image
    }

    pub(crate) fn folder(mut self, path: &str) -> Self {
        let mut at = path;
        while !at.is_empty() && !self.nodes.contains_key(at) {
            let node = Node {
                kind: Kind::Folder,
                mode: Mode(0o755),
                ..Node::default()
            };
            self.nodes.insert(at.to_owned(), node);
            at = at.rsplit_once('/').unwrap().0;
        }
        self
    }

    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        let folder = path.rsplit_once('/').unwrap().0;
        let mut image = self.folder(folder);
        image.nodes.insert(path.to_owned(), Node::file(text));
        image
    }

    pub(crate) fn link(mut self, path: &str, target: &str) -> Self {
        let folder = path.rsplit_once('/').unwrap().0;
        self = self.folder(folder);
        let node = Node {
            kind: Kind::Link,
            target: Some(target.to_owned()),
            ..Node::default()
        };
        self.nodes.insert(path.to_owned(), node);
        self
    }

    pub(crate) fn mode(mut self, path: &str, mode: u32) -> Self {
        self.nodes.get_mut(path).unwrap().mode = Mode(mode);
        self
    }

    fn text(&self, path: &str) -> String {
        let content = self.nodes[path].content.clone().unwrap();
        String::from_utf8(content.into_vec()).unwrap()
    }

    pub(crate) fn append(self, path: &str, more: &str) -> Self {
        let text = self.text(path) + more;
        self.file(path, &text)
    }

    pub(crate) fn replace(self, path: &str, from: &str, to: &str) -> Self {
        let text = self.text(path);
        assert!(text.contains(from));
        self.file(path, &text.replace(from, to))
    }

    pub(crate) fn odd_name(mut self, folder: &str, name: &str) -> Self {
        self.nodes
            .get_mut(folder)
            .unwrap()
            .odd_names
            .push(name.to_owned());
        self
    }

    /// The regular files.
    pub(crate) fn paths(&self) -> Vec<String> {
        let files = self
            .nodes
            .iter()
            .filter(|(_, node)| node.kind == Kind::File);
        files.map(|(path, _)| path.clone()).collect()
    }

    pub(crate) fn spoiled(mut self, path: &str, how: Spoil) -> Self {
        let node = self.nodes.get_mut(path).unwrap();
        let bytes = node.content.clone().unwrap().into_vec();
        match how {
            Spoil::Comment => {
                let mut spoilt = b"# f\xfcr uns\n".to_vec();
                spoilt.extend(bytes);
                node.content = Some(Bytes::new(spoilt));
            }
            Spoil::Values => {
                let mut spoilt = Vec::new();
                for byte in bytes {
                    spoilt.push(byte);
                    if matches!(byte, b'=' | b':') {
                        spoilt.push(0xfc);
                    }
                }
                node.content = Some(Bytes::new(spoilt));
            }
            Spoil::TooLarge => node.content = None,
            Spoil::Forbidden => self.forbidden = Some(path.to_owned()),
        }
        self
    }

    /// All that the catalog and the planner want to see of it.
    pub(crate) fn facts(&self) -> Facts {
        let catalog = super::catalog();
        let wanted = |facts: &Facts| -> Requests {
            let mut requests = Catalog::requests(catalog.iter(), facts);
            for (path, look) in plan::requests(facts) {
                let wanted = requests.entry(path).or_insert(look);
                *wanted = look.max(*wanted);
            }
            requests
        };
        collect(self, None, &wanted, &mut |_| {})
    }
}

impl ReadHost for Image {
    fn is_live(&self) -> bool {
        false
    }

    fn is_root(&self) -> bool {
        true
    }

    fn node(&self, path: &str, look: Look) -> Result<Node, HostError> {
        if self.forbidden.as_deref() == Some(path) && look == Look::Content {
            let source = std::io::ErrorKind::PermissionDenied.into();
            return Err(HostError::file(path, "read", source));
        }
        let Some(node) = self.nodes.get(path) else {
            return Ok(Node::absent());
        };
        let mut node = node.clone();
        if look < Look::Content {
            node.content = None;
        }
        if node.kind == Kind::Folder && look >= Look::Entries {
            let below = format!("{path}/");
            let names = self
                .nodes
                .keys()
                .filter_map(|other| other.strip_prefix(&below));
            node.entries = Some(
                names
                    .filter(|name| !name.contains('/'))
                    .map(str::to_owned)
                    .collect(),
            );
        } else {
            node.odd_names.clear();
        }
        Ok(node)
    }

    fn report(&self, program: &str, _arguments: &[&str]) -> Result<Output, HostError> {
        Err(HostError::NotInstalled {
            program: program.to_owned(),
        })
    }

    fn program(&self, _name: &str) -> Option<String> {
        None
    }

    fn docker(&self, socket: &str) -> Result<DockerAnswers, HostError> {
        Err(HostError::Docker {
            socket: socket.to_owned(),
            reason: "nothing runs here".to_owned(),
            cause: seaworthy::facts::Cause::NotRunning,
        })
    }
}
