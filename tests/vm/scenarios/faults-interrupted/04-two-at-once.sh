#!/bin/bash
#: timeout 3600
# One at a time: who comes second is refused and told who is first; who only looks may look.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

# Meanwhile COMMAND...: the output of the first is kept.
meanwhile() { OUT=$STATE/second-out ERR=$STATE/second-err "$@"; }

# This host under other names: it is one host, and has one lock.
mkdir -p /run/bound
mount --bind / /run/bound
# What is mounted below it shall not come to be mounted on the host.
mount --make-private /run/bound
ln -sfn / /run/link
ROOTS=(/ /run/bound /run/link /proc/1/root)

look start
pause_at augenrules load
begin "${APPLY[@]}" "${PATIENT[@]}"
reached
for second in 'apply --yes' 'rollback --yes' 'recover --yes'; do
    # shellcheck disable=SC2086
    meanwhile expect 2 seaworthy $second
    meanwhile says "process $PID .*seaworthy apply --yes --allow-disruption"
done
for root in "${ROOTS[@]}"; do
    for second in 'apply --yes' 'rollback --yes' 'recover --yes' 'history prune --keep 100'; do
        # shellcheck disable=SC2086
        meanwhile expect 2 seaworthy $second --root "$root"
        meanwhile says "process $PID .*seaworthy apply --yes --allow-disruption"
    done
    meanwhile expect 0 seaworthy history --root "$root"
    meanwhile says "under way.*process $PID"
done
for second in 'audit --fail-on never' plan history; do
    # shellcheck disable=SC2086
    meanwhile expect 0 seaworthy $second
    meanwhile says "under way.*process $PID"
    ! grep -q 'was interrupted' "$STATE/words" || fail "it says that it was interrupted, but it runs"
done
go_on
ended
[[ $STATUS -eq 0 ]] || { cat "$OUT" "$ERR"; fail "the first: exit $STATUS"; }
unhook augenrules
expect 0 "${ROLLBACK[@]}" "${PATIENT[@]}"

# Whoever names the host by another name holds the lock of whoever does not. It waits to print its plan.
mkfifo "$STATE/full"
exec 9<>"$STATE/full"
dd if=/dev/zero of="$STATE/full" bs=4096 oflag=nonblock status=none 2>/dev/null || true
seaworthy apply --yes --only content-trust --root /run/bound >"$STATE/full" 2>"$ERR" </dev/null 9<&- &
PID=$!
for try in $(seq 1200); do
    ! grep -qs "^process $PID (" /var/lib/seaworthy/lock || break
    [[ $try -lt 1200 ]] || fail "it takes no lock: $(cat "$ERR")"
    sleep 0.1
done
for root in '' "${ROOTS[@]}"; do
    meanwhile expect 2 seaworthy apply --yes ${root:+--root "$root"}
    meanwhile says "process $PID .*seaworthy apply .*--root /run/bound"
done
cat <&9 >/dev/null &
reader=$!
ended
kill "$reader"
exec 9<&-
rm "$STATE/full"
[[ $STATUS -eq 0 ]] || { cat "$ERR"; fail "with --root: exit $STATUS"; }
expect 0 seaworthy rollback --yes --root /run/bound

# With a state folder of its own it would have another lock: it is refused, held or not.
mount -t tmpfs none /run/bound/var/lib
[[ -d /var/lib/seaworthy ]] || fail "the host has lost its own state folder"
for verb in apply rollback recover; do
    expect 2 seaworthy $verb --yes --root /run/bound
    says 'is the /etc of this running system, beside another /var/lib'
done
umount /run/bound/var/lib
umount /run/bound
rmdir /run/bound
rm /run/link
look end
as_before start end
