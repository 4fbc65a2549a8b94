#!/bin/bash
#: timeout 1800
# EROFS, EPERM, EBUSY: the kernel does not let root write there.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

# A plan sees that of a file, holds back what cannot be written, and says why. Of a folder it does
# not, and the apply is taken back.
held_back() {
    local reason=$1
    shift
    "$@"
    expect 0 seaworthy plan --allow-disruption --format json
    check_json "[.held_back[].reason | select(test(\"$reason\"))] | length > 0" "held back: $reason"
}
held_back 'read-only' read_only /etc/docker
umount /etc/docker
held_back 'immutable' chattr +i /etc/docker/daemon.json
chattr -i /etc/docker/daemon.json
held_back 'mount' busy /etc/docker/daemon.json
umount /etc/docker/daemon.json

faults <<'TABLE'
EROFS in /etc/docker  | read_only /etc/docker              | umount /etc/docker                 |   |   | 3 | /etc/docker/.*Read-only
EROFS in rules.d      | read_only /etc/audit               | umount /etc/audit                  | 3 | /etc/audit/rules.d/.*Read-only  |   |
EPERM on daemon.json  | chattr +i /etc/docker/daemon.json  | chattr -i /etc/docker/daemon.json  |   |   | 3 | daemon.json.*not permitted
EPERM on rules.d      | chattr +i /etc/audit/rules.d       | chattr -i /etc/audit/rules.d       | 3 | /etc/audit/rules.d/.*not permitted | 3 | /etc/audit/rules.d/.*not permitted
EBUSY on daemon.json  | busy /etc/docker/daemon.json       | umount /etc/docker/daemon.json     |   |   | 3 | daemon.json.*busy
TABLE
