#!/bin/bash
#: timeout 1800
# The daemon reads another daemon.json than the one in /etc/docker, which is somebody's draft.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

mkdir -p /srv/docker
printf '{\n    "labels": ["site=original"]\n}\n' >/srv/docker/daemon.json
printf '{"debug": true}\n' >/etc/docker/daemon.json
drop_in --config-file=/srv/docker/daemon.json
restarted
some_containers
at_rest
snapshot start
sha256sum /srv/docker/daemon.json /etc/docker/daemon.json >"$STATE/sums"
