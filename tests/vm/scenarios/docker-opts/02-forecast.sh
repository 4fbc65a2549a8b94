#!/bin/bash
#: timeout 1800
# Each setting is planned where it lives, or held back for its flag.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

daemon_command | grep -q 'DOCKER_OPTS' || skip "this unit does not read DOCKER_OPTS"
foretold opts --allow-disruption --skip daemon-userns-remap
considered opts icc daemon-icc
considered opts userland-proxy daemon-userland-proxy
tr '\0' ' ' </proc/"$(systemctl show --value -p MainPID docker.service)"/cmdline >"$STATE/command"
grep -q -- '--log-level info' "$STATE/command" || fail "a flag was lost: $(cat "$STATE/command")"
back_to_start opts
