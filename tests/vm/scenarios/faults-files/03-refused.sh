#!/bin/bash
#: timeout 3600
# EROFS, EPERM, EBUSY: the kernel does not let root write there.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

# A plan sees it, holds back what cannot be written, and says why.
held_back() {
    local reason=$1
    shift
    "$@"
    expect 0 seaworthy plan --allow-disruption --format json
    check_json "[.held_back[].reason | select(test(\"$reason\"))] | length > 0" "held back: $reason"
}
held_back '/etc/docker/?.*read-only' read_only /etc/docker
umount /etc/docker
held_back '/etc/docker/daemon.json: .*immutable' chattr +i /etc/docker/daemon.json
chattr -i /etc/docker/daemon.json
held_back '/etc/docker/daemon.json: .*mount' busy /etc/docker/daemon.json
umount /etc/docker/daemon.json
held_back 'in /etc/audit/rules.d: .*read-only' read_only /etc/audit
umount /etc/audit
held_back 'in /etc/audit/rules.d: .*immutable' chattr +i /etc/audit/rules.d
chattr -i /etc/audit/rules.d

# A rollback sees it, too, and does not begin. What comes when it has seen everything ends in an undo.
immutable() { NEW_FILES=yes; chattr +i "$1"; }
# late COMMAND...: that is when it is called, between the look at the host and the first record.
late() {
    hook auditctl <<HOOK
$(declare -f read_only busy)
for folder in /var/lib/seaworthy/transactions/*; do
    [[ ! -d \$folder || -e \$folder/journal || -e \$HOOK.late ]] || { : >\$HOOK.late; $*; }
done
exec "\$real" "\$@"
HOOK
}
# too_late COMMAND...: ends it.
too_late() {
    unhook auditctl
    [[ -e $HOOK.late ]] || fail "it did not come to that"
    rm "$HOOK.late"
    "$@"
}

faults <<'TABLE'
EROFS in /etc/docker  | read_only /etc/docker              | umount /etc/docker                 |   |   | 2 | /etc/docker.*read-only
EPERM on daemon.json  | immutable /etc/docker/daemon.json  | chattr -i /etc/docker/daemon.json  |   |   | 2 | daemon.json.*immutable
EPERM on rules.d      | immutable /etc/audit/rules.d       | chattr -i /etc/audit/rules.d       |   |   | 2 | /etc/audit/rules.d.*immutable
EBUSY on daemon.json  | busy /etc/docker/daemon.json       | umount /etc/docker/daemon.json     |   |   | 2 | daemon.json.*mount
late EROFS in /etc/docker  | late read_only /etc/docker             | too_late umount /etc/docker                 | 3 | /etc/docker/.*Read-only            | 3 | /etc/docker/.*Read-only
late EROFS in rules.d      | late read_only /etc/audit              | too_late umount /etc/audit                  | 3 | /etc/audit/rules.d/.*Read-only     | 3 | /etc/audit/rules.d/.*Read-only
late EPERM on daemon.json  | late chattr +i /etc/docker/daemon.json | too_late chattr -i /etc/docker/daemon.json  | 3 | daemon.json.*not permitted         | 3 | daemon.json.*not permitted
late EPERM on rules.d      | late chattr +i /etc/audit/rules.d      | too_late chattr -i /etc/audit/rules.d       | 3 | /etc/audit/rules.d/.*not permitted | 3 | /etc/audit/rules.d/.*not permitted
late EBUSY on daemon.json  | late busy /etc/docker/daemon.json      | too_late umount /etc/docker/daemon.json     | 3 | daemon.json.*busy                  | 3 | daemon.json.*busy
TABLE
