#!/bin/bash
#: timeout 3600
# ENOSPC: not a byte, or not an inode, is free where a file must be written.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

full() { own_filesystem "$1"; fill "$1"; }
no_inodes() { own_filesystem "$1" -N 16; fill_inodes "$1"; }

# A rollback only takes files away from rules.d, which needs no room.
faults <<'TABLE'
no room in /etc/docker   | full /etc/docker        | own_filesystem_away /etc/docker        | 3 | /etc/docker/.*No space left        | 3 | /etc/docker/.*No space left
no room in rules.d       | full /etc/audit/rules.d | own_filesystem_away /etc/audit/rules.d | 3 | /etc/audit/rules.d/.*No space left |   |
no inode in /etc/docker  | no_inodes /etc/docker   | own_filesystem_away /etc/docker        | 3 | /etc/docker/.*No space left        | 3 | /etc/docker/.*No space left
TABLE
