//! Work grows with the input, not with its square; and what is too much to read is unknown by name.
//!
//! Steps are counted, not time: [`seaworthy::facts::steps`].

mod shapes;
mod too_much;

use crate::unread::{self, image::Image};
use seaworthy::audit::{Report, judge};
use seaworthy::catalog::{Catalog, Selection};
use seaworthy::change::Digest;
use seaworthy::facts::steps;
use seaworthy::plan::{Document, Options, plan};
use seaworthy::policy::Policy;
use shapes::{SHAPES, Shape};

/// How many items the smallest input has.
const ITEMS: usize = 200;

/// What is done with an input.
type Work = fn(&Catalog, &Image);

/// Collects and judges with every control, and makes the report: parsing, all that every control asks of
/// what was parsed, and the evidence.
fn audited(catalog: &Catalog, image: &Image) {
    let facts = image.facts();
    let policy = Policy::default();
    let judged = judge(
        catalog,
        &facts,
        &policy,
        &Selection::default(),
        "2026-01-01",
    );
    let report = Report::new(&facts, &judged);
    assert_eq!(report.findings.len(), catalog.iter().count());
    assert!(!serde_json::to_string(&report).unwrap().is_empty());
}

/// The same and a plan of every cure, with its diffs.
fn planned(catalog: &Catalog, image: &Image) {
    let facts = image.facts();
    let options = Options {
        selection: Selection::default(),
        allow_disruption: true,
        restart_containers: false,
    };
    let plan = plan(catalog, &facts, &Policy::default(), &options, "2026-01-01");
    let document = Document::new(
        &plan,
        &facts,
        &options,
        "2026-01-01T00:00:00Z",
        &Digest::of(b""),
    );
    assert!(!serde_json::to_string(&document).unwrap().is_empty());
}

/// The steps for an input, for twice and for four times as much of it.
fn steps_of(catalog: &Catalog, shape: &Shape, work: Work) -> [u64; 3] {
    [1, 2, 4].map(|times| {
        let image = (shape.make)(ITEMS * times);
        let ((), steps) = steps::taken(|| work(catalog, &image));
        steps
    })
}

/// At most 2.2 times for twice as much, what does not depend on the input left out of it: a square that
/// is small at this size would hide behind that.
fn is_linear([once, twice, four]: [u64; 3]) -> bool {
    let at_most = |more: u64, less: u64| more * 10 <= less * 22;
    at_most(twice, once) && at_most(four, twice) && at_most(four - twice, twice - once)
}

fn hold(work: Work) {
    let catalog = unread::catalog();
    let mut wrong = Vec::new();
    for shape in SHAPES {
        let steps = steps_of(catalog, shape, work);
        // What the counter does not see it cannot hold to anything.
        let sees = steps[2] - steps[1] >= 2 * ITEMS as u64;
        if !sees || !is_linear(steps) {
            wrong.push((shape.name, steps));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn judging_takes_twice_the_steps_for_twice_the_input() {
    hold(audited);
}

#[test]
fn planning_takes_twice_the_steps_for_twice_the_input() {
    hold(planned);
}

#[test]
fn a_search_for_each_of_many_is_seen() {
    let each = |items: u64| items * items + 1000 * items;
    assert!(!is_linear([each(400), each(800), each(1600)]));
    let once = |items: u64| 7 * items + 90_000;
    assert!(is_linear([once(400), once(800), once(1600)]));
}
