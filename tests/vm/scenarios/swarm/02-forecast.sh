#!/bin/bash
#: timeout 1800
# live-restore is no remedy here; the restart stops the containers, and the swarm starts others.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

foretold swarm --allow-disruption --skip daemon-userns-remap
jq -e '[.forecast.settings[].key] | index("live-restore") == null' "$STATE/swarm.plan" >/dev/null ||
    fail "live-restore is planned on a node of a swarm"
[[ $(docker info --format '{{.Swarm.LocalNodeState}}') == active ]] || fail "the node has left the swarm"
# It also starts once more.
restarted
seaworthy audit --format json >"$OUT" 2>"$ERR" || true
check_json '.findings[] | select(.control == "daemon-live-restore") | .outcome == "not-applicable"' \
    'live-restore is not applicable in a swarm'
back_to_start swarm
