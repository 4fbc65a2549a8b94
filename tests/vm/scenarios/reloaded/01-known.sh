#!/bin/bash
#: timeout 1800
# A reload for live-restore makes daemon.json newer than the daemon. What the daemon has read before is
# still known, and what somebody writes after that is not.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

config=/etc/docker/daemon.json
printf '{\n  "userland-proxy": false\n}\n' >$config
restarted
some_containers
at_rest

# passing: which of these settings pass, none of which the API shows.
passing() {
    local only=daemon-userland-proxy,daemon-log-level,daemon-iptables
    seaworthy audit --format json --fail-on never --only "$only" |
        jq -r '[.findings[] | select(.outcome == "pass").control] | sort | join(" ")'
}

all=$(passing)
[[ $all == *userland-proxy* && $all == *log-level* && $all == *iptables* ]] || fail "only these pass: $all"
foretold reload --only daemon-live-restore
jq -e '[.forecast.containers[].fate] | length == 3 and all(. == "untouched")' "$STATE/reload.plan" >/dev/null ||
    fail "the plan does not leave the containers alone"
[[ $(docker info --format '{{.LiveRestoreEnabled}}') == true ]] || fail "live-restore is not on"
[[ $(passing) == "$all" ]] || fail "after the reload only these pass: $(passing)"
expect 0 seaworthy apply --yes --format json --only daemon-userland-proxy,daemon-log-level
check_json '.outcome == "nothing-to-do"' 'nothing is left to do'

sed -i 's/"userland-proxy"/"log-level": "info",\n  &/' $config
[[ $(passing) == '' ]] || fail "the edit was not seen: $(passing)"
