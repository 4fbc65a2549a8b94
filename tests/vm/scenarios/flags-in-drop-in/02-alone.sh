#!/bin/bash
#: timeout 1800
# Without leave no container is disturbed, and the drop-in is not written over.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

foretold alone
back_to_start alone
