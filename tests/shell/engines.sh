#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The targets under their engines' own tools: replay, merge, fork mode and minimization of libFuzzer;
# showmap, cmin, tmin and a short campaign of AFL++; one abort per signature in both.
# Not on /dev/shm: afl-showmap takes every output file below /dev/ for a device.
# And not in /tmp, where afl-cmin refuses to work.
SCRATCH_IN=$(cd "$(dirname "$0")/../.." && pwd)/build
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
requires afl-fuzz
LF=$ROOT/build/fuzz_instar AFL=$ROOT/build/afl/fuzz_instar SEEDS=$ROOT/build/seeds
[ -w /dev/shm ] && INSTAR_FUZZ_WORK=$(mktemp -d -p /dev/shm) || INSTAR_FUZZ_WORK=$(mktemp -d)
export INSTAR_FUZZ_WORK
trap 'rm -rf "$SCRATCH" "$INSTAR_FUZZ_WORK"' EXIT
export AFL_ALLOW_TMP=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 AFL_NO_UI=1

# Two cases that two lies make diverge under one signature each, and a few that agree.
assemble() { "$FUZZ" assemble "$1" "$2"; }
mkdir "$SCRATCH/in" "$SCRATCH/few"
assemble "$(text bitmaps <<'J'
{"format": "qcow2", "qcow2_version": 3, "virtual_size": 65536, "cluster_bits": 16,
 "writes": [{"pattern": "constant", "seed": 7, "offset_bytes": 0, "length_bytes": 512}],
 "operations": [{"op": "info"}, {"op": "measure", "target": "qcow2"}]}
J
)" "$SCRATCH/bitmaps"
assemble "$(text comma <<'J'
{"format": "raw", "virtual_size": 65536, "operations": [{"op": "measure", "target": "raw"}]}
J
)" "$SCRATCH/comma"
cp "$SCRATCH/bitmaps" "$SCRATCH/comma" "$SCRATCH/in"
assemble "$(text empty <<'J'
{"format": "raw", "virtual_size": 512}
J
)" "$SCRATCH/in/empty"
# shellcheck disable=SC2012 # names of seeds are plain
for seed in $(ls "$SEEDS" | head -n 6); do cp "$SEEDS/$seed" "$SCRATCH/few"; done

last_line_is() {
    local expected=$1 out
    shift
    out=$("$@" 2>&1 | grep -A1 'Assertion failure' | head -n 1)
    [ "$out" = "Assertion failure: $expected" ] || { echo "got '$out'"; return 1; }
}

check "libFuzzer runs the seeds" "$LF" -runs=0 "$SCRATCH/few"
check "a file as argument replays it" "$LF" "$SCRATCH/comma"
check "a new divergence ends with its signature" env STANDIN_LIE=measure-trailing-comma \
    bash -c "! '$LF' '$SCRATCH/comma' 2>'$SCRATCH/err' && grep -qx 'Assertion failure: measure_json_parse_failure-measure-raw-raw-instar' '$SCRATCH/err'"

once() {
    local out=$SCRATCH/once status
    export INSTAR_FUZZ_OUT=$out STANDIN_LIE=measure-trailing-comma
    "$LF" -runs=0 -artifact_prefix="$SCRATCH/" "$SCRATCH/in" >/dev/null 2>&1
    status=$?
    [ "$status" = 77 ] || { echo "no abort (status $status)"; return 1; }
    # Each start finds at most one more signature; then there are none.
    for _ in 1 2 3 4; do "$LF" -runs=0 -artifact_prefix="$SCRATCH/" "$SCRATCH/in" >/dev/null 2>&1; status=$?; done
    [ "$status" = 0 ] || { echo "still aborts"; return 1; }
    diff <(find "$out/findings" -mindepth 1 -maxdepth 1 -printf "%f\n" | sort) <(find "$out/seen" -type f -printf "%f\n" | sort) || { ls "$out/findings" "$out/seen"; return 1; }
}
check "one abort per signature in a campaign folder" once
memory_is_ignored() {
    export INSTAR_FUZZ_OUT=$SCRATCH/once STANDIN_LIE=measure-trailing-comma
    status 77 "$LF" -artifact_prefix="$SCRATCH/" "$SCRATCH/comma" >/dev/null 2>&1
}
check "replaying one file ignores that memory" memory_is_ignored
report_is_whole() {
    local report
    for report in "$SCRATCH"/once/findings/*; do
        for file in report.json story.txt case.bin case.json images.tar.gz reproduce.sh; do
            [ -s "$report/$file" ] || { echo "$report/$file is missing"; return 1; }
        done
        tar -tzf "$report/images.tar.gz" | grep -q src || return 1
        out=$(sh "$report/reproduce.sh" 2>&1)
        [[ $out == *"what was found"* && $out == *'"required"'* ]] || { echo "$out"; return 1; }
    done
}
check "its report is whole, and reproduce.sh runs without the harness" report_is_whole

mkdir "$SCRATCH/merged" "$SCRATCH/fork"
check "-merge=1" bash -c "'$LF' -merge=1 '$SCRATCH/merged' '$SCRATCH/few' && [ -n \"\$(ls '$SCRATCH/merged')\" ]"
check "-fork=1" bash -c "cd '$SCRATCH' && '$LF' -fork=1 -runs=20 -max_total_time=15 '$SCRATCH/fork' '$SCRATCH/in'"
minimizes() {
    export STANDIN_LIE=measure-trailing-comma
    cat "$SCRATCH/comma" "$SCRATCH/bitmaps" >"$SCRATCH/long"
    "$LF" -seed=1 -minimize_crash=1 -runs=60 -max_total_time=300 -exact_artifact_path="$SCRATCH/minimized" "$SCRATCH/long"
    [ -s "$SCRATCH/minimized" ] && [ "$(stat -c %s "$SCRATCH/minimized")" -lt "$(stat -c %s "$SCRATCH/long")" ]
}
check "-minimize_crash=1" minimizes
# Any shorter crash will do to libFuzzer: that it is one of the same kind is up to the mutator. Of these
# lies the crash shows one, and most conversions the other.
keeps_to_it() {
    export STANDIN_LIE=bitmaps-zero,wrong-byte-near-end
    local before after seed same=0
    "$FUZZ" assemble "$(text bitmap)" "$SCRATCH/bitmap" || return 1
    before=$("$LF" "$SCRATCH/bitmap" 2>&1 | grep -a '^Assertion failure')
    cat "$SCRATCH/bitmap" "$SCRATCH/bitmap" >"$SCRATCH/long"
    for seed in 2 3 4; do
        "$LF" -seed="$seed" -minimize_crash=1 -runs=40 -max_total_time=300 -exact_artifact_path="$SCRATCH/kept" "$SCRATCH/long" >"$SCRATCH/minimizing" 2>&1
        after=$("$LF" "$SCRATCH/kept" 2>&1 | grep -a '^Assertion failure')
        echo "$before, $after"
        [ "$before" != "$after" ] || same=$((same + 1))
    done
    [ -n "$before" ] && [ "$same" = 3 ]
} <<'J'
{"format": "qcow2", "qcow2_version": 3, "virtual_size": 1048576, "bitmaps": 1,
 "writes": [{"pattern": "noise", "offset_bytes": 65536, "length_bytes": 65536}],
 "operations": [{"op": "measure", "target": "qcow2"}]}
J
check "... ends with a crash of the same kind" keeps_to_it

# What the tools answer must reach the engine, and not where it is switched off.
lf_features() { INSTAR_FUZZ_GUIDE=$1 "$LF" -runs=0 "$SCRATCH/few" 2>&1 | sed -n 's/.*INITED.* ft: \([0-9]*\) .*/\1/p'; }
feels() {
    local off all
    off=$("$1" off) all=$("$1" all)
    echo "features: $off without guidance, $all with"
    [ "${off:-0}" -gt 0 ] && [ "${all:-0}" -gt $((off + 20)) ]
}
check "libFuzzer feels what the tools answer" feels lf_features
afl_cells() {
    INSTAR_FUZZ_GUIDE=$1 afl-showmap -q -t 25000 -o "$SCRATCH/map" -- "$AFL" "$SCRATCH/bitmaps" >/dev/null
    wc -l <"$SCRATCH/map"
}
check "AFL++ feels what the tools answer" feels afl_cells

check "AFL++: a file as argument replays it" "$AFL" "$SCRATCH/comma"
check "afl-showmap" bash -c "afl-showmap -q -t 25000 -o '$SCRATCH/map' -- '$AFL' <'$SCRATCH/bitmaps' && [ -s '$SCRATCH/map' ]"
# What afl-fuzz does to see whether a case is steady: it runs once more, and then it is known.
# (afl-showmap has a process of its own for its first run.)
repeats() {
    mkdir "$SCRATCH/equal"
    for i in 1 2 3 4 5 6; do cp "$SCRATCH/bitmaps" "$SCRATCH/equal/$i"; done
    INSTAR_FUZZ_OUT=$SCRATCH/repeats afl-showmap -q -r -t 25000 -i "$SCRATCH/equal" -o "$SCRATCH/maps" -- "$AFL" || return 1
    cases=$("$FUZZ" status --json "$SCRATCH/repeats" | sed -n 's/^\t"cases":\t\([0-9]*\),$/\1/p')
    maps=$(md5sum "$SCRATCH/maps"/? | sed 's/ .*//')
    echo "$cases cases, maps $maps"
    [ "$cases" = 3 ] && [ "$(wc -l <<<"$maps")" = 6 ] && [ "$(sort -u <<<"$maps" | wc -l)" = 1 ]
}
check "AFL++: a case that it repeats runs twice and leaves the same map each time" repeats
check "afl-cmin" bash -c "afl-cmin -t 25000 -i '$SCRATCH/few' -o '$SCRATCH/cmin' -- '$AFL' && [ -n \"\$(ls '$SCRATCH/cmin')\" ]"
tmin() {
    # afl-tmin needs no crash: it keeps the map of what it is given.
    afl-tmin -t 25000 -i "$SCRATCH/comma" -o "$SCRATCH/tmin" -- "$AFL" && [ -s "$SCRATCH/tmin" ]
}
check "afl-tmin" tmin
# A measure whose target is filtered out, one bit away from two targets that are not; this lie breaks
# both. In so many executions AFL++'s deterministic stage meets both signatures, each many times, and
# must keep one crash of each.
campaign() {
    local crash signatures crashes stability
    export STANDIN_LIE=measure-trailing-comma INSTAR_FUZZ_TARGETS=raw,qcow2
    mkdir "$SCRATCH/aflin"
    "$FUZZ" assemble "$SCRATCH/vpc.json" "$SCRATCH/aflin/vpc" || return 1
    timeout -s INT 900 afl-fuzz -D -E 4000 -s 1 -t 25000 -G 4096 -i "$SCRATCH/aflin" -o "$SCRATCH/afl" -- "$AFL" >"$SCRATCH/afl.log" 2>&1
    stability=$(sed -n 's/^stability *: \([0-9]*\).*/\1/p' "$SCRATCH/afl/default/fuzzer_stats")
    echo "stability $stability"
    [ "${stability:-0}" -ge 95 ] || return 1
    crashes=0
    for crash in "$SCRATCH"/afl/default/crashes/id*; do
        crashes=$((crashes + 1))
        "$AFL" "$crash" 2>&1 | grep -a 'Assertion failure'
    done >"$SCRATCH/signatures"
    signatures=$(sort -u "$SCRATCH/signatures" | wc -l)
    echo "$crashes crashes, $signatures signatures"
    [ "$signatures" -ge 2 ] && [ "$crashes" = "$signatures" ]
}
text vpc >/dev/null <<'J'
{"format": "raw", "virtual_size": 65536, "operations": [{"op": "measure", "target": "vpc"}]}
J
check "afl-fuzz: stability at least 95 %, one crash a signature" campaign
check "nothing is left behind" emptied "$INSTAR_FUZZ_WORK"
finish
