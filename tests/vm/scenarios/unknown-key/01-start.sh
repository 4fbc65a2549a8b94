#!/bin/bash
#: timeout 1800
# Somebody has written a key into daemon.json that dockerd does not know: it runs, and would not
# start again.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

restarted
some_containers
at_rest
printf '{\n  "no-such-key": true\n}\n' >/etc/docker/daemon.json
snapshot start
