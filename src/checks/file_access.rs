//! `kind = "file-access"`: owner, group or permission bits.
//!
//! Modes are compared as masks, a stricter mode passes, and a remedy only takes bits away. No
//! symbolic link is followed: what it leads to is somebody else's file.

use super::companions;
use super::layout::Layout;
use super::{Evidence, Judgement, Outcome, Place};
use crate::change::{DropInSetting, Edit};
use crate::facts::{Facts, Kind, Look, Mode, Node, Requests, Seen};
use crate::formats::accounts;
use serde::{Deserialize, Serialize};

/// Who may own a file, and the most that others may do with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FileAccess {
    /// Which file.
    pub place: Place,
    /// Owner by name.
    #[serde(default)]
    pub owner: Option<String>,
    /// Group by name.
    #[serde(default)]
    pub group: Option<String>,
    /// The most permissive mode.
    #[serde(default)]
    pub at_most: Option<Mode>,
}

impl FileAccess {
    /// What it needs to see.
    pub fn requests(&self, layout: &Layout<'_>) -> Requests {
        let facts = layout.facts;
        let mut requests = layout.place_requests(&self.place);
        requests.insert("/etc/passwd".to_owned(), Look::Content);
        requests.extend(companions::requests(layout, facts, &self.place));
        for path in layout.paths(&self.place) {
            requests.entry(path).or_insert(Look::Attributes);
        }
        requests
    }

    /// Judges the files of the place together.
    pub fn judge(&self, layout: &Layout<'_>) -> Judgement {
        let facts = layout.facts;
        let paths = layout.paths(&self.place);
        if paths.is_empty() {
            return Judgement::not_applicable(self.why_absent(), self.place.to_string());
        }
        let mut all = Judgement {
            outcome: Outcome::NotApplicable,
            ..Judgement::default()
        };
        let own = paths
            .iter()
            .map(|path| self.judge_path(facts, layout, path));
        for one in own.chain(self.companions(facts, layout)) {
            // The worst verdict stands; what is absent only counts when nothing else is there.
            let rank = |outcome: Outcome| match outcome {
                Outcome::NotApplicable => 0,
                Outcome::Pass => 1,
                Outcome::Manual => 2,
                Outcome::Unknown => 3,
                Outcome::Fail => 4,
            };
            if rank(one.outcome) > rank(all.outcome) {
                all.outcome = one.outcome;
                all.evidence.clear();
            }
            if one.outcome == all.outcome {
                all.evidence.extend(one.evidence);
            }
            all.edits.extend(one.edits);
            all.blocked = all.blocked.or(one.blocked);
        }
        // What can be edited is, even where another file of the place cannot.
        if !all.edits.is_empty() {
            all.blocked = None;
        }
        all
    }

    fn why_absent(&self) -> &'static str {
        match self.place {
            Place::RegistryCertificates => "there are no registry certificates",
            Place::TlsCa | Place::TlsCertificate | Place::TlsKey => {
                "the daemon is not configured with TLS"
            }
            Place::DockerService | Place::DockerSocketUnit => "there is no such unit",
            _ => "it does not exist",
        }
    }

    fn judge_path(&self, facts: &Facts, layout: &Layout<'_>, path: &str) -> Judgement {
        let node = match facts.node(path) {
            Seen::Unseen(unseen) => {
                return Judgement::new(
                    Outcome::Unknown,
                    Evidence::new(unseen.unseen, "to be seen", path).hint(unseen.hint),
                );
            }
            Seen::Known(node) => node,
        };
        match node.kind {
            Kind::Absent => return Judgement::not_applicable("it does not exist", path),
            Kind::Link => {
                return Judgement::new(
                    Outcome::Unknown,
                    Evidence::new(
                        format!(
                            "a symbolic link to {}, and none is followed",
                            node.target.as_deref().unwrap_or("an unknown place")
                        ),
                        "the file itself",
                        path,
                    ),
                );
            }
            _ => {}
        }
        match self.at_most {
            Some(most) => self.judge_mode(node, most, path, layout),
            None => self.judge_owner(facts, layout, node, path),
        }
    }

    fn judge_mode(&self, node: &Node, most: Mode, path: &str, layout: &Layout<'_>) -> Judgement {
        // An init script is a program: it does not work without permission to run it.
        let most = if path.starts_with("/etc/init.d/") {
            Mode(most.0 | 0o111)
        } else {
            most
        };
        let beyond = node.mode.beyond(most);
        let evidence = Evidence::new(
            format!("mode {}", node.mode),
            format!("mode {most} or stricter"),
            path,
        );
        if beyond == Mode(0) {
            return Judgement::new(Outcome::Pass, evidence);
        }
        let edit = Edit::Access {
            path: path.to_owned(),
            clear: beyond,
            uid: None,
            gid: None,
        };
        let lasting = self.lasting(layout, "SocketMode", &node.mode.without(beyond).to_string());
        Self::correct(node, evidence, edit, lasting)
    }

    fn judge_owner(
        &self,
        facts: &Facts,
        layout: &Layout<'_>,
        node: &Node,
        path: &str,
    ) -> Judgement {
        let (passwd, groups) = (facts.table("/etc/passwd"), facts.table("/etc/group"));
        let (passwd, groups) = (passwd.as_ref(), groups.as_ref());
        let name = |text: &str, id: u32| {
            if id == 0 {
                "root".to_owned()
            } else {
                accounts::name_of(text, id).unwrap_or_else(|| id.to_string())
            }
        };
        let id = |text: &str, name: &str| {
            if name == "root" {
                Some(0)
            } else {
                accounts::id_of(text, name)
            }
        };
        let owner = self.owner.as_deref().unwrap_or("root");
        let group = self.group.as_deref().unwrap_or("root");
        let mut evidence = Evidence::new(
            format!("{}:{}", name(passwd, node.uid), name(groups, node.gid)),
            format!("{owner}:{group}"),
            path,
        );
        let (Some(uid), Some(gid)) = (id(passwd, owner), id(groups, group)) else {
            let unread = ["/etc/passwd", "/etc/group"]
                .into_iter()
                .find_map(|path| Some((path, facts.reading(path).unread()?.unseen.clone())));
            evidence.wanted = match unread {
                Some((path, why)) => {
                    format!("{owner}:{group}, and {path} could not be read: {why}")
                }
                None => format!("{owner}:{group}, but there is no such account here"),
            };
            return Judgement::new(Outcome::Unknown, evidence);
        };
        // A socket that belongs to root alone is stricter than one that a group may use.
        if node.uid == uid && (node.gid == gid || node.gid == 0) {
            return Judgement::new(Outcome::Pass, evidence);
        }
        let edit = Edit::Access {
            path: path.to_owned(),
            clear: Mode(0),
            uid: (node.uid != uid).then_some(uid),
            gid: (node.gid != gid && node.gid != 0).then_some(gid),
        };
        let mut lasting = self.lasting(layout, "SocketUser", owner);
        lasting.extend(self.lasting(layout, "SocketGroup", group));
        Self::correct(node, evidence, edit, lasting)
    }

    /// A change of docker.sock itself lasts until docker.socket is started again; the unit makes
    /// it last (systemd.socket(5), SocketMode=).
    fn lasting(&self, layout: &Layout<'_>, key: &str, value: &str) -> Vec<Edit> {
        if self.place != Place::ApiSocket || layout.paths(&Place::DockerSocketUnit).is_empty() {
            return Vec::new();
        }
        vec![Edit::DropIn(DropInSetting {
            unit: "docker.socket".to_owned(),
            section: "Socket".to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
        })]
    }

    pub(super) fn correct(
        node: &Node,
        evidence: Evidence,
        edit: Edit,
        lasting: Vec<Edit>,
    ) -> Judgement {
        if let Some(reason) = &node.fixed {
            let path = evidence.source.to_string();
            return Judgement::blocked(
                vec![evidence],
                format!("{path}: {reason}"),
                format!("lsattr -d {path}; findmnt -T {path}"),
            );
        }
        let mut edits = vec![edit];
        edits.extend(lasting);
        Judgement::fail(vec![evidence], edits)
    }
}
