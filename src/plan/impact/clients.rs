//! `authorization-plugins`: whose requests a plugin judges from then on
//! (docs.docker.com, "Access authorization plugin").

use super::{Impact, Turn, access};
use crate::checks::{Layout, Place};

/// Who reaches the API through its socket.
pub(super) fn impact(turn: &Turn<'_>) -> Vec<Impact> {
    let is_new = turn
        .brings("authorization-plugins")
        .and_then(|plugins| plugins.as_array())
        .is_some_and(|plugins| !plugins.is_empty());
    if !is_new {
        return Vec::new();
    }
    let sockets = Layout::of(turn.facts).paths(&Place::ApiSocket);
    let who = sockets
        .iter()
        .flat_map(|socket| access::connects(turn, socket))
        .collect();
    vec![Impact {
        what: "get only what the plugin allows from the Docker API".to_owned(),
        who,
        why: "authorization-plugins".to_owned(),
        size: None,
    }]
}
