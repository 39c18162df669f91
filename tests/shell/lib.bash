# SPDX-License-Identifier: Apache-2.0
#
# The short prelude of every shell test: a scratch folder that is removed at the end, `check` for
# one claim, `requires` for an honest skip (status 77), `fake` for a tool that misbehaves.
# shellcheck shell=bash
set -u
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034 # used by the tests
FUZZ=$ROOT/build/instar-fuzz STANDIN=$ROOT/build/standin/instar
# Misbehaving tools are scripts that call programs of the build.
export INSTAR_FUZZ_FENCE=$ROOT/build
# A self-test at each start takes seconds that only the tests of warm processes have a use for.
export INSTAR_FUZZ_EXEC=${INSTAR_FUZZ_EXEC:-plain}
: "${SCRATCH_IN:=$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)}"
SCRATCH=$(mktemp -d -p "$SCRATCH_IN" instar-fuzz-test.XXXXXX) || exit 2
trap 'chmod -R u+rwx "$SCRATCH" 2>/dev/null; rm -rf "$SCRATCH"' EXIT
passed=0 failed=0

# soon COMMAND...: it holds within minutes. What is waited for takes moments on a quiet machine; the time is
# for one that is slow, cold and busy, and costs nobody but who fails.
soon() {
    local end=$((SECONDS + 300))
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || { echo "not within 300 s: $*"; "$@"; return 1; }
        sleep 0.1
    done
}
# emptied FOLDER: soon, since where an engine was killed or aborts its launcher tidies up behind it.
is_empty() { local left; left=$(ls -A "$1") || return; [ -z "$left" ] || { echo "$left"; return 1; }; }
emptied() { soon is_empty "$1"; }

# What a test cannot try on this machine it prints as a line that begins with "# "; ci/test shows it.
requires() {
    command -v "$1" >/dev/null || { echo "needs $1"; exit 77; }
}

# check NAME COMMAND...: the command must succeed. It runs in a subshell: what it exports stays there.
check() {
    local name=$1
    shift
    if ("$@") >"$SCRATCH/check.log" 2>&1; then
        passed=$((passed + 1))
        echo "ok - $name"
    else
        failed=$((failed + 1))
        echo "not ok - $name"
        sed 's/^/    /' "$SCRATCH/check.log" | tail -n 40
    fi
}

# status EXPECTED COMMAND...: the command must end with that status.
status() {
    local expected=$1 got
    shift
    "$@"
    got=$?
    [ $got = "$expected" ] || { echo "expected status $expected, got $got"; return 1; }
}

# fake NAME <<'script': an executable shell script in the scratch folder; prints its path. $STANDIN
# and $QEMU_IMG are set in it (the tools' own environment is built from nothing).
fake() {
    local path=$SCRATCH/$1
    mkdir -p "$(dirname "$path")"
    { printf '#!/bin/sh\nSTANDIN=%s\nQEMU_IMG=%s\n' "$STANDIN" "$(command -v qemu-img)"; cat; } >"$path"
    chmod +x "$path"
    echo "$path"
}

# text NAME <<'json': a case in text form; prints its path.
text() {
    cat >"$SCRATCH/$1.json"
    echo "$SCRATCH/$1.json"
}

finish() {
    echo "$passed passed, $failed failed"
    [ $failed = 0 ] && [ $passed -gt 0 ]
    exit
}
