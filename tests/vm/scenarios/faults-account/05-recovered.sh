#!/bin/bash
#: timeout 3600
# The host boots, and the daemon makes its account again, or cannot; then all is taken back.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

strays | sed 's/^/  after the boot: /'
printf '  the daemon is %s; %s\n' "$(systemctl is-active docker.service || true)" \
    "$(grep dockremap /etc/passwd || echo 'there is no account')"
expect 0 seaworthy recover --yes "${PATIENT[@]}"
cat "$OUT" "$ERR"
[[ -z $(strays) ]] || fail "there are still: $(strays)"
look recovered
as_before start recovered
