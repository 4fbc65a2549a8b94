#!/bin/bash
#: timeout 3600
# Without --allow-disruption: what disrupts nothing is done, and every container is left alone.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

foretold alone
check_json '.outcome == "committed"' 'something is done all the same'
jq -e '[.forecast.containers[].fate] | all(. == "untouched" or . == "keeps-running" or . == "stays-stopped")' \
    "$STATE/alone.plan" >/dev/null || fail "the plan would disturb a container"
jq -e '.held_back | length > 0 and all(.reason != "" and .release != "")' "$STATE/alone.plan" >/dev/null ||
    fail "nothing is held back with a reason and what releases it"
back_again alone
snapshot again
same_host start again
