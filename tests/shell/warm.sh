#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Which back end a tool gets, that a campaign is the same by each, and that a tool which is not the
# same by all of them is found out: at the start, or later.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
unset INSTAR_FUZZ_EXEC

# Everything that a campaign counts, but for times; with deadlines that a busy machine does not meet. counts EXEC TOOLS: and how its tools ran.
counts() {
    INSTAR_FUZZ_CASE_MS=600000 INSTAR_FUZZ_EXEC=$1 INSTAR_FUZZ_OUT=$SCRATCH/out.$1 status 0 "$FUZZ" run --iterations 60 --seed 7 \
        --log-dir "$SCRATCH/log.$1" >"$SCRATCH/said.$1" 2>&1 || return 1
    grep -q "($2)" "$SCRATCH/said.$1" || { head -n 5 "$SCRATCH/said.$1"; return 1; }
    "$FUZZ" status --json "$SCRATCH/out.$1" | grep -v '"started"\|"updated"\|"running"\|"both_ways"' >"$SCRATCH/counts.$1"
    [ -s "$SCRATCH/counts.$1" ] && diff "$SCRATCH/counts.plain" "$SCRATCH/counts.$1"
}
check "plain is plain" counts plain "instar: plain; qemu_img: plain"
check "warm goes as far as forks, and a campaign counts the same" counts warm "instar: linked; qemu_img: options"
check "qemu-img is persistent, the stand-in is not, and a campaign counts the same" \
    counts auto "instar: linked; qemu_img: persistent"

for kind in forgetful sly deadly slow; do
    mkdir -p "$SCRATCH/$kind"
    cp "$ROOT/build/tests/forgetful" "$SCRATCH/$kind/qemu-img"
    ln -s "$(command -v qemu-img)" "$SCRATCH/$kind/real"
done
export INSTAR_FUZZ_FENCE=$ROOT/build,$SCRATCH,/usr/bin

# told KIND WORDS: doctor says this of how such a qemu-img runs.
told() {
    QEMU_IMG=$SCRATCH/$1/qemu-img "$FUZZ" doctor >"$SCRATCH/doctor"
    grep "^  runs *$2 (qemu-img " "$SCRATCH/doctor" || { cat "$SCRATCH/doctor"; return 1; }
}
check "a tool that is right only once in a process is forked for each command" \
    told forgetful "options: .*; not faster: its stderr is otherwise ('.*', not '.*')"
check "and so is one that has no answer from the second command on" \
    told deadly 'options: .*; not faster: it ends otherwise: lost with its warm process instead of exit 0'
check "one that hangs by itself stays plain, and costs one deadline" \
    told slow 'plain: it takes longer than .* by plain execution'

# One case in 500 runs both ways; with this seed one of these does.
found_out_later() {
    QEMU_IMG=$SCRATCH/sly/qemu-img INSTAR_FUZZ_OPS=info status 2 "$FUZZ" run --iterations "$LATER" --seed "$LATER_SEED" \
        --log-dir "$SCRATCH/log.sly" >"$SCRATCH/sly.out" 2>&1 || { tail -n 3 "$SCRATCH/sly.out"; return 1; }
    grep 'qemu-img does not answer persistent as by plain execution: its stderr is otherwise' "$SCRATCH/sly.out"
}
LATER=600 LATER_SEED=6
check "one that passes the self-test ends the campaign where it is run both ways" found_out_later
finish
