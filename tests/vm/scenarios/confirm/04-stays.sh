#!/bin/bash
#: before reboot
#: timeout 1800
# What was confirmed survives a reboot. Then it is taken back by hand, and applied again, and
# nobody confirms that before the next reboot.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

services_active
snapshot rebooted
same_host confirmed rebooted
expect 0 seaworthy rollback --yes "$(cat "$STATE/confirmed-id")"
services_active
snapshot by-hand
same_host start by-hand
expect 0 seaworthy apply --yes --allow-disruption --confirm-within 10m
