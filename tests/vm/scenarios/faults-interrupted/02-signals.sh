#!/bin/bash
#: timeout 1800
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
    local status=$STATE/status
    printf '== the terminal goes away, %s\n' "$2"
    rm -f "$status"
    look before
    pause_at augenrules load
    # The shell between them outlives the terminal, to tell how it ended.
    begin script --quiet --return --command "trap : HUP; $*; echo \$? >$status" /dev/null
    reached
    kill -9 "$PID"
    go_on
    ended
    for try in $(seq 300); do [[ ! -s $status ]] || break; sleep 1; done
    [[ $(cat "$status") == 3 ]] || fail "exit $(cat "$status") instead of 3 after $try s"
    unhook augenrules
    look after
    as_before before after
}

look start
interrupted TERM "${APPLY[@]}"
interrupted INT "${APPLY[@]}"
lost_terminal "${APPLY[@]}"
# A small one is enough to be taken back.
expect 0 seaworthy apply --yes --only audit
interrupted TERM "${ROLLBACK[@]}"
lost_terminal "${ROLLBACK[@]}"

# Who says nohup means it.
pause_at augenrules load
begin nohup "${ROLLBACK[@]}"
reached
kill -s HUP "$PID"
go_on
ended
unhook augenrules
[[ $STATUS -eq 0 ]] || { cat "$OUT" "$ERR"; fail "under nohup: exit $STATUS instead of 0"; }
look end
as_before start end
