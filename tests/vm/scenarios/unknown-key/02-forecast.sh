#!/bin/bash
#: timeout 1800
# The daemon is left alone, and the reason says why; what does not concern it is done.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

foretold unknown --allow-disruption
jq -e '[.steps[].path] | index("/etc/docker/daemon.json") == null' "$STATE/unknown.plan" >/dev/null ||
    fail "the plan writes the file that dockerd refuses"
jq -e '[.held_back[] | select((.control | startswith("daemon-")) and .control != "daemon-json") | .reason] | length > 0 and
    all(test("no-such-key"))' "$STATE/unknown.plan" >/dev/null || fail "the reason does not name the key"
jq -e '[.forecast.containers[].fate] | all(. == "untouched")' "$STATE/unknown.plan" >/dev/null ||
    fail "the plan would disturb containers"
[[ -n $(our_rules) ]] || fail "the audit rules were not written"
back_to_start unknown
