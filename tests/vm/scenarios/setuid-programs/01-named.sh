#!/bin/bash
#: timeout 1200
# Images with a setuid program, and containers of ordinary users: the plan names them, apart from
# those that have nothing to lose.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

# `id`, twice with the rights of its owner: one is deleted again in a layer above.
"$GUEST/import-busybox"
tree=$(mktemp -d)
chmod 755 "$tree"
docker export "$(docker create busybox)" | tar -C "$tree" -x
# What it is linked with, where the loader looks for it: /lib may be a link on this host.
ldd /usr/bin/id | grep -o '/[^ ]*' | sort -u | while read -r library; do
    install -D "$library" "$tree$library"
done
for name in as-owner as-before; do
    install -D -m 4755 /usr/bin/id "$tree/usr/bin/$name"
done
printf '#!/bin/sh\n# not as-before\nas-owner -u\nexec sleep 1000000\n' >"$tree/start.sh"
chmod 755 "$tree/start.sh"
tar -C "$tree" -c . | docker import - errands:draft >/dev/null
rm -rf "$tree"
docker run --name drafting errands:draft rm /usr/bin/as-before
docker commit drafting errands >/dev/null
docker ps --all --quiet | xargs docker rm >/dev/null

create() {
    docker run --detach --stop-signal KILL --restart always "$@" >/dev/null
}
create --name errand --user 65534 errands /start.sh
create --name idle --user nobody errands sleep 1000000
create --name plain --user 65534 busybox sleep 1000000
create --name of-root errands sleep 1000000
create --name hardened --user 65534 --security-opt no-new-privileges errands sleep 1000000
at_rest
[[ $(docker logs errand) == 0 ]] || fail "the setuid program has no rights without the setting"
snapshot start

expect 0 seaworthy plan
expect 0 seaworthy plan --format json
jq -r '.impact[] | "\(.what) | \(.who) | \(.why)"' "$OUT" |
    grep '^a hint only' | tee "$STATE/hints"
hint() {
    grep -c -E "$1" "$STATE/hints" | grep -qx 1 || fail "there is not one hint of: $1"
}
hint 'entry points name programs .*: as-owner in /start.sh \| \["image errands"\]'
hint 'these programs in them .*: as-owner \| \["image errands"\]'
hint 'no program that gains rights was found in them \| \["image busybox"\]'
[[ $(wc -l <"$STATE/hints") == 3 ]] || fail "there are other hints"
snapshot again
untouched start again

# Who may not look is told what was not seen.
runuser -u nobody -- seaworthy plan >"$STATE/by-nobody" 2>&1 || true
! grep -q 'as-owner' "$STATE/by-nobody" || fail "nobody has seen what only root can see"
