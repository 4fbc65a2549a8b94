# shellcheck shell=bash
# Faults for the scenarios faults-*; sourced after lib.sh. What is mounted or put in the
# way of a program here is taken away by the function that says so.

# The programs of ours that stand before the system's own, in a folder that is searched first.
HOOKS=/usr/local/sbin
# What hooks wait for and tell: hook.reached, hook.go.
HOOK=$STATE/hook
IMAGES=$STATE/images
mkdir -p "$IMAGES"

APPLY=(seaworthy apply --yes --allow-disruption)
ROLLBACK=(seaworthy rollback --yes)
# The deadline of whatever fails in a table of `faults`; `impatient` where the fault is waited for.
WITHIN=("${PATIENT[@]}")
# impatient: five times what a healthy restart took, and 45 s at least.
impatient() {
    local took
    took=$(cat "$STATE/restart-took")
    WITHIN=(--deadline "$((took < 9 ? 45 : took * 5))")
}

# --- the host under test -----------------------------------------------------------

# A host with a life of its own: a daemon.json that somebody wrote, and a container that
# comes back by itself.
lived_in_host() {
    services_active
    printf '{\n    "labels": ["site=original"]\n}\n' >/etc/docker/daemon.json
    systemctl reset-failed docker.service docker.socket
    systemctl restart docker.service
    "$GUEST/import-busybox"
    run_container comes-back --restart always
    systemctl reset-failed docker.service docker.socket
    local began=$SECONDS
    systemctl restart docker.service
    services_active
    printf '%s\n' "$((SECONDS - began))" | tee "$STATE/restart-took"
}

# run_container NAME OPTION...
run_container() {
    local name=$1
    shift
    # Its first process does not end by SIGTERM, and a restart of the daemon would wait for it.
    DOCKER_CONTENT_TRUST=0 docker run --detach --stop-signal KILL --name "$name" "$@" busybox sleep 1000000 >/dev/null
}

containers() {
    docker ps --all --format '{{.Names}} {{.State}}' | sort
}

# look NAME: a snapshot with containers, when the services have come to rest.
look() {
    services_active
    snapshot "$1"
    containers >"$STATE/$1/containers"
}

# as_before NAME NAME
as_before() {
    same_host "$1" "$2"
    diff -u "$STATE/$1/containers" "$STATE/$2/containers" || fail "other containers run after $2 than after $1"
}

# says PATTERN: the last command's words have it.
says() {
    cat "$OUT" "$ERR" >"$STATE/words"
    grep -qE -- "$1" "$STATE/words" || { tail -n 40 "$STATE/words"; fail "it does not say \`$1\`"; }
}

# fails STATUS PATTERN COMMAND...: it ends like that, says why, and all is as it was at the last
# look, called `before`. After a refusal (2) nothing was even touched.
fails() {
    local wanted=$1 pattern=$2 began=$SECONDS
    shift 2
    expect "$wanted" "$@"
    [[ -z $pattern ]] || says "$pattern"
    grep -hE 'taking it back|^error|left:' "$ERR" | cut -c 1-300 || true
    look after
    if [[ $wanted -eq 2 ]]; then untouched before after; fi
    as_before before after
    # Also in its times: the next one must touch nothing, perhaps.
    rm -rf "$STATE/before"
    mv "$STATE/after" "$STATE/before"
    printf '  exit %s, all as before, %s s\n' "$wanted" "$((SECONDS - began))"
}

# faults: a table on standard input, with the columns
#   NAME | INJECT | LIFT | STATUS of an apply | what it says | STATUS of a rollback | what it says
# INJECT and LIFT are commands; INJECT sets NEW_FILES when it changes what a look sees; a rollback that the fault does not concern has no status. Each
# apply comes back, then one works; each rollback comes back, then one works.
faults() {
    local table=() row
    mapfile -t table < <(grep -v '^ *$')
    look before
    rm -rf "$STATE/original"
    cp -a "$STATE/before" "$STATE/original"
    for row in "${table[@]}"; do one_fault "$row" 3 APPLY; done
    expect 0 "${APPLY[@]}" "${PATIENT[@]}"
    look before
    for row in "${table[@]}"; do one_fault "$row" 5 ROLLBACK; done
    expect 0 "${ROLLBACK[@]}" "${PATIENT[@]}"
    look again
    as_before original again
}

# one_fault ROW COLUMN apply|rollback
one_fault() {
    local cells status pattern
    local -n command=$3
    mapfile -t cells < <(tr '|' '\n' <<<"$1" | sed 's/^ *//; s/ *$//')
    status=${cells[$2]:-} pattern=${cells[$2 + 1]:-}
    [[ -n $status ]] || return 0
    printf '== %s, %s\n' "${cells[0]}" "${command[1]}"
    NEW_FILES=
    ${cells[1]}
    [[ -z $NEW_FILES ]] || look before
    fails "$status" "$pattern" "${command[@]}" "${WITHIN[@]}"
    ${cells[2]}
    [[ -z $NEW_FILES ]] || look before
}

# --- file systems --------------------------------------------------------------------

# own_filesystem FOLDER [MKFS-OPTION...]: the folder's content on a small ext4 of its own,
# mounted over it.
own_filesystem() {
    local folder=$1 image
    shift
    NEW_FILES=yes
    image=$(image_of "$folder")
    truncate -s 4M "$image"
    mkfs.ext4 -q -F -m 0 -b 1024 -E root_owner=0:0,lazy_itable_init=0 "$@" "$image"
    mount -o loop "$image" /mnt
    rmdir /mnt/lost+found
    cp -a "$folder/." /mnt/
    umount /mnt
    mount -o loop "$image" "$folder"
}

image_of() { printf '%s/%s.ext4' "$IMAGES" "${1//\//_}"; }

# own_filesystem_away FOLDER: what is below it is there again.
own_filesystem_away() {
    umount "$1"
    rm -f "$(image_of "$1")"
}

# fill FOLDER: no byte is free. (What one file leaves free another one takes.)
fill() {
    local number
    for number in 1 2 3 4 5; do
        dd if=/dev/zero of="$1/filler.$number" bs=1k status=none 2>/dev/null || true
        sync -f "$1"
    done
    ! dd if=/dev/zero of="$1/filler.last" bs=1 count=1 conv=fsync status=none 2>/dev/null || fail "$1 is not full"
}

# fill_inodes FOLDER: no file can be made.
fill_inodes() {
    local number
    mkdir "$1/filler"
    for number in $(seq 10000); do
        : >"$1/filler/$number" || return 0
    done 2>/dev/null
}

read_only() { mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"; }
busy() { mount --bind "$1" "$1"; }
# unmounted PATH: what lies over it goes away.
unmounted() { umount "$1"; }

# --- programs ------------------------------------------------------------------------

# hook PROGRAM: standard input is a shell script that stands before PROGRAM; $real is the
# real one. unhook PROGRAM.
hook() {
    { printf '#!/bin/bash\nreal=%q HOOK=%q\n' "$(real_path "$1")" "$HOOK"; cat; } >"$HOOKS/$1"
    chmod 755 "$HOOKS/$1"
}
real_path() { PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v "$1"; }
unhook() { rm -f "$HOOKS/$1"; }

# replace PATH: the same for a program that is called by its absolute path.
replace() {
    local path=$1 name
    name=$(basename "$path")
    cp -a "$path" "$STATE/$name.real"
    { printf '#!/bin/bash\nreal=%q\n' "$STATE/$name.real"; cat; } >"$STATE/$name.fault"
    chmod 755 "$STATE/$name.fault"
    mount --bind "$STATE/$name.fault" "$path"
}
restored() { umount "$1"; }

# hardened: whether daemon.json is seaworthy's; for the text of hooks.
HARDENED='grep -qs no-new-privileges /etc/docker/daemon.json'

# --- in the middle -------------------------------------------------------------------

# pause_at PROGRAM PATTERN: whoever calls PROGRAM with words that match waits there, until `go_on`.
pause_at() {
    rm -f "$HOOK".*
    hook "$1" <<HOOK
if [[ "\$*" =~ $2 && ! -e \$HOOK.go ]]; then
    echo \$\$ >\$HOOK.reached
    until [[ -e \$HOOK.go ]]; do sleep 0.1; done
fi
exec "\$real" "\$@"
HOOK
}
go_on() { : >"$HOOK.go"; }
# What was paused is over, whether or not anybody waited for it.
passed_by() {
    while [[ -e /proc/$(cat "$HOOK.reached") ]]; do sleep 0.2; done
}

# begin COMMAND...: runs it in the background; $PID. Its end: `ended`, which sets $STATUS.
begin() {
    printf '+ %s &\n' "$*"
    "$@" >"$OUT" 2>"$ERR" </dev/null &
    PID=$!
}
ended() {
    STATUS=0
    wait "$PID" || STATUS=$?
}
# reached: waits until the program of `pause_at` is called.
reached() {
    local try
    for try in $(seq 1200); do
        [[ ! -e $HOOK.reached ]] || return 0
        kill -0 "$PID" 2>/dev/null || { cat "$OUT" "$ERR"; fail "it ended too early"; }
        sleep 0.1
    done
    fail "it did not come so far in $try tenths of a second"
}

# --- disks ---------------------------------------------------------------------------

# disk TABLE: gives the device `faulty` this table (dmsetup(8)) while it is in use.
disk() {
    dmsetup suspend --noflush --nolockfs faulty
    printf '%s\n' "$1" | dmsetup load faulty
    dmsetup resume faulty
}

# on_disk FOLDER: as own_filesystem, on the device `faulty`; $LOOP and $SECTORS are what a
# table for it needs.
on_disk() {
    own_filesystem "$1"
    umount "$1"
    LOOP=$(losetup --find --show "$(image_of "$1")")
    SECTORS=$(blockdev --getsz "$LOOP")
    printf '0 %s linear %s 0\n' "$SECTORS" "$LOOP" | dmsetup create faulty
    mount /dev/mapper/faulty "$1"
}
off_disk() {
    umount "$1"
    dmsetup remove faulty
    losetup --detach "$LOOP"
    rm -f "$(image_of "$1")"
}

# bad: ranges on standard input, `FIRST COUNT` in blocks of 1024 bytes and in order: a table
# with an error at each. (A block is two sectors.)
bad() {
    local from count at=0
    while read -r from count; do
        ((from * 2 == at)) || printf '%s %s linear %s %s\n' "$at" "$((from * 2 - at))" "$LOOP" "$at"
        printf '%s %s error\n' "$((from * 2))" "$((count * 2))"
        at=$(((from + count) * 2))
    done
    ((at == SECTORS)) || printf '%s %s linear %s %s\n' "$at" "$((SECTORS - at))" "$LOOP" "$at"
}

# bad_blocks FILE...: a table with an error at every block of these files.
bad_blocks() {
    filefrag -b1024 -e "$@" | awk -F '[ .:]+' '/^ *[0-9]+:/ { print $5, $7 }' | sort -n | bad
}

# bad_free_space FOLDER: whatever is written into new blocks fails with EIO when it is
# brought to the disk; what is there already, and the folder itself, can be written.
bad_free_space() {
    local table
    on_disk "$1"
    # The bitmaps on the disk are true, as it was just mounted. A file that fills it does not reach
    # every free block: ext4 keeps some back for delayed allocation.
    table=$(dumpe2fs "$LOOP" 2>/dev/null | sed -n 's/^  Free blocks: //p' | tr ',' '\n' |
        awk -F - 'NF { first = $1 + 0; last = NF > 1 ? $2 + 0 : first; print first, last - first + 1 }' |
        sort -n | bad)
    [[ $table == *error* ]] || fail "no free block was found on $1"
    disk "$table"
}

# --- the account of the daemon -------------------------------------------------------

# tool_stops kill|pause PROGRAM NAME: an account tool is ended, or waits for ever, right before it
# gives a file this name. What it has made beside the files of accounts is then in $HOOK.reached.
tool_stops() {
    rm -f "$HOOK.reached"
    TOOL=$2
    replace "/usr/sbin/$TOOL" <<<"exec $GUEST/stop-inside $1 $3 $HOOK.reached \"\$real\" \"\$@\""
}
# has_stopped FILE: it came so far, and had made a file whose name begins like that.
has_stopped() {
    [[ -e $HOOK.reached ]] || fail "$TOOL was not stopped: does this dockerd call it?"
    grep -qF "$1" "$HOOK.reached" || fail "beside the files of accounts was no $1, but: $(cat "$HOOK.reached")"
    sed 's/^/  left by the tool: /' "$HOOK.reached"
}
# tool_again FILE: it works again, and has_stopped.
tool_again() {
    restored "/usr/sbin/$TOOL"
    has_stopped "$1"
}

# strays: what account tools have left beside the files of accounts.
strays() {
    find /etc -maxdepth 1 -regextype posix-extended \
        -regex '/etc/(passwd|group|shadow|gshadow|subuid|subgid)(\+|\.lock|\.[0-9]+)' | sort
}
