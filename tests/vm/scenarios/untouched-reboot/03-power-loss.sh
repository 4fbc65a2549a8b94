#!/bin/bash
#: no-binary
# The power fails in the middle of a stage: what was flushed is kept, what was not
# is lost. (A scenario on crash safety is worth nothing where that is not so.)
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

echo kept >"$STATE/flushed"
sync
echo lost >"$STATE/not-flushed"
power_cut
