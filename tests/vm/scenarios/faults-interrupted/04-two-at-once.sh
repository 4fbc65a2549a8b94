#!/bin/bash
#: timeout 1800
# One at a time: who comes second is refused and told who is first; who only looks may look.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

# Meanwhile COMMAND...: the output of the first is kept.
meanwhile() { OUT=$STATE/second-out ERR=$STATE/second-err "$@"; }

look start
pause_at augenrules load
begin "${APPLY[@]}"
reached
for second in 'apply --yes' 'rollback --yes' 'recover --yes'; do
    # shellcheck disable=SC2086
    meanwhile expect 2 seaworthy $second
    meanwhile says "process $PID .*seaworthy apply --yes --allow-disruption"
done
for second in 'audit --fail-on never' plan history; do
    # shellcheck disable=SC2086
    meanwhile expect 0 seaworthy $second
    meanwhile says "under way.*process $PID"
    ! grep -q 'was interrupted' "$STATE/words" || fail "it says that it was interrupted, but it runs"
done
go_on
ended
[[ $STATUS -eq 0 ]] || { cat "$OUT" "$ERR"; fail "the first: exit $STATUS"; }
unhook augenrules
expect 0 "${ROLLBACK[@]}"
look end
as_before start end
