#!/bin/bash
#: timeout 3600
# The tool that makes the daemon's account is killed in the middle of it, and the daemon does not
# start. The undo takes back the account and what the tool has left.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

[[ -z $(strays) ]] || fail "there are already: $(strays)"
faults <<'TABLE'
useradd at its first lock  | tool_stops kill useradd /etc/passwd.lock | tool_again /etc/passwd.  | 3 | restart docker.service failed | |
useradd before the shadow  | tool_stops kill useradd /etc/shadow      | tool_again /etc/shadow+  | 3 | restart docker.service failed | |
usermod before the subuids | tool_stops kill usermod /etc/subuid      | tool_again /etc/subuid+  | 3 | restart docker.service failed | |
TABLE
[[ -z $(strays) ]] || fail "there are still: $(strays)"
