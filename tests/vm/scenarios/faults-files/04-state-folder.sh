#!/bin/bash
#: timeout 1800
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

# It fills up in the middle. The host is as before, only that cannot be recorded: a person must make
# room, and then the record is completed.
own_filesystem $state
hook augenrules <<'HOOK'
for number in 1 2 3 4 5; do
    dd if=/dev/zero of=/var/lib/seaworthy/filler.$number bs=1k status=none 2>/dev/null
    sync -f /var/lib/seaworthy
done
exec "$real" "$@"
HOOK
look before
expect 4 "${APPLY[@]}"
says "$state/.*No space left|$state/.*cannot be written"
look after
as_before before after
unhook augenrules
expect 2 "${APPLY[@]}"
says 'seaworthy recover'
rm $state/filler.*
expect 0 seaworthy recover --yes
look recovered
as_before before recovered
own_filesystem_away $state
