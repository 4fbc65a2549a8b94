//! A whole host: what its daemon answers, and everything that is collected from files and programs, judged and
//! planned for.

use super::{is_plain, is_printable, text};
use seaworthy::audit::{Report, judge};
use seaworthy::catalog::{Catalog, Selection};
use seaworthy::change::{Digest, State};
use seaworthy::checks::{Layout, Outcome};
use seaworthy::collect::collect;
use seaworthy::facts::{Cause, Docker, Facts, Kind, Look, Mode, Node, Requests, Seen};
use seaworthy::host::{DockerAnswers, HostError, Output, ReadHost};
use seaworthy::plan::{self, Document, Options};
use seaworthy::policy::Policy;
use seaworthy::render::{self, Paper};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;

const TODAY: &str = "2026-11-22";

fn answers(all: &Value) -> DockerAnswers {
    let part = |name: &str| all.get(name).cloned().unwrap_or_default();
    DockerAnswers {
        version: part("version"),
        info: part("info"),
        networks: part("networks"),
        containers: part("containers").as_array().cloned().unwrap_or_default(),
        images: part("images"),
        volumes: part("volumes"),
        hidden: Vec::new(),
    }
}

/// The daemon's answers, in one object.
pub fn docker_answers(data: &[u8]) {
    let Ok(all) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let docker = answers(&all).facts();
    let value = serde_json::to_value(&docker).unwrap();
    assert_eq!(serde_json::from_value::<Docker>(value).unwrap(), docker);
    assert!(docker.running().count() <= docker.containers.len());
    for container in &docker.containers {
        assert!(!container.restart_policy.is_empty() && !container.name.starts_with('/'));
    }
    for network in &docker.networks {
        assert!(!["bridge", "host", "none"].contains(&network.name.as_str()));
    }
    for key in ["live-restore", "icc", "userns-remap", "no-new-privileges"] {
        for wanted in [json!(true), json!("default"), Value::Null] {
            let seen = docker.effective(key);
            assert_eq!(docker.is_in_effect(key, &wanted).is_some(), seen.is_some());
        }
    }
}

/// A host described in sections: `=== PATH [MODE [UID GID]]` for a file, `=== PATH/` for a folder,
/// `=== PATH -> TARGET` for a link, `=== $ COMMAND` for what a command prints, `=== docker` for the answers.
struct Described {
    nodes: BTreeMap<String, Node>,
    prints: BTreeMap<String, String>,
    docker: Option<Value>,
}

impl Described {
    fn parse(text: &str) -> Self {
        let mut host = Self {
            nodes: BTreeMap::new(),
            prints: BTreeMap::new(),
            docker: None,
        };
        let sections = text.strip_prefix("=== ").unwrap_or_default();
        for section in sections.split("\n=== ").take(64) {
            let (head, body) = section.split_once('\n').unwrap_or((section, ""));
            if let Some(command) = head.strip_prefix("$ ") {
                host.prints.insert(command.to_owned(), format!("{body}\n"));
            } else if head == "docker" {
                host.docker = serde_json::from_str(body).ok();
            } else if let Some((path, target)) = head.split_once(" -> ") {
                let node = Node {
                    kind: Kind::Link,
                    target: Some(target.to_owned()),
                    ..Node::default()
                };
                host.add(path, node);
            } else if let Some(path) = head.strip_suffix('/') {
                host.add(path, folder());
            } else {
                let mut words = head.split(' ');
                let path = words.next().unwrap_or_default();
                let mut node = Node::file(&format!("{body}\n"));
                let mode = words.next().and_then(|it| u32::from_str_radix(it, 8).ok());
                node.mode = Mode(mode.unwrap_or(0o644) & 0o7777);
                let mut id = || words.next().and_then(|it| it.parse().ok()).unwrap_or(0);
                (node.uid, node.gid) = (id(), id());
                host.add(path, node);
            }
        }
        host
    }

    /// Adds a node and the folders above it.
    fn add(&mut self, path: &str, node: Node) {
        if !is_plain(path) || path.ends_with('/') || path.contains("//") || path.len() > 200 {
            return;
        }
        let mut at = path;
        while let Some((above, name)) = at.rsplit_once('/') {
            let above = if above.is_empty() { "/" } else { above };
            let parent = self.nodes.entry(above.to_owned()).or_insert_with(folder);
            let names = parent.entries.get_or_insert_default();
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
                names.sort();
            }
            if above == "/" {
                break;
            }
            at = above;
        }
        let known = self.nodes.entry(path.to_owned()).or_insert(node.clone());
        if known.kind != Kind::Folder {
            *known = node;
        }
    }
}

fn folder() -> Node {
    Node {
        kind: Kind::Folder,
        mode: Mode(0o755),
        entries: Some(Vec::new()),
        ..Node::default()
    }
}

impl ReadHost for Described {
    fn is_live(&self) -> bool {
        !self.prints.is_empty() || self.docker.is_some()
    }

    fn is_root(&self) -> bool {
        true
    }

    fn node(&self, path: &str, look: Look) -> Result<Node, HostError> {
        if !is_plain(path) {
            return Err(HostError::Refused {
                path: path.to_owned(),
                reason: "not an absolute path".to_owned(),
            });
        }
        let mut node = self.nodes.get(path).cloned().unwrap_or_else(Node::absent);
        if look != Look::Content {
            node.content = None;
        }
        if node.kind != Kind::Folder {
            node.entries = None;
        }
        Ok(node)
    }

    fn report(&self, program: &str, arguments: &[&str]) -> Result<Output, HostError> {
        let name = program.rsplit('/').next().unwrap_or(program);
        let option = arguments.first().map_or("", |first| *first);
        let stdout = self
            .prints
            .get(name)
            .or_else(|| self.prints.get(&format!("{name} {option}")));
        let stdout = stdout.ok_or_else(|| HostError::NotInstalled {
            program: program.to_owned(),
        })?;
        Ok(Output {
            status: Some(0),
            stdout: stdout.clone(),
            stderr: String::new(),
        })
    }

    fn program(&self, name: &str) -> Option<String> {
        let known = self.prints.keys().any(|command| command.starts_with(name));
        known.then(|| format!("/usr/sbin/{name}"))
    }

    fn docker(&self, socket: &str) -> Result<DockerAnswers, HostError> {
        match &self.docker {
            Some(all) => Ok(answers(all)),
            None => Err(HostError::Docker {
                socket: socket.to_owned(),
                reason: "nobody is there".to_owned(),
                cause: Cause::Refused,
            }),
        }
    }
}

fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| Catalog::embedded().unwrap())
}

fn wanted(facts: &Facts) -> Requests {
    let mut wanted = Catalog::requests(catalog().iter(), facts);
    let more = plan::requests(facts)
        .into_iter()
        .chain(Layout::of(facts).requests());
    for (path, look) in more {
        let known = wanted.entry(path).or_insert(look);
        *known = look.max(*known);
    }
    wanted
}

/// Collects, judges, plans, and plans again for the host as it would be then.
pub fn host(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let host = Described::parse(text);
    let facts = collect(&host, None, &wanted, &mut |_| {});
    let value = serde_json::to_value(&facts).unwrap();
    assert_eq!(serde_json::from_value::<Facts>(value).unwrap(), facts);

    let policy = Policy::default();
    let judged = judge(catalog(), &facts, &policy, &Selection::default(), TODAY);
    assert!(judged.iter().all(|one| !one.judgement.evidence.is_empty()));
    let shown = render::report(&Report::new(&facts, &judged), &Paper::default());
    assert!(is_printable(&shown), "{shown:?}");

    // One of both: planning is what takes the time.
    let options = Options {
        allow_disruption: data.len().is_multiple_of(2),
        ..Options::default()
    };
    check_plan(&facts, &policy, &options);
}

fn check_plan(facts: &Facts, policy: &Policy, options: &Options) {
    let plan = plan::plan(catalog(), facts, policy, options, TODAY);
    for (index, step) in plan.steps.iter().enumerate() {
        let action = &step.action;
        assert!(is_plain(&action.path), "{:?}", action.path);
        assert!(!step.controls.is_empty() && !plan::unified(action).is_empty());
        let earlier = &plan.steps[..index];
        assert!(earlier.iter().all(|other| other.action.path != action.path));
        let Seen::Known(node) = facts.node(&action.path) else {
            panic!("{} was not seen", action.path);
        };
        let now = State::of(node).unwrap();
        assert_eq!(now.attributes(), action.before.attributes());
    }
    // What the plan does not hold back it cures.
    let judged = judge(catalog(), &plan.forecast, policy, &options.selection, TODAY);
    for one in judged {
        let id = &one.control.id;
        assert!(
            one.judgement.outcome != Outcome::Fail
                || plan.held_back.iter().any(|back| back.control == *id)
                || one.judgement.is_pending(),
            "{id} still fails: {:?}",
            one.judgement.evidence
        );
    }
    let second = plan::plan(catalog(), &plan.forecast, policy, options, TODAY);
    assert!(second.is_empty(), "{:?}", second.steps);

    // Saved and read again it is the same plan, and the host can be held to it.
    let decisions = Digest::of(b"");
    let document = Document::new(&plan, facts, options, "2026-11-22T03:11:46Z", &decisions);
    let printed = serde_json::to_string_pretty(&document).unwrap();
    let read = Document::parse(&printed).unwrap();
    assert_eq!(read, document);
    assert_eq!(read.hold_to(&document, facts), Ok(()));
    let shown = render::plan(&document, &Paper::default());
    assert!(is_printable(&shown), "{shown:?}");
}
