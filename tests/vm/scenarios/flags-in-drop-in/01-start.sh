#!/bin/bash
#: timeout 1800
# A drop-in of the site starts the daemon with flags that a hardened daemon.json would contradict:
# both together, and dockerd would not start.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

drop_in --icc=true --live-restore=false --log-level info --label site=original
restarted
some_containers
at_rest
snapshot start
