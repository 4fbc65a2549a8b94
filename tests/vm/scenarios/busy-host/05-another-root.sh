#!/bin/bash
#: timeout 3600
# User namespaces: what there is vanishes from view, nothing of it runs on where nobody sees it,
# and a rollback brings it back.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

busy_host
foretold another --allow-disruption
jq -e '[.forecast.images[], .forecast.volumes[]] | length > 0 and all(.fate == "vanishes")' \
    "$STATE/another.plan" >/dev/null || fail "the plan does not say that images and volumes vanish"
back_again another
for name in "${CONTAINERS[@]}" retired returning drafted; do
    docker container inspect "$name" >/dev/null || fail "$name did not come back into view"
done
snapshot again
same_host start again
