//! Certificates of registries (docs.docker.com, "Verify repository client with certificates").

use super::layout::Layout;
use crate::facts::{Seen, Unseen};

impl Layout<'_> {
    pub(super) fn entries(&self, folder: &str) -> Vec<String> {
        match self.facts.node(folder) {
            Seen::Known(node) => node
                .entries
                .iter()
                .flatten()
                .map(|name| format!("{folder}/{name}"))
                .collect(),
            Seen::Unseen(_) => Vec::new(),
        }
    }

    /// Why not all registry certificates are known, if so.
    pub(super) fn unlisted_certificates(&self) -> Option<Unseen> {
        let folder = self.installation.certificates();
        let registries = self.entries(&folder);
        std::iter::once(folder)
            .chain(registries)
            .find_map(|folder| {
                let why = match self.facts.node(&folder) {
                    Seen::Known(node) => {
                        format!("the name {} is not UTF-8", node.odd_names.first()?)
                    }
                    Seen::Unseen(unseen) => unseen.unseen,
                };
                Some(Unseen::new(
                    format!("{folder}: {why}"),
                    format!("ls -lb {folder}"),
                ))
            })
    }

    pub(super) fn certificates(&self) -> Vec<String> {
        self.entries(&self.installation.certificates())
            .iter()
            .flat_map(|registry| self.entries(registry))
            .filter(|path| {
                [".crt", ".cert", ".key"]
                    .iter()
                    .any(|end| path.ends_with(end))
            })
            .collect()
    }
}
