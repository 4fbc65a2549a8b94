#!/bin/bash
#: timeout 1800
# Who comes from outside over IPv6 reaches a container without IPv6 by the userland proxy alone: the
# plan says who is cut off without it, and asks for leave.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

# outside: another host, on a wire of its own.
ip netns add outside
ip link add wire0 type veth peer name wire1 netns outside
ip address add 192.0.2.1/24 dev wire0
ip -6 address add 2001:db8::1/64 dev wire0 nodad
ip link set wire0 up
ip -n outside address add 192.0.2.2/24 dev wire1
ip -n outside -6 address add 2001:db8::2/64 dev wire1 nodad
ip -n outside link set wire1 up

# served ADDRESS: what the container says to somebody outside.
served() {
    local try
    # It serves one after the other.
    for try in 1 2 3 4 5; do
        timeout 20 ip netns exec outside bash -c "exec 3<>/dev/tcp/$1/8080 && head -c 6 <&3" 2>/dev/null && return
        sleep "$try"
    done
    return 1
}

"$GUEST/import-busybox"
PROGRAM='while :; do echo served | nc -l -p 80; done' runs web --restart always --publish 8080:80
runs quiet --restart always
at_rest
for address in 192.0.2.1 2001:db8::1; do
    [[ $(served "$address") == served ]] || fail "$address is not served to begin with"
done
snapshot start

expect 0 seaworthy plan --format json
jq -e '.held_back[] | select(.control == "daemon-userland-proxy").reason
    | contains("ports published on an IPv6 address of this host could no longer be reached: web")' "$OUT" >/dev/null ||
    fail "it needs no leave"
foretold ipv6 --allow-disruption --only daemon-userland-proxy
jq -e '.impact[] | select(.what | contains("IPv6 addresses of this host")).who == ["container web"]' \
    "$STATE/ipv6.plan" >/dev/null || fail "the impact does not name it"
[[ $(served 192.0.2.1) == served ]] || fail "it is not served over IPv4 any more"
[[ $(served 2001:db8::1 || true) == '' ]] || fail "it is still served over IPv6"
back_to_start ipv6
[[ $(served 2001:db8::1) == served ]] || fail "it is not served again"
