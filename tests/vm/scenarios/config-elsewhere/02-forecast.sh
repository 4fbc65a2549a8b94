#!/bin/bash
#: timeout 1800
# Only the file that the daemon reads is changed.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

foretold elsewhere --allow-disruption --skip daemon-userns-remap
jq -e '[.steps[].path] | index("/srv/docker/daemon.json") != null and index("/etc/docker/daemon.json") == null' \
    "$STATE/elsewhere.plan" >/dev/null || fail "the plan does not change the file that the daemon reads, and only that"
grep -q '"no-new-privileges"' /srv/docker/daemon.json || fail "$(cat /srv/docker/daemon.json)"
back_to_start elsewhere
sha256sum --check --quiet "$STATE/sums"
