#!/bin/bash
#: timeout 1800
# The containers run on. icc is pending until they stop, and then in effect.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

foretold live --allow-disruption --skip daemon-userns-remap
jq -e '[.forecast.containers[].fate] | length == 3 and all(. == "keeps-running" or . == "untouched")' \
    "$STATE/live.plan" >/dev/null || fail "the plan does not say that the containers run on"
mapfile -t running < <(docker ps --quiet)
docker stop "${running[@]}" >/dev/null
restarted
by_then live
some_containers
back_to_start live
