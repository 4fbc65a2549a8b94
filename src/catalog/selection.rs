//! Which controls a run is about: `--only`, `--skip`, `--profile`.

use super::{Catalog, Control};
use serde::{Deserialize, Serialize};

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Ids, areas or benchmark numbers; everything when empty.
    pub only: Vec<String>,
    /// Ids, areas or benchmark numbers that are left out.
    pub skip: Vec<String>,
    /// The highest benchmark level.
    pub level: Option<u8>,
}

/// A name that means no control.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` is not a control, an area or a benchmark number{}", similar(.like))]
pub struct SelectionError {
    /// The name.
    pub name: String,
    /// Ids that look like it.
    pub like: Vec<String>,
}

fn similar(like: &[String]) -> String {
    if like.is_empty() {
        String::new()
    } else {
        format!("; did you mean {}?", like.join(" or "))
    }
}

impl Selection {
    /// Checks that every name means something.
    ///
    /// # Errors
    /// Names the first that does not.
    pub fn check(&self, catalog: &Catalog) -> Result<(), SelectionError> {
        for name in self.only.iter().chain(&self.skip) {
            if !catalog.iter().any(|control| is_named(control, name)) {
                let ids = catalog.iter().map(|control| control.id.as_str());
                let areas = super::AREAS.iter().map(|(area, _)| *area);
                let mut like: Vec<(f32, &str)> = areas
                    .filter(|area| catalog.iter().any(|control| control.area == *area))
                    .chain(ids)
                    .map(|known| {
                        (
                            similar::TextDiff::from_chars(name.as_str(), known).ratio(),
                            known,
                        )
                    })
                    .filter(|(ratio, _)| *ratio > 0.6)
                    .collect();
                like.sort_by(|a, b| b.0.total_cmp(&a.0));
                like.dedup_by_key(|(_, known)| *known);
                // What is much less like it than the best is noise.
                let best = like.first().map_or(0.0, |(ratio, _)| *ratio);
                like.retain(|(ratio, _)| *ratio > best - 0.1);
                return Err(SelectionError {
                    name: name.clone(),
                    like: like
                        .iter()
                        .take(3)
                        .map(|(_, id)| (*id).to_owned())
                        .collect(),
                });
            }
        }
        Ok(())
    }

    /// Whether a control takes part.
    pub fn includes(&self, control: &Control) -> bool {
        let named = |names: &[String]| names.iter().any(|name| is_named(control, name));
        self.level.is_none_or(|level| control.level <= level)
            && (self.only.is_empty() || named(&self.only))
            && !named(&self.skip)
    }

    /// Whether `--only` names this very control, which releases what it disrupts. An area or a
    /// number does not: nobody can tell what stands behind those without looking.
    pub fn releases(&self, control: &str) -> bool {
        self.only.iter().any(|name| name == control)
    }
}

/// Whether `name` is the control's id, its area, its number in the newest benchmark or the number
/// of a section above it.
fn is_named(control: &Control, name: &str) -> bool {
    control.id == name
        || control.area == name
        || control.newest_number().is_some_and(|(_, number)| {
            number == name
                || number
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('.'))
        })
}
