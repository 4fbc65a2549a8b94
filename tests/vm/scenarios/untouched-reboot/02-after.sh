#!/bin/bash
#: before reboot
#: no-binary
# A reboot of an untouched host changes nothing that counts; what it does change
# by itself is listed in guest/manifest.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

services_active
snapshot rebooted
# For whoever maintains the list: everything that moved, time stamps included.
"$GUEST/manifest" compare --times "$STATE/before/manifest" "$STATE/rebooted/manifest" || true
same_host before rebooted
