#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The fence as a person meets it: said at every start and in every report, loud when it is off, in no
# seed's way; and a tool that attacks from inside a campaign reaches nothing, while the run goes on.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
requires qemu-img
unset INSTAR_FUZZ_FENCE
export INSTAR_FUZZ_WORK=$SCRATCH/work INSTAR_FUZZ_PAIR=auto
mkdir "$INSTAR_FUZZ_WORK"
case=$ROOT/corpus/seeds/qcow2-v3-zero-clusters.json

says() { # STATUS WORDS COMMAND...
    local expected=$1 words=$2
    shift 2
    status "$expected" "$@" >"$SCRATCH/said" 2>&1 || { cat "$SCRATCH/said"; return 1; }
    grep -qF -- "$words" "$SCRATCH/said" || { echo "lacks '$words'"; cat "$SCRATCH/said"; return 1; }
}
"$FUZZ" doctor | grep -q '^Fence: no network, files (Landlock' || { echo "needs Landlock and seccomp"; exit 77; }

off="fence: off: files and hosts that images name can be reached"
check "doctor tells the fence" says 0 "Fence: no network, files (Landlock ABI" "$FUZZ" doctor
check "an engine tells it" says 0 "Fence: no network" "$ROOT/build/fuzz_instar" -runs=0 "$ROOT/build/seeds/raw-size-zero"
check "run tells it" says 0 "Fence: no network" "$FUZZ" run --iterations 1 --seed 1 --log-dir "$SCRATCH/log"
check "a story for programs carries it" says 0 '"fence":	"no network, files (Landlock' "$FUZZ" replay --json "$case"
check "doctor says that it is off" says 0 "WARNING: $off" env INSTAR_FUZZ_FENCE=off "$FUZZ" doctor
check "an engine says so" says 0 "WARNING: $off" \
    env INSTAR_FUZZ_FENCE=off "$ROOT/build/fuzz_instar" -runs=0 "$ROOT/build/seeds/raw-size-zero"
check "run says so" says 0 "WARNING: $off" \
    env INSTAR_FUZZ_FENCE=off "$FUZZ" run --iterations 1 --seed 1 --log-dir "$SCRATCH/log-off"
check "replay says so" says 0 "WARNING: $off" env INSTAR_FUZZ_FENCE=off "$FUZZ" replay "$case"
check "nothing else is a value" says 2 "on, off, or a comma list" env INSTAR_FUZZ_FENCE=no "$FUZZ" replay "$case"

# Everything that a seed's commands said and ended with. Times, memory and the name of the case
# directory differ between any two runs.
answers() {
    "$FUZZ" replay --json "$@" 2>/dev/null | grep -vE '"(wall_us|user_us|system_us|max_resident_kib|fence)"' |
        sed -E 's/instar-fuzz\.[0-9]+\.[A-Za-z0-9]+/instar-fuzz.X/g'
}
same_answers() {
    export INSTAR_FUZZ_CASE_MS=200000 # a busy machine's time-out is no answer
    answers "$ROOT"/corpus/seeds/*.json >"$SCRATCH/fenced"
    INSTAR_FUZZ_FENCE=off answers "$ROOT"/corpus/seeds/*.json >"$SCRATCH/plain"
    [ "$(grep -c '"stdout"' "$SCRATCH/fenced")" -gt 500 ] || { echo "too few commands"; return 1; }
    diff "$SCRATCH/plain" "$SCRATCH/fenced"
}
check "every seed's answers are the same with and without it" same_answers

attacker=$(fake attacker/instar <<A
case "\$*" in *measure*src*)
    /bin/touch $SCRATCH/written /tmp/instar-fuzz-written.$$ 2>/dev/null
    /bin/cat /etc/passwd >stolen 2>/dev/null; [ -s stolen ] && /bin/cp stolen $SCRATCH/attacker/stolen
    /usr/bin/mkfifo fifo 2>/dev/null; [ -p fifo ] && echo '{"fifo": 1}' && exit 0
    read -r line </etc/passwd && echo "{\"line\": \"\$line\"}" && exit 0
    rm -rf stolen fifo ;;
esac
exec \$STANDIN "\$@"
A
)
check "a tool that needs more than the fence gives is named" says 2 "without the fence it works" \
    env INSTAR="$attacker" "$FUZZ" replay "$case"
check "what it may have can be given" says 0 "Case" \
    env INSTAR="$attacker" INSTAR_FUZZ_FENCE="$ROOT/build" "$FUZZ" replay "$case"
check "nothing was written outside" \
    bash -c "! ls -d '$SCRATCH/written' /tmp/instar-fuzz-written.$$ '$SCRATCH/attacker/stolen' 2>/dev/null"
reaches() {
    INSTAR=$attacker INSTAR_FUZZ_FENCE=off "$FUZZ" replay "$case" >/dev/null 2>&1
    rm -f "/tmp/instar-fuzz-written.$$"
    [ -e "$SCRATCH/written" ] && [ -s "$SCRATCH/attacker/stolen" ]
}
check "without the fence it would have been" reaches
# An instar that answers otherwise where it finds its guest programs in the folder that it was told.
if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
    export INSTAR_FUZZ_FENCE=$ROOT/build # where the stand-in is
    mkdir "$SCRATCH/guest programs" && echo >"$SCRATCH/guest programs/core.bin"
    guided=$(fake guided/instar <<'A'
case "$*" in --version) echo "instar 9.8.7"; exit ;; esac
[ ! -r "${INSTAR_BIN_DIR:-/nowhere}/core.bin" ] || export STANDIN_LIE=measure-trailing-comma
exec $STANDIN "$@"
A
    )
    measure=$(text measure <<'J'
{"format": "raw", "virtual_size": 65536, "operations": [{"op": "measure", "target": "raw"}]}
J
    )
    check "without its guest programs it is honest" env INSTAR="$guided" "$FUZZ" replay "$measure"
    finds_them() { status 1 env INSTAR="$guided" INSTAR_BIN_DIR="$SCRATCH/guest programs" "$FUZZ" replay --out "$SCRATCH/told" "$measure"; }
    check "instar finds its guest programs through the fence" finds_them
    told() { cat "$SCRATCH"/told/findings/*/story.txt | grep -F "INSTAR_BIN_DIR='$SCRATCH/guest programs' "; }
    check "its command lines say where they are" told
    repeats() { env -i PATH="$PATH" sh "$SCRATCH"/told/findings/*/reproduce.sh | grep -F '"fully-allocated": 65536,'; }
    check "reproduce.sh finds them, too" repeats
else
    echo "# /dev/kvm may not be opened here: INSTAR_BIN_DIR is not tried"
fi
check "nothing is left" bash -c "[ -z \"\$(ls -A '$INSTAR_FUZZ_WORK')\" ]"
finish
