#!/bin/bash
# The audit objects to what it objected to at the start, and containers run with
# the old settings.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

expect 1 seaworthy audit --format json
jq -r '.findings[] | select(.outcome == "fail") | .control' "$OUT" | sort >"$STATE/failing-at-end"
diff -u "$STATE/failing-at-start" "$STATE/failing-at-end" || fail "other controls fail than at the start"

in_container cat /proc/self/uid_map /proc/self/status >"$STATE/container"
read -r inside outside _ <"$STATE/container"
[[ $inside -eq 0 && $outside -eq 0 ]] || fail "still remapped: $(head -n 1 "$STATE/container")"
grep -qE '^NoNewPrivs:[[:space:]]+0' "$STATE/container" || fail "no-new-privileges is still on"
forget_image
