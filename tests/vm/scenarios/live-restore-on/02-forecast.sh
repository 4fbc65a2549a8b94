#!/bin/bash
#: timeout 1800
# The containers run on. icc is pending until they stop, and then in effect.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

foretold live --allow-disruption --skip daemon-userns-remap
jq -e '[.forecast.containers[].fate] | length == 3 and all(. == "keeps-running" or . == "untouched")' \
    "$STATE/live.plan" >/dev/null || fail "the plan does not say that the containers run on"
all_stopped
by_then live
some_containers
# The site's own live-restore stays on, so the way back waits for the containers as well, and says so.
back_again live
grep -q 'a restart of docker.service while no container runs' "$OUT" "$ERR" || fail "it does not say what waits"
all_stopped
some_containers
at_rest
snapshot again
same_host start again
