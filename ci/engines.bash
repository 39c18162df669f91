# SPDX-License-Identifier: Apache-2.0
#
# How an engine of ours is started, wherever it is: what a case's size and its time are bounded by, and
# what AFL++ must be told to run without a screen and beside others. Read by ci/fuzz and ci/campaign.
# shellcheck shell=bash

# engine_flags: sets LIBFUZZER_FLAGS, AFL_FLAGS and AFL_ENVIRONMENT by the variables that are in force, to
# be called once `instar-fuzz doctor` took them.
#
# A case's own budget is half of the time-out, less a second; memory is watched by the harness. A case may
# cost a hundred times what another costs: libFuzzer shall prefer the cheap ones, as AFL++ does by itself.
# Our mutator stacks its mutations; with five mutants of mutants libFuzzer would book to the first one's
# parent what strangers found.
# Before it answers AFL++ the target tries its tools, an instrumented qemu-img among them: hence the time of
# ten cases (two minutes). AFL++ complains of a variable that it does not know, so a newer one is named only
# to an afl-fuzz that has it. What the caller has set himself stays as it is.
# shellcheck disable=SC2034 # used by those who read this file
engine_flags() {
    local case_ms=$((10#${INSTAR_FUZZ_CASE_MS:-12000})) item name
    local timeout_ms=$((2 * case_ms + 1000))
    LIBFUZZER_FLAGS=(-max_len=4096 "-timeout=$(((timeout_ms + 999) / 1000))" -rss_limit_mb=0
        -entropic_scale_per_exec_time=1 -mutate_depth=1)
    AFL_FLAGS=(-G 4096 -t "$timeout_ms")
    AFL_ENVIRONMENT=()
    for item in AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 \
        AFL_AUTORESUME=1 "AFL_FORKSRV_INIT_TMOUT=$((10 * case_ms))" AFL_FAST_CAL=1; do
        name=${item%%=*}
        [ -n "${!name+set}" ] || AFL_ENVIRONMENT+=("$item")
    done
}
# The structured mutator, and none of AFL++'s own stages (docs/ablation.md).
# shellcheck disable=SC2034
AFL_MUTATOR_ALONE=AFL_CUSTOM_MUTATOR_ONLY=1
afl_knows() { grep -qaF "$1" "$(command -v afl-fuzz)" 2>/dev/null; }

# seeds_as_bytes FROM TO: the cases of a folder as engines read them; text forms (*.json) are assembled.
seeds_as_bytes() {
    local text
    mkdir -p "$2" && find "$1/" -maxdepth 1 -type f ! -name '*.json' -exec cp -t "$2" {} + || return
    for text in "$1"/*.json; do
        [ ! -e "$text" ] || build/instar-fuzz assemble "$text" "$2/$(basename "$text" .json)" || return
    done
}
has_cases() { [ -n "$(find "$1/" -maxdepth 1 -type f 2>/dev/null | head -n 1)" ]; }

# replay_given: what a campaign compared, a replay must compare too; the variables that decide it, as far as
# they are set, for in front of a command. Of the others of README's table none changes what a case shows.
REPLAY_VARIABLES=(INSTAR INSTAR_BIN_DIR QEMU_IMG STANDIN_LIE INSTAR_FUZZ_PAIR INSTAR_FUZZ_OPS INSTAR_FUZZ_TARGETS
    INSTAR_FUZZ_STRICT INSTAR_FUZZ_KNOWN INSTAR_FUZZ_CASE_MS INSTAR_FUZZ_FENCE)
replay_given() {
    local name
    for name in "${REPLAY_VARIABLES[@]}"; do [ -z "${!name:-}" ] || printf '%s=%q ' "$name" "${!name}"; done
}

# mark_start LOG, and ended_by_finding LOG: a new signature and a crash of our own both end libFuzzer with
# 77. Has LOG, since the latest mark, the line of harness/engine/abort.c? (Without $(...), which bash 5.2 can
# lose its way by where a signal comes.)
mark_start() { echo '--- an engine starts' >>"$1"; }
ended_by_finding() { awk '/^--- an engine starts$/ {found = 0} /^Assertion failure: / {found = 1} END {exit !found}' "$1"; }
