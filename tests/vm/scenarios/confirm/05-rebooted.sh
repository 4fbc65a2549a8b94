#!/bin/bash
#: before reboot
#: timeout 1800
# The boot took it back.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

for try in $(seq 600); do
    state=$(systemctl is-active seaworthy-confirm.service || true)
    [[ $state == active || $state == activating ]] || [[ -e /etc/systemd/system/seaworthy-confirm.service ]] || break
    [[ $try -lt 600 ]] || fail "$(journalctl -b -u seaworthy-confirm.service --no-pager)"
    sleep 1
done
expect 0 seaworthy history --format json
check_json '.transactions[-1] | .reverts != null and .outcome == "committed"' 'the last one is the rollback'
services_active
snapshot after-boot
same_host start after-boot
