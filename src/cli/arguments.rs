//! What can be typed. Doc comments here are the help.

use crate::catalog::Severity;
use crate::formats::shell::{quoted, quoted_os};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::time::Duration;

/// Audits a Docker host against the CIS Docker Benchmark, shows what would harden it as a diff,
/// applies that as one transaction, and takes it back byte for byte.
#[derive(Debug, Parser)]
#[command(
    name = "seaworthy",
    version,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "\
First steps:
  seaworthy demo                  the whole cycle on a sample host; changes nothing here
  sudo seaworthy audit            what is wrong on this host
  sudo seaworthy plan             what would be changed, as a diff; writes nothing
  sudo seaworthy apply            show the plan, ask, apply it
  sudo seaworthy rollback         put everything back as it was

Exit status: 0 nothing to object, 1 findings (or changes, with --detailed-exitcode),
2 refused and nothing touched, 3 failed and the host is as before, 4 a person is needed."
)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// What every verb understands.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// Work on the host in this folder (a mounted image) instead of `/`; nothing is run there
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) root: Option<PathBuf>,
    /// Only controls up to this benchmark level
    #[arg(long, value_name = "LEVEL", global = true)]
    pub(super) profile: Option<Profile>,
    /// Only these: ids, areas or benchmark numbers; naming an id releases what it disrupts
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', global = true)]
    pub(super) only: Vec<String>,
    /// Leave these out: ids, areas or benchmark numbers
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', global = true)]
    pub(super) skip: Vec<String>,
    /// Policy file [default: /etc/seaworthy/policy.toml]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) config: Option<PathBuf>,
    /// Colour the output
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub(super) color: Colour,
    /// Seconds to wait for a service to reload or restart; what is only asked (the Docker daemon,
    /// systemctl, auditctl) is given less, in proportion
    #[arg(long, value_name = "SECONDS", default_value_t = 120, global = true,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) deadline: u64,
    /// Seconds a restarted dockerd must stay healthy before the change is committed; 0 skips the
    /// check
    #[arg(long, value_name = "SECONDS", default_value_t = 30, global = true,
          value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub(super) settle: u64,
    /// Print only what needs action
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Print the evidence of what passes, too
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
}

impl Global {
    /// `--root` and `--config` as they were typed, with a blank before each: a command that is
    /// proposed must be about the same host.
    pub(super) fn place(&self) -> String {
        let mut words = String::new();
        for (flag, path) in [("--root", &self.root), ("--config", &self.config)] {
            if let Some(path) = path {
                let _ = write!(words, " {flag} {}", quoted_os(path.as_os_str()));
            }
        }
        words
    }

    /// A path of the host as it is named here: below `--root`.
    pub(super) fn on_host(&self, path: &str) -> OsString {
        let mut root = self
            .root
            .as_deref()
            .map_or(&b""[..], |root| root.as_os_str().as_bytes());
        while let Some(shorter) = root.strip_suffix(b"/") {
            root = shorter;
        }
        let mut all = OsStr::from_bytes(root).to_owned();
        all.push(path);
        all
    }

    /// [`Self::place`] with what chooses controls: a command that is proposed must not do more.
    pub(super) fn scope(&self) -> String {
        let mut words = self.place();
        if let Some(profile) = self.profile {
            words.push_str(match profile {
                Profile::Level1 => " --profile level1",
                Profile::Level2 => " --profile level2",
            });
        }
        for (flag, names) in [("--only", &self.only), ("--skip", &self.skip)] {
            if !names.is_empty() {
                let _ = write!(words, " {flag} {}", quoted(&names.join(",")));
            }
        }
        words
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Profile {
    /// Level 1 controls
    Level1,
    /// Level 1 and 2 controls
    Level2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// When the output is a terminal and NO_COLOR is not set
    Auto,
    /// Also in a pipe
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Judge this host: every control with its verdict and the evidence
    Audit(AuditVerb),
    /// Show what would cure the findings, as a diff; writes nothing to the host
    Plan(PlanVerb),
    /// Print a saved plan again
    Show(ShowVerb),
    /// Apply the plan: show it, ask, change the host in one transaction, check it
    Apply(ApplyVerb),
    /// Make a transaction of `apply --confirm-within` permanent
    Confirm(ConfirmVerb),
    /// Put back what a transaction changed
    Rollback(RollbackVerb),
    /// Take back, or finish, a transaction that was interrupted
    Recover(RecoverVerb),
    /// List transactions, or show one
    History(HistoryVerb),
    /// Explain a control, or list all
    Explain(ExplainVerb),
    /// Harden this host step by step at a terminal: audit, choose, review, apply, audit again
    Harden(HardenVerb),
    /// The whole cycle on a sample host in a temporary folder; needs no Docker and no root
    Demo,
    /// Print the completion script of a shell
    #[command(hide = true)]
    Completions(CompletionsVerb),
    /// Print the manual page
    #[command(hide = true)]
    Man,
}

#[derive(Debug, Args)]
pub(super) struct AuditVerb {
    /// How to print the report
    #[arg(long, default_value = "human")]
    pub(super) format: Format,
    /// The lowest severity of a failing or unknown control that makes the exit status 1
    #[arg(long, value_name = "SEVERITY", default_value = "low")]
    pub(super) fail_on: FailOn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Human,
    /// For programs
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    Low,
    Medium,
    High,
    Never,
}

impl FailOn {
    pub(super) fn severity(self) -> Option<Severity> {
        match self {
            Self::Low => Some(Severity::Low),
            Self::Medium => Some(Severity::Medium),
            Self::High => Some(Severity::High),
            Self::Never => None,
        }
    }
}

/// What may happen to the containers of this host.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Allow {
    /// Also what disrupts something on this host
    #[arg(long)]
    pub(super) allow_disruption: bool,
    /// Let the restart of dockerd stop running containers even if live-restore could keep them, so
    /// that bridge options such as icc take effect immediately. Also needs --allow-disruption if a
    /// --rm container would be deleted or a stopped one started
    #[arg(long)]
    pub(super) restart_containers: bool,
}

impl Allow {
    /// The flags as they were typed, with a blank before each.
    pub(super) fn words(self) -> String {
        let mut words = String::new();
        if self.allow_disruption {
            words.push_str(" --allow-disruption");
        }
        if self.restart_containers {
            words.push_str(" --restart-containers");
        }
        words
    }
}

#[derive(Debug, Args)]
pub(super) struct PlanVerb {
    /// Save the plan in this file, too, for `show` and `apply FILE`
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// How to print the plan
    #[arg(long, default_value = "human")]
    pub(super) format: PlanFormat,
    #[command(flatten)]
    pub(super) allow: Allow,
    /// Exit with 1 when there is something to change
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    /// For people
    Human,
    /// For programs
    Json,
    /// Only the diffs
    Diff,
}

#[derive(Debug, Args)]
pub(super) struct ShowVerb {
    /// A plan saved by `plan --out`
    pub(super) file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ApplyVerb {
    /// Apply exactly this saved plan, or refuse
    #[arg(conflicts_with_all = ["allow_disruption", "restart_containers"])]
    pub(super) file: Option<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) allow: Allow,
    /// Roll back by itself unless `seaworthy confirm` comes within this time: 90s, 10m, 1h
    #[arg(long, value_name = "DURATION", value_parser = within)]
    pub(super) confirm_within: Option<u64>,
    /// How to print the result
    #[arg(long, default_value = "human")]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct HardenVerb {
    /// Roll back by itself unless `seaworthy confirm` comes within this time: 90s, 10m, 1h
    #[arg(long, value_name = "DURATION", value_parser = within)]
    pub(super) confirm_within: Option<u64>,
}

/// How long a confirmation may take, in seconds.
fn within(text: &str) -> Result<u64, String> {
    const SHORTEST: u64 = 10;
    const LONGEST: u64 = 24 * 3600;
    let seconds = length_of_time(text)?.as_secs();
    if (SHORTEST..=LONGEST).contains(&seconds) {
        Ok(seconds)
    } else {
        Err("from 10s to 24h".to_owned())
    }
}

#[derive(Debug, Args)]
pub(super) struct ConfirmVerb {
    /// The transaction; the one that waits when left out
    pub(super) id: Option<String>,
    /// How to print the result
    #[arg(long, default_value = "human")]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct RollbackVerb {
    /// The transaction; the last one that is in effect when left out
    pub(super) id: Option<String>,
    /// For the timer and for a boot: roll back what nobody has confirmed when its time is over
    #[arg(long, hide = true, requires = "yes")]
    pub(super) unconfirmed: bool,
    /// Do not ask
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Leave what was edited since and cannot be merged, do the rest, and exit with 4
    #[arg(long)]
    pub(super) partial: bool,
    /// How to print the result
    #[arg(long, default_value = "human")]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct RecoverVerb {
    /// Finish the transaction instead, if nothing that it has yet to change was changed since
    #[arg(long)]
    pub(super) forward: bool,
    /// Do not ask
    #[arg(short, long)]
    pub(super) yes: bool,
    /// How to print the result
    #[arg(long, default_value = "human")]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(super) struct HistoryVerb {
    /// Show this transaction in full
    pub(super) id: Option<String>,
    /// How to print
    #[arg(long, default_value = "human")]
    pub(super) format: Format,
    #[command(subcommand)]
    pub(super) action: Option<HistoryAction>,
}

#[derive(Debug, Subcommand)]
pub(super) enum HistoryAction {
    /// Remove journals, and the backups that no journal needs then, of transactions that were
    /// taken back; what is in effect, unfinished or stuck always stays
    Prune(PruneVerb),
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("rule").required(true).multiple(true))]
pub(super) struct PruneVerb {
    /// Keep the newest N transactions, whatever became of them
    #[arg(long, value_name = "N", group = "rule")]
    pub(super) keep: Option<usize>,
    /// Keep what is younger than this, such as 12h, 30d or 8w
    #[arg(long, value_name = "AGE", group = "rule", value_parser = length_of_time)]
    pub(super) older_than: Option<Duration>,
    /// How to print
    #[arg(long, default_value = "human")]
    pub(super) format: Format,
}

/// A number with a unit.
fn length_of_time(text: &str) -> Result<Duration, String> {
    let wrong = || "a number and one of s, m, h, d, w is needed, such as 10m or 30d".to_owned();
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

#[derive(Debug, Args)]
pub(super) struct ExplainVerb {
    /// A control's id; all controls when left out
    pub(super) control: Option<String>,
    /// How to print
    #[arg(long, default_value = "human")]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsVerb {
    /// The shell
    pub(super) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn lengths_of_time() {
        for (text, seconds) in [
            ("90s", 90),
            ("10m", 600),
            ("12h", 43_200),
            ("2w", 1_209_600),
        ] {
            assert_eq!(length_of_time(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "d", "30", "-1d", "1.5d", "3 d", "3µ", "99999999999d"] {
            assert!(length_of_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_confirmation_takes_from_seconds_to_a_day() {
        for (text, seconds) in [("10s", 10), ("10m", 600), ("24h", 86_400), ("1d", 86_400)] {
            assert_eq!(within(text), Ok(seconds));
        }
        for text in ["9s", "25h", "2d", "10"] {
            assert!(within(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }
}
