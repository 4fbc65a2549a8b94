//! Text ⇄ values, pure: parsers and editors for the files and outputs that describe a Docker host.
//!
//! Nothing here reads, writes or runs anything. Parsers understand a text the way the program that owns the
//! format does, including its oddities; editors leave every byte alone that the change is not about.

/// Users and groups: passwd(5), group(5) and the files beside them.
pub mod accounts;
/// Linux audit rules: rule files, `auditctl -l` and `auditctl -s`.
pub mod audit_rules;
/// The flags of a dockerd command line.
pub mod command_line;
/// Docker's daemon.json: strict reading, and editing that keeps the file's own style.
pub mod daemon_json;
/// /etc/environment as pam_env(8) reads it.
pub mod environment;
/// fstab(5): what is mounted late.
pub mod fstab;
/// How Go reads addresses, URLs and sizes.
pub mod go;
/// The IPv6 addresses of a host: `/proc/net/if_inet6`.
pub mod if_inet6;
/// What is shown of a host's text, made safe to look at.
pub mod inert;
/// The mounts of a process: proc_pid_mountinfo(5).
pub mod mount_info;
/// os-release(5).
pub mod os_release;
/// What a package manager has installed.
pub mod packages;
/// Masking of passwords and tokens before a text is shown or stored.
pub mod secrets;
/// `name = value` a line: auditd.conf(5) and its like.
pub mod settings;
/// Words for a POSIX shell.
pub mod shell;
/// subuid(5) and subgid(5).
pub mod subordinate_ids;
/// tmpfiles.d(5): what is made at boot.
pub mod tmpfiles;
/// systemd: unit files, command lines, environment files and `systemctl show`.
pub mod unit;
