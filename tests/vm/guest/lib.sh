# shellcheck shell=bash
# Functions for the stages of a scenario; sourced by each of them, in the guest:
#   . "$(dirname "$0")/../../guest/lib.sh"
# Nothing here knows how the guest was started.

GUEST=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# What later stages need. Below /var, so that it is there after a reboot and is
# no part of what a snapshot looks at.
STATE=${SCENARIO_STATE:-/var/tmp/seaworthy-scenario}
mkdir -p "$STATE"
# Where the words of a failed command are to be seen, in the order they came.
export LC_ALL=C.UTF-8 NO_COLOR=1

# How long a healthy service may take here: an emulated host on a busy machine starts a daemon with
# eleven containers in minutes. Stages about a deadline have their own.
PATIENT=(--deadline 600)

say() { printf '%s\n' "$*"; }

fail() {
    printf 'FAILED: %s\n' "$*"
    exit 1
}

# skip REASON: this stage does not apply to this host.
skip() {
    printf '%s\n' "$*"
    exit 77
}

# expect STATUS COMMAND...: its standard output is then in $OUT, its standard
# error in $ERR, and both are shown when the status is another one.
OUT=$STATE/stdout
ERR=$STATE/stderr
expect() {
    local wanted=$1 status=0
    shift
    # So that a stage can be followed by reading its output.
    printf '+ %s\n' "$*"
    "$@" >"$OUT" 2>"$ERR" </dev/null || status=$?
    if [[ $status -ne $wanted ]]; then
        printf -- '--- standard output\n'; tail -n 60 "$OUT"
        printf -- '--- standard error\n'; tail -n 60 "$ERR"
        fail "exit $status instead of $wanted: $*"
    fi
}

# check_json FILTER WHAT: jq -e on the last standard output.
check_json() {
    jq -e "$1" "$OUT" >"$STATE/jq" 2>&1 && return
    head -c 3000 "$STATE/jq"; echo
    head -c 6000 "$OUT"; echo
    fail "${2:-$1}"
}

# services_active: both are, and settle there (a restart may just be going on).
services_active() {
    local unit try
    for unit in docker.service auditd.service; do
        for try in $(seq 60); do
            [[ $(systemctl is-active "$unit" || true) != active ]] || continue 2
            sleep 1
        done
        systemctl status --no-pager --lines=30 "$unit" || true
        fail "$unit is not active after $try s"
    done
}

# pids: one line per service; unchanged means: never restarted, not even reloaded
# into a new process.
pids() {
    systemctl show -p Id,MainPID,ExecMainStartTimestampMonotonic docker.service containerd.service auditd.service
}

# docker_settings: what the daemon says of itself, without what changes by itself
# (clock, counters, how many images there are, memory: a kernel that is placed at
# random leaves a page more or less).
docker_settings() {
    docker info --format '{{json .}}' | jq -S 'del(.SystemTime, .NGoroutines, .NFd, .NEventsListener, .MemTotal,
        .Images, .Containers, .ContainersRunning, .ContainersPaused, .ContainersStopped, .ClientInfo)'
    docker network inspect bridge | jq -S '.[0].Options'
}

kernel_rules() {
    auditctl -l 2>/dev/null | sort
    # The pid, the backlog in use and the like are no settings.
    auditctl -s | grep -E '^(enabled|failure|rate_limit|backlog_limit|backlog_wait_time) '
}

# containers: name, restart policy, image and state of each.
containers() {
    local all
    mapfile -t all < <(docker ps -aq)
    ((${#all[@]} > 0)) || return 0
    docker inspect --format '{{.Name}} {{.HostConfig.RestartPolicy.Name}} {{.Image}} {{.State.Status}}' "${all[@]}" |
        sort
}

# seaworthy_traces: whatever it may have left outside of /etc.
seaworthy_traces() {
    find /var/lib /var/log /var/cache /run /usr/local/etc /opt -xdev -iname '*seaworthy*' \
        -not -path "$STATE*" 2>/dev/null | sort
}

# snapshot NAME: everything that the tool could change.
snapshot() {
    local into=$STATE/$1
    rm -rf "$into"
    mkdir -p "$into"
    "$GUEST/manifest" take >"$into/manifest"
    pids >"$into/pids"
    kernel_rules >"$into/kernel-rules"
    docker_settings >"$into/docker-settings"
    seaworthy_traces >"$into/traces"
}

# same_host NAME NAME: equal in content: files (not their times), kernel rules,
# settings of the daemon.
same_host() {
    local part
    "$GUEST/manifest" compare "$STATE/$1/manifest" "$STATE/$2/manifest" ||
        fail "files differ between $1 and $2"
    for part in kernel-rules docker-settings; do
        diff -u "$STATE/$1/$part" "$STATE/$2/$part" || fail "$part differ between $1 and $2"
    done
}

# untouched NAME NAME: nothing happened at all in between: no time stamp, no
# process, no file of ours.
untouched() {
    same_host "$1" "$2"
    "$GUEST/manifest" compare --times "$STATE/$1/manifest" "$STATE/$2/manifest" ||
        fail "files were touched between $1 and $2"
    diff -u "$STATE/$1/pids" "$STATE/$2/pids" || fail "a service was restarted between $1 and $2"
}

# our_rules: the rule files that seaworthy wrote.
our_rules() {
    find /etc/audit/rules.d -name '*seaworthy*.rules' | sort
}

# rules_in_kernel: every rule of our files is one of the kernel's.
rules_in_kernel() {
    local files
    mapfile -t files < <(our_rules)
    ((${#files[@]} > 0)) || fail "no rule file of seaworthy in /etc/audit/rules.d"
    auditctl -l >"$STATE/auditctl-l" 2>/dev/null || fail "auditctl -l failed"
    "$GUEST/audit-rules" "$STATE/auditctl-l" "${files[@]}" || fail "rules of ours are not in the kernel"
}

# in_container COMMAND...: in the image `busybox`, imported when the daemon has
# none (each setting of userns-remap has images of its own). A login's content
# trust would refuse a local image, so it is off for this one command.
in_container() {
    docker image inspect busybox >/dev/null 2>&1 || "$GUEST/import-busybox"
    DOCKER_CONTENT_TRUST=0 timeout 180 docker run --rm busybox "$@"
}

# forget_image: as if no container had run here.
forget_image() {
    docker image rm --force busybox >/dev/null
}

# power_cut: asks whoever runs this stage to take the power away, now. The stage
# ends here and counts as passed when that happens.
power_cut() {
    echo '@@power-cut'
    sleep 120
    fail "the power was not cut"
}
