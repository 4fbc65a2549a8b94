#!/bin/bash
#: timeout 1800
# The key is root's alone afterwards, and the daemon answers over TLS as before.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

. "$STATE/over-tls.sh"
foretold tls --allow-disruption --skip daemon-userns-remap
mode=$(stat -c %a /etc/docker/tls/server-key.pem)
[[ $mode == 400 ]] || fail "the key has the mode $mode"
over_tls info >/dev/null || fail "the daemon does not answer over TLS any more"
if docker --host tcp://127.0.0.1:2376 info >/dev/null 2>&1; then fail "it answers without TLS"; fi
back_to_start tls
over_tls info >/dev/null || fail "the daemon does not answer over TLS after the rollback"
