#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The benchmark measures what it says: the published cases are those that its README lists, a series
# is there for every contender, and what is not an iteration (a divergence, a wrong part) is refused.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$ROOT" || exit 2
requires qemu-img
requires taskset
unset INSTAR_FUZZ_EXEC INSTAR_FUZZ_PAIR STANDIN_LIE
BENCH=build/bench/bench CASES=build/bench/cases

listed() {
    diff <(sed -n 's/^| `\([a-z0-9-]*\)` .*/\1/p' bench/cases/README.md | sort) \
        <(find bench/cases -name '*.json' -printf '%f\n' | sed 's/\.json$//' | sort)
}
check "README lists the cases" listed
check "there are sixteen, in bytes too" bash -c "[ \"\$(find $CASES -type f | wc -l)\" = 16 ] && [ \"\$(find bench/cases -name '*.json' | wc -l)\" = 16 ]"

# part NAME PATTERN...: a short run of it, whose JSON has a series for each pattern.
part() {
    local name=$1 json=$SCRATCH/$1.json pattern
    shift
    "$BENCH" "$name" 1 "$json" "$CASES" "$ONE" || return 1
    for pattern in '"kernel"' '"fence":.*Landlock' '"cores_used"' "$@"; do
        grep -q -- "$pattern" "$json" || { echo "no $pattern"; cat "$json"; return 1; }
    done
}
ONE=
check "launcher: bare, launched, fenced" part launcher '/true/bare"' '/true/launched"' '/true/fenced"'
ONE=qcow2-2m-half-to-qcow2
check "commands: each of both tools, compare of one" part commands '"info/instar/plain"' \
    '"convert -c -O qcow2/qemu_img/plain"' '"compare/qemu_img/plain"'
ONE=qcow2-1m-sparse
check "iterations: both pairs, case by case" part iterations '"iterations/qemu/plain"' \
    '"iterations/auto/plain"' '"case/qcow2-1m-sparse-to-raw/auto/plain"' '"commands_an_iteration"'
with_script() { command -v python3 >/dev/null || return 0; grep '"iterations/auto/script"' "$SCRATCH/iterations.json"; }
check "and the script, where there is python3" with_script
check "floors: forks of both tools, an iteration without any" part floors '"fork/qemu_img"' '"fork/instar"' '"copy"'

refuses() {
    local words=$1
    shift
    status 2 "$@" >"$SCRATCH/refused" 2>&1 || { cat "$SCRATCH/refused"; return 1; }
    grep -q -- "$words" "$SCRATCH/refused" || { cat "$SCRATCH/refused"; return 1; }
}
check "a divergence is no iteration" refuses 'diverges with measure_json_parse_failure' \
    env STANDIN_LIE=measure-trailing-comma "$BENCH" iterations 1 "$SCRATCH/lie.json" "$CASES" "$ONE"
check "a part that there is not" refuses 'is none of' env PARTS=iteration bench/run
check "a pattern that no case has" refuses 'no case' "$BENCH" iterations 1 "$SCRATCH/none.json" "$CASES" nothing-like-it
check "no rounds" refuses 'expected a number' env ROUNDS=0 bench/run
finish
