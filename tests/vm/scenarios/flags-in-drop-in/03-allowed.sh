#!/bin/bash
#: timeout 1800
# With leave: each setting is planned where it lives, or held back for its flag. The daemon runs in
# either case, and its flags and its file agree.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

some_containers
foretold allowed --allow-disruption --skip daemon-userns-remap
considered allowed icc daemon-icc
considered allowed live-restore daemon-live-restore
# The site's own flags that nobody objects to are still there.
tr '\0' ' ' </proc/"$(systemctl show --value -p MainPID docker.service)"/cmdline >"$STATE/command"
grep -q -- '--label[ =]site=original' "$STATE/command" || fail "a flag was lost: $(cat "$STATE/command")"
back_to_start allowed
