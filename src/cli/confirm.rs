//! `seaworthy confirm [ID]`, and what `apply --confirm-within` needs.

use super::apply::{asked_by, begin, settings};
use super::arguments::{ConfirmVerb, Format, Global};
use super::context::Context;
use super::failure::Failure;
use super::{Done, OK, print};
use crate::apply::{self, ApplyError, Confirmation, Transaction};
use crate::host::ReadHost as _;
use crate::render::clean;
use serde::Serialize;

pub(super) fn run(global: &Global, verb: &ConfirmVerb) -> Done {
    let mut context = Context::open(global)?;
    let _lock = begin(&context, "confirm")?;
    let settings = settings(&context);
    let waiting = apply::awaiting(&context.host, &settings)
        .map_err(|error| context.journal_failure(error))?;
    let id = match (&verb.id, waiting) {
        (Some(id), _) => id.clone(),
        (None, Some(waiting)) => waiting.id,
        (None, None) => {
            let left = apply::sweep(&mut context.host, &settings)
                .map_err(|error| context.journal_failure(error))?;
            tell(&left);
            match verb.format {
                Format::Human => print::out("Nothing to confirm: no transaction waits for it.\n")?,
                Format::Json => print::json(&Confirmed::new(None, left))?,
            }
            return Ok(OK);
        }
    };
    let left = apply::confirm(&mut context.host, &settings, &id, &asked_by())
        .map_err(|error| Failure::refused(error, format!("seaworthy history{}", context.place)))?;
    tell(&left);
    print::told(match verb.format {
        Format::Human => print::out(&format!(
            "Confirmed: transaction {id} stays.\n\nTo go back:\n  sudo seaworthy rollback{} {id}\n",
            context.place
        )),
        Format::Json => print::json(&Confirmed::new(Some(id), left)),
    });
    Ok(OK)
}

/// The result as JSON: format 1.
#[derive(Serialize)]
struct Confirmed {
    format: u32,
    transaction: Option<String>,
    outcome: &'static str,
    /// Sentences about what is left of the timer and the boot service; it does no harm.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl Confirmed {
    fn new(transaction: Option<String>, notes: Vec<String>) -> Self {
        Self {
            format: 1,
            outcome: if transaction.is_some() {
                "confirmed"
            } else {
                "nothing-to-do"
            },
            transaction,
            notes,
        }
    }
}

pub(super) fn tell(sentences: &[String]) {
    for sentence in sentences {
        print::note(&format!("note: {}", clean(sentence)));
    }
}

/// This program, which systemd shall start when nobody confirms.
///
/// # Errors
/// When this host cannot roll back by itself; before anything was looked at or changed.
pub(super) fn program(context: &Context) -> Result<String, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::refused(error, "seaworthy --version"))?
        .to_string_lossy()
        .into_owned();
    context.host.can_arm(&program).map_err(|source| {
        Failure::refused(
            ApplyError::Unguarded { source },
            format!("sudo seaworthy apply{}", context.scope),
        )
    })?;
    Ok(program)
}

/// The transaction with what takes it back.
pub(super) fn guard(
    context: &mut Context,
    transaction: Transaction,
    within: u64,
    program: String,
) -> Result<Transaction, Failure> {
    let settings = settings(context);
    let left = apply::sweep(&mut context.host, &settings)
        .map_err(|error| context.journal_failure(error))?;
    tell(&left);
    let confirmation = Confirmation {
        within,
        program,
        deadline: context.deadline.as_secs(),
    };
    apply::guarded(&context.host, transaction, confirmation)
        .map_err(|error| Failure::refused(error, format!("sudo seaworthy apply{}", context.scope)))
}

/// Refuses while a transaction waits to be confirmed.
pub(super) fn refuse_awaiting(context: &Context) -> Result<(), Failure> {
    match apply::awaiting(&context.host, &settings(context))
        .map_err(|error| context.journal_failure(error))?
    {
        None => Ok(()),
        Some(waiting) => Err(refused(
            ApplyError::Awaiting {
                id: waiting.id,
                left: waiting.left,
            },
            &context.place,
        )),
    }
}

pub(super) fn refused(error: ApplyError, place: &str) -> Failure {
    Failure::refused(
        error,
        format!("sudo seaworthy confirm{place}   (or: sudo seaworthy rollback{place})"),
    )
}
