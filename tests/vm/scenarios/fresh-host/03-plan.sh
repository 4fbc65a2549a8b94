#!/bin/bash
# The plan shows every change and makes none.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

expect 0 seaworthy plan
expect 1 seaworthy plan --detailed-exitcode
expect 0 seaworthy plan --format diff
expect 0 seaworthy plan --format json --out /root/plan.json
check_json '.format == 1 and (.steps | length > 0)' 'the plan has steps'
# Content trust breaks pulls: never without being asked for.
check_json '[.held_back[] | select(.control | test("content-trust"))] | length > 0 and all(.reason != "")' \
    'content trust is held back, with a reason'
check_json '[.steps[].path] | index("/etc/environment") == null' 'a held back file is no step'
[[ -s /root/plan.json ]] || fail "--out wrote nothing"

# show does not need the host, only the file.
jq -r '.steps[].path' "$OUT" | sort -u >"$STATE/planned-paths"
expect 0 seaworthy show /root/plan.json
while read -r path; do
    grep -qF "$path" "$OUT" || fail "show does not name $path"
done <"$STATE/planned-paths"

# With disruption allowed nothing that this scenario expects later is missing.
expect 0 seaworthy plan --allow-disruption --format json
check_json '[.steps[].path] | (index("/etc/environment") != null) and (index("/etc/docker/daemon.json") != null)
    and any(startswith("/etc/audit/rules.d/"))' 'environment, daemon.json and audit rules are planned'
check_json '[.steps[].path] | length == (unique | length)' 'one step per path'
check_json '.activations | length > 0' 'activations are announced'

rm /root/plan.json
snapshot planned
untouched start planned
[[ ! -s $STATE/planned/traces ]] || fail "left behind: $(cat "$STATE/planned/traces")"
[[ ! -e /var/lib/seaworthy ]] || fail "/var/lib/seaworthy exists before anything was applied"
