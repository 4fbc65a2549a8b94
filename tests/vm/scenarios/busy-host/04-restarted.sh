#!/bin/bash
#: timeout 3600
# Without live-restore: a restart stops every container, and each comes back as its restart policy
# says, or does not.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

busy_host
foretold restarted --allow-disruption --skip daemon-userns-remap,daemon-live-restore
back_again restarted
snapshot again
same_host start again
