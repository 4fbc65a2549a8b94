#!/bin/bash
#: timeout 1800
# EROFS, EPERM, EBUSY: the kernel does not let root write there.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

# The rule file can be written, but not what augenrules makes of it.
only_rules() { mkdir -p "$STATE/rules.d"; mount --bind /etc/audit/rules.d "$STATE/rules.d"; read_only /etc/audit
    mount --bind "$STATE/rules.d" /etc/audit/rules.d; umount "$STATE/rules.d"; }
only_rules_no_more() { umount /etc/audit/rules.d; umount /etc/audit; }

faults <<'TABLE'
EROFS in /etc/docker  | read_only /etc/docker              | umount /etc/docker                 | 3 | /etc/docker/.*Read-only         | 3 | /etc/docker/.*Read-only
EROFS in rules.d      | read_only /etc/audit               | umount /etc/audit                  | 3 | /etc/audit/rules.d/.*Read-only  |   |
EROFS for audit.rules | only_rules                         | only_rules_no_more                 | 3 | /etc/audit/audit.rules          | 3 | /etc/audit/audit.rules
EPERM on daemon.json  | chattr +i /etc/docker/daemon.json  | chattr -i /etc/docker/daemon.json  | 3 | daemon.json.*not permitted      | 3 | daemon.json.*not permitted
EPERM on rules.d      | chattr +i /etc/audit/rules.d       | chattr -i /etc/audit/rules.d       | 3 | /etc/audit/rules.d/.*not permitted | 3 | /etc/audit/rules.d/.*not permitted
EBUSY on daemon.json  | busy /etc/docker/daemon.json       | umount /etc/docker/daemon.json     | 3 | daemon.json.*busy               | 3 | daemon.json.*busy
TABLE
