//! `seaworthy apply`, and what it shares with `rollback` and `recover`: who may begin, the lock, signals.

use super::arguments::{ApplyVerb, Format, Global};
use super::context::Context;
use super::ending::nothing_to_do;
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::progress::Lines;
use super::result::{ResultDocument, finish, status};
use super::{Done, OK, confirm, defect, interrupt, limits, print, show};
use crate::apply::{self, Applied, ApplyError, JournalError, Settings, Transaction, Watcher};
use crate::audit::Report;
use crate::facts::Facts;
use crate::formats::shell::quoted_os;
use crate::host::{HostError, Lock, ReadHost as _, lock, lock_holder};
use crate::plan::{Document, Options, Plan};
use crate::render;
use std::fmt::Write as _;

pub(super) fn run(global: &Global, verb: &ApplyVerb) -> Done {
    if verb.file.is_some()
        && (global.profile.is_some() || !global.only.is_empty() || !global.skip.is_empty())
    {
        return Err(Failure::plain(
            "a saved plan is applied as a whole: --only, --skip and --profile belong to `plan --out`",
            "seaworthy apply --help",
        ));
    }
    let mut context = Context::open(global)?;
    let program = match verb.confirm_within {
        None => None,
        Some(_) => Some(confirm::program(&context)?),
    };
    let saved = verb
        .file
        .as_deref()
        .map(|path| show::load(path, &context.place))
        .transpose()?;
    let _lock = begin(&context, "apply")?;
    let mut options = context.options(verb.allow);
    if let Some(saved) = &saved {
        options = saved.made_from.options.clone();
        context.selection = options.selection.clone();
    }
    let mut prepared = Prepared::new(&context, &options)?;
    let Prepared {
        facts,
        before,
        document,
        ..
    } = &prepared;
    if let (Some(saved), Some(path)) = (&saved, &verb.file) {
        let held = if saved.is_done(facts) {
            saved.hold_to_host(facts)
        } else {
            saved.hold_to(document, facts)
        };
        held.map_err(|error| show::refuse(path, &error, &context.place))?;
    }
    context.refuse_blind("apply", before)?;
    let human = verb.format == Format::Human;
    if saved.as_ref().map_or(document.is_empty(), |saved| {
        saved.is_done(facts) || saved.is_empty()
    }) {
        let result = ResultDocument::nothing(
            before,
            document
                .pending
                .first()
                .map(|pending| pending.until.clone()),
        );
        if human {
            print::out(&nothing_to_do(document, &context.paper))?;
        } else {
            print::json(&result)?;
        }
        return Ok(OK);
    }
    if human {
        print::out(&render::plan(document, &context.paper))?;
    }
    if !verb.yes {
        let mut instead = format!("seaworthy apply{}{}", context.scope, verb.allow.words());
        instead.push_str(" --yes");
        if let Some(seconds) = verb.confirm_within {
            let _ = write!(instead, " --confirm-within {seconds}s");
        }
        if let Some(path) = &verb.file {
            instead = format!("{instead} {}", quoted_os(path.as_os_str()));
        }
        if !print::confirm("Apply this?", &instead)? {
            print::note("Nothing was changed.");
            return Ok(OK);
        }
        prepared = prepared.again(&context, &options)?;
    }
    let mut transaction = prepared.transaction();
    if let (Some(within), Some(program)) = (verb.confirm_within, program) {
        transaction = confirm::guard(&mut context, transaction, within, program)?;
    }
    let (applied, after) = carry_out(&mut context, &transaction)?;
    Ok(finish(
        &context,
        verb.format,
        &ResultDocument::new(&applied, &transaction, &prepared.before, after.as_ref()),
        &applied,
        &prepared.before,
        after.as_ref(),
    ))
}

/// A host that was looked at, judged and planned for: what `apply` shows before it asks.
pub(super) struct Prepared {
    pub(super) facts: Facts,
    pub(super) before: Report,
    pub(super) plan: Plan,
    pub(super) document: Document,
}

impl Prepared {
    /// Looks at the host, judges it and plans.
    pub(super) fn new(context: &Context, options: &Options) -> Result<Self, Failure> {
        let facts = context.facts()?;
        let before = context.report(&facts);
        let (plan, document) = context.plan(&facts, options);
        Ok(Self {
            facts,
            before,
            plan,
            document,
        })
    }

    /// The same after somebody took their time to read it: containers come and go meanwhile, and an
    /// undo must bring back those that run now.
    ///
    /// # Errors
    /// When it is no longer the plan that was shown. Nothing was changed then.
    fn again(&self, context: &Context, options: &Options) -> Result<Self, Failure> {
        let now = Self::new(context, options)?;
        now.hold_shown(&self.document, "apply", &context.scope)?;
        Ok(now)
    }

    /// Refuses when this is no longer the plan that was shown.
    pub(super) fn hold_shown(
        &self,
        shown: &Document,
        verb: &str,
        scope: &str,
    ) -> Result<(), Failure> {
        shown
            .hold_to(&self.document, &self.facts)
            .map_err(|error| Failure {
                details: show::drift(&error),
                ..Failure::plain(
                    format!(
                        "the plan is no longer the one that you saw, so nothing was changed: {error}"
                    ),
                    format!("sudo seaworthy {verb}{scope}"),
                )
            })
    }

    /// The transaction that carries the plan out.
    pub(super) fn transaction(&self) -> Transaction {
        Transaction::from_plan(&self.plan, &self.facts, &asked_by(), &command_line())
    }
}

/// Carries a transaction out and judges the host afterwards.
///
/// # Errors
/// When nothing was changed.
pub(super) fn carry_out(
    context: &mut Context,
    transaction: &Transaction,
) -> Result<(Applied, Option<Report>), Failure> {
    let applied = execute(context, transaction)?;
    let after = judged_after(context);
    Ok((applied, after))
}

/// The verdicts after the host was changed. That it cannot be looked at any more is told, and is no
/// reason to say that nothing was touched.
pub(super) fn judged_after(context: &Context) -> Option<Report> {
    match context.facts_of_any_host() {
        Ok(facts) => Some(context.report(&facts)),
        Err(failure) => {
            print::note("The change has ended; looking at the host again has failed.");
            print::failure(&failure);
            None
        }
    }
}

/// Refuses whoever is not root, takes the lock, and refuses while a transaction is unfinished.
pub(super) fn begin(context: &Context, verb: &str) -> Result<Lock, Failure> {
    refuse_ordinary_users(context, verb)?;
    refuse_half_of_this_host(context, verb)?;
    limits::take_what_we_may_have();
    interrupt::survive_file_limits()
        .map_err(|error| Failure::refused(error, "seaworthy --help"))?;
    let lock = take_lock(context).map_err(|error| {
        let state = context.on_host(&settings(context).state);
        let path = context.on_host(&lock_path(context));
        let hint = match &error {
            HostError::Locked { .. } => format!("seaworthy history{}", context.place),
            HostError::Refused { .. } => format!("ls -ld {state}"),
            _ => format!("df -h {path}; findmnt -T {path}"),
        };
        Failure::refused(error, hint)
    })?;
    if verb != "recover" {
        refuse_unfinished(context)?;
    }
    if ["apply", "harden"].contains(&verb) {
        confirm::refuse_awaiting(context)?;
    }
    Ok(lock)
}

/// Refuses a folder that shows the files of the running system beside another state folder, as a
/// bind mount of `/` does where `/var` is a file system of its own: its journals, and its lock, would
/// be others than those of the same files under their own name.
fn refuse_half_of_this_host(context: &Context, verb: &str) -> Result<(), Failure> {
    if !context.host.is_half_of_running() {
        return Ok(());
    }
    Err(Failure::plain(
        format!(
            "{} is the /etc of this running system, beside another /var/lib",
            context.on_host("/etc")
        ),
        format!("sudo seaworthy {verb}"),
    ))
}

/// In the state folder, and so one file for one host whatever its root is called.
fn lock_path(context: &Context) -> String {
    format!("{}/lock", settings(context).state)
}

/// Takes the lock and nothing else.
pub(super) fn take_lock(context: &Context) -> Result<Lock, HostError> {
    lock(&context.host, &lock_path(context))
}

/// Refuses whoever is not root.
pub(super) fn refuse_ordinary_users(context: &Context, verb: &str) -> Result<(), Failure> {
    if context.host.is_root() {
        return Ok(());
    }
    Err(Failure::plain(
        format!("`{verb}` changes the host, and only root may"),
        format!("sudo seaworthy {verb}{}", context.scope),
    ))
}

/// Refuses while a transaction is unfinished.
pub(super) fn refuse_unfinished(context: &Context) -> Result<(), Failure> {
    match unfinished(context)? {
        None => Ok(()),
        Some(id) => Err(Failure::plain(
            format!("transaction {id} was interrupted and is unfinished"),
            format!("sudo seaworthy recover{}", context.place),
        )),
    }
}

/// The unfinished transaction, if there is one.
pub(super) fn unfinished(context: &Context) -> Result<Option<String>, Failure> {
    apply::unfinished(&context.host, &settings(context))
        .map_err(|error| context.journal_failure(error))
}

/// For verbs that only read: they go on, and say that something waits.
pub(super) fn warn_unfinished(context: &Context) {
    match apply::unfinished(&context.host, &settings(context)) {
        Ok(Some(id)) => print::note(&match lock_holder(&context.host, &lock_path(context)) {
            Some(holder) => render::clean(&format!(
                "warning: transaction {id} is under way ({holder}); this is the host in the middle of it"
            )),
            None => format!(
                "warning: transaction {id} was interrupted and is unfinished; `sudo seaworthy recover{}` takes it back",
                context.place
            ),
        }),
        Err(
            error @ (JournalError::Damaged { .. } | JournalError::Host(HostError::Refused { .. })),
        ) => {
            print::note(&render::clean(&format!("warning: {error}")));
        }
        // Not root, or no journals: then there is nothing to say here.
        Ok(None) | Err(_) => {}
    }
}

pub(super) fn settings(context: &Context) -> Settings {
    Settings {
        deadline: context.deadline,
        settle: context.settle,
        ..Settings::default()
    }
}

/// The user, and the one behind sudo.
pub(super) fn asked_by() -> String {
    let uid = users::get_current_uid();
    match std::env::var_os("SUDO_USER") {
        Some(user) if !user.is_empty() => format!("{} (sudo, uid {uid})", user.to_string_lossy()),
        _ => format!("uid {uid}"),
    }
}

/// What was typed, so that it could be typed again.
pub(super) fn command_line() -> String {
    let words: Vec<String> = std::env::args_os().map(|word| quoted_os(&word)).collect();
    words.join(" ")
}

/// Carries a transaction out, with a line for each step.
pub(super) fn execute(
    context: &mut Context,
    transaction: &Transaction,
) -> Result<Applied, Failure> {
    let settings = settings(context);
    let id =
        apply::next_id(&context.host, &settings).map_err(|error| context.journal_failure(error))?;
    watched(context, |host, watcher| {
        apply::apply(host, &id, transaction, &settings, watcher)
    })
}

/// Runs something that changes the host, with progress lines, and signals noted.
pub(super) fn watched(
    context: &mut Context,
    act: impl FnOnce(&mut dyn crate::host::Host, &mut dyn Watcher) -> Result<Applied, ApplyError>,
) -> Result<Applied, Failure> {
    let interrupt = match &context.interrupt {
        Some(interrupt) => interrupt.clone(),
        None => Interrupt::listen().map_err(|error| Failure::refused(error, "seaworthy --help"))?,
    };
    let mut watcher = Lines {
        bar: context.progress(),
        interrupt,
        quiet: context.paper.quiet,
        say: context.say,
    };
    let place = context.place.clone();
    let state = context.list_state();
    let room = context.on_host("/var/lib");
    defect::changing();
    let applied = act(&mut context.host, &mut watcher);
    match &applied {
        Ok(applied) => defect::changed(status(applied)),
        Err(_) => defect::unchanged(),
    }
    watcher.bar.finish_and_clear();
    applied.map_err(|error| match error {
        ApplyError::Unfinished { .. } => {
            Failure::refused(error, format!("sudo seaworthy recover{place}"))
        }
        ApplyError::Journal(error) => Failure::refused(error, state),
        error @ ApplyError::Awaiting { .. } => confirm::refused(error, &place),
        ApplyError::Unguarded { .. } => {
            Failure::refused(error, format!("sudo seaworthy apply{place}"))
        }
        ApplyError::Stale { .. } => Failure::refused(error, format!("seaworthy plan{place}")),
        ApplyError::Daemon { .. } => {
            Failure::refused(error, format!("seaworthy plan{place} --skip daemon"))
        }
        error => Failure::refused(error, format!("seaworthy plan{place}; df -h {room}")),
    })
}
