#!/bin/bash
# A second apply finds nothing to do, says so, and touches nothing.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

snapshot applied
expect 0 seaworthy history --format json
cp "$OUT" "$STATE/history-before"

expect 0 seaworthy apply --yes --allow-disruption
cat "$OUT" "$ERR" >"$STATE/words"
grep -qi 'nothing to do' "$STATE/words" || { cat "$STATE/words"; fail "it does not say that there is nothing to do"; }
expect 0 seaworthy apply --yes --allow-disruption --format json
check_json '.outcome == "nothing-to-do"' 'the outcome says so too'
expect 0 seaworthy plan --allow-disruption --detailed-exitcode

snapshot applied-again
untouched applied applied-again
expect 0 seaworthy history --format json
diff -u <(jq -S . "$STATE/history-before") <(jq -S . "$OUT") || fail "there is a new transaction"
