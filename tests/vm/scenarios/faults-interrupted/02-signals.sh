#!/bin/bash
#: timeout 3600
# SIGTERM, SIGINT and a lost terminal in the middle of an apply and of a rollback: it takes back
# what it did.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

# interrupted SIGNAL COMMAND...
interrupted() {
    local signal=$1
    shift
    printf '== %s, %s\n' "$signal" "$2"
    look before
    pause_at augenrules load
    begin "$@"
    reached
    kill -s "$signal" "$PID"
    go_on
    ended
    [[ $STATUS -eq 3 ]] || { cat "$OUT" "$ERR"; fail "exit $STATUS instead of 3"; }
    says 'taking it back: it was interrupted'
    unhook augenrules
    look after
    as_before before after
}

# lost_terminal COMMAND...: it runs at a terminal that goes away.
lost_terminal() {
    printf '== the terminal goes away, %s\n' "$2"
    look before
    pause_at augenrules load
    expect 3 "$GUEST/at-terminal" "$HOOK.reached" "$HOOK.go" "$@"
    unhook augenrules
    look after
    as_before before after
}

look start
interrupted TERM "${APPLY[@]}" "${PATIENT[@]}"
interrupted INT "${APPLY[@]}" "${PATIENT[@]}"
lost_terminal "${APPLY[@]}" "${PATIENT[@]}"
# A small one is enough to be taken back.
expect 0 seaworthy apply --yes --only audit
interrupted TERM "${ROLLBACK[@]}" "${PATIENT[@]}"
lost_terminal "${ROLLBACK[@]}" "${PATIENT[@]}"

# Who says nohup means it.
pause_at augenrules load
begin nohup "${ROLLBACK[@]}" "${PATIENT[@]}"
reached
kill -s HUP "$PID"
go_on
ended
unhook augenrules
[[ $STATUS -eq 0 ]] || { cat "$OUT" "$ERR"; fail "under nohup: exit $STATUS instead of 0"; }
look end
as_before start end
