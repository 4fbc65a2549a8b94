#!/bin/bash
#: timeout 1800
# live-restore is on already: a restart stops nothing, and changes nothing on a bridge in use.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

printf '{\n  "live-restore": true\n}\n' >/etc/docker/daemon.json
restarted
some_containers
at_rest
snapshot start
