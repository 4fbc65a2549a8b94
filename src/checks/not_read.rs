//! What the running daemon may not know of an option that its API does not show.

use super::Evidence;
use super::daemon_option::{DaemonOption, Want, default_of, shown};
use super::layout::Layout;
use super::unread::{key_changed_since_start, started};
use crate::facts::Facts;

impl DaemonOption {
    /// Whether nothing shows that the running daemon knows what the file says of this.
    pub(super) fn may_not_be_read(&self, facts: &Facts, layout: &Layout<'_>) -> bool {
        started(facts) == 0
            && facts.host.live
            && layout.by_running_flag(&self.key).is_none()
            && !facts.is_absent(&layout.config)
    }

    /// Why the running daemon may do something else than what is configured, where its API does not show what it does:
    /// its process was started with another flag, or it read another file, or the file as it was then.
    pub(super) fn not_read(
        &self,
        facts: &Facts,
        layout: &Layout<'_>,
        wanted: &Want,
    ) -> Option<Evidence> {
        let default = default_of(&self.key, facts);
        let next = layout.by_flag(&self.key);
        if let Some((value, source)) = layout.by_running_flag(&self.key) {
            return (!wanted.accepts(Some(&value), &default)).then(|| {
                Evidence::new(
                    format!(
                        "the running daemon has {} = {}",
                        self.key,
                        shown(&self.key, &value)
                    ),
                    wanted.in_words(&self.key),
                    source,
                )
            });
        }
        let of_process = |what: String| {
            let pid = facts
                .daemon_process
                .known()
                .map_or(0, |process| process.pid);
            let source = format!("the command line of process {pid}");
            Evidence::new(what, wanted.in_words(&self.key), source)
        };
        if next.is_some() && layout.running.is_some() {
            let without = layout.in_file(&self.key).map(|(value, _)| value);
            return (!wanted.accepts(without.as_ref(), &default)).then(|| {
                of_process(format!(
                    "the running daemon was started without a flag for {}",
                    self.key
                ))
            });
        }
        if let Some(other) = layout.running_config.as_ref()
            && *other != layout.config
        {
            return Some(of_process(format!("the running daemon has read {other}")));
        }
        key_changed_since_start(facts, &layout.config, &self.key).then(|| {
            Evidence::new(
                "the file was changed after the daemon started",
                wanted.in_words(&self.key),
                layout.config.clone(),
            )
        })
    }
}
