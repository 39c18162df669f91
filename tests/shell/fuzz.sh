#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# How `make fuzz` ends, and what it says meanwhile (ci/fuzz): a run that did nothing, or could keep nothing,
# must not look like one that found nothing. With targets of libFuzzer that misbehave.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
for name in $(compgen -e INSTAR) INSTAR_FUZZ_OUT CAMPAIGN ENGINE JOBS SEEDS STANDIN_LIE; do
    [ "$name" = INSTAR_FUZZ_EXEC ] || unset "$name"
done
export DURATION=60

# A tree of links with a target of its own: target <<script. It has $REAL, the built one.
mkdir -p "$SCRATCH/tree/build" "$SCRATCH/tree/ci" && ln -s "$ROOT/dict" "$SCRATCH/tree/" && ln -s "$ROOT"/build/* "$SCRATCH/tree/build/"
cp "$ROOT"/ci/{fuzz,engines.bash,help.sh} "$SCRATCH/tree/ci/"
target() {
    rm -f "$SCRATCH/tree/build/fuzz_instar"
    { printf '#!/bin/bash\nREAL=%q\n' "$ROOT/build/fuzz_instar"; cat; } >"$SCRATCH/tree/build/fuzz_instar"
    chmod +x "$SCRATCH/tree/build/fuzz_instar"
}
# fuzzes STATUS WORDS FOLDER VARIABLE=VALUE...
fuzzes() {
    local expected=$1 words=$2 folder=$SCRATCH/$3
    shift 3
    env CAMPAIGN="$folder" "$@" "$SCRATCH/tree/ci/fuzz" >"$SCRATCH/said" 2>&1 </dev/null
    ended_with $? "$expected" "$words"
}
ended_with() { # STATUS EXPECTED WORDS
    if [ "$1" != "$2" ] || ! said "$3"; then echo "status $1"; tail -n 40 "$SCRATCH/said"; return 1; fi
}
said() { grep -qF -- "$1" "$SCRATCH/said"; }
not_said() { ! said "$1"; }

# --- what nothing was compared in --------------------------------------------------------------------
target <<<'exit 0'
check "a run in which nothing was compared is an error" fuzzes 2 "Nothing was compared" nothing
check "and is not told as one that found nothing" not_said "No divergence was found"
target <<<'echo "==1== ERROR: libFuzzer: deadly signal"; exit 77'
check "a crash of its own ends a campaign as an error, and not as a finding" fuzzes 2 "a crash of the fuzzer itself" own-crash
# The signal comes as soon as the target is there.
interrupted() {
    target <<<"touch '$SCRATCH/begun'; exec sleep 300"
    CAMPAIGN=$SCRATCH/interrupted "$SCRATCH/tree/ci/fuzz" >"$SCRATCH/said" 2>&1 &
    soon test -e "$SCRATCH/begun"
    kill -TERM $!
    wait $!
    ended_with $? 0 "Nothing was compared"
}
check "somebody who ends it before that is told, and it is no error" interrupted
if unshare -m true 2>/dev/null; then
    full() {
        mkdir "$SCRATCH/full"
        # shellcheck disable=SC2016 # expanded there
        unshare -m bash -c 'mount -t tmpfs -o size=64k none "$1/full" && { head -c 100k /dev/zero >"$1/full/fill"
            CAMPAIGN=$1/full/c "$1/tree/ci/fuzz"; }' - "$SCRATCH" >"$SCRATCH/said" 2>&1
        ended_with $? 2 "No space left"
    }
    check "on a full disk it does not begin" full
else
    echo "# no mount namespace here: a full disk is not tried"
fi

# --- seeds -----------------------------------------------------------------------------------------
# The last word is the folder of seeds.
target <<<"exec \"\$REAL\" -runs=0 \"\${@: -1}\""
mkdir "$SCRATCH/texts" "$SCRATCH/wrong"
cp "$ROOT/corpus/seeds/raw-size-zero.json" "$SCRATCH/texts/"
cp "$ROOT/build/seeds/vhdx-"* "$SCRATCH/texts/"
echo '{"virtual_size": "large"}' >"$SCRATCH/wrong/odd.json"
check "seeds in text form are assembled" fuzzes 0 "No divergence was found" assembled SEEDS="$SCRATCH/texts"
assembled() {
    diff <(cd "$SCRATCH/assembled/seeds" && sha256sum -- *) <(cd "$ROOT/build/seeds" && sha256sum raw-size-zero vhdx-*)
}
check "beside those that are bytes" assembled
check "one that is no case is told" fuzzes 2 "virtual_size" wrong-seeds SEEDS="$SCRATCH/wrong"

# --- a folder that was used before --------------------------------------------------------------------
mkdir -p "$SCRATCH/again/harness-errors" "$SCRATCH/again/log"
echo 'the tool was replaced' >"$SCRATCH/again/harness-errors/case-1.txt"
echo 'job 1 ended with 9' >"$SCRATCH/again/log/failed"
check "an error of an earlier run does not end this one" fuzzes 0 "No divergence was found" again SEEDS="$SCRATCH/texts"
check "nothing is said of going on where nothing was counted" not_said "An earlier run is gone on with"
check "a second run in a folder is said to be one" fuzzes 0 "An earlier run is gone on with" again SEEDS="$SCRATCH/texts"
target <<<'exit 0'
check "and what the first compared does not count for it" fuzzes 2 "Nothing was compared" again

# --- on a terminal -----------------------------------------------------------------------------------
# The numbers are drawn over the last ones, never over what stands above them.
if command -v script >/dev/null; then
    target <<<"sleep 5; \"\$REAL\" -runs=0 \"\${@: -1}\"; sleep 5"
    on_a_terminal() {
        TERM=xterm CAMPAIGN=$SCRATCH/terminal SEEDS=$SCRATCH/texts script -qec "$SCRATCH/tree/ci/fuzz" /dev/null >"$SCRATCH/said" 2>&1 </dev/null
        if ! awk '{drawn = sub(/cases \(.*/, "")} /\033\[[0-9]*A/ {over = 1} drawn {exit} END {exit over}' "$SCRATCH/said" || ! said "No divergence was found"; then
            cat -v "$SCRATCH/said"
            return 1
        fi
    }
    check "what stands above the numbers stays" on_a_terminal
fi
finish
