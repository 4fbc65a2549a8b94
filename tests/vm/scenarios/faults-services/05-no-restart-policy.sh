#!/bin/bash
#: timeout 3600
# A container without a restart policy was stopped by the restart that failed: the undo starts it again.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

exits() {
    replace /usr/sbin/dockerd <<<"[[ \$* == *--validate* ]] || ! $HARDENED || exit 1
exec -a dockerd \"\$real\" \"\$@\""
}

run_container stays-down
look before
exits
fails 3 'restart docker.service failed' "${APPLY[@]}" "${PATIENT[@]}"
restored /usr/sbin/dockerd
docker rm -f stays-down >/dev/null
