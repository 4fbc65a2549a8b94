#!/bin/bash
#: timeout 3600
# With leave, but for user namespaces: the containers run on over the restart of the daemon. What
# the daemon therefore does not take over yet is pending, and in effect after they have stopped.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

busy_host
foretold kept --allow-disruption --skip daemon-userns-remap
jq -e '[.forecast.settings[] | select(.effective == "pending")] | length > 0' "$STATE/kept.plan" >/dev/null ||
    fail "nothing is pending, though the bridge is in use"
# The audit afterwards is of the same opinion.
seaworthy audit --format json >"$OUT" 2>"$ERR" || true
check_json '.findings[] | select(.control == "daemon-icc") | .outcome == "fail" and (tostring | test("pending"))' \
    'the audit says that icc is pending'

all_stopped
by_then kept
seaworthy audit --format json >"$OUT" 2>"$ERR" || true
check_json '.findings[] | select(.control == "daemon-icc") | .outcome == "pass"' 'and that it is in effect'
back_again kept
snapshot again
same_host start again
