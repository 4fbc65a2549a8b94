//! Whether this host is a member of a swarm.
//!
//! A daemon that answers says so. One that does not has kept its membership on the disk
//! (moby, daemon/cluster/cluster.go), below the data root or, with userns-remap, below the folder of the
//! mapping in it.

use super::layout::Layout;
use crate::facts::{Kind, Look, Requests, Seen, Swarm, Unseen};

/// Whether this host is a member of a swarm, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership {
    /// It is: this says so.
    Member(String),
    /// It is not.
    None,
    /// Where that would stand could not be seen.
    Unseen(String, Unseen),
}

impl Layout<'_> {
    /// Whether this host is a member of a swarm.
    pub fn swarm(&self) -> Membership {
        if let Seen::Known(docker) = &self.facts.docker {
            return match docker.swarm {
                Swarm::Active => Membership::Member("/info Swarm.LocalNodeState".to_owned()),
                Swarm::Inactive => Membership::None,
            };
        }
        let mut unseen = None;
        let mut doubt = |path: &str, why: Unseen| {
            unseen.get_or_insert((path.to_owned(), why));
        };
        let root = self.root();
        match self.facts.node(&root) {
            Seen::Known(node) => match (node.kind, &node.entries) {
                (Kind::Absent, _) => return Membership::None,
                // A name that is not UTF-8 is that of no mapping.
                (_, Some(_)) => {}
                (Kind::Folder, None) => {
                    doubt(
                        &root,
                        Unseen::new("it was not listed", format!("ls {root}")),
                    );
                }
                _ => doubt(
                    &root,
                    Unseen::new("it is not a folder", format!("ls -ld {root}")),
                ),
            },
            Seen::Unseen(why) => doubt(&root, why),
        }
        for state in self.states() {
            match self.facts.node(&state) {
                Seen::Known(node) if node.kind == Kind::Absent => {}
                Seen::Known(_) => return Membership::Member(state),
                Seen::Unseen(why) => doubt(&state, why),
            }
        }
        unseen.map_or(Membership::None, |(path, why)| {
            Membership::Unseen(path, why)
        })
    }

    /// What must be looked at to know it.
    pub(super) fn swarm_requests(&self) -> Requests {
        if self.facts.docker.known().is_some() {
            return Requests::new();
        }
        let root = self.root();
        let way = self.facts.way_to(&self.data_root());
        let mut requests: Requests = way
            .into_iter()
            .chain(self.states())
            .map(|path| (path, Look::Attributes))
            .collect();
        requests.insert(root, Look::Entries);
        requests
    }

    fn root(&self) -> String {
        self.facts.real_path(&self.data_root())
    }

    /// Where a membership is kept, as far as the folders of mappings are known.
    fn states(&self) -> Vec<String> {
        let root = self.root();
        let is_mapping = |name: &&String| {
            name.split_once('.')
                .is_some_and(|(uid, gid)| [uid, gid].iter().all(|id| id.parse::<u32>().is_ok()))
        };
        let entries = match self.facts.node(&root) {
            Seen::Known(node) => node.entries.clone().unwrap_or_default(),
            Seen::Unseen(_) => Vec::new(),
        };
        let mapped = entries.iter().filter(is_mapping);
        std::iter::once(root.clone())
            .chain(mapped.map(|name| format!("{root}/{name}")))
            .map(|root| format!("{root}/swarm/docker-state.json"))
            .collect()
    }
}
