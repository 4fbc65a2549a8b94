#!/bin/bash
#: timeout 3600
# The daemon does not come back, or not with its containers.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

# The deadline is for the faults; a healthy daemon here takes less.
impatient
hangs() { hook systemctl <<<'[[ ! "$*" =~ ^restart.docker ]] || sleep 1000; exec "$real" "$@"'; }
# With any other daemon.json than now.
exits() {
    cp /etc/docker/daemon.json "$STATE/good.json"
    replace /usr/sbin/dockerd <<<"[[ \$* == *--validate* ]] || cmp -s /etc/docker/daemon.json $STATE/good.json || exit 1
exec -a dockerd \"\$real\" \"\$@\""
}
cannot_start() {
    replace /usr/sbin/runc <<<"[[ ! \"\$*\" =~ create ]] || ! $HARDENED || { echo 'runc: not today' >&2; exit 1; }
exec \"\$real\" \"\$@\""
}

faults <<'TABLE'
systemctl hangs       | hangs | unhook systemctl           | 3 | systemctl restart docker.service. did not finish within [0-9]* s |   |
dockerd exits at once | exits | restored /usr/sbin/dockerd | 3 | restart docker.service failed | 3 | restart docker.service failed
TABLE

# The daemon comes back without a container that would run. (Not with user namespaces: a daemon
# with another root has other containers, and that none runs there is in the plan. Nor with live-restore:
# then none stops.)
APPLY+=(--skip daemon-userns-remap,daemon-live-restore)
faults <<'TABLE'
a container cannot start | cannot_start | restored /usr/sbin/runc | 3 | the container comes-back does not run |   |
TABLE
