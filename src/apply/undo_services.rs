//! Making the services notice that everything is as it was.

use super::boot::booted;
use super::outcome::Event;
use super::run::Run;
use super::settings::Mutation;
use crate::change::{Activation, Expectation};
use std::time::Duration;

/// How often, and how long, a container that does not start again is waited for.
const PAUSES: u32 = 6;
const PAUSE: Duration = Duration::from_secs(5);

impl Run<'_> {
    /// Tells the services what they may have to unlearn. Returns what it told.
    pub(super) fn undo_services(
        &mut self,
        crashed: bool,
        left: &mut Vec<String>,
    ) -> Vec<Activation> {
        let activations = self.to_tell(crashed);
        for &activation in &activations {
            let told = self
                .activate(activation, true)
                .or_else(|_| self.activate(activation, true));
            if let Err(error) = told {
                left.push(format!("{}: {error}", activation.unit()));
            }
        }
        let loads = [Activation::LoadAuditRules, Activation::RestartAuditd];
        let kernel = self.journal.log().begin.kernel_before.clone();
        if let Some(kernel) = kernel
            && activations.iter().any(|told| loads.contains(told))
            && self.settings.mutation != Mutation::ForgetKernel
        {
            let settled = self
                .settle_kernel(&kernel)
                .or_else(|_| self.settle_kernel(&kernel));
            if let Err(error) = settled {
                left.push(error.to_string());
            }
        }
        activations
    }

    /// Whom the undo must tell. We know what we told; after a crash others may have started the
    /// services with our files, a boot for example, so everybody is told unless no file was ours.
    fn to_tell(&self, crashed: bool) -> Vec<Activation> {
        if !self.host.is_live() {
            // The disk of a host that does not run, perhaps: its first boot tells everybody.
            return Vec::new();
        }
        let log = self.journal.log();
        let mut tell = log.activating.clone();
        if crashed && (!tell.is_empty() || log.undoes_what_services_read()) {
            tell.extend_from_slice(&log.begin.activations);
            if log.begin.prelude {
                tell.push(Activation::ReloadDocker);
            }
        }
        tell.sort_unstable();
        tell.dedup();
        if tell.contains(&Activation::RestartDocker) {
            tell.retain(|activation| *activation != Activation::ReloadDocker);
        }
        tell
    }

    /// Starts the containers that a restart of the daemon has stopped, other than those that came
    /// back by their restart policy. What does not start is found by the look that follows.
    fn start_containers(&mut self, names: &[String]) {
        let answers = Expectation {
            docker_runs: true,
            ..Expectation::default()
        };
        let deadline = self.settings.undo_deadline();
        if names.is_empty() || self.host.healthy(&answers, deadline, &|| false).is_err() {
            return;
        }
        let mut names = names.to_vec();
        let mut pauses = 0;
        // One may need another one, by a link or for its network: so again as long as any starts.
        loop {
            let mut refused = Vec::new();
            for name in &names {
                let started = self.host.start_container(name, deadline);
                match started {
                    Ok(false) => {}
                    Ok(true) => self.say(Event::Started {
                        container: name.clone(),
                    }),
                    Err(error) => refused.push((name.clone(), error)),
                }
            }
            let stays = refused.len() == names.len();
            if stays && pauses < PAUSES && self.host.is_live() {
                // On a slow host containerd may not have done away with the processes of before.
                pauses += 1;
                let run = Expectation {
                    containers: names.clone(),
                    ..answers.clone()
                };
                // A pause, which ends early where a restart policy is faster.
                let _ = self.host.healthy(&run, PAUSE, &|| false);
                continue;
            }
            if refused.is_empty() || stays {
                for (name, error) in refused {
                    self.note(format!(
                        "the container {name} was not started again: {error}"
                    ));
                }
                break;
            }
            names = refused.into_iter().map(|(name, _)| name).collect();
        }
    }

    /// Looks whether the services are as they were.
    pub(super) fn check_undone(&mut self, told: &[Activation], left: &mut Vec<String>) {
        let begin = &self.journal.log().begin;
        let mut expected = begin.expect_undone.clone();
        let booted = booted(self.host, self.journal.log());
        if booted || !told.contains(&Activation::RestartDocker) {
            // Which containers a boot starts is not for us to promise, and what stops without a
            // restart has not been stopped by us.
            expected.containers.clear();
        }
        if expected.docker_runs {
            self.start_containers(&expected.containers);
        }
        if let Err(error) = self.check(&expected, false) {
            left.push(error.to_string());
        }
    }
}
