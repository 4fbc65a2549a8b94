#!/bin/bash
#: timeout 3600
# Where seaworthy keeps its journals nothing can be written: it does not even begin.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

state=/var/lib/seaworthy
full() { own_filesystem "$1"; fill "$1"; }

faults <<'TABLE'
no room         | full /var/lib/seaworthy                   | own_filesystem_away /var/lib/seaworthy    | 2 | /var/lib/seaworthy/.*No space left | 2 | /var/lib/seaworthy/.*No space left
EROFS           | read_only /var/lib/seaworthy              | umount /var/lib/seaworthy                 | 2 | /var/lib/seaworthy/.*Read-only     | 2 | /var/lib/seaworthy/.*Read-only
EPERM           | chattr +i /var/lib/seaworthy/transactions | chattr -i /var/lib/seaworthy/transactions | 2 | /var/lib/seaworthy/.*not permitted | 2 | /var/lib/seaworthy/.*not permitted
TABLE

# fills_up [COMMAND]: it does, once, in the middle of the next apply, after COMMAND.
fills_up() {
    rm -f "$HOOK.full"
    hook augenrules <<HOOK
if [[ ! -e \$HOOK.full ]]; then
    : >\$HOOK.full
    ${1:-:}
    for number in 1 2 3 4 5; do
        dd if=/dev/zero of=$state/filler.\$number bs=1k status=none 2>/dev/null
        sync -f $state
    done
fi
exec "\$real" "\$@"
HOOK
}

own_filesystem $state
look before
# There is room set aside for the records of an undo.
fills_up
fails 3 "$state/.*No space left" "${APPLY[@]}" "${PATIENT[@]}"
unhook augenrules
rm $state/filler.*

# Somebody took that, too. The host is as before, only that cannot be recorded: a person must make
# room, and then the record is completed.
fills_up "rm $state/transactions/*/reserve"
expect 4 "${APPLY[@]}" "${PATIENT[@]}"
says "$state/.*No space left|$state/.*cannot be written"
look after
as_before before after
unhook augenrules
expect 2 "${APPLY[@]}" "${PATIENT[@]}"
says 'seaworthy recover'
rm $state/filler.*
expect 0 seaworthy recover --yes "${PATIENT[@]}"
look recovered
as_before before recovered
own_filesystem_away $state
