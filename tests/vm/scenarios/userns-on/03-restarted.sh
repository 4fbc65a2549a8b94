#!/bin/bash
#: timeout 1800
# And without live-restore.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

some_containers
foretold restarted --allow-disruption --skip daemon-live-restore
back_to_start restarted
