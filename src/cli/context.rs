//! What every verb starts from: the door, the catalog, the policy, the facts.

use super::arguments::{Allow, Global, Profile};
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::print;
use super::site::Site;
use super::today::today;
use crate::apply::{self, JournalError, STATE, Settings};
use crate::audit::{Judged, Report, judge};
use crate::catalog::{self, Catalog, Selection};
use crate::change::Digest;
use crate::checks::{Evidence, Layout, Location, changed_since_start, started};
use crate::collect::{self, collect};
use crate::facts::{Docker, Facts, Requests, Seen, Usage};
use crate::formats::shell::quoted_os;
use crate::host::{LinuxHost, Patience, ReadHost as _, read_named};
use crate::plan::{self, Document, Options, Plan};
use crate::policy::{self, Policy};
use crate::render::{self, Paper};
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::Path;
use std::time::Duration;

/// Everything but the facts.
pub(super) struct Context {
    pub(super) host: LinuxHost,
    pub(super) catalog: Catalog,
    pub(super) policy: Policy,
    pub(super) selection: Selection,
    pub(super) paper: Paper,
    pub(super) deadline: Duration,
    /// How long restarted services must stay up.
    pub(super) settle: Duration,
    /// Digest of everything that a site decided: a saved plan is bound to it.
    pub(super) decisions: Digest,
    /// Today's date on this host, ISO 8601.
    pub(super) today: String,
    /// The flags that say which host, for commands that are proposed.
    pub(super) place: String,
    /// The flags that say which host and which controls.
    pub(super) scope: String,
    /// The folder that the host is in, empty for the running one.
    root: OsString,
    /// Where the line for each step goes: standard error, unless the steps are the story.
    pub(super) say: fn(&str),
    /// Where signals are noted, for a verb that began to listen before it changes anything.
    pub(super) interrupt: Option<Interrupt>,
    quiet: bool,
    /// What was measured for a plan that asked for it.
    measured: OnceCell<Seen<Usage>>,
    /// Only reading verbs may look at a daemon that is not docker.service's.
    pub(super) other_daemon_is_fine: bool,
}

impl Context {
    /// Opens the host that the flags name and reads what the site decided.
    pub(super) fn open(global: &Global) -> Result<Self, Failure> {
        let host = match &global.root {
            None => LinuxHost::live(),
            Some(root) => LinuxHost::folder(root),
        }
        .map_err(|error| match &global.root {
            Some(root) => {
                Failure::refused(error, format!("ls -ld {}", quoted_os(root.as_os_str())))
            }
            None => Failure::refused(error, "ls -ld /"),
        })?;
        Self::with_host(global, host)
    }

    /// The running host without anything that the site decided: what nobody watches must not fail
    /// because of an error in a policy that it does not need.
    pub(super) fn unattended(global: &Global) -> Result<Self, Failure> {
        let host = LinuxHost::live().map_err(|error| Failure::refused(error, "ls -ld /"))?;
        Self::build(global, host, false)
    }

    /// The same for a host that is open already.
    pub(super) fn with_host(global: &Global, host: LinuxHost) -> Result<Self, Failure> {
        Self::build(global, host, true)
    }

    fn build(global: &Global, host: LinuxHost, decide: bool) -> Result<Self, Failure> {
        let deadline = Duration::from_secs(global.deadline);
        let host = host.with_patience(Patience::scaled(deadline));
        let mut catalog =
            Catalog::embedded().map_err(|error| Failure::refused(error, "seaworthy --version"))?;
        let Site {
            policy,
            decided,
            ignored,
        } = if decide {
            Site::read(global, &host, &mut catalog)?
        } else {
            Site::default()
        };
        if global.verbose && !ignored.is_empty() {
            print::note(&format!(
                "note: ignored in {}, as a control's file ends in .toml: {}",
                catalog::SITE_CONTROLS,
                render::clean(&ignored.join(", "))
            ));
        }
        let selection = Selection {
            only: global.only.clone(),
            skip: global.skip.clone(),
            level: match global.profile {
                Some(Profile::Level1) => Some(1),
                Some(Profile::Level2) => Some(2),
                None => policy.level,
            },
        };
        selection
            .check(&catalog)
            .map_err(|error| Failure::refused(error, "seaworthy explain"))?;
        if let Some(waiver) = policy
            .waivers
            .iter()
            .find(|waiver| catalog.get(&waiver.control).is_none())
        {
            return Err(Failure::plain(
                format!(
                    "{}: there is no control `{}` to waive",
                    policy::PATH,
                    waiver.control
                ),
                "seaworthy explain",
            ));
        }
        let clock = now(&host);
        Ok(Self {
            host,
            catalog,
            policy,
            selection,
            paper: print::paper(global.quiet, global.verbose),
            deadline,
            settle: Duration::from_secs(global.settle),
            decisions: Digest::of(decided.as_bytes()),
            today: today(clock, std::env::var_os("TZ").as_deref()),
            place: global.place(),
            root: global.on_host(""),
            scope: global.scope(),
            say: print::note,
            interrupt: None,
            quiet: global.quiet,
            measured: OnceCell::new(),
            other_daemon_is_fine: false,
        })
    }

    /// A path of the host as a command that is proposed must name it.
    pub(super) fn on_host(&self, path: &str) -> String {
        let mut all = self.root.clone();
        all.push(path);
        quoted_os(&all)
    }

    /// The command that shows what is in the state folder.
    pub(super) fn list_state(&self) -> String {
        format!("ls -lR {}", self.on_host(STATE))
    }

    /// A journal that cannot be used.
    pub(super) fn journal_failure(&self, error: JournalError) -> Failure {
        Failure::refused(error, self.list_state())
    }

    /// Looks at the host, with a progress line where there is a terminal.
    ///
    /// # Errors
    /// When there is no Docker to look at.
    pub(super) fn facts(&self) -> Result<Facts, Failure> {
        let facts = self.facts_of_any_host()?;
        if !Layout::of(&facts).docker_is_installed() {
            return Err(Failure::plain(
                "no Docker found: there is neither a docker.service nor a dockerd in /usr/bin or /usr/sbin",
                "seaworthy demo",
            ));
        }
        Ok(facts)
    }

    /// The same where Docker may be gone: what was changed can still be taken back.
    pub(super) fn facts_of_any_host(&self) -> Result<Facts, Failure> {
        let bar = self.progress();
        let facts = self.facts_with(&mut |what| print::progress(&bar, what))?;
        bar.finish_and_clear();
        let hidden = facts.docker.known().map_or(&[][..], |it| &it.hidden);
        for hidden in hidden.iter().take(MOST_HIDDEN) {
            print::note(&render::clean(&format!("could not be seen: {hidden}")));
        }
        if let Some(more) = hidden.len().checked_sub(MOST_HIDDEN).filter(|it| *it > 0) {
            print::note(&format!("could not be seen: {more} more"));
        }
        Ok(facts)
    }

    fn facts_with(&self, progress: &mut dyn FnMut(&str)) -> Result<Facts, Failure> {
        let wanted = |facts: &Facts| -> Requests {
            let selected = self
                .catalog
                .iter()
                .filter(|control| self.selection.includes(control));
            let mut requests = Catalog::requests(selected, facts);
            for (path, look) in plan::requests(facts)
                .into_iter()
                .chain(Layout::of(facts).requests())
            {
                let wanted = requests.entry(path).or_insert(look);
                *wanted = look.max(*wanted);
            }
            requests
        };
        let docker_host = docker_host();
        let mut facts = collect(&self.host, docker_host.as_deref(), &wanted, progress);
        facts.unread_keys = self.unread_keys(&facts);
        if !self.other_daemon_is_fine {
            refuse_other_daemon(&facts)?;
        }
        Ok(facts)
    }

    /// What the running daemon has not read of a file that this program has changed. Without a
    /// journal that can be read nobody knows, which is how it is for everybody else's changes.
    fn unread_keys(&self, facts: &Facts) -> Option<BTreeSet<String>> {
        let layout = Layout::of(facts);
        if !changed_since_start(facts, &layout.config) {
            return None;
        }
        let node = facts.node(&layout.config).known().copied()?;
        let content = node.content.as_ref()?;
        let since = started(facts);
        apply::unread_keys(
            &self.host,
            &Settings::default(),
            &layout.config,
            &content.0,
            since,
        )
        .ok()
        .flatten()
    }

    /// A progress line on standard error; invisible without a terminal.
    pub(super) fn progress(&self) -> ProgressBar {
        if self.quiet || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    /// Judges the facts.
    pub(super) fn judge(&self, facts: &Facts) -> Vec<Judged<'_>> {
        judge(
            &self.catalog,
            facts,
            &self.policy,
            &self.selection,
            &self.today,
        )
    }

    /// The report on the facts.
    pub(super) fn report(&self, facts: &Facts) -> Report {
        Report::new(facts, &self.judge(facts))
    }

    /// Plans, and the document of the plan.
    pub(super) fn plan(&self, facts: &Facts, options: &Options) -> (Plan, Document) {
        let planned =
            |facts: &Facts| plan::plan(&self.catalog, facts, &self.policy, options, &self.today);
        let mut plan = planned(facts);
        if let (true, Seen::Known(docker)) = (
            plan.asks_for_setuid() || plan.asks_for_usage(),
            &facts.docker,
        ) {
            let mut docker = docker.clone();
            if plan.asks_for_setuid() {
                self.look_for_setuid(&mut docker);
            }
            if plan.asks_for_usage() {
                docker.usage = self.usage(facts);
            }
            let closer = Facts {
                docker: Seen::Known(docker),
                ..facts.clone()
            };
            plan = planned(&closer);
        }
        let at = now(&self.host).to_string();
        let document = Document::new(&plan, facts, options, &at, &self.decisions);
        (plan, document)
    }

    /// Which programs in images gain rights.
    fn look_for_setuid(&self, docker: &mut Docker) {
        let bar = self.progress();
        print::progress(&bar, "looking for setuid programs in images");
        collect::setuid(&self.host, docker);
        bar.finish_and_clear();
    }

    /// What Docker's things take on the disk, measured at most once in a run.
    fn usage(&self, facts: &Facts) -> Seen<Usage> {
        let measure = || {
            let bar = self.progress();
            print::progress(&bar, "measuring images, containers and volumes");
            let docker_host = docker_host();
            let usage = collect::usage(&self.host, docker_host.as_deref(), facts);
            bar.finish_and_clear();
            usage
        };
        self.measured.get_or_init(measure).clone()
    }

    /// Refuses when nothing could be judged: what then looks clean is only dark.
    pub(super) fn refuse_blind(&self, verb: &str, report: &Report) -> Result<(), Failure> {
        if !report.saw_nothing() {
            return Ok(());
        }
        let unseen = report.unseen();
        let as_root = format!("sudo seaworthy {verb}{}", self.scope);
        let hint = match unseen.first() {
            Some(evidence) if self.host.is_root() => match evidence.source.location() {
                // Something in it is wrong.
                Some(Location {
                    file,
                    line: Some(_),
                    ..
                }) => format!("editor {}", self.on_host(file)),
                Some(Location { file, .. }) => format!("ls -ld {}", self.on_host(file)),
                None => evidence.hint.clone().unwrap_or(as_root),
            },
            _ => as_root,
        };
        let mut failure = Failure::plain("nothing could be checked", hint);
        for Evidence { source, seen, .. } in unseen {
            let line = render::clean(&format!("{source}: {seen}"));
            let _ = writeln!(failure.details, "  {line}");
        }
        Err(failure)
    }

    /// The options of this run.
    pub(super) fn options(&self, allow: Allow) -> Options {
        Options {
            selection: self.selection.clone(),
            allow_disruption: allow.allow_disruption,
            restart_containers: allow.restart_containers,
        }
    }
}

/// What the clock says.
fn now(host: &LinuxHost) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(host.now()).unwrap_or_default()
}

/// `DOCKER_HOST`. One that is not UTF-8 names a daemon, too: one that is not there.
fn docker_host() -> Option<String> {
    std::env::var_os("DOCKER_HOST").map(|host| host.to_string_lossy().into_owned())
}

/// Refuses to plan from the containers of one daemon and to restart another one.
fn refuse_other_daemon(facts: &Facts) -> Result<(), Failure> {
    let Some(named) = &facts.other_socket else {
        return Ok(());
    };
    let own = facts
        .units
        .get("docker.socket")
        .and_then(|unit| unit.listen.as_deref())
        .unwrap_or("/run/docker.sock");
    Err(Failure::plain(
        format!(
            "DOCKER_HOST names {named}, and docker.service listens on {own}: only `audit` looks at another daemon"
        ),
        "env -u DOCKER_HOST seaworthy plan",
    ))
}

/// As many things that the daemon did not show are named.
const MOST_HIDDEN: usize = 40;

/// The largest file that the command line may name, in bytes: a plan can hold many diffs.
const LARGEST_NAMED: u64 = 64 << 20;

/// Reads a file that the command line names.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    let text = read_named(path, LARGEST_NAMED).and_then(|bytes| {
        String::from_utf8(bytes).map_err(|_| {
            std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not text in UTF-8")
        })
    });
    text.map_err(|error| {
        Failure::plain(
            format!(
                "{}: cannot read: {error}",
                render::clean(&path.to_string_lossy())
            ),
            format!("ls -l {}", quoted_os(path.as_os_str())),
        )
    })
}
