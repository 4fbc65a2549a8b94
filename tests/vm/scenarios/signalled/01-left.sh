#!/bin/bash
#: timeout 1800
# `docker kill --signal HUP` is how many a server is told to read its configuration. Docker notes the
# container as stopped by hand, and `unless-stopped` no longer brings it back: the plan knows.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

"$GUEST/import-busybox"
for name in plain signalled started-again; do
    runs "$name" --restart unless-stopped
done
# The first process of a container has no handler for it, so it runs on.
docker kill --signal HUP signalled started-again >/dev/null
docker restart started-again >/dev/null
at_rest
[[ $(docker ps --quiet | wc -l) == 3 ]] || fail "they do not run on"
snapshot start

# Without live-restore all of them stop.
foretold signalled --allow-disruption --only daemon-icc
jq -e '.forecast.containers | map({key: .name, value: .fate}) | from_entries
    == {plain: "restarts", signalled: "stops", "started-again": "restarts"}' "$STATE/signalled.plan" >/dev/null ||
    fail "the plan does not know who stays down"
jq -r '.impact[] | select(.what | contains("although")) | "\(.what) | \(.who) | \(.why)"' "$STATE/signalled.plan" |
    grep 'container signalled' || fail "the impact does not name it"
back_to_start signalled
