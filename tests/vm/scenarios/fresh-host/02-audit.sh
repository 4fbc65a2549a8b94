#!/bin/bash
# The audit finds what is wrong, names it, and changes nothing.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

expect 1 seaworthy audit --format json
check_json '.format == 1 and .summary.fail > 0' 'the report counts failures'
check_json '[.findings[] | select(.outcome == "fail")] | length > 0 and all(.evidence | length > 0)' \
    'every failure has evidence'
check_json '(.summary.fail) == ([.findings[] | select(.outcome == "fail")] | length)' \
    'the summary counts the findings'
jq -r '.findings[] | select(.outcome == "fail") | .control' "$OUT" | sort >"$STATE/failing-at-start"
sed 's/^/  fails: /' "$STATE/failing-at-start"

expect 1 seaworthy audit
while read -r control; do
    grep -qF "$control" "$OUT" || fail "the human report does not name $control"
done <"$STATE/failing-at-start"

expect 0 seaworthy audit --fail-on never

snapshot audited
untouched start audited
[[ ! -s $STATE/audited/traces ]] || fail "left behind: $(cat "$STATE/audited/traces")"
