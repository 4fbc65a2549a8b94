#!/bin/bash
#: no-binary
#: timeout 1800
# A test of the comparison, and of what is known about docker: what becomes of containers when the
# daemon restarts is written down by hand here. It needs no seaworthy.
set -euo pipefail
. "$(dirname "$0")/../../guest/lib.sh"
. "$GUEST/forecasts.sh"

# by_hand FATE-OF-SETTINGS: a plan with the forecast of a table on standard input: NAME FATE.
by_hand() {
    jq -n --argjson settings "$1" --slurpfile before "$STATE/before" --rawfile table /dev/stdin '
        ($before[0].containers | to_entries | map({key: .value.name, value: .key}) | from_entries) as $ids
        | {forecast: {
            containers: [$table | split("\n")[] | split(" ") | select(length == 2)
                | {name: .[0], id: $ids[.[0]][0:12], fate: .[1]}],
            images: [$before[0].images | to_entries[] | {name: .value[0], id: .key, fate: "stays"}],
            volumes: [$before[0].volumes[] | {name: ., id: ., fate: "stays"}],
            networks: [{name: "backend", id: "", fate: "stays"}],
            settings: $settings}}'
}

busy_host
at_rest
"$GUEST/forecast" look >"$STATE/before"
by_hand '[{"key": "icc", "value": true, "effective": "now"}, {"key": "userland-proxy", "value": true, "effective": "now"},
    {"key": "no-new-privileges", "value": true, "effective": "pending", "until": "never"}]' >"$STATE/plan" <<'TABLE'
database restarts
front restarts
inner restarts
privileged restarts
on-host restarts
published may-stop
once stops
gives-up may-stop
steward restarts
locked restarts
keeper restarts
passing deleted
retired stays-stopped
returning starts
drafted stays-stopped
TABLE
restarted
at_rest
"$GUEST/forecast" look >"$STATE/after"
compared() { "$GUEST/forecast" compare "$STATE/$1" "$STATE/before" "$STATE/after" >"$STATE/compared"; }
compared plan || { cat "$STATE/compared"; fail "the comparison objects to what is right"; }
cat "$STATE/compared"
grep -qx 'forecasts: 21 made, 21 right' "$STATE/compared" || fail "not all was compared"

# Whatever is foretold wrongly, or not at all, is found.
wrong() {
    jq "$1" "$STATE/plan" >"$STATE/wrong"
    if compared wrong; then cat "$STATE/compared"; fail "it does not see what is wrong in: $1"; fi
    grep -E 'WRONG|MISSING|^no' "$STATE/compared" | sed 's/^/  /'
}
for fate in untouched keeps-running stops deleted vanishes stays-stopped starts; do
    wrong "(.forecast.containers[] | select(.name == \"database\")).fate = \"$fate\""
done
for name in once passing retired returning; do
    wrong "(.forecast.containers[] | select(.name == \"$name\")).fate = \"restarts\""
    wrong "(.forecast.containers[] | select(.name == \"$name\")).fate = \"may-stop\""
done
wrong '(.forecast.containers[] | select(.name == "passing")).fate = "vanishes"'
wrong '(.forecast.images[]).fate = "vanishes"'
wrong '(.forecast.volumes[]).fate = "vanishes"'
wrong '(.forecast.networks[]).fate = "vanishes"'
wrong '(.forecast.settings[] | select(.key == "icc")).value = false'
wrong '(.forecast.settings[] | select(.key == "icc")).effective = "pending"'
wrong '(.forecast.settings[] | select(.key == "icc")).key = "no-such-key"'
wrong '(.forecast.settings[] | select(.key == "no-new-privileges")).effective = "now"'
wrong '.forecast.containers |= .[1:]'
wrong '.forecast.containers |= . + .[:1]'
wrong '.forecast.images = []'
wrong '.forecast.volumes = []'
wrong '.forecast.networks = []'
wrong '.forecast[] = []'
