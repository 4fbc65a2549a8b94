#!/bin/bash
#: no-binary
# The disk boots cold after the power loss, and the host is what it was.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

[[ $(cat "$STATE/flushed") == kept ]] || fail "a flushed file is gone"
[[ ! -s $STATE/not-flushed ]] || fail "a file that was never flushed survived: the power was not really cut"
services_active
snapshot cut
same_host before cut
in_container true
