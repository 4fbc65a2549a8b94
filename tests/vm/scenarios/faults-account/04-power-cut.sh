#!/bin/bash
#: timeout 3600
# The power fails while the tool is at work, with what it has made on the disk.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

look start
tool_stops pause useradd /etc/shadow
begin "${APPLY[@]}" "${PATIENT[@]}"
reached
has_stopped /etc/shadow+
sync
power_cut
