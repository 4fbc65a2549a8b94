#!/bin/bash
#: timeout 3600
# EIO: a disk with bad blocks, and one that is gone.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

command -v dmsetup >/dev/null && modprobe dm-mod || skip "no device mapper"

# New content cannot be written: it shows when the file is synced, before it gets its name.
faults <<'TABLE'
EIO in /etc/docker | bad_free_space /etc/docker | off_disk /etc/docker | 3 | /etc/docker/.*Input/output error | 3 | /etc/docker/.*Input/output error
TABLE

# daemon.json cannot be read: nothing is planned for it, and why is said.
look original
on_disk /etc/docker
table=$(bad_blocks /etc/docker/daemon.json)
umount /etc/docker
disk "$table"
mount /dev/mapper/faulty /etc/docker
expect 0 seaworthy plan --allow-disruption
says '/etc/docker/daemon.json: cannot read: Input/output'
expect 0 seaworthy plan --allow-disruption --format json
check_json '[.steps[].path] | index("/etc/docker/daemon.json") == null' 'daemon.json is no step'
off_disk /etc/docker

# The disk goes away after daemon.json was written: the undo must leave it, says so, and goes on
# with the rest. With the disk back the rest is done.
on_disk /etc/docker
hook augenrules <<'HOOK'
dmsetup suspend --noflush --nolockfs faulty
dmsetup table faulty | sed 's/linear.*/error/' | dmsetup load faulty
dmsetup resume faulty
exit 1
HOOK
expect 4 "${APPLY[@]}" "${PATIENT[@]}"
says 'left: /etc/docker/daemon.json'
[[ -z $(our_rules) ]] || fail "the rules are left"
unhook augenrules
umount /etc/docker
disk "0 $SECTORS linear $LOOP 0"
e2fsck -fy /dev/mapper/faulty >/dev/null || [[ $? -eq 1 ]] || fail "e2fsck: $?"
mount /dev/mapper/faulty /etc/docker
# e2fsck makes it anew.
[[ ! -d /etc/docker/lost+found ]] || rmdir /etc/docker/lost+found
expect 0 seaworthy recover --yes "${PATIENT[@]}"
look recovered
as_before original recovered
off_disk /etc/docker
