#!/bin/bash
#: timeout 1800
# The kernel's audit rules are locked until the next boot.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

restarted
some_containers
at_rest
snapshot start
auditctl -e 2 >/dev/null
