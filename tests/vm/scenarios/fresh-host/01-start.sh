#!/bin/bash
# The host as Debian leaves it: what it looks like is kept for the whole scenario.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

services_active
command -v seaworthy >/dev/null || fail "no seaworthy in PATH"
expect 0 seaworthy --version
cat "$OUT"
snapshot start
[[ ! -s $STATE/start/traces ]] || fail "seaworthy has been here: $(cat "$STATE/start/traces")"
