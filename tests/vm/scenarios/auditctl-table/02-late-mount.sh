#!/bin/bash
#: timeout 300
# A watch that was loaded before something is mounted on its folder: it is listed, and it does not see what happens on
# what is mounted there. The same where the mount is below the watched folder.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

auditctl -D >/dev/null 2>&1 || true
auditctl -e 1 >/dev/null
mkdir -p /srv/early /srv/late /srv/above/below /srv/parent
mount -t tmpfs tmpfs /srv/early
touch /srv/parent/file
for folder in early late above; do
    auditctl -w "/srv/$folder" -p wa -k "seen-$folder" >/dev/null 2>&1
done
auditctl -w /srv/parent/file -p wa -k seen-file >/dev/null 2>&1
mount -t tmpfs tmpfs /srv/late
mount -t tmpfs tmpfs /srv/above/below
mount -t tmpfs tmpfs /srv/parent
for folder in early late above; do
    auditctl -l | grep -q -- "-w /srv/$folder " || fail "the watch of /srv/$folder is not listed"
done
for file in /srv/early/x /srv/late/x /srv/above/x /srv/above/below/x /srv/parent/file; do
    echo written >"$file"
done
sleep 1
seen() { # KEY NAME: whether there is a record about it
    ausearch --input-logs -k "$1" 2>/dev/null | grep -q "name=\"$2\""
}
for case in 'seen-early /srv/early/x yes' 'seen-late /srv/late/x no' 'seen-above /srv/above/x yes' \
    'seen-above /srv/above/below/x no' 'seen-file /srv/parent/file no'; do
    read -r key name wanted <<<"$case"
    got=no
    ! seen "$key" "$name" || got=yes
    say "$name by $key: $got"
    [[ $got = "$wanted" ]] || fail "a record about $name: $got instead of $wanted"
done
umount /srv/early /srv/late /srv/above/below /srv/parent
auditctl -D >/dev/null
