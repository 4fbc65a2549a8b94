//! What the people of a site decided: the policy, and controls of their own, in `/etc/seaworthy`.
//!
//! Whoever can write these tells root what to do with a host. So everything there is held to one
//! rule, the folder itself and all above it included: it is root's, and nobody else may write it.
//! Only what is not there is nothing; what cannot be read, is something else or belongs to somebody
//! else is refused by name, never silently left out.

use super::arguments::Global;
use super::context::read;
use super::failure::Failure;
use crate::catalog::{self, Catalog};
use crate::facts::{Kind, LARGEST_FILE, Look, Node};
use crate::formats::shell::quoted_os;
use crate::host::{LinuxHost, ReadHost as _};
use crate::policy::{self, Policy};
use crate::render;

/// The folder that all of it is in.
const FOLDER: &str = "/etc/seaworthy";

/// What was decided.
#[derive(Debug, Default)]
pub(super) struct Site {
    pub(super) policy: Policy,
    /// The text of all of it: a saved plan is bound to its digest.
    pub(super) decided: String,
    /// What lies among the site's controls and is none, as its name does not end in `.toml`.
    pub(super) ignored: Vec<String>,
}

impl Site {
    /// Reads the policy (`--config`, else the host's own if it has one), and adds the site's controls
    /// to the catalog.
    ///
    /// # Errors
    /// When something is there that cannot be read, trusted or understood. Nothing was touched.
    pub(super) fn read(
        global: &Global,
        host: &LinuxHost,
        catalog: &mut Catalog,
    ) -> Result<Self, Failure> {
        let folder = Reader { global, host };
        let mut site = Self::default();
        let is_there = folder.is_there()?;
        let policy = match &global.config {
            Some(path) => Some((render::clean(&path.to_string_lossy()), read(path)?)),
            None if is_there => folder
                .text(policy::PATH)?
                .map(|text| (policy::PATH.to_owned(), text)),
            None => None,
        };
        if let Some((path, text)) = policy {
            site.policy = Policy::parse(&text).map_err(|error| {
                Failure::plain(
                    format!("{path}: {error}"),
                    match &global.config {
                        Some(path) => format!("editor {}", quoted_os(path.as_os_str())),
                        None => format!("editor {}", folder.named(&path)),
                    },
                )
            })?;
            site.decided.push_str(&text);
        }
        if is_there {
            folder.controls(catalog, &mut site)?;
        }
        Ok(site)
    }
}

/// Reads what is trusted only when nobody but root can have written it.
struct Reader<'a> {
    global: &'a Global,
    host: &'a LinuxHost,
}

impl Reader<'_> {
    /// Whether there is such a folder; it and what it is in are to be trusted then.
    fn is_there(&self) -> Result<bool, Failure> {
        if self.look(FOLDER, Look::Attributes)?.kind == Kind::Absent {
            return Ok(false);
        }
        for path in ["/", crate::checks::parent(FOLDER), FOLDER] {
            self.trusted(path, Kind::Folder, Look::Attributes)?;
        }
        Ok(true)
    }

    /// The site's own controls.
    fn controls(&self, catalog: &mut Catalog, site: &mut Site) -> Result<(), Failure> {
        const SITE: &str = catalog::SITE_CONTROLS;
        let Some(folder) = self.trusted(SITE, Kind::Folder, Look::Entries)? else {
            return Ok(());
        };
        let Some(names) = folder.entries else {
            return Err(self.refused(SITE, "it could not be listed", "ls -la"));
        };
        if let Some(name) = folder.odd_names.first() {
            return Err(self.refused(
                SITE,
                &format!("the name of a file in it is not UTF-8 ({name})"),
                "ls -lab",
            ));
        }
        for name in names {
            let Some(stem) = name.strip_suffix(".toml") else {
                site.ignored.push(name);
                continue;
            };
            let path = format!("{SITE}/{name}");
            let Some(text) = self.text(&path)? else {
                return Err(self.refused(
                    &path,
                    "it is gone since the folder was listed",
                    "ls -ld",
                ));
            };
            // The site's own controls are in the area of the host unless they say otherwise.
            catalog.add("host", stem, &path, &text).map_err(|error| {
                Failure::refused(error, format!("editor {}", self.named(&path)))
            })?;
            site.decided.push_str(&text);
        }
        Ok(())
    }

    /// The text of a file; `None` when there is none.
    fn text(&self, path: &str) -> Result<Option<String>, Failure> {
        let Some(node) = self.trusted(path, Kind::File, Look::Content)? else {
            return Ok(None);
        };
        let Some(content) = node.content else {
            let most = LARGEST_FILE / (1024 * 1024);
            return Err(self.refused(path, &format!("it is larger than {most} MiB"), "ls -l"));
        };
        match String::from_utf8(content.into_vec()) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(self.refused(path, "it is not UTF-8 text", "file")),
        }
    }

    /// What is there when it is of this kind and only root can have put it there; `None` when nothing
    /// is.
    fn trusted(&self, path: &str, kind: Kind, look: Look) -> Result<Option<Node>, Failure> {
        let node = self.look(path, look)?;
        if node.kind == Kind::Absent {
            return Ok(None);
        }
        if node.kind != kind {
            let what = match node.kind {
                Kind::File => "a file",
                Kind::Folder => "a folder",
                Kind::Link => "a symbolic link",
                Kind::Socket => "a socket",
                Kind::Other | Kind::Absent => "a device or a pipe",
            };
            let to = node
                .target
                .map(|to| format!(" to {to}"))
                .unwrap_or_default();
            let wanted = if kind == Kind::File {
                "a regular file"
            } else {
                "a folder"
            };
            return Err(Self::not_trusted(
                path,
                &format!("it is {what}{to}, not {wanted}"),
                &format!("mv {0} {0}.old", self.named(path)),
            ));
        }
        if node.uid != 0 {
            let cure = format!("chown root {}", self.named(path));
            return Err(Self::not_trusted(path, "it does not belong to root", &cure));
        }
        if node.mode.0 & 0o022 != 0 {
            let cure = format!("chmod go-w {}", self.named(path));
            return Err(Self::not_trusted(
                path,
                "others than root can write it",
                &cure,
            ));
        }
        Ok(Some(node))
    }

    fn look(&self, path: &str, look: Look) -> Result<Node, Failure> {
        self.host.node(path, look).map_err(|error| {
            let cure = if self.host.is_root() {
                format!("ls -ld {}", self.named(path))
            } else {
                format!("sudo seaworthy audit{}", self.global.place())
            };
            Failure::refused(error, cure)
        })
    }

    fn not_trusted(path: &str, why: &str, cure: &str) -> Failure {
        let what = if path.starts_with(FOLDER) {
            "it is"
        } else {
            "what is in it is"
        };
        Failure::plain(format!("{path}: {why}, so {what} not trusted"), cure)
    }

    fn refused(&self, path: &str, why: &str, command: &str) -> Failure {
        Failure::plain(
            format!("{path}: {why}, so it is not trusted"),
            format!("{command} {}", self.named(path)),
        )
    }

    /// The path as a command must name it that is typed here.
    fn named(&self, path: &str) -> String {
        quoted_os(&self.global.on_host(path))
    }
}
