#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# `instar-fuzz run` in the place of instar's scripts/differential-fuzz.py: the flags, names, files,
# log lines, exit codes and issues that a workflow around the script relies on.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$ROOT" || exit 2
requires qemu-img
unset GH_TOKEN GITHUB_TOKEN

D=$SCRATCH/logs
# A run that ends soon, with the stand-in for instar.
run() { "$FUZZ" run --instar build/standin/instar --log-dir "$D" "$@"; }
# One that finds: each measure prints JSON that is none, so each signature is one of its target.
lying() { STANDIN_LIE=measure-trailing-comma run --seed 42 --ops measure "$@"; }
has() { grep -qE -- "$1" "$2" || { echo "$2 has no line like $1"; cat "$2"; return 1; }; }
lacks() { ! grep -E -- "$1" "$2"; }
# members FILE NAME...: the members of the outer object are these, in this order.
members() {
    local file=$1
    shift
    diff <(printf '%s\n' "$@") <(sed -n 's/^  "\([a-z_]*\)":.*/\1/p' "$file")
}
attributes() { sed -n '/^  "attributes"/,/^  },/p' "$1"; }
signatures() { sed -n 's/^ *"signature": "\(.*\)",$/\1/p' "$1" | sort -u; }
value() { sed -n "s/^  \"$2\": \(.*[^,]\),*\$/\1/p" "$1"; }
fresh() { rm -rf "$D" && mkdir "$D"; }

# --- the smoke run ---------------------------------------------------------------------------
smoke() {
    fresh
    status 0 run --iterations 5 --seed 42 --workdir "$SCRATCH/new/work" "$@" >"$SCRATCH/out" 2>"$SCRATCH/err" &&
        has '^PASSED: 5 iterations, 0 divergences\. Seed: 42$' "$SCRATCH/out" &&
        [ -s "$D/fuzz-42.log" ] && [ "$(value "$D/summary-42.json" iterations_completed)" = 5 ] &&
        [ -z "$(ls "$D"/divergence-* 2>/dev/null)" ] && [ -z "$(ls -A "$SCRATCH/new/work")" ]
}
check "five iterations leave log and summary, nothing in the folder for work" smoke
summary_members() {
    members "$D/summary-42.json" seed iterations iterations_completed elapsed_seconds divergences_found \
        divergence_iterations inconclusive_count inconclusive_iterations signatures interrupted
}
check "the summary begins with the script's members in its order" summary_members
check "--ops measure" smoke --ops measure
log_format() { ! grep -vE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2} (INFO    |WARNING |ERROR   ) .' "$D/fuzz-42.log"; }
check "every line of the log has the script's format" log_format
check "and is on stderr too" diff "$D/fuzz-42.log" "$SCRATCH/err"
log_lines() {
    local line
    for line in 'Differential fuzzing started' '  seed:       42' '  iterations: 5' "  instar:     /.*" \
        '  timeout:    0.6s' "  log file:   $D/fuzz-42.log" '  ops:        measure' \
        "  workdir:    $SCRATCH/new/work" '  libyal:     .*(found at|skipping).*' \
        'Iteration 1/5 \([0-9.]+ iter/s, 0 divergences, 0 inconclusive\)' \
        'Fuzzing complete: 5 iterations in [0-9.]+s \([0-9.]+ iter/s\)' 'Divergences found: 0' \
        "Summary written to $D/summary-42.json"; do
        has "INFO     $line\$" "$D/fuzz-42.log" || return 1
    done
}
check "the log has the script's lines" log_lines
timeout_flag() { fresh && status 0 run --iterations 1 --seed=1 --timeout 60 --iterations=2 --workflow-url '' && has 'timeout:    60s$' "$D/fuzz-1.log"; }
check "--timeout is for one command; --flag=VALUE works; an empty value was not given" timeout_flag
script_name() { fresh && status 0 ci/differential-fuzz.py --instar build/standin/instar --iterations 1 --seed 3 --log-dir "$D" && [ -s "$D/summary-3.json" ]; }
if command -v python3 >/dev/null; then
    check "ci/differential-fuzz.py hands its flags on" script_name
fi

# --- a divergence ----------------------------------------------------------------------------
found() {
    fresh
    status 1 lying --iterations 10 >"$SCRATCH/out" 2>"$SCRATCH/err" &&
        has "^FAILED: [0-9]+ divergence\(s\) found\. See $D for details\.\$" "$SCRATCH/err" &&
        [ ! -s "$SCRATCH/out" ] && [ -s "$D/divergence-42-000000.json" ]
}
check "a lie is found: exit 1, FAILED on stderr" found
check "the divergence file has the script's members in its order" \
    members "$D/divergence-42-000000.json" seed iteration attributes divergence timestamp
report_members() {
    local file=$D/divergence-42-000000.json
    diff <(printf '%s\n' format virtual_size pattern operations iter_seed case) \
        <(attributes "$file" | sed -n 's/^    "\([a-z_]*\)":.*/\1/p' | grep -v cluster_size) &&
        has '^    "operations": \["measure"(, "measure")*\],$' "$file" &&
        has '^    "type": "measure_json_parse_failure",$' "$file" &&
        has '^    "signature": "measure_json_parse_failure-measure-[a-z0-9]+-[a-z0-9]+-instar",$' "$file" &&
        has '^    "operation_in_chain": "measure",$' "$file" && has '^    "iteration": 0$' "$file" &&
        has '"argv": \["instar", "measure"' "$file" && has 'stand-in is not instar' "$file" &&
        has '^  "timestamp": "[-0-9]+T[:0-9]+Z"$' "$file"
}
check "and says what was run, on what, and what differs" report_members
check "the log names type and file" \
    has "WARNING  DIVERGENCE at iteration 0: measure_json_parse_failure \(report: $D/divergence-42-000000.json\)\$" "$D/fuzz-42.log"
once_each() { [ "$(cat "$D"/divergence-* | grep -c '^    "signature"')" = "$(for f in "$D"/divergence-*; do signatures "$f"; done | sort -u | wc -l)" ]; }
check "a signature is reported once" once_each
all_counted() {
    fresh
    export INSTAR_FUZZ_TARGETS=raw
    lying --iterations 20 --keep-going
    rm "$D"/*.*
    status 1 lying --iterations 20 && [ "$(value "$D/summary-42.json" divergences_found)" -gt 0 ] &&
        has 'DIVERGENCE at iteration [0-9]+: measure_json_parse_failure \(repeat of measure_json_parse_failure-' "$D/fuzz-42.log" &&
        lacks 'report:' "$D/fuzz-42.log" && [ -z "$(ls "$D"/divergence-* 2>/dev/null)" ]
}
check "what the log folder has seen is counted and still fails the run" all_counted
fail_fast() { fresh && status 1 lying --iterations 10 --fail-fast && [ "$(value "$D/summary-42.json" iterations_completed)" = 1 ] && has 'ERROR    Exiting on first divergence' "$D/fuzz-42.log"; }
check "--fail-fast ends at the first" fail_fast
check "a run of 0 iterations is none" status 0 run --iterations 0

# --- one iteration again -----------------------------------------------------------------------
same_cases() {
    fresh
    lying --iterations 10
    mv "$D" "$SCRATCH/first" && lying --iterations 10
    local name one
    one=$(ls "$SCRATCH/first"/divergence-*) && [ -n "$one" ] || return 1
    for name in "$SCRATCH/first"/divergence-*; do
        diff <(attributes "$name") <(attributes "$D/${name##*/}") || return 1
    done
}
check "the same seed makes the same cases" same_cases
as_ever() { [ "$(attributes "$SCRATCH/first/divergence-42-000000.json" | cksum)" = "1755497600 4503" ]; }
check "and those that it has always made: seeds stand in logs and issues" as_ever
again() {
    local file number before only
    for file in "$SCRATCH/first"/divergence-*; do :; done # the last: other iterations went before it
    number=$((10#${file: -11:6}))
    [ "$number" -gt 0 ] && before=$(cat "$D/summary-42.json" "$D/${file##*/}") || return 1
    status 1 lying --only "$number" --iterations 10 || return 1
    only=$D/$(basename "$file" .json)-only.json
    signatures "$only" >"$SCRATCH/again"
    diff <(attributes "$file") <(attributes "$only") &&
        grep -qxF "$(signatures "$file" | head -n 1)" "$SCRATCH/again" &&
        [ "$(value "$D/summary-42-$(printf %06d "$number").json" divergence_iterations)" = "[$number]" ] &&
        [ "$before" = "$(cat "$D/summary-42.json" "$D/${file##*/}")" ]
}
check "--only N repeats iteration N alone, whatever the folder has seen" again
keep_going() {
    fresh
    lying --iterations 1
    lacks further_divergences "$D/divergence-42-000000.json" || return 1
    fresh
    lying --iterations 1 --keep-going
    [ "$(signatures "$D/divergence-42-000000.json" | wc -l)" -gt 1 ] && has '^  "further_divergences"' "$D/divergence-42-000000.json" &&
        [ "$(value "$D/summary-42.json" divergences_found)" = 1 ]
}
check "--keep-going finds what lies behind the first divergence of a case" keep_going

# --- bad use -----------------------------------------------------------------------------------
# refuses STATUS TEXT ARGUMENT...
refuses() {
    local code=$1 words=$2
    shift 2
    fresh
    status "$code" run "$@" >/dev/null 2>"$SCRATCH/err" && has "$words" "$SCRATCH/err"
}
check "an unknown operation" refuses 1 "unknown operation 'mesure'" --ops info,mesure
check "only operations that are not built yet" refuses 1 'none of these operations is built yet' --ops dd,bench
check "no operation" refuses 1 'names no operation' --ops ,
check "an unknown flag" refuses 1 'unknown option --itertions' --itertions 5
check "a flag without its value" refuses 1 '--seed needs a value' --seed
check "a number that is none" refuses 1 '--iterations 5x: expected a number' --iterations 5x
check "a folder that cannot be made" refuses 1 'Not a directory' --workdir /dev/null/x
check "an instar that is not there" refuses 3 'cannot run' --instar "$SCRATCH/nothing"
export INSTAR_FUZZ_OPPS=1
check "a misspelt variable" refuses 2 'INSTAR_FUZZ_OPPS' --iterations 1
unset INSTAR_FUZZ_OPPS
unbuilt() {
    fresh
    status 0 run --iterations 2 --seed 5 --ops 'create,info, resize,amend,rebase,commit,map,snapshot,repair,dd,bitmap,bench,check' &&
        has 'ops:        info,check$' "$D/fuzz-5.log" &&
        [ "$(grep -c 'WARNING ' "$D/fuzz-5.log")" = 1 ] &&
        has 'WARNING  Operations that are not built yet are left out: create, resize, amend, rebase, commit, map, snapshot, repair, dd, bitmap, bench$' "$D/fuzz-5.log"
}
check "the script's operations that are not built yet: one warning, the others run" unbuilt

# --- the ends of a run -------------------------------------------------------------------------
interrupted() {
    fresh
    "$FUZZ" run --instar build/standin/instar --log-dir "$D" --iterations 1000000 --seed 9 --workdir "$SCRATCH/new/work" &
    local pid=$!
    soon grep -q 'Iteration 1/' "$D/fuzz-9.log"
    kill -INT "$pid" && wait "$pid" && has '"interrupted": true' "$D/summary-9.json" && has 'WARNING  Interrupted by signal 2' "$D/fuzz-9.log" &&
        [ -z "$(ls -A "$SCRATCH/new/work")" ]
}
check "Ctrl-C ends the run with a summary and leaves nothing behind" interrupted
duration() { fresh && status 0 run --iterations 1000000 --seed 9 --duration 1 && [ "$(value "$D/summary-9.json" iterations_completed)" -lt 1000000 ]; }
check "--duration" duration
slow=$(fake slow/instar <<'S'
case "$*" in *src*) exec /bin/sleep 5 ;; esac
exec $STANDIN "$@"
S
)
slow_qemu=$(fake slow/qemu-img <<'S'
case "$*" in *src*) exec /bin/sleep 5 ;; esac
exec $QEMU_IMG "$@"
S
)
undecided() {
    fresh
    INSTAR_FUZZ_CASE_MS=4000 QEMU_IMG=$slow_qemu status 0 run --instar "$slow" --seed 4 --iterations 2 --ops info &&
        [ "$(value "$D/summary-4.json" inconclusive_iterations)" = '[0, 1]' ] && [ "$(value "$D/summary-4.json" inconclusive_count)" = 2 ] &&
        has 'INFO     inconclusive at iteration 1: inconclusive_timeout_both$' "$D/fuzz-4.log" &&
        has 'INFO     Inconclusive iterations \(external-tool timeout, not a divergence\): 2$' "$D/fuzz-4.log"
}
check "two time-outs are inconclusive, listed, and no divergence" undecided
# One rule for who runs and who replays (and who sorts: tests/shell/triage.sh).
nothing_compared() {
    local number
    fresh
    status 0 run --seed 3 --iterations 20 --ops check || return 1
    number=$(sed -n 's/.*inconclusive at iteration \([0-9]*\): inconclusive_no_checks$/\1/p' "$D/fuzz-3.log" | head -n 1)
    [ -n "$number" ] || { echo "none without checks"; return 1; }
    [[ $(value "$D/summary-3.json" inconclusive_iterations) == *"$number"* ]] || return 1
    ! grep -q 'external-tool timeout' "$D/fuzz-3.log" &&
        has "INFO     Inconclusive iterations \\(no_checks, not a divergence\\): $(grep -c ': inconclusive_no_checks$' "$D/fuzz-3.log")\$" "$D/fuzz-3.log"
}
check "so is an iteration in which nothing was compared" nothing_compared
broken=$(fake broken/instar <<'S'
case "$*" in *src*) kill -KILL $PPID; exec /bin/sleep 5 ;; esac
exec $STANDIN "$@"
S
)
# Only without the fence does a tool find somebody to kill.
harness_error() { fresh && INSTAR_FUZZ_FENCE=off status 2 run --instar "$broken" --seed 4 --iterations 3 && has 'ERROR    Iteration 0 crashed: ' "$D/fuzz-4.log" && [ -s "$D/summary-4.json" ]; }
check "a harness error is no divergence: its own exit code, the summary is written" harness_error

# --- issues ------------------------------------------------------------------------------------
# The road itself is tests/shell/issues.sh's; here: what run says of it, and what an iteration gives.
export GH_STATE=$SCRATCH/state
if ! command -v jq >/dev/null || [ ! -x /usr/bin/python3 ]; then
    echo "# no jq or python3: issues are not tried"
    finish
fi
filing() {
    [ -n "${KEPT:-}" ] || fresh
    (
        # shellcheck disable=SC2030
        PATH=${GH_PATH-$ROOT/tests/workflows:$PATH} GH_TOKEN=secret INSTAR_FUZZ_TARGETS=raw INSTAR_FUZZ_CONFIRM=${CONFIRM:-1}
        export PATH GH_TOKEN INSTAR_FUZZ_TARGETS INSTAR_FUZZ_CONFIRM
        status "${STATUS:-1}" lying --iterations 30 --any-pair --create-issues --workflow-url https://example.invalid/run/1
    )
}
only_instar() {
    fresh
    # shellcheck disable=SC2031 # it is modified again further down
    PATH=$ROOT/tests/workflows:$PATH status 1 lying --iterations 3 --create-issues 2>&1 | grep 'that is not instar: nothing is filed' && [ ! -e "$GH_STATE/calls" ]
}
check "what was compared with the stand-in is not filed" only_instar
no_issues() { rm -rf "$GH_STATE" && mkdir "$GH_STATE"; }
held() { jq -r "$1" "$GH_STATE/issues.json"; }
one_issue() {
    no_issues
    filing || return 1
    held '.[].title | sub("Differential fuzz: "; "")' | sort >"$SCRATCH/titles"
    for name in "$D"/divergence-*; do signatures "$name"; done | sort >"$SCRATCH/signatures"
    [ "$(value "$D/summary-42.json" divergences_found)" -gt "$(wc -l <"$SCRATCH/signatures")" ] ||
        { echo "no signature was hit twice"; return 1; }
    diff "$SCRATCH/titles" "$SCRATCH/signatures" && [ "$(held 'map(.labels[0].name) | unique[]')" = security-audit ]
}
check "one issue for many hits of a signature" one_issue
check "gh has our environment" has 'token=secret$' "$GH_STATE/calls"
check "the log says which issue" has 'INFO     Issue for iteration [0-9]+: #1 created$' "$D/fuzz-42.log"
# shellcheck disable=SC2016 # the backticks are Markdown's
body() {
    local line
    held '.[].body' >"$SCRATCH/bodies"
    for line in '^## Differential fuzzing divergence$' '^\*\*Type:\*\* `measure_json_parse_failure`$' '^\*\*Seed:\*\* `42`$' \
        '^\*\*Iteration:\*\* `[0-9]+`$' '<https://example.invalid/run/1>' 'stand-in is not instar' \
        '^### Image attributes$' '"iter_seed":' '^### Divergence details$' '"signature": "measure_json_parse_failure-' \
        '^build/instar-fuzz run --instar build/standin/instar --seed 42 --only [0-9]+ --ops measure$'; do
        has "$line" "$SCRATCH/bodies" || return 1
    done
    lacks secret "$SCRATCH/bodies" && [ "$(cat "$D"/issue-*.md | wc -l)" -gt 0 ]
}
check "the body says what, where and how to repeat it" body
bounded() { [ -z "$(find "$D" -name 'issue-*' -size +58k)" ]; }
check "and is bounded" bounded
one_issue_each() { filing && diff <(held '.[].title | sub("Differential fuzz: "; "")' | sort) "$SCRATCH/titles"; }
updated() { filing && has 'INFO     Issue for iteration [0-9]+: #1 updated' "$D/fuzz-42.log" && [ "$(held length)" = "$(wc -l <"$SCRATCH/titles")" ]; }
check "an open issue is updated" updated
warned() { no_issues; filing && has "WARNING  Could not file issue for iteration [0-9]+: $1" "$D/fuzz-42.log" && ls "$D"/issue-*.md && [ ! -e "$GH_STATE/issues.json" ]; }
GH_MODE=expired check "gh fails: a warning, and nothing is created" warned 'GitHub does not take the token: it has expired'
KEPT=yes check "once gh works again, what that run found is filed" one_issue_each
mkdir "$SCRATCH/bare"
for name in qemu-img grep sed cat mkdir rm ls; do ln -s "$(command -v $name)" "$SCRATCH/bare/"; done
GH_PATH=$SCRATCH/bare check "gh is missing: a warning" warned 'gh cannot be started: No such file'
unconfirmed() { CONFIRM=0 STATUS=1 filing 2>&1 | grep 'files what repeats' && ! ls "$D"/divergence-* 2>/dev/null; }
check "nothing is filed that was not repeated" unconfirmed
finish
