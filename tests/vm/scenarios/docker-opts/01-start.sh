#!/bin/bash
#: timeout 1800
# Flags come from DOCKER_OPTS in /etc/default/docker, which Debian's unit reads.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

daemon_command | grep -q 'DOCKER_OPTS' || skip "this unit does not read DOCKER_OPTS"
printf '\n# Of the site.\nDOCKER_OPTS="--icc=true --userland-proxy=true --log-level info"\n' >>/etc/default/docker
restarted
some_containers
at_rest
snapshot start
