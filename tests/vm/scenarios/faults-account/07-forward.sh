#!/bin/bash
#: timeout 3600
# This time it is finished, and then rolled back.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

strays | sed 's/^/  after the boot: /'
printf '  the daemon is %s; subordinate ids: %s\n' "$(systemctl is-active docker.service || true)" \
    "$(grep dockremap /etc/subuid || echo none)"
expect 0 seaworthy recover --forward --yes "${PATIENT[@]}"
cat "$OUT" "$ERR"
[[ -z $(strays) ]] || fail "there are still: $(strays)"
services_active
grep -q '^dockremap:' /etc/subuid || fail "the daemon has no subordinate ids"
expect 0 "${ROLLBACK[@]}" "${PATIENT[@]}"
[[ -z $(strays) ]] || fail "the rollback leaves: $(strays)"
look back
as_before start back
