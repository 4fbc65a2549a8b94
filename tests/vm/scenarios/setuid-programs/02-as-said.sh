#!/bin/bash
#: timeout 1200
# What was hinted at happens: once created again, the program has no rights; until then it has them.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

# The owner that the program shows to an ordinary user in a new container.
new() {
    DOCKER_CONTENT_TRUST=0 docker run --rm --user 65534 errands as-owner -u
}
[[ $(new) == 0 ]] || fail "the program has no rights before"
foretold setuid --only daemon-no-new-privileges
jq -e '[.impact[].what] | any(contains("as-owner in /start.sh"))' "$STATE/setuid.plan" >/dev/null ||
    fail "the plan does not name the program"
[[ $(new) == 65534 ]] || fail "the program still has rights in a new container"
# It was started again by the restart, and is the one that was created before.
[[ $(docker logs errand) == $'0\n0' ]] || fail "the older container does not keep what it was created with"

expect 0 seaworthy plan
! grep -q 'a hint only' "$OUT" || fail "hints about what is in effect"
back_to_start setuid
[[ $(new) == 0 ]] || fail "the program has no rights after the way back"
