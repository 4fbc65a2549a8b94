#!/bin/bash
#: before reboot
#: timeout 1800
# The boot has brought them into effect.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

at_rest
rules_in_kernel
# `-e 2` was nobody's setting for the next boot. The boot has generated audit.rules anew; as the
# apply had not, the rollback cannot tell whose that is, says so, and leaves it to what generates it.
back_again locked
grep -q '/etc/audit/audit.rules was changed since' "$OUT" "$ERR" || fail "it does not say what it leaves"
snapshot again
sed -i '\#/etc/audit/audit\.rules#d' "$STATE"/{start,again}/manifest
same_host start again
