#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The memory of self-tests (harness/tool/self_test.h): a campaign's next process takes a back end as tested
# before, and tests again where something has changed, where the memory is damaged, or once a back end failed.
# The tool counts its commands. What belongs to the key is held by tests/unit/tool_self_test.c.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
unset INSTAR_FUZZ_EXEC
for kind in counted sly late-deadly; do
    mkdir -p "$SCRATCH/$kind"
    cp "$ROOT/build/tests/forgetful" "$SCRATCH/$kind/qemu-img"
    ln -s "$(command -v qemu-img)" "$SCRATCH/$kind/real"
done
# It writes beside itself.
export INSTAR_FUZZ_FENCE=off INSTAR_FUZZ_PAIR=only-qemu QEMU_IMG=$SCRATCH/counted/qemu-img
OUT=$SCRATCH/out MEMORY=$SCRATCH/out/self-tests

# start WORDS [PROGRAM...]: a start of a campaign's process says this of how the tool runs; COMMANDS is how
# many commands that took.
start() {
    local words=$1
    shift
    [ $# -gt 0 ] || set -- "$FUZZ" run --iterations 0 --log-dir "$SCRATCH/log"
    rm -f "$SCRATCH/counted/commands"
    INSTAR_FUZZ_OUT=$OUT "$@" >"$SCRATCH/said" 2>&1 || { tail -n 3 "$SCRATCH/said"; return 1; }
    COMMANDS=$(stat -c %s "$SCRATCH/counted/commands")
    echo "$COMMANDS commands"
    grep -q "(.*qemu_img: $words)" "$SCRATCH/said" || { head -n 5 "$SCRATCH/said"; return 1; }
}
INSTAR_FUZZ_EXEC=plain start plain || exit 2
PROBE=$COMMANDS
# The probe, and one command by plain execution and twice as it is to run.
recalls() { start "persistent, as tested before" && [ "$COMMANDS" = $((PROBE + 3)) ]; }
tests() { start "${1:-persistent}" && [ "$COMMANDS" -gt $((PROBE + 500)) ]; }
# holds NUMBER FOLDER PATTERN: so many files of that name.
holds() { ls "$2" && [ "$(find "$2" -type f -name "$3" | wc -l)" = "$1" ]; }

check "without a memory a tool is tested" tests
check "what passed is remembered in the campaign's folder" holds 1 "$MEMORY" "*.persistent"
check "the next process takes it as tested before" recalls
# One file for plain execution, too.
check "and a report says the same of how it runs" holds 2 "$OUT/compared" "*.json"
anew() {
    rm -f "$SCRATCH/counted/commands"
    INSTAR_FUZZ_OUT=$OUT "$FUZZ" doctor | grep '^  runs *persistent: .* commands answered' &&
        [ "$(stat -c %s "$SCRATCH/counted/commands")" -gt $((PROBE + 500)) ]
}
check "doctor tests anew" anew

damaged() {
    local file
    file=$(echo "$MEMORY"/*)
    printf x | dd of="$file" bs=1 seek=7 conv=notrunc status=none && tests && recalls
}
check "a damaged memory is none, and is written again" damaged
# libFuzzer's process is started again and again; its own program is another one than run's.
engine() {
    local target=("$ROOT/build/fuzz_instar" -runs=0 "$SCRATCH/seed")
    mkdir -p "$SCRATCH/seed" && cp "$(find "$ROOT/build/seeds" -type f | sort | head -n 1)" "$SCRATCH/seed/"
    start persistent "${target[@]}" && start 'persistent, as tested before' "${target[@]}"
}
check "an engine takes it as tested before, too" engine
another() { start 'options' env INSTAR_FUZZ_EXEC=warm "$FUZZ" run --iterations 0 --log-dir "$SCRATCH/log" && recalls; }
check "each back end is remembered for itself" another

# The tool's file is the same, and what it does is not: the one command shows it.
spoilt() { : >"$SCRATCH/counted/spoilt" && tests options && holds 0 "$MEMORY" "*.persistent"; }
check "one that fails when it is taken up again is tested anew, and forgotten" spoilt
rm -f "$SCRATCH/counted/spoilt"

nowhere() {
    rm -rf "$MEMORY" && : >"$MEMORY" && tests && [ ! -s "$MEMORY" ] && ! grep -i 'self-tests' "$SCRATCH/said"
}
check "where it cannot be written nothing is remembered, without a word" nowhere

# later KIND STATUS WORDS ITERATIONS: the tool passes, is remembered, fails in a case (with this seed), is forgotten.
later() {
    local run=("$FUZZ" run --iterations "$4" --seed 6 --log-dir "$SCRATCH/log.$1")
    export QEMU_IMG=$SCRATCH/$1/qemu-img INSTAR_FUZZ_OPS=info INSTAR_FUZZ_OUT=$SCRATCH/out.$1
    "$FUZZ" run --iterations 0 --log-dir "$SCRATCH/log.$1" && holds 1 "$INSTAR_FUZZ_OUT/self-tests" "*.persistent" || return 1
    status "$2" "${run[@]}" >"$SCRATCH/later" 2>&1 || { tail -n 3 "$SCRATCH/later"; return 1; }
    grep -q 'persistent, as tested before' "$SCRATCH/later" && grep "$3" "$SCRATCH/later" && holds 0 "$INSTAR_FUZZ_OUT/self-tests" "*"
}
check "one that answers otherwise in a campaign is forgotten" \
    later sly 2 'does not answer persistent as by plain execution' 600
check "so is one whose process is lost" later late-deadly 0 . 2
finish
