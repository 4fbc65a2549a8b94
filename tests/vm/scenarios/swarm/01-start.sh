#!/bin/bash
#: timeout 1800
# A node of a swarm, where live-restore would keep the daemon from starting again.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

restarted
some_containers
docker swarm init --advertise-addr 127.0.0.1 >/dev/null
DOCKER_CONTENT_TRUST=0 docker service create --detach --no-resolve-image --name task busybox \
    sleep 1000000 >/dev/null
for try in $(seq 60); do
    [[ -z $(docker ps --quiet --filter label=com.docker.swarm.service.name=task) ]] || break
    sleep 1
done
at_rest
# Docker 26 says more of its swarm once it has started with it.
restarted
at_rest
snapshot start
