#!/bin/bash
#: timeout 1800
# Nobody confirms: the host takes it back by itself, without us.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

expect 0 seaworthy apply --yes --allow-disruption --confirm-within 60s --format json
check_json '.outcome == "committed" and (.confirm_until | type == "string")' 'committed, and to be confirmed'
id=$(jq -r .transaction "$OUT")
systemctl is-active "seaworthy-confirm-$id.timer" "seaworthy-confirm-$id.service" || true
expect 0 seaworthy history --format json
for try in $(seq 600); do
    expect 0 seaworthy history --format json >/dev/null
    jq -e '[.transactions[] | select(.reverts == "'"$id"'" and .outcome == "committed")] | length == 1' \
        "$OUT" >/dev/null && break
    [[ $try -lt 600 ]] || fail "it was never taken back: $(journalctl -u "seaworthy-confirm-$id.service" --no-pager)"
    sleep 1
done
# The service that did it has a last word to say after its record.
while [[ $(systemctl is-active "seaworthy-confirm-$id.service" || true) == active ]]; do sleep 1; done
services_active
[[ ! -e /etc/systemd/system/seaworthy-confirm.service ]] || fail "the unit for the boot is left"
snapshot taken-back
same_host start taken-back

# One message for each transaction, with fields.
messages=$(journalctl -o json SYSLOG_IDENTIFIER=seaworthy --no-pager |
    jq -r 'select(.MESSAGE_ID) | .SEAWORTHY_OUTCOME' | tr '\n' ' ')
[[ $messages == "pending-confirmation committed " ]] || fail "the system log says: $messages"
