# SPDX-License-Identifier: Apache-2.0
#
# How an engine of ours is started, wherever it is: what a case's size and its time are bounded by, and
# what AFL++ must be told to run without a screen and beside others. Read by ci/fuzz and ci/campaign.
# shellcheck shell=bash

# Half of the time-out is a case's own budget; memory is watched by the harness. A case may cost a
# hundred times what another costs: libFuzzer shall prefer the cheap ones, as AFL++ does by itself. Our
# mutator stacks its mutations; with five mutants of mutants libFuzzer would book to the first one's parent
# what strangers found.
# shellcheck disable=SC2034 # used by those who read this file
LIBFUZZER_FLAGS=(-max_len=4096 -timeout=25 -rss_limit_mb=0 -entropic_scale_per_exec_time=1 -mutate_depth=1)
# shellcheck disable=SC2034
AFL_FLAGS=(-G 4096 -t 25000)
# Before it answers AFL++ the target tries its tools, an instrumented qemu-img among them: hence the
# two minutes. AFL++ complains of a variable that it does not know, so a newer one is named only to an
# afl-fuzz that has it.
# shellcheck disable=SC2034
AFL_ENVIRONMENT=(
    AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1
    AFL_AUTORESUME=1 AFL_FORKSRV_INIT_TMOUT=120000 AFL_FAST_CAL=1
)
# The structured mutator, and none of AFL++'s own stages (docs/ablation.md).
# shellcheck disable=SC2034
AFL_MUTATOR_ALONE=AFL_CUSTOM_MUTATOR_ONLY=1
afl_knows() { grep -qaF "$1" "$(command -v afl-fuzz)" 2>/dev/null; }

# mark_start LOG, and ended_by_finding LOG: a new signature and a crash of our own both end libFuzzer with
# 77. Has LOG, since the latest mark, the line of harness/engine/abort.c? (Without $(...), which bash 5.2 can
# lose its way by where a signal comes.)
mark_start() { echo '--- an engine starts' >>"$1"; }
ended_by_finding() { awk '/^--- an engine starts$/ {found = 0} /^Assertion failure: / {found = 1} END {exit !found}' "$1"; }
