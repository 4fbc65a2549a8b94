#!/bin/bash
#: timeout 3600
# The same while another account tool runs: what is left could be that tool's, and is named.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/faults.sh"

# Whoever edits the accounts by hand.
cp /usr/bin/sleep "$STATE/vipw"
"$STATE/vipw" 1000000 </dev/null >/dev/null 2>&1 &
editor=$!
look before
tool_stops kill useradd /etc/shadow
expect 3 "${APPLY[@]}" "${PATIENT[@]}"
tool_again /etc/shadow+
strays >"$STATE/strays"
grep -qxF /etc/shadow+ "$STATE/strays" || fail "nothing of the tool is left, but vipw runs"
while read -r stray; do
    says "^.*$(sed 's/[.+]/\\&/g' <<<"$stray") appeared meanwhile and is left.*process $editor \(vipw\) is at work"
done <"$STATE/strays"
kill "$editor"
xargs -d '\n' rm -- <"$STATE/strays"
look after
as_before before after
