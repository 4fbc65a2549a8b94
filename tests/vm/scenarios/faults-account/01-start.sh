#!/bin/bash
# A host that is in use, before anything.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

lived_in_host
look start
