#!/bin/bash
#: timeout 3600
# The daemon starts, answers, and dies 20 s later; systemd starts it again, and it dies again.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

dies_later() {
    replace /usr/sbin/dockerd <<<"[[ \$* == *--validate* ]] || ! $HARDENED || { (sleep 20; kill -9 \$\$) >/dev/null 2>&1 & }
exec -a dockerd \"\$real\" \"\$@\""
}

faults <<'TABLE'
dockerd dies after 20 s | dies_later | restored /usr/sbin/dockerd | 3 | docker.service | |
TABLE
