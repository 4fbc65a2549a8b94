#!/bin/bash
#: timeout 1200
# Confirmed: it stays, and nothing that would take it back is left.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

expect 0 seaworthy apply --yes --allow-disruption --confirm-within 10m --format json
id=$(jq -r .transaction "$OUT")
[[ $(systemctl is-active "seaworthy-confirm-$id.timer") == active ]] || fail "no timer runs"
[[ -e /etc/systemd/system/seaworthy-confirm.service ]] || fail "nothing would take it back at a boot"
expect 0 seaworthy history --format json
check_json '.transactions[-1] | .outcome == "pending-confirmation" and .seconds_left > 0' 'history shows it as pending'
expect 2 seaworthy apply --yes
grep -q 'seaworthy confirm' "$ERR" || fail "the refusal does not name confirm: $(cat "$ERR")"

expect 0 seaworthy confirm
expect 0 seaworthy history --format json
check_json '.transactions[-1].outcome == "committed"' 'it is committed'
[[ $(systemctl is-active "seaworthy-confirm-$id.timer" || true) != active ]] || fail "the timer still runs"
[[ ! -e /etc/systemd/system/seaworthy-confirm.service ]] || fail "the unit for the boot is left"
[[ ! -e /etc/systemd/system/multi-user.target.d ]] || fail "its folder is left"
services_active
snapshot confirmed
echo "$id" >"$STATE/confirmed-id"
