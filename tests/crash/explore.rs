//! Crashes at every moment of a transaction, at every moment of each recovery, and at every moment
//! of the recovery of that, and asks each time: all or nothing?
//!
//! Different crashes often leave the same host. Each such host is recovered once, so that all
//! combinations are covered in seconds.

use super::disk::Unsynced;
use super::model::{Fate, Mishap, Model, STATE, Snapshot};
use super::scenarios::{self, Scenario};
use seaworthy::apply::{
    Applied, ApplyError, Event, Mutation, Outcome, RecordOutcome, Settings, Transaction, Watcher,
    apply, history, inverse, recover, resume, unfinished,
};
use seaworthy::facts::{Container, Docker, Facts, Seen, UnitState};
use std::collections::{BTreeSet, HashSet};

pub struct Silent;

impl Watcher for Silent {
    fn event(&mut self, _: Event) {}

    fn interrupted(&self) -> bool {
        false
    }
}

pub fn settings(mutation: Mutation) -> Settings {
    Settings {
        state: STATE.to_owned(),
        mutation,
        ..Settings::default()
    }
}

pub const FIRST: &str = "20261122T101530Z-00001";
pub const SECOND: &str = "20261122T101530Z-00002";
pub const THIRD: &str = "20261122T101530Z-00003";

/// How many moments of recoveries are crashed in per transaction, evenly spread, unless
/// `SEAWORTHY_CRASH_DEPTH` is set: then it is all of them, each with several fates. Only
/// transactions that do several things at once have more.
const BUDGET: u64 = 3000;

fn full() -> bool {
    std::env::var_os("SEAWORTHY_CRASH_DEPTH").is_some()
}

/// How many recoveries in a row crash, after the apply.
fn depth() -> usize {
    let set = std::env::var("SEAWORTHY_CRASH_DEPTH").ok();
    set.map_or(1, |depth| depth.parse().unwrap())
}

#[derive(Debug, Default, Clone, Copy)]
pub struct Numbers {
    /// Moments of the transaction itself.
    pub moments: u64,
    /// Crashes, each with one fate of what was not synced.
    pub crashes: u64,
    /// Different hosts that they left.
    pub hosts: usize,
}

/// One transaction on one host.
pub struct Case {
    pub name: String,
    pub host: Model,
    pub id: &'static str,
    pub transaction: Transaction,
    pub settings: Settings,
}

/// The two ends, each as it is and as a boot makes it.
pub struct Ends {
    start: [Snapshot; 2],
    end: Option<[Snapshot; 2]>,
}

impl Ends {
    pub fn start(&self) -> &[Snapshot; 2] {
        &self.start
    }

    pub fn is_committed(&self) -> bool {
        self.end.is_some()
    }
}

impl Case {
    pub fn apply(&self, host: &mut Model) -> Result<Applied, ApplyError> {
        apply(
            host,
            self.id,
            &self.transaction,
            &self.settings,
            &mut Silent,
        )
    }

    pub fn ends(&self) -> (Ends, Model) {
        let mut clean = self.host.with(Mishap::None);
        let applied = self.apply(&mut clean).unwrap();
        let end = match applied.outcome {
            Outcome::Committed => Some(both(&clean)),
            // What else it may be is judged by whoever asks.
            _ => None,
        };
        let start = both(&self.host);
        (Ends { start, end }, clean)
    }

    /// What is wrong with a host where nothing is going on.
    pub fn verdict(&self, ends: &Ends, host: &Model) -> Result<(), String> {
        let records = history(host, &self.settings).map_err(|error| error.to_string())?;
        let outcome = records
            .iter()
            .find(|record| record.id == self.id)
            .map(|record| record.outcome);
        let wanted = match outcome {
            Some(RecordOutcome::Committed | RecordOutcome::PendingConfirmation) => ends
                .end
                .as_ref()
                .ok_or("it was committed although a service refused")?,
            Some(RecordOutcome::RolledBack) | None => &ends.start,
            Some(other) => {
                let left = records.iter().flat_map(|record| &record.left);
                return Err(format!(
                    "it is {} ({})",
                    other.words(),
                    left.cloned().collect::<Vec<_>>().join("; ")
                ));
            }
        };
        compare(&host.snapshot(), wanted).map_err(|wrong| format!("{outcome:?}, but {wrong}"))
    }

    /// Crashes everywhere. The first violation ends it.
    pub fn explore(&self) -> Result<Numbers, String> {
        let (ends, clean) = self.ends();
        self.verdict(&ends, &clean)
            .map_err(|wrong| format!("{}: without a crash: {wrong}", self.name))?;
        let mut numbers = Numbers {
            moments: clean.ticks(),
            ..Numbers::default()
        };
        let mut seen = HashSet::new();
        let mut level = Vec::new();
        for at in 0..=numbers.moments {
            let mut crashed = self.host.with(Mishap::CrashAt(at));
            let _ = self.apply(&mut crashed);
            for fate in fates(at) {
                numbers.crashes += 1;
                let host = crashed.after(fate);
                if seen.insert(host.fingerprint()) {
                    let path = vec![(at, fate)];
                    if let Some((id, moments)) = self.settle(&ends, &host, &path)? {
                        level.push((host, path, id, moments));
                    }
                }
            }
        }
        for deeper in (0..depth()).rev() {
            let mut next = Vec::new();
            let all: u64 = level.iter().map(|(.., moments)| moments + 1).sum();
            let every = if full() { 1 } else { all.div_ceil(BUDGET) };
            let mut pair = 0;
            for (turn, (host, path, id, moments)) in level.into_iter().enumerate() {
                for at in 0..=moments {
                    pair += 1;
                    if pair % every != 0 {
                        continue;
                    }
                    let mut crashed = host.with(Mishap::CrashAt(at));
                    let _ = recover(&mut crashed, &id, &self.settings, &mut Silent);
                    for fate in later_fates(at, turn) {
                        numbers.crashes += 1;
                        let host = crashed.after(fate);
                        if !seen.insert(host.fingerprint()) {
                            continue;
                        }
                        let mut path = path.clone();
                        path.push((at, fate));
                        if let Some((id, moments)) = self.settle(&ends, &host, &path)?
                            && deeper > 0
                        {
                            next.push((host, path, id, moments));
                        }
                    }
                }
            }
            level = next;
        }
        numbers.hosts = seen.len();
        Ok(numbers)
    }

    /// Judges what a crash left, after its recovery if it needs one. Returns what was recovered, and
    /// how many moments that had.
    fn settle(
        &self,
        ends: &Ends,
        host: &Model,
        path: &[(u64, Fate)],
    ) -> Result<Option<(String, u64)>, String> {
        let violation = |wrong: String| format!("{}: {path:?}: {wrong}", self.name);
        let conflict = |host: &Model| match &host.conflict {
            Some(key) => Err(violation(format!(
                "{key} is a flag and a key, and a daemon did not start"
            ))),
            None => Ok(()),
        };
        conflict(host)?;
        let pending =
            unfinished(host, &self.settings).map_err(|error| violation(error.to_string()))?;
        let Some(id) = pending else {
            self.verdict(ends, host).map_err(violation)?;
            return Ok(None);
        };
        let mut recovered = host.with(Mishap::None);
        let applied = recover(&mut recovered, &id, &self.settings, &mut Silent)
            .map_err(|error| violation(error.to_string()))?;
        if !matches!(applied.outcome, Outcome::RolledBack { .. }) {
            return Err(violation(format!("{:?}", applied.outcome)));
        }
        self.verdict(ends, &recovered).map_err(violation)?;
        conflict(&recovered)?;
        Ok(Some((id, recovered.ticks())))
    }
}

fn fates(at: u64) -> [Fate; 5] {
    [
        Fate::Killed,
        Fate::Power(Unsynced::Lost),
        Fate::Power(Unsynced::Kept),
        Fate::Power(Unsynced::Random(2 * at + 1)),
        Fate::Power(Unsynced::Random(2 * at + 2)),
    ]
}

/// In a recovery one fate per moment, another one for the next moment and for the next host;
/// all of them with `SEAWORTHY_CRASH_DEPTH`.
fn later_fates(at: u64, turn: usize) -> Vec<Fate> {
    let all = vec![
        Fate::Killed,
        Fate::Power(Unsynced::Lost),
        Fate::Power(Unsynced::Random(at + 1)),
    ];
    if full() {
        return all;
    }
    vec![all[(usize::try_from(at).unwrap() + turn) % all.len()]]
}

fn both(host: &Model) -> [Snapshot; 2] {
    let mut booted = host.clone();
    booted.boot();
    [host.snapshot(), booted.snapshot()]
}

/// Files must be exactly as wanted; each service as it was or as a boot makes it.
pub fn compare(found: &Snapshot, wanted: &[Snapshot; 2]) -> Result<(), String> {
    for (path, inode) in &wanted[0].files {
        match found.files.get(path) {
            Some(now) if now == inode => {}
            now => return Err(format!("{path} is {now:?}, not {inode:?}")),
        }
    }
    if let Some(path) = found
        .files
        .keys()
        .find(|path| !wanted[0].files.contains_key(*path))
    {
        return Err(format!("{path} is there"));
    }
    let [live, booted] = wanted;
    if found.kernel != live.kernel && found.kernel != booted.kernel {
        return Err(format!("the kernel has {:?}", found.kernel));
    }
    if found.daemon != live.daemon && found.daemon != booted.daemon {
        return Err(format!("the daemon has loaded {:?}", found.daemon));
    }
    if found.drop_ins != live.drop_ins && found.drop_ins != booted.drop_ins {
        return Err(format!("systemd has read {:?}", found.drop_ins));
    }
    if found.containers != live.containers && found.containers != booted.containers {
        return Err(format!("the containers are {:?}", found.containers));
    }
    if found.killed != live.killed {
        return Err(format!("a starting daemon killed {:?}", found.killed));
    }
    if found.stopped != live.stopped {
        return Err(format!("these were stopped: {:?}", found.stopped));
    }
    Ok(())
}

pub fn case(scenario: Scenario, mutation: Mutation) -> Case {
    Case {
        name: scenario.name.to_owned(),
        host: scenario.host,
        id: FIRST,
        transaction: scenario.transaction,
        settings: settings(mutation),
    }
}

/// A case on the host that a committed case leaves: its rollback.
pub fn rollback(case: &Case, id: &'static str) -> Case {
    let (_, mut host) = case.ends();
    host.disk.sync_all();
    host.stopped = None;
    let mut transaction = inverse(&host, &case.settings, case.id).unwrap();
    // What runs today is for the caller to say.
    let expected = [&mut transaction.expect, &mut transaction.expect_undone];
    for expected in expected.into_iter().filter(|expected| expected.docker_runs) {
        expected.containers = vec!["web".to_owned()];
    }
    Case {
        name: format!("rollback of {}", case.name),
        host,
        id,
        transaction,
        settings: case.settings.clone(),
    }
}

/// The same on the day of the apply, when the containers that it has kept still run.
fn rollback_that_keeps(case: &Case, id: &'static str) -> Case {
    let mut case = rollback(case, id);
    let container = |name: &str| Container {
        name: name.to_owned(),
        running: true,
        started_at: "1969-12-31T23:59:59Z".to_owned(),
        ..Container::default()
    };
    let mut facts = Facts::default();
    facts.host.live = true;
    for unit in ["docker.service", "auditd.service"] {
        let active = "active".to_owned();
        let unit_state = UnitState {
            active,
            ..UnitState::default()
        };
        facts.units.insert(unit.to_owned(), unit_state);
    }
    facts.docker = Seen::Known(Docker {
        live_restore: true,
        containers: vec![container("job"), container("web")],
        ..Docker::default()
    });
    case.transaction.fit_to_today(&facts);
    assert_eq!(case.transaction.afterwards.len(), 2);
    case.name += ", keeping the containers";
    case.host.stopped = Some(BTreeSet::new());
    case
}

/// The rollback of [`scenarios::kept`].
pub fn keeping(mutation: Mutation) -> Case {
    let case = rollback_that_keeps(&case(scenarios::kept(), mutation), SECOND);
    let (ends, _) = case.ends();
    let [end, _] = ends.end.expect("it is committed");
    assert_eq!(end.stopped, BTreeSet::new());
    case
}

fn explore_all(cases: &[Case]) {
    let mut total = Numbers::default();
    for case in cases {
        let numbers = case.explore().unwrap_or_else(|wrong| panic!("{wrong}"));
        println!("{}: {numbers:?}", case.name);
        total.moments += numbers.moments;
        total.crashes += numbers.crashes;
        total.hosts += numbers.hosts;
    }
    println!("{} transactions, depth {}: {total:?}", cases.len(), depth());
}

#[test]
fn a_crash_anywhere_in_an_apply_leaves_all_or_nothing() {
    let cases: Vec<Case> = scenarios::all()
        .into_iter()
        .map(|scenario| case(scenario, Mutation::None))
        .collect();
    explore_all(&cases);
}

#[test]
fn a_crash_anywhere_in_a_rollback_leaves_all_or_nothing() {
    let mut cases: Vec<Case> = scenarios::all()
        .into_iter()
        .map(|scenario| rollback(&case(scenario, Mutation::None), SECOND))
        .collect();
    cases.push(keeping(Mutation::None));
    explore_all(&cases);
}

#[test]
fn a_crash_anywhere_in_a_rollback_of_a_rollback_leaves_all_or_nothing() {
    let mut cases: Vec<Case> = scenarios::all()
        .into_iter()
        .map(|scenario| rollback(&rollback(&case(scenario, Mutation::None), SECOND), THIRD))
        .collect();
    cases.push(rollback(&keeping(Mutation::None), THIRD));
    explore_all(&cases);
}

#[test]
fn a_crash_anywhere_in_an_apply_that_a_service_refuses_leaves_nothing() {
    let mut cases: Vec<Case> = scenarios::refused()
        .into_iter()
        .map(|scenario| case(scenario, Mutation::None))
        .collect();
    let mut gives_up = keeping(Mutation::None);
    gives_up.host.gives_up = true;
    gives_up.name += ", and the daemon gives up a little later";
    cases.push(gives_up);
    explore_all(&cases);
}

#[test]
fn a_rollback_is_the_identity_and_can_be_rolled_back() {
    let cases = scenarios::all().into_iter();
    let cases = cases.map(|scenario| {
        let case = case(scenario, Mutation::None);
        let back = rollback(&case, SECOND);
        (case, back)
    });
    let kept = case(scenarios::kept(), Mutation::None);
    for (case, back) in cases.chain([(kept, keeping(Mutation::None))]) {
        let again = rollback(&back, THIRD);
        let (ends, _) = case.ends();
        let (back_ends, _) = back.ends();
        let (again_ends, host) = again.ends();
        // What a committed restart has stopped for good was told before; only an undo, which
        // nobody asked for, starts it again.
        let but_job = |snapshot: &Snapshot| {
            let mut snapshot = snapshot.clone();
            snapshot.containers.remove("job");
            snapshot
        };
        let same = |one: &Snapshot, other: &Snapshot| {
            assert_eq!(but_job(one), but_job(other), "{}", case.name);
        };
        same(&back_ends.end.unwrap()[0], &ends.start[0]);
        same(&again_ends.end.unwrap()[0], &ends.end.unwrap()[0]);
        let records = history(&host, &case.settings).unwrap();
        let by: Vec<_> = records
            .iter()
            .map(|record| record.reverted_by.as_deref())
            .collect();
        assert_eq!(by, [None, Some(THIRD), None]);
        assert_eq!(records[1].reverts.as_deref(), Some(FIRST));
    }
}

#[test]
fn an_interrupted_apply_can_be_finished() {
    let cases = scenarios::all().into_iter();
    let cases = cases.map(|scenario| case(scenario, Mutation::None));
    for case in cases.chain([keeping(Mutation::None)]) {
        let (ends, clean) = case.ends();
        for at in 0..=clean.ticks() {
            let mut crashed = case.host.with(Mishap::CrashAt(at));
            let _ = case.apply(&mut crashed);
            for fate in fates(at) {
                let mut host = crashed.after(fate);
                let Some(id) = unfinished(&host, &case.settings).unwrap() else {
                    continue;
                };
                let applied = match resume(&mut host, &id, &case.settings, &mut Silent) {
                    Ok(applied) => {
                        assert!(
                            matches!(applied.outcome, Outcome::Committed),
                            "{} {at} {fate:?}: {applied:?}",
                            case.name
                        );
                        applied
                    }
                    // Half-set attributes are not finished on a guess, but they can be undone.
                    Err(ApplyError::Stale { .. }) => {
                        recover(&mut host, &id, &case.settings, &mut Silent).unwrap()
                    }
                    Err(error) => panic!("{error}"),
                };
                assert!(
                    !matches!(applied.outcome, Outcome::Stuck { .. }),
                    "{} {at} {fate:?}: {applied:?}",
                    case.name
                );
                case.verdict(&ends, &host)
                    .unwrap_or_else(|wrong| panic!("{} {at} {fate:?}: {wrong}", case.name));
            }
        }
    }
}
