#!/bin/bash
#: no-binary
#: timeout 1800
# With live-restore who runs runs on, but for a container with --rm where the new daemon
# is older than 24.0.8: it deletes it.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

busy_host
printf '{"live-restore": true}\n' >/etc/docker/daemon.json
systemctl reload docker.service
for try in $(seq 30); do
    [[ $(docker info --format '{{.LiveRestoreEnabled}}') != true ]] || break
    sleep 1
done
at_rest
"$GUEST/forecast" look >"$STATE/before"
# icc is not taken over while containers run.
printf '{"live-restore": true, "icc": false, "userland-proxy": false, "no-new-privileges": true}\n' \
    >/etc/docker/daemon.json
restarted
at_rest
"$GUEST/forecast" look >"$STATE/after"
case $(docker version --format '{{.Server.Version}}') in
    20.10.*) passing=deleted ;;
    26.* | 28.*) passing=keeps-running ;;
    *) fail "it is not known what this docker makes of --rm" ;;
esac
jq -n --arg passing "$passing" --slurpfile before "$STATE/before" '$before[0] | {forecast: {
    containers: [.containers | to_entries[] | {name: .value.name, id: .key,
        fate: ({retired: "stays-stopped", drafted: "stays-stopped", returning: "starts",
            passing: $passing}[.value.name] // "keeps-running")}],
    images: [.images | to_entries[] | {name: .value[0], id: .key, fate: "stays"}],
    volumes: [.volumes[] | {name: ., id: ., fate: "stays"}],
    networks: [.networks | keys[] | {name: ., id: "", fate: "stays"}],
    settings: [{key: "icc", value: false, effective: "pending", until: "the containers stop"},
        {key: "userland-proxy", value: false, effective: "now"},
        {key: "no-new-privileges", value: true, effective: "now"},
        {key: "live-restore", value: true, effective: "now"}]}}' >"$STATE/kept.plan"
"$GUEST/forecast" compare "$STATE/kept.plan" "$STATE/before" "$STATE/after" || fail "it is not as it is known to be"

all_stopped
by_then kept
