#!/bin/bash
#: timeout 1800
# The data root is elsewhere, behind a symbolic link; the daemon says where it really is. That is no
# other root: live-restore keeps the containers over the restart.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

systemctl stop docker.socket docker.service
mv /var/lib/docker /srv/docker
ln -s /srv/docker /var/lib/docker
printf '{\n  "live-restore": true\n}\n' >/etc/docker/daemon.json
systemctl start docker.socket
restarted
[[ $(docker info --format '{{.DockerRootDir}}') == /srv/docker ]] || fail "the daemon does not follow the link"
some_containers
at_rest
snapshot start

foretold linked --allow-disruption --only daemon-no-new-privileges
jq -e '[.forecast.containers[].fate] | length == 3 and all(. == "keeps-running")' "$STATE/linked.plan" >/dev/null ||
    fail "the plan does not say that the containers run on"
back_to_start linked
