#!/bin/bash
#: timeout 3600
# The rules do not get into the kernel.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

# It is waited for until the deadline.
impatient
# By whomever it is called: the unit of auditd does, too.
fails_to_load() { replace /usr/sbin/augenrules <<<'echo "augenrules: no rules today" >&2; exit 1'; }
# Our first watch, by whomever it is loaded.
refuses_a_rule() {
    replace /usr/sbin/auditctl <<'HOOK'
[[ ! "$*" =~ -w\ /usr/sbin/dockerd ]] || { echo "Error sending add rule request (Invalid argument)" >&2; exit 255; }
if [[ $1 == -R ]] && grep -q '^-w /usr/sbin/dockerd' "$2"; then
    "$real" -R <(sed '/^-w .usr.sbin.dockerd/,$d' "$2")
    echo "There was an error in line 12 of $2" >&2
    exit 1
fi
exec "$real" "$@"
HOOK
}
faults <<'TABLE'
augenrules fails        | fails_to_load  | restored /usr/sbin/augenrules | 3 | the kernel has no audit watch on |   |
the kernel refuses one  | refuses_a_rule | restored /usr/sbin/auditctl   | 3 | the kernel has no audit watch on |   |
TABLE
