//! `seaworthy audit`

use super::arguments::{AuditVerb, Format, Global};
use super::context::Context;
use super::{Done, FINDINGS, OK, apply, print};
use crate::render;

pub(super) fn run(global: &Global, verb: &AuditVerb) -> Done {
    let mut context = Context::open(global)?;
    context.other_daemon_is_fine = true;
    apply::warn_unfinished(&context);
    let report = context.report(&context.facts()?);
    match verb.format {
        Format::Human => print::out(&render::report(&report, &context.paper))?,
        Format::Json => print::json(&report)?,
    }
    context.refuse_blind("audit", &report)?;
    Ok(match verb.fail_on.severity() {
        Some(severity) if report.objects(severity) => FINDINGS,
        _ => OK,
    })
}
