#!/bin/bash
#: timeout 1800
# The rules are written, and pending; the containers are not concerned.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

foretold locked --only audit
jq -e '.pending | length > 0 and all(.until | test("boot"))' "$STATE/locked.plan" >/dev/null ||
    fail "the plan does not say that the rules are pending until a reboot: $(jq -c .pending "$STATE/locked.plan")"
[[ -n $(our_rules) ]] || fail "no rules were written"
if (rules_in_kernel) >/dev/null; then fail "the rules are in the kernel, which was locked"; fi
