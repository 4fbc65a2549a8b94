#!/bin/bash
#: timeout 1800
# User namespaces are on already: nothing vanishes, a restart is a restart.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

printf '{\n  "userns-remap": "default"\n}\n' >/etc/docker/daemon.json
restarted
some_containers
at_rest
snapshot start
