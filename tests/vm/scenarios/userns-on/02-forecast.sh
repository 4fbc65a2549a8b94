#!/bin/bash
#: timeout 1800
# With all that is left to do.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

foretold remapped --allow-disruption
jq -e '[.forecast.images[], .forecast.volumes[]] | length > 0 and all(.fate == "stays")' \
    "$STATE/remapped.plan" >/dev/null || fail "the plan does not say that images and volumes stay"
back_to_start remapped
