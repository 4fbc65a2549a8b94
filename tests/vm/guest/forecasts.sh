# shellcheck shell=bash
# A host in use, and the forecast of a plan held against what then happens; sourced after lib.sh.

CONTAINERS=(database front inner privileged on-host published once gives-up steward locked keeper)
# Beside those: one that docker deletes when it stops, two that were stopped, and one that was
# never started.
OTHERS=(passing retired returning drafted)

# busy_host: containers of every kind that a plan may concern. What is there already is left
# alone, so it also mends what an earlier stage has stopped.
busy_host() {
    docker image inspect busybox >/dev/null 2>&1 || "$GUEST/import-busybox"
    docker network inspect backend >/dev/null 2>&1 || docker network create backend >/dev/null
    # The default bridge: one reaches the other by a link, whatever icc says.
    runs database --restart always --expose 5432
    runs front --restart always --link database:db
    # A network of its own.
    runs inner --restart unless-stopped --network backend
    runs privileged --restart always --privileged
    runs on-host --restart always --network host
    runs published --restart on-failure --publish 127.0.0.1:8080:80
    runs once --restart no
    # Its process ends well when it is asked to, and on-failure is about failures.
    SIGNAL=TERM PROGRAM='trap "exit 0" TERM; while :; do sleep 1; done' runs gives-up --restart on-failure
    # It has the daemon itself.
    runs steward --restart unless-stopped --volume /var/run/docker.sock:/var/run/docker.sock
    runs locked --restart always --read-only
    runs keeper --restart unless-stopped --volume records:/records --log-driver json-file --log-opt max-size=1m
    runs passing --rm
    stopped retired --restart unless-stopped
    # `always` is meant: who was stopped by hand runs again after a restart of the daemon.
    stopped returning --restart always
    docker container inspect drafted >/dev/null 2>&1 ||
        DOCKER_CONTENT_TRUST=0 docker create --name drafted --restart always busybox sleep 1000000 >/dev/null
}

# stopped NAME OPTION...: a container that was stopped by hand.
stopped() {
    runs "$@"
    docker stop "$1" >/dev/null
}

# runs NAME OPTION...: a container that runs, made or started when it does not.
runs() {
    local name=$1 state
    shift
    state=$(docker container inspect --format '{{.State.Running}}' "$name" 2>/dev/null || true)
    case $state in
        true) return ;;
        false) docker start "$name" >/dev/null && return ;;
    esac
    # (A first process does not end by a SIGTERM that it has no handler for, and every restart
    # of the daemon would wait for it.)
    DOCKER_CONTENT_TRUST=0 docker run --detach --name "$name" --stop-signal "${SIGNAL:-KILL}" "$@" \
        busybox sh -c "${PROGRAM:-exec sleep 1000000}" >/dev/null
}

# no_containers: none at all, and nothing that they leave.
no_containers() {
    local all
    mapfile -t all < <(docker ps --all --quiet)
    ((${#all[@]} == 0)) || docker rm --force --volumes "${all[@]}" >/dev/null
    docker network prune --force >/dev/null
    docker volume prune --force >/dev/null
}

# at_rest: the containers do not change any more.
at_rest() {
    local try now='' last=''
    services_active
    for try in $(seq 60); do
        now=$(docker ps --all --no-trunc --format '{{.ID}} {{.State}}' | sort)
        # A swarm says how many of each service run; elsewhere this says nothing.
        now+=" $(docker service ls --format '{{.Replicas}}' 2>/dev/null || true)"
        # Twice the same, in two looks that are some seconds apart, and nothing on its way.
        [[ $now != "$last" || $now == *restarting* || $now == *removing* || $now == *' 0/'* ]] || return 0
        last=$now
        sleep 4
    done
    printf '%s\n' "$now"
    fail "the containers do not come to rest after $try looks"
}

# foretold NAME OPTION...: plans with these options, applies just that, and holds the forecast of
# the plan against what the daemon says then. The plan is kept as $STATE/NAME.plan.
foretold() {
    local name=$1
    shift
    at_rest
    "$GUEST/forecast" look >"$STATE/$name.before"
    at_rest
    expect 0 seaworthy plan --format json "$@"
    cp "$OUT" "$STATE/$name.plan"
    check_json '.forecast | [.containers, .images, .volumes, .networks, .settings] | all(type == "array")' \
        'the plan has a forecast'
    jq -r '.held_back[] | "  held back: \(.control): \(.reason)"' "$OUT"
    expect 0 seaworthy apply --yes --format json "${PATIENT[@]}" "$@"
    check_json '.outcome == "committed" or .outcome == "nothing-to-do"' 'it is committed'
    jq -r .transaction "$OUT" >"$STATE/$name.transaction"
    at_rest
    "$GUEST/forecast" look >"$STATE/$name.after"
    "$GUEST/forecast" compare "$STATE/$name.plan" "$STATE/$name.before" "$STATE/$name.after" ||
        fail "the forecast of $name was not right"
}

# by_then NAME: what the plan NAME calls pending is in effect now.
by_then() {
    at_rest
    "$GUEST/forecast" look >"$STATE/$1.then"
    "$GUEST/forecast" later "$STATE/$1.plan" "$STATE/$1.then" || fail "what was pending in $1 is not in effect"
}

# back_again NAME: the rollback of what `foretold NAME` applied.
back_again() {
    local id root
    id=$(cat "$STATE/$1.transaction")
    root=$(jq -r .root "$STATE/$1.before")
    [[ $id == null ]] || expect 0 seaworthy rollback --yes "${PATIENT[@]}" "$id"
    at_rest
    while read -r id; do
        ! docker container inspect "$id" >/dev/null 2>&1 || fail "$id was to be deleted and is there"
        [[ ! -e $root/containers/$id ]] || fail "$id was to be deleted and is on the disk"
    done < <(jq -r '.forecast.containers[] | select(.fate == "deleted").id' "$STATE/$1.plan")
}

# all_stopped: no container runs, and the daemon has started once more since.
all_stopped() {
    local running
    mapfile -t running < <(docker ps --quiet)
    docker stop "${running[@]}" >/dev/null
    restarted
}

# some_containers: fewer of them, that also run where user namespaces are on.
some_containers() {
    docker image inspect busybox >/dev/null 2>&1 || "$GUEST/import-busybox"
    runs database --restart always --expose 5432
    runs published --restart on-failure --publish 127.0.0.1:8080:80
    runs once --restart no --volume records:/records
}

# --- hosts that somebody else has set up ----------------------------------------------

# daemon_command: the line that the unit starts the daemon with.
daemon_command() {
    systemctl cat docker.service | sed -n 's/^ExecStart=\(.\)/\1/p' | tail -n 1
}

# drop_in FLAG...: a drop-in of the site's own, which adds flags to that line.
drop_in() {
    local line
    line=$(daemon_command)
    mkdir -p /etc/systemd/system/docker.service.d
    printf '[Service]\nExecStart=\nExecStart=%s %s\n' "$line" "$*" >/etc/systemd/system/docker.service.d/site.conf
    systemctl daemon-reload
}

# restarted: the daemon, with what was set up for it, and not counted among the few restarts
# that systemd allows in a minute.
restarted() {
    systemctl reset-failed docker.service docker.socket
    systemctl restart docker.service
    services_active
}

# The plan NAME either sets the key, or says why it does not.
# considered NAME KEY CONTROL
considered() {
    jq -e --arg key "$2" --arg control "$3" '([.forecast.settings[].key] | index($key) != null) or
        ([.held_back[] | select(.control == $control and .reason != "")] | length > 0)' "$STATE/$1.plan" >/dev/null ||
        fail "$2 is neither planned nor held back with a reason"
}

# back_to_start NAME: rolled back, and the host is as it was in the snapshot `start`.
back_to_start() {
    back_again "$1"
    snapshot again
    same_host start again
}
