#!/bin/bash
#: timeout 1800
# User namespaces on top of it would leave the containers behind, running and invisible: they are
# stopped first, or it is not done.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

some_containers
foretold another --allow-disruption
back_to_start another
