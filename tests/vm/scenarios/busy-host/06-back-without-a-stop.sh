#!/bin/bash
#: timeout 3600
# Containers that an apply has kept over its restart outlive its rollback, too; one that was started
# since has what is taken back, so the next rollback stops them.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

processes() { jq -S '[.containers[] | select(.running) | {name, pid, born, started}] | sort_by(.name)' "$1"; }

busy_host
# The restart would start it, with what is then taken back.
docker rm returning >/dev/null
foretold kept-again --allow-disruption --skip daemon-userns-remap
back_again kept-again
grep -q 'live-restore keeps these' "$OUT" "$ERR" || fail "it does not say who runs on"
"$GUEST/forecast" look >"$STATE/kept-again.back"
diff -u <(processes "$STATE/kept-again.after") <(processes "$STATE/kept-again.back") ||
    fail "the rollback has stopped a container that the apply has kept"
[[ $(docker info --format '{{.LiveRestoreEnabled}}') == false ]] || fail "live-restore is still on"
snapshot again
same_host start again

busy_host
foretold kept-once-more --allow-disruption --skip daemon-userns-remap
docker restart --time 1 keeper >/dev/null
back_again kept-once-more
grep -q 'these containers stop' "$OUT" "$ERR" || fail "it does not say who stops"
snapshot again
same_host start again
