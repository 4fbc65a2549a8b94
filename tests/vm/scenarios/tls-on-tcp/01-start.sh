#!/bin/bash
#: timeout 1800
# The daemon also listens on TCP, with certificates whose files are not as they should be.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

mkdir -p /etc/docker/tls
cd /etc/docker/tls
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=test-ca -keyout "$STATE/ca-key.pem" -out ca.pem 2>/dev/null
for name in server client; do
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$name-key.pem" -out "$STATE/$name.csr" 2>/dev/null
    openssl x509 -req -in "$STATE/$name.csr" -CA ca.pem -CAkey "$STATE/ca-key.pem" -CAcreateserial -days 30 \
        -extfile <(printf 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=%sAuth\n' "$name") \
        -CAserial "$STATE/serial" -out "$name.pem" 2>/dev/null
done
mkdir -p "$STATE/client"
mv client.pem client-key.pem "$STATE/client/"
chmod 644 server-key.pem
chmod 664 ca.pem server.pem
drop_in -H tcp://127.0.0.1:2376 --tlsverify --tlscacert=/etc/docker/tls/ca.pem \
    --tlscert=/etc/docker/tls/server.pem --tlskey=/etc/docker/tls/server-key.pem
restarted
some_containers
at_rest
over_tls() {
    docker --host tcp://127.0.0.1:2376 --tlsverify --tlscacert /etc/docker/tls/ca.pem \
        --tlscert "$STATE/client/client.pem" --tlskey "$STATE/client/client-key.pem" "$@"
}
over_tls info >/dev/null || fail "the daemon does not answer over TLS"
declare -f over_tls >"$STATE/over-tls.sh"
snapshot start
