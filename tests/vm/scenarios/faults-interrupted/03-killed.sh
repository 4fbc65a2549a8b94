#!/bin/bash
#: timeout 3600
# SIGKILL in the middle. Whoever comes next is told, and can go either way.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

# killed_at PROGRAM PATTERN [OPTION...]: an apply that is killed there.
killed_at() {
    pause_at "$1" "$2"
    begin "${APPLY[@]}" "${PATIENT[@]}" "${@:3}"
    reached
    kill -9 "$PID"
    ended
    go_on
    passed_by
    unhook "$1"
    grep -qx "process $PID (.*)" /var/lib/seaworthy/lock || fail "the lock file: $(cat /var/lib/seaworthy/lock)"
}

look start
killed_at systemctl '^restart.docker'
for verb in 'audit --fail-on never' plan history; do
    # shellcheck disable=SC2086
    expect 0 seaworthy $verb
    says 'unfinished'
    says 'seaworthy recover'
done
for verb in apply rollback; do
    expect 2 seaworthy $verb --yes
    says 'unfinished'
    says 'seaworthy recover'
done
# The lock of the dead does not matter.
expect 0 seaworthy recover --yes "${PATIENT[@]}"
look recovered
as_before start recovered
expect 0 seaworthy recover --yes
says 'Nothing to recover'

killed_at augenrules load --only audit
expect 0 seaworthy recover --forward --yes "${PATIENT[@]}"
expect 0 seaworthy plan --only audit --detailed-exitcode
rules_in_kernel
expect 0 "${ROLLBACK[@]}" "${PATIENT[@]}"
look end
as_before start end
