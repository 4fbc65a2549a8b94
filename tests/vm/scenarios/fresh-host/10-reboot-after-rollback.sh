#!/bin/bash
#: before reboot
# Nothing of the hardening comes back with the next boot.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

services_active
snapshot rolled-back-rebooted
same_host start rolled-back-rebooted
in_container true
