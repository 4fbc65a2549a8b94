#!/bin/bash
#: timeout 1200
# Apply: files, running daemon, kernel and containers agree, and all is as the plan foretold.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

foretold fresh --allow-disruption
check_json '.format == 1 and .outcome == "committed"' 'the transaction is committed'
check_json '.audit_after.fail == 0 or ([.audit_after.findings[]? | select(.outcome == "fail")] == [])' \
    'the audit afterwards has no failure'
jq -r .transaction "$OUT" >"$STATE/transaction"
services_active

docker info --format '{{json .}}' >"$STATE/info"
jq -e '.LiveRestoreEnabled' "$STATE/info" >/dev/null || fail "live restore is not on in the running daemon"
jq -e '.SecurityOptions | any(startswith("name=userns"))' "$STATE/info" >/dev/null || fail "no user namespaces"
docker network inspect bridge | jq -e '.[0].Options["com.docker.network.bridge.enable_icc"] == "false"' >/dev/null ||
    fail "containers on the default bridge reach each other"
# Daemons before 24 do not say; the container below does.
server=$(docker version --format '{{.Server.Version}}')
if [[ ${server%%.*} -ge 24 ]]; then
    jq -e '.SecurityOptions | any(startswith("name=no-new-privileges"))' "$STATE/info" >/dev/null ||
        fail "no-new-privileges is not in effect"
fi

rules_in_kernel
grep -qxE 'DOCKER_CONTENT_TRUST=1' /etc/environment || fail "no DOCKER_CONTENT_TRUST=1: $(cat /etc/environment)"

in_container cat /proc/self/uid_map /proc/self/status >"$STATE/container"
read -r inside outside _ <"$STATE/container"
[[ $inside -eq 0 && $outside -gt 0 ]] || fail "root in a container is root outside: $(head -n 1 "$STATE/container")"
grep -qE '^NoNewPrivs:[[:space:]]+1' "$STATE/container" || fail "a container may gain privileges"
# The image is not part of the host's state before the next stages.
forget_image
