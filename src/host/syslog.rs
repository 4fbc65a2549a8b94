//! One message to the system log: journald's own protocol, else syslog(3)'s.
//!
//! Nothing here may stop or delay a run: a log that does not take the message goes without it.

use crate::formats::{inert, secrets};
use std::borrow::Cow;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

const JOURNAL: &str = "/run/systemd/journal/socket";
const SYSLOG: &str = "/dev/log";

/// The MESSAGE_ID of every message of ours: `journalctl MESSAGE_ID=…` finds them all. A random
/// UUID, made once for this purpose.
pub const MESSAGE_ID: &str = "fbdd6edb42f74fc5a2a321899061b84c";

/// What one transaction leaves in the system log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// A sentence. It may quote what failed; secrets in it are masked.
    pub message: String,
    /// Whether a person should look.
    pub is_warning: bool,
    /// The transaction.
    pub transaction: String,
    /// `committed`, `pending-confirmation`, `confirmed`, `rolled-back`, `stuck`.
    pub outcome: &'static str,
    /// Ids of the controls that it served.
    pub controls: Vec<String>,
    /// The transaction that it took back.
    pub reverts: Option<String>,
    /// Who asked for it, the user behind sudo included.
    pub by: String,
}

impl LogEntry {
    /// 4 (warning) or 5 (notice), as in syslog(3).
    fn priority(&self) -> u8 {
        if self.is_warning { 4 } else { 5 }
    }

    /// One `NAME=value` a line. A value has no line breaks then, so the binary form is not needed.
    fn native(&self) -> String {
        let message = secrets::words(&self.message);
        let priority = self.priority().to_string();
        let controls = self.controls.join(" ");
        let pid = std::process::id().to_string();
        let mut fields = vec![
            ("MESSAGE", message.as_str()),
            ("MESSAGE_ID", MESSAGE_ID),
            ("PRIORITY", &priority),
            ("SYSLOG_IDENTIFIER", "seaworthy"),
            ("SYSLOG_PID", &pid),
            ("SEAWORTHY_TRANSACTION", &self.transaction),
            ("SEAWORTHY_OUTCOME", self.outcome),
            ("SEAWORTHY_CONTROLS", &controls),
            ("SEAWORTHY_BY", &self.by),
        ];
        if let Some(reverts) = &self.reverts {
            fields.push(("SEAWORTHY_REVERTS", reverts));
        }
        let mut text = String::new();
        for (name, value) in fields {
            text.push_str(name);
            text.push('=');
            text.push_str(&on_one_line(value));
            text.push('\n');
        }
        text
    }

    /// Everything in one line, as a syslog has no fields. The facility is LOG_USER.
    fn classic(&self) -> String {
        let text = format!(
            "<{}>seaworthy[{}]: {} transaction={} outcome={} controls={} by=\"{}\"",
            8 + self.priority(),
            std::process::id(),
            secrets::words(&self.message),
            self.transaction,
            self.outcome,
            self.controls.join(","),
            self.by
        );
        on_one_line(&text).into_owned()
    }
}

/// A log is read at a terminal, and a line break would begin a field of its own.
fn on_one_line(text: &str) -> Cow<'_, str> {
    inert::line(text)
}

/// Sends the message to whoever listens.
pub(super) fn send(entry: &LogEntry) {
    if !datagram(JOURNAL, &entry.native()) {
        datagram(SYSLOG, &entry.classic());
    }
}

fn datagram(path: &str, text: &str) -> bool {
    let sent = || {
        let socket = UnixDatagram::unbound()?;
        // A log that hangs must not hang us.
        socket.set_write_timeout(Some(Duration::from_secs(1)))?;
        socket.send_to(text.as_bytes(), path)
    };
    sent().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> LogEntry {
        LogEntry {
            message: "transaction T-1 is committed".to_owned(),
            is_warning: false,
            transaction: "T-1".to_owned(),
            outcome: "committed",
            controls: vec!["daemon-icc".to_owned(), "audit-dockerd".to_owned()],
            reverts: None,
            by: "bob\nPRIORITY=0 (sudo, uid 0)".to_owned(),
        }
    }

    #[test]
    fn what_failed_may_quote_a_secret() {
        let entry = LogEntry {
            message: "T-1 failed: `x --token Hunter2` said: DB_PASSWORD=Hunter2 u:Hunter2@h"
                .to_owned(),
            ..entry()
        };
        for text in [entry.native(), entry.classic()] {
            assert!(!text.contains("Hunter2"), "{text}");
            assert!(text.contains("--token ***"), "{text}");
        }
    }

    #[test]
    fn a_message_arrives_and_no_value_makes_a_field_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixDatagram::bind(&path).unwrap();
        assert!(datagram(path.to_str().unwrap(), &entry().native()));
        let mut buffer = [0; 4096];
        let length = listener.recv(&mut buffer).unwrap();
        let text = std::str::from_utf8(&buffer[..length]).unwrap();
        let fields: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with("SYSLOG_PID="))
            .collect();
        assert_eq!(
            fields,
            [
                "MESSAGE=transaction T-1 is committed",
                "MESSAGE_ID=fbdd6edb42f74fc5a2a321899061b84c",
                "PRIORITY=5",
                "SYSLOG_IDENTIFIER=seaworthy",
                "SEAWORTHY_TRANSACTION=T-1",
                "SEAWORTHY_OUTCOME=committed",
                "SEAWORTHY_CONTROLS=daemon-icc audit-dockerd",
                "SEAWORTHY_BY=bob<U+000A>PRIORITY=0 (sudo, uid 0)",
            ]
        );
    }

    #[test]
    fn a_syslog_gets_one_line_and_nobody_is_no_failure() {
        let line = entry().classic();
        assert!(line.starts_with("<13>seaworthy["), "{line}");
        assert!(!line.contains('\n'), "{line}");
        assert!(!datagram("/nowhere/socket", "x"));
    }
}
