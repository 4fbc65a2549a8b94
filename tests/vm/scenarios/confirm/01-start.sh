#!/bin/bash
# The host as it is before anything.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

services_active
snapshot start
