#!/bin/bash
#: timeout 1200
# Rollback: the host is as it was, byte for byte, and runs as it did.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

expect 0 seaworthy rollback --yes --format json
check_json '.format == 1 and .outcome == "committed"' 'the rollback is committed'
services_active
snapshot rolled-back
same_host start rolled-back

expect 0 seaworthy history --format json
check_json '.transactions | length == 2' 'history has both transactions'
check_json '[.transactions[] | select(.outcome != "committed")] == []' 'both are committed'
first=$(cat "$STATE/transaction")
jq -e --arg first "$first" '[.transactions[] | select(.reverts == $first)] | length == 1' "$OUT" >/dev/null ||
    fail "no transaction reverts $first: $(cat "$OUT")"
jq -e --arg first "$first" '.transactions[] | select(.id == $first) | .reverted_by != null' "$OUT" >/dev/null ||
    fail "$first does not say what reverted it: $(cat "$OUT")"
