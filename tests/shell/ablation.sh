#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The ablation measures what it says: processor time of everything below a command, planted bugs in a
# journal by a shortcut that finds what the long way finds, and runs that are there once.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$ROOT" || exit 2
requires qemu-img
requires taskset
unset INSTAR_FUZZ_EXEC INSTAR_FUZZ_FENCE

# --- processor time ------------------------------------------------------------------------------
# A session of its own, orphaned at once: only who is its reaper can count it.
cat >"$SCRATCH/orphan" <<'END'
#!/bin/sh
(setsid sh -c 'echo $$ >"$1"; while :; do :; done' busy "$1" &)
exec sleep 100
END
chmod +x "$SCRATCH/orphan"
counts_orphans() {
    timeout -k 1 60 build/ablation/cpu_budget 1 "$SCRATCH/line" "$SCRATCH/orphan" "$SCRATCH/pid" >"$SCRATCH/used" || return 1
    read -r cpu _ starts <"$SCRATCH/used"
    echo "$cpu CPU seconds, $starts starts"
    awk -v cpu="$cpu" 'BEGIN {exit !(cpu >= 1 && cpu < 2)}' && [ "$starts" = 1 ] && [ "$(wc -l <"$SCRATCH/line")" -ge 2 ]
}
check "the time of an orphan in a session of its own counts" counts_orphans
gone() { ! kill -0 "$(cat "$SCRATCH/pid")"; }
check "and it does not outlive the budget" gone
kill "$(cat "$SCRATCH/pid")" 2>/dev/null
restarts() {
    status 2 build/ablation/cpu_budget 5 "$SCRATCH/line" true >"$SCRATCH/used" || return 1
    read -r _ _ starts <"$SCRATCH/used"
    [ "$starts" -gt 10 ]
}
check "a command that ends early is started again, and given up in the end" restarts

# --- the journal ---------------------------------------------------------------------------------
seed() { printf 'build/seeds/%s ' "$@"; }
# shellcheck disable=SC2046 # one word each
mkdir "$SCRATCH/joint"
for case in tests/joint/*.json; do # of those that it looks for
    name=$(basename "$case" .json)
    ! grep -q "\"$name\"" bench/ablation/subject.c || "$FUZZ" assemble "$case" "$SCRATCH/joint/$name"
done
# shellcheck disable=SC2046
env ABLATION_JOURNAL="$SCRATCH/journal" build/ablation/fuzz_bytes $(seed empty qcow2-v3-zero-clusters qcow2-v3-zero-clusters \
    raw-convert-vpc-512-kib-blocks vmdk-over-vmdk vmdk-split-flat-measure-every-target) "$SCRATCH"/joint/* >"$SCRATCH/log" 2>&1
# Processor time stood still at 3 while all of it ran.
printf '0 3\n1000000000 3\n' >"$SCRATCH/time"
walked() { build/ablation/clock "$SCRATCH/journal" "$SCRATCH/time" 5 >"$SCRATCH/short"; }
check "a journal is walked" walked
row() { awk -v lie="$1" '$1 == lie {print $3, $4, $5, $6, $7}' "$SCRATCH/short" | grep -x "$2" || { cat "$SCRATCH/short"; return 1; }; }
check "a lie is found with the first input that shows it" row qcow2-zero-clusters-allocated '3.00 3.00 3.00 2 1'
check "another with a later one" row vmdk-extents-miscounted '3.00 3.00 3.00 6 1'
check "what only grows files is not asked where no bound can tell" row vmdk-64k-sectors '3.00 .* 0 0'
check "what no input reaches is not found" row bitmaps-zero '.* - - 0 0'
check "an input that was there before is passed over" grep -x $'inputs\t13\t12' "$SCRATCH/short"
joint() {
    local number=6 name
    for name in "$SCRATCH"/joint/*; do
        number=$((number + 1))
        row "$(basename "$name")" "3.00 3.00 3.00 $number 1" || return 1
    done
}
check "a lie that needs several things at once is found with the input that has them" joint
same() {
    build/ablation/clock --all "$SCRATCH/journal" "$SCRATCH/time" 5 >"$SCRATCH/long" || return 1
    diff <(cut -f 1,2,5,6 "$SCRATCH/short") <(cut -f 1,2,5,6 "$SCRATCH/long")
}
check "the harness finds each lie with the same input when it is asked for all of them" same
late() { build/ablation/clock "$SCRATCH/journal" "$SCRATCH/time" 2 | grep -x $'inputs\t0\t0'; }
check "what came after the budget does not count" late

# --- an engine that sees nothing ------------------------------------------------------------------
keeps() { # TARGET
    rm -rf "$SCRATCH/kept" && mkdir "$SCRATCH/kept" && cp build/seeds/empty "$SCRATCH/kept/" &&
        INSTAR_FUZZ_GUIDE=off build/ablation/"$1" -seed=1 -runs=400 -max_len=4096 "$SCRATCH/kept" >"$SCRATCH/log" 2>&1 || return 1
    grep '^instar-fuzz: mutator: structured' "$SCRATCH/log"
    kept=$(find "$SCRATCH/kept" -type f | wc -l)
    echo "$1 keeps $kept"
}
blind() { keeps blind_structured && [ "$kept" = 1 ] && keeps fuzz_structured && [ "$kept" -gt 20 ]; }
check "a blind engine keeps the case that it began with, one that feels our decoder many" blind

# --- a run, end to end ---------------------------------------------------------------------------
export DATA=$SCRATCH/data SEEDS=1 BUDGET=12 CORES=1 ONLY='libfuzzer seeds none bytes'
runs() {
    bench/ablation/run || return 1
    cat "$DATA"/*
    [ "$(wc -l <"$DATA/runs.tsv")" = 2 ] && [ "$(wc -l <"$DATA/lies.tsv")" = 26 ] &&
        sed 1d "$DATA/lies.tsv" | awk -F '\t' '$10 != "-"' | grep .
}
check "one run: its row, one for each lie, and lies that were found" runs
check "a run that is there is not done again" bash -c 'bench/ablation/run | grep "^0 runs"'
# Who runs them and who counts them have the same matrix in mind: "afl empty none bytes seed 1 2;" is two.
same_matrix() {
    build/ablation/report "$DATA" | sed -n 's/^Missing: \(.*\)\.$/\1/p' | sed 's/; /\n/g' |
        awk '{for (i = 6; i <= NF; i++) print $1, $2, $3, $4, $i}' | sort >"$SCRATCH/counted"
    SEEDS='1 2 3 4 5' ONLY='' bench/ablation/run --list | sort | diff - "$SCRATCH/counted" && [ "$(wc -l <"$SCRATCH/counted")" -gt 100 ]
}
check "what the table misses is what is still to be run" same_matrix
tells() { build/ablation/report "$DATA" >"$SCRATCH/words" && grep -q "^1 of $(SEEDS='1 2 3 4 5' ONLY='' DATA=/nowhere bench/ablation/run --list | wc -l) runs" "$SCRATCH/words" && grep -q '^| libfuzzer | seeds | none | bytes | 1 |' "$SCRATCH/words"; }
check "the table says what is there and what is missing" tells
draws() { build/ablation/report --svg "$DATA" >"$SCRATCH/plot" && [ "$(grep -c 'fill="none" stroke="#8a8a8a"' "$SCRATCH/plot")" = 1 ] && tail -n 1 "$SCRATCH/plot" | grep -x '</svg>'; }
tells_again() { mkdir "$SCRATCH/again" && cp "$DATA"/*.tsv "$SCRATCH/again" && awk -F '\t' -v OFS='\t' 'NR == 2 {$9 = 2} {print}' "$DATA/runs.tsv" >"$SCRATCH/again/runs.tsv" && build/ablation/report "$SCRATCH/again" | grep '^Ended early and started again: libfuzzer seeds none bytes seed 1 (2 starts)'; }
check "it says so where an engine ended early" tells_again
check "the plot has a line for it" draws
other_budget() { BUDGET=13 status 2 bench/ablation/run 2>"$SCRATCH/said"; grep "has runs of 12 CPU seconds" "$SCRATCH/said"; }
check "runs of another budget are not mixed with those that are there" other_budget
# What is there stays whole where there is no room for more.
full() {
    cp -r "$DATA" "$SCRATCH/before"
    ln -s /dev/full "$DATA/lies.tsv.new"
    status 2 bench/ablation/one libfuzzer empty blind bytes 2 || return 1
    rm "$DATA/lies.tsv.new"
    diff -r "$SCRATCH/before" "$DATA"
}
check "rows that cannot be written take none with them" full
stops() {
    BUDGET=1000 setsid bench/ablation/one libfuzzer empty none bytes 3 >"$SCRATCH/log" 2>&1 &
    one=$!
    soon pgrep -P "$one" cpu_budget
    kill -TERM "$one" && wait "$one"
    [ $? = 130 ] && diff -r "$SCRATCH/before" "$DATA"
}
check "a signal ends a run at once, and it leaves no row" stops
check "a run that nobody has heard of is refused" status 2 bench/ablation/one libfuzzer seeds none none 1
finish
