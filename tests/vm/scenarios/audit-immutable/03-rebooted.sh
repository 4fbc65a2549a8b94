#!/bin/bash
#: before reboot
#: timeout 1800
# The boot has brought them into effect.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

at_rest
rules_in_kernel
# `-e 2` was nobody's setting for the next boot.
back_to_start locked
