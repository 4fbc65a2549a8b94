#!/bin/bash
#: before reboot
#: timeout 1800
# The boot has brought them into effect.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

at_rest
rules_in_kernel
# `-e 2` was nobody's setting for the next boot. The apply could load nothing, and the boot has: the
# rollback takes the rules out of the kernel, and what generates audit.rules writes it anew.
back_again locked
grep -q 'load the audit rules into the kernel' "$OUT" "$ERR" || fail "it does not say that it loads the rules"
snapshot again
sed -i '\#/etc/audit/audit\.rules#d' "$STATE"/{start,again}/manifest
same_host start again
