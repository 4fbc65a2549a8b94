//! `seaworthy demo`: the whole cycle on a sample host, by the same code that changes a real one.

mod manifest;
mod sample;

use super::apply::{Prepared, begin, carry_out, settings};
use super::arguments::{Allow, Global};
use super::context::Context;
use super::ending::{ending, nothing_to_do};
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::result::status;
use super::{Done, FINDINGS, OK, REFUSED, print, rollback};
use crate::apply::{Applied, Outcome};
use crate::host::LinuxHost;
use crate::render::{self, Paper};
use manifest::Manifest;
use std::io;
use std::path::{Path, PathBuf};

pub(super) fn run(global: &Global) -> Done {
    refuse_choices(global)?;
    // Before the folder exists: from now on a signal ends us between two acts, and the folder goes.
    let interrupt =
        Interrupt::listen().map_err(|error| Failure::refused(error, "seaworthy --help"))?;
    let folder = tempfile::Builder::new()
        .prefix("seaworthy-demo-")
        .tempdir()
        .map_err(|error| no_room(&error))?;
    let mut stage = Stage::build(global, folder.path(), interrupt)?;
    let done = stage.play();
    let removed = folder.close();
    match done {
        Err(failure) if stage.interrupt.arrived() => {
            print::note("Interrupted; the sample host is gone.");
            Ok(failure.status)
        }
        Err(failure) => Err(failure),
        Ok(status) => {
            removed.map_err(|error| no_room(&error))?;
            Ok(status)
        }
    }
}

/// Flags that choose a host or a part of the controls: the story would not be the one it tells.
fn refuse_choices(global: &Global) -> Result<(), Failure> {
    let given = [
        ("--root", global.root.is_some()),
        ("--config", global.config.is_some()),
        ("--profile", global.profile.is_some()),
        ("--only", !global.only.is_empty()),
        ("--skip", !global.skip.is_empty()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(Failure::plain(
            format!(
                "`demo` brings a host of its own and shows all of it, so {flag} means nothing here"
            ),
            "seaworthy demo",
        )),
        None => Ok(()),
    }
}

fn no_room(error: &io::Error) -> Failure {
    Failure::plain(
        format!(
            "the sample host in {}: {error}",
            std::env::temp_dir().display()
        ),
        "TMPDIR=/var/tmp seaworthy demo",
    )
}

/// The sample host, and what watches over it.
struct Stage {
    context: Context,
    root: PathBuf,
    records: PathBuf,
    start: Manifest,
    interrupt: Interrupt,
    /// Where only what matters is printed.
    brief: Paper,
}

impl Stage {
    fn build(global: &Global, root: &Path, interrupt: Interrupt) -> Result<Self, Failure> {
        sample::extract(root).map_err(|error| no_room(&error))?;
        let host = LinuxHost::demo(root)
            .map_err(|error| Failure::refused(error, "TMPDIR=/var/tmp seaworthy demo"))?;
        let mut context = Context::with_host(global, host)?;
        // The steps are part of the story, so they belong where the rest of it is.
        context.say = print::line;
        context.interrupt = Some(interrupt.clone());
        let brief = Paper {
            quiet: true,
            ..context.paper
        };
        let records = root.join(settings(&context).state.trim_start_matches('/'));
        Ok(Self {
            start: Manifest::of(root, &records).map_err(|error| no_room(&error))?,
            context,
            root: root.to_owned(),
            records,
            interrupt,
            brief,
        })
    }

    fn play(&mut self) -> Done {
        self.tell(&format!(
            "Five acts on a sample host: {} files, folders and links of a Debian 12 with Docker, unpacked in {}. This computer is neither looked at nor changed.",
            self.start.count(),
            std::env::temp_dir().display(),
        ))?;
        let options = self.context.options(Allow {
            allow_disruption: true,
            restart_containers: false,
        });

        self.act(1, "What is wrong?", "sudo seaworthy audit --quiet")?;
        let prepared = Prepared::new(&self.context, &options)?;
        print::out(&render::findings(&prepared.before, &self.brief))?;
        print::out("\n")?;
        self.tell("Of a folder only the files can be judged; on a running host the kernel's audit rules and the daemon's own word count as well.")?;

        self.act(
            2,
            "What would cure it?",
            "sudo seaworthy plan --allow-disruption",
        )?;
        self.tell("One change for each file, whatever number of findings it cures. Content trust breaks pulls of unsigned images; without --allow-disruption it would be held back.")?;
        print::out("\n")?;
        print::out(&render::plan(&prepared.document, &self.brief))?;

        self.act(3, "Do it", "sudo seaworthy apply --allow-disruption")?;
        self.tell("All of it or nothing: every file is kept in /var/lib/seaworthy first, and the first failure takes everything back. On a running host auditd and dockerd are then told, once, and checked.")?;
        print::out("\n")?;
        let lock = begin(&self.context, "apply")?;
        let transaction = prepared.transaction();
        let (applied, after) = carry_out(&mut self.context, &transaction)?;
        print::out(&ending(
            &self.brief,
            "",
            &applied,
            &prepared.before,
            after.as_ref(),
        ))?;
        if let Some(status) = self.spoilt(&applied)? {
            return Ok(status);
        }

        self.act(4, "Do it again", "sudo seaworthy apply --allow-disruption")?;
        let again = Prepared::new(&self.context, &options)?;
        if !again.document.is_empty() {
            print::out(&render::plan(&again.document, &self.brief))?;
            self.tell("There is something left to do, and that is a defect of seaworthy.")?;
            return Ok(FINDINGS);
        }
        print::out(&nothing_to_do(&again.document, &self.brief))?;

        self.act(
            5,
            "Take it back",
            &format!("sudo seaworthy rollback {}", applied.id),
        )?;
        let transaction = rollback::planned(&self.context, &applied.id, false)?.transaction;
        let (back, end) = carry_out(&mut self.context, &transaction)?;
        print::out(&ending(&self.brief, "", &back, &again.before, end.as_ref()))?;
        if let Some(status) = self.spoilt(&back)? {
            return Ok(status);
        }
        drop(lock);
        self.compare()
    }

    /// Begins an act, unless a signal arrived meanwhile.
    fn act(&self, number: u8, title: &str, command: &str) -> Result<(), Failure> {
        if self.interrupt.arrived() {
            return Err(Failure {
                status: REFUSED,
                ..Failure::plain("interrupted", "seaworthy demo")
            });
        }
        print::out(&format!(
            "\n{}\n{}\n\n",
            render::heading(&format!("Act {number}: {title}")),
            render::dim(&format!("$ {command}"))
        ))
    }

    fn tell(&self, text: &str) -> Result<(), Failure> {
        print::out(&self.context.paper.wrapped("", text))
    }

    /// The status to end with when a transaction did not do what it should; it said why already.
    fn spoilt(&self, applied: &Applied) -> Result<Option<u8>, Failure> {
        if applied.outcome == Outcome::Committed {
            return Ok(None);
        }
        if self.interrupt.arrived() {
            return Err(Failure::plain("interrupted", "seaworthy demo"));
        }
        Ok(Some(status(applied).max(FINDINGS)))
    }

    /// The proof, and the way on.
    fn compare(&self) -> Done {
        let end = Manifest::of(&self.root, &self.records).map_err(|error| no_room(&error))?;
        let differences = self.start.differences(&end, &self.root);
        if !differences.is_empty() {
            self.tell("Compared with the start, the sample host is not the same, and that is a defect of seaworthy:")?;
            for difference in differences {
                self.tell(&difference)?;
            }
            return Ok(FINDINGS);
        }
        print::out("\n")?;
        self.tell(&format!(
            "Compared with the start: all {} files, folders and links are the same, in content, mode and owner. Only the records in /var/lib/seaworthy are new.",
            end.count()
        ))?;
        print::out(&format!("\n{}\n", render::heading("On a real host")))?;
        for (command, purpose) in [
            (
                "sudo seaworthy audit",
                "what is wrong there; changes nothing",
            ),
            (
                "sudo seaworthy plan",
                "what would be changed; changes nothing",
            ),
            (
                "sudo seaworthy harden",
                "choose, look at each change, apply",
            ),
        ] {
            print::out(&format!("  {command:<23} {}\n", render::dim(purpose)))?;
        }
        Ok(OK)
    }
}
