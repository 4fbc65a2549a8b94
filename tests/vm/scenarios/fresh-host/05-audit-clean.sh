#!/bin/bash
# After apply there is nothing to object, and nothing that could not be seen.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

seaworthy audit --format json >"$OUT" 2>"$ERR" || say "audit exits $?: $(cat "$ERR")"
jq '.findings[] | select(.outcome == "fail" or .outcome == "unknown") | {control, outcome, evidence}' "$OUT"
check_json '[.findings[] | select(.outcome == "fail" or .outcome == "unknown")] == []' 'no finding fails or is unknown'
check_json '.summary.fail == 0 and .summary.unknown == 0' 'the summary agrees'
expect 0 seaworthy audit --format json
expect 0 seaworthy audit
