#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What an engine is started with (ci/engines.bash): its time-outs follow the budget of a case, what the
# caller has set for AFL++ is left alone; and what a replay of its findings must be told.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
for name in $(compgen -e AFL_) INSTAR_FUZZ_CASE_MS; do unset "$name"; done
# flags VARIABLE=VALUE...: all three lists on one line.
# shellcheck disable=SC2016 # expanded there
flags() {
    env "$@" bash -uc ". '$ROOT/ci/engines.bash'; engine_flags"'; echo " ${LIBFUZZER_FLAGS[*]} ${AFL_FLAGS[*]} ${AFL_ENVIRONMENT[*]} "'
}
has() { # has WORD VARIABLE=VALUE...
    local word=$1
    shift
    flags "$@" | grep -F -e " $word " || { flags "$@"; return 1; }
}
check "libFuzzer's time-out is twice the budget and a second" has -timeout=25
check "so is AFL++'s" has '-t 25000'
check "AFL++ waits ten cases for the first answer" has AFL_FORKSRV_INIT_TMOUT=120000
check "a slow instar is given more by libFuzzer" has -timeout=121 INSTAR_FUZZ_CASE_MS=60000
check "a part of a second is a whole one there" has -timeout=4 INSTAR_FUZZ_CASE_MS=1001
check "by AFL++" has '-t 121000' INSTAR_FUZZ_CASE_MS=60000
check "and before its first answer" has AFL_FORKSRV_INIT_TMOUT=600000 INSTAR_FUZZ_CASE_MS=60000
check "a number with zeros before it is decimal" has '-t 25000' INSTAR_FUZZ_CASE_MS=012000
leaves() { ! has "AFL_FORKSRV_INIT_TMOUT=120000" AFL_FORKSRV_INIT_TMOUT=300000; }
check "the caller's own AFL_* wins" leaves

# Every variable of README's table is either told to a replay or changes nothing of what a case shows.
told() { bash -uc ". '$ROOT/ci/engines.bash'"'; printf "%s\n" "${REPLAY_VARIABLES[@]}"'; }
# shellcheck disable=SC2016 # the backquote is the table's
each_is_known() {
    diff <({ told; printf '%s\n' QEMU_IMG_COV INSTAR_FUZZ_{EXEC,GUIDE,SEEN,CONFIRM,WORK,OUT}; } | sort) \
        <("$FUZZ" encoding --variables | sed -n 's/^| `\([A-Z_]*\)`.*/\1/p' | sort)
}
check "each variable is told to a replay, or changes nothing there" each_is_known
kept() {
    local name
    eval "$(sed -n '/^variables()/p' "$ROOT/ci/campaign")"
    for name in $(told); do declare -x "$name=x"; done
    diff <(told | sort) <(variables | grep -xF "$(told)" | sort)
}
check "each of them is kept by a campaign" kept
quoted() { [ "$(env -u INSTAR_FUZZ_FENCE INSTAR_BIN_DIR='/a b' INSTAR_FUZZ_OPS=info bash -uc ". '$ROOT/ci/engines.bash'; replay_given")" = 'INSTAR_BIN_DIR=/a\ b INSTAR_FUZZ_OPS=info ' ]; }
check "as a shell reads it" quoted
finish
