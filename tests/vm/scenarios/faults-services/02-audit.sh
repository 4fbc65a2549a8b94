#!/bin/bash
#: timeout 1800
# The rules do not get into the kernel.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

# It is waited for until the deadline.
APPLY+=(--deadline 30)
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
# Somebody else's file that auditctl does not understand: nothing after it is loaded.
broken_file() {
    NEW_FILES=yes
    cp -a /etc/audit/audit.rules "$STATE/audit.rules"
    printf -- '-w /etc/hosts -p wa -k hosts\n-w /etc/passwd -p zz -k broken\n' >/etc/audit/rules.d/40-broken.rules
    augenrules --load >/dev/null 2>&1 || true
    rm -f /etc/audit/audit.rules.prev
}
mended_file() {
    rm -f /etc/audit/rules.d/40-broken.rules
    augenrules --load >/dev/null 2>&1
    cp -a "$STATE/audit.rules" /etc/audit/audit.rules
    rm -f /etc/audit/audit.rules.prev
}

faults <<'TABLE'
augenrules fails        | fails_to_load  | restored /usr/sbin/augenrules | 3 | the kernel has no audit watch on |   |
the kernel refuses one  | refuses_a_rule | restored /usr/sbin/auditctl   | 3 | the kernel has no audit watch on |   |
a broken file           | broken_file    | mended_file                   | 3 | the kernel has no audit watch on |   |
TABLE
