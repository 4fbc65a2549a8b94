#!/bin/bash
#: timeout 3600
# Somebody removes a container while the daemon restarts. Nothing brings it back: that is said (4),
# and everything else is as before.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

run_container lost --restart always
look before
hook systemctl <<'HOOK'
"$real" "$@" || exit
[[ ! "$*" =~ ^restart.docker ]] || docker rm -f lost >/dev/null
HOOK
# It is waited for until the deadline.
impatient
expect 4 "${APPLY[@]}" "${WITHIN[@]}" --skip daemon-userns-remap
says 'the container lost does not run'
unhook systemctl
run_container lost --restart always
look after
as_before before after
docker rm -f lost >/dev/null
