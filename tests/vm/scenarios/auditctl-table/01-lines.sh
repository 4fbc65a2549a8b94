#!/bin/bash
#: timeout 900
# What this release's auditctl makes of every line of a table, each by itself, and of whole sets line by line: held
# against the answers that are recorded here, which `cargo test` holds ours against.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
release=$(auditctl -v | awk '{ print $NF }')
file=/root/line.rules
answers=$STATE/answers
rm -rf "$answers"
mkdir -p "$answers"

# Each path, account and group that the table rests on.
for folder in /etc /usr/bin /var/lib /root; do
    [[ -d $folder ]] || fail "$folder is missing"
done
for gone in /etc/gone /opt/gone /var/lib/gone; do
    [[ ! -e $gone ]] || fail "$gone is there"
done

answer() { # LINE: good or bad, and the line
    printf '%s\n' "$1" >"$file"
    chmod 600 "$file"
    if auditctl -R "$file" >/dev/null 2>&1; then
        printf 'good %s\n' "$1"
    else
        printf 'bad %s\n' "$1"
    fi
}

while IFS= read -r line; do
    [[ $line != '#'* ]] || continue
    auditctl -D >/dev/null 2>&1 || true
    answer "$line"
    # A failure mode of 2 would stop the machine.
    auditctl -f 1 -b 8192 -r 0 >/dev/null 2>&1 || true
done <"$here/lines" >"$answers/lines"

for set in "$here"/sets/*.rules; do
    name=$(basename "$set" .rules)
    auditctl -D >/dev/null 2>&1 || true
    {
        while IFS= read -r line; do
            [[ -n $line && $line != '#'* ]] || continue
            answer "$line"
            auditctl -f 1 >/dev/null 2>&1 || true
        done <"$set"
        printf 'rules %s\n' "$(auditctl -l | wc -l)"
    } >"$answers/$name"
done
auditctl -D >/dev/null 2>&1 || true
rm -f "$file"

say "auditctl $release: $(cat "$answers"/* | wc -l) answers"
if ! diff -r "$here/answers/$release" "$answers"; then
    printf 'ANSWERS %s %s\n' "$release" "$(tar -C "$answers" -cz . | base64 -w 0)"
    fail "answers of $release that are not recorded here (or others)"
fi
