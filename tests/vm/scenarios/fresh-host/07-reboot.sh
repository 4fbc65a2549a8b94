#!/bin/bash
#: before reboot
# All of it survives a reboot, when /run is empty and rules are loaded anew.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

services_active
rules_in_kernel
snapshot rebooted
same_host applied rebooted
expect 0 seaworthy audit
# No transaction is left open, and nothing became pending or due again.
expect 0 seaworthy plan --allow-disruption --detailed-exitcode
in_container true
forget_image
