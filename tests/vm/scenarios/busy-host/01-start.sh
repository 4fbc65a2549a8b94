#!/bin/bash
#: timeout 3600
# A host in use: containers of every kind that a change of the daemon may concern.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

busy_host
at_rest
for name in "${CONTAINERS[@]}" "${OTHERS[@]}"; do
    docker container inspect --format '  {{.Name}} {{.State.Status}} {{.HostConfig.RestartPolicy.Name}}' "$name"
done
snapshot start
