//! `seaworthy explain [CONTROL]`

use super::arguments::{ExplainVerb, Format, Global};
use super::context::Context;
use super::failure::Failure;
use super::{Done, OK, print};
use crate::catalog::{Control, Remediation, Severity};
use crate::render;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Explanation<'a> {
    format: u32,
    controls: Vec<ControlDocument<'a>>,
}

#[derive(Serialize)]
struct ControlDocument<'a> {
    control: &'a str,
    title: &'a str,
    area: &'a str,
    severity: Severity,
    level: u8,
    cis: &'a BTreeMap<String, String>,
    rationale: &'a str,
    remediation: &'a Remediation,
    references: &'a [String],
}

pub(super) fn run(global: &Global, verb: &ExplainVerb) -> Done {
    let context = Context::open(global)?;
    let controls: Vec<&Control> = match &verb.control {
        None => context
            .catalog
            .iter()
            .filter(|control| context.selection.includes(control))
            .collect(),
        Some(name) => {
            let selection = crate::catalog::Selection {
                only: vec![name.clone()],
                ..Default::default()
            };
            selection
                .check(&context.catalog)
                .map_err(|error| Failure::refused(error, "seaworthy explain"))?;
            context
                .catalog
                .iter()
                .filter(|control| selection.includes(control))
                .collect()
        }
    };
    match (verb.format, controls.as_slice()) {
        (Format::Json, _) => print::json(&Explanation {
            format: 1,
            controls: controls
                .iter()
                .map(|control| ControlDocument {
                    control: &control.id,
                    title: &control.title,
                    area: &control.area,
                    severity: control.severity,
                    level: control.level,
                    cis: &control.cis,
                    rationale: control.rationale.trim(),
                    remediation: &control.remediation,
                    references: &control.references,
                })
                .collect(),
        })?,
        (Format::Human, [control]) => print::out(&render::control(control, &context.paper))?,
        (Format::Human, _) => print::out(&render::table(controls))?,
    }
    Ok(OK)
}
