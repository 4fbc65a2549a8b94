#!/bin/bash
#: no-binary
# What a host nobody touches looks like. This scenario tests the test machine and
# the comparison itself, and needs no seaworthy.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

services_active
snapshot before
[[ $(wc -l <"$STATE/before/manifest") -gt 200 ]] || fail "the manifest is too short to mean anything"
[[ ! -e /etc/docker/daemon.json ]] || fail "the base has a daemon.json"
! grep -q dockremap /etc/passwd /etc/group /etc/subuid /etc/subgid || fail "the base has a dockremap account"
[[ $(docker ps -aq | wc -l) -eq 0 && $(docker images -q | wc -l) -eq 0 ]] || fail "the base has containers or images"

# Looking changes nothing.
snapshot again
untouched before again

# A container runs, is root in the host's own user namespace, and leaves no trace.
in_container cat /proc/self/uid_map /proc/self/status >"$STATE/container"
grep -qE '^ +0 +0 +4294967295' "$STATE/container" || fail "remapped: $(head -n 1 "$STATE/container")"
forget_image
snapshot after
untouched before after

# The comparison sees what it must see.
touch /etc/hosts
snapshot touched
if (untouched before touched) >/dev/null; then fail "a touched file went unnoticed"; fi
same_host before touched
chmod 600 /etc/hosts
snapshot changed
if (same_host before changed) >/dev/null; then fail "a changed mode went unnoticed"; fi
chmod 644 /etc/hosts
auditctl -w /etc/hosts -p wa -k test-of-the-test >/dev/null 2>&1
snapshot watched
if (same_host before watched) >/dev/null; then fail "a new kernel rule went unnoticed"; fi
printf '# a comment\n-w /etc/hosts -p aw -k test-of-the-test\n' >"$STATE/one.rules"
auditctl -l >"$STATE/listing" 2>/dev/null
"$GUEST/audit-rules" "$STATE/listing" "$STATE/one.rules" || fail "a loaded watch was not found"
echo '-a always,exit -F dir=/srv -F perm=wa -F key=test-of-the-test' >>"$STATE/one.rules"
if "$GUEST/audit-rules" "$STATE/listing" "$STATE/one.rules"; then fail "a missing watch was found"; fi
auditctl -d /etc/hosts -p wa -k test-of-the-test >/dev/null 2>&1 || auditctl -D >/dev/null 2>&1
