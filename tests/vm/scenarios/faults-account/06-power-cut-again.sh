#!/bin/bash
#: timeout 3600
# Once more, before the subordinate ids have their name.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

look start
tool_stops pause usermod /etc/subuid
begin "${APPLY[@]}" "${PATIENT[@]}"
reached
has_stopped /etc/subuid+
sync
power_cut
