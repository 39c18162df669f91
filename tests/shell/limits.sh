#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A tool that takes too much, in the middle of a run: the command is ended and told in words, the
# verdict is inconclusive and never a divergence, and the next case is judged as if nothing had been.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.bash"
requires qemu-img
export INSTAR_FUZZ_WORK=$SCRATCH/work INSTAR_FUZZ_PAIR=auto INSTAR_FUZZ_CASE_MS=60000
mkdir "$INSTAR_FUZZ_WORK"

measure=$(text measure <<'J'
{"format": "qcow2", "virtual_size": 1048576, "operations": [{"op": "measure", "target": "qcow2"}]}
J
)
info=$(text info <<'J'
{"format": "qcow2", "virtual_size": 1048576, "operations": [{"op": "info"}]}
J
)
nap=$((20000000 + $$)) # a number that no other test sleeps for

# shellcheck disable=SC2016 # what is in single quotes is for the fakes
# misbehaves NAME: an instar that does what stdin says where it is asked to measure a source.
misbehaves() {
    { printf 'case "$*" in *measure*src*)\n'; cat; printf ';; esac\nexec $STANDIN "$@"\n'; } | fake "$1/instar"
}
# limited TOOL WORDS: measure is inconclusive, WORDS say why, the info behind it is judged.
limited() {
    local out status
    out=$(INSTAR=$1 "$FUZZ" replay "$measure" "$info" 2>&1)
    status=$?
    if [ "$status" != 0 ] || [[ $out != *"$2"* || $out != *limit_instar* ]] ||
        ! grep -q "no divergence (" <<<"${out##*"$info"}"; then
        echo "status $status"
        echo "$out"
        return 1
    fi
    ! pgrep -f "sleep $nap" || { echo "lives on"; return 1; }
}
tool=$(misbehaves bomb <<S
    n=0; while [ \$n -lt 400 ]; do /bin/sleep $nap & n=\$((n + 1)); done; wait
S
)
check "a tool that starts hundreds of processes" limited "$tool" "ended at more than 256 processes"
tool=$(misbehaves strangers <<S
    n=0; while [ \$n -lt 400 ]; do /usr/bin/setsid /bin/sleep $nap & n=\$((n + 1)); done; wait
S
)
check "a tool whose processes leave it" limited "$tool" "ended at more than 256 processes"
tool=$(misbehaves glutton <<'S'
    exec /usr/bin/tail /dev/zero
S
)
check "a tool that takes all memory" limited "$tool" "killed for more than 1024 MiB of memory"
tool=$(misbehaves stubborn <<S
    trap '' TERM; while :; do /bin/sleep $nap & wait; done
S
)
stubborn_is_a_hang() {
    local out
    out=$(INSTAR_FUZZ_CASE_MS=8000 INSTAR=$tool "$FUZZ" replay "$measure" 2>&1)
    [ $? = 1 ] && [[ $out == *"killed after "* && $out == *tool_hang* ]] && ! pgrep -f "sleep $nap" && return 0
    echo "$out"
    return 1
}
check "a tool that does not heed SIGTERM hangs, and is ended" stubborn_is_a_hang

# One file is bounded by RLIMIT_FSIZE, all of them by what is counted, and by the file system.
# shellcheck disable=SC2016
fills='n=0; while /bin/head -c 1048576 /dev/zero >fill$n; do n=$((n + 1)); done; echo "no space left on device" >&2; exit 1'
tool=$(misbehaves fills <<<"    $fills")
if mkdir "$SCRATCH/small" && mount -t tmpfs -o size=8m none "$SCRATCH/small" 2>/dev/null; then
    INSTAR_FUZZ_WORK=$SCRATCH/small check "a tool that fills the disk" limited "$tool" "no space left on device"
    check "leaves it empty" emptied "$SCRATCH/small"
    soon umount "$SCRATCH/small"
else
    echo "# no mount here: a full disk is not tried"
fi
free=$(df --output=avail -k "$SCRATCH" | tail -n 1)
if [ "$free" -gt 4194304 ]; then
    check "a tool that writes without end where there is space" limited "$tool" "killed for more than 2048 MiB of files"
else
    echo "# less than 4 GiB here: writing without end is not tried"
fi

goes_on() {
    INSTAR=$SCRATCH/bomb/instar "$FUZZ" run --iterations 6 --seed 3 --log-dir "$SCRATCH/log" >"$SCRATCH/run.txt" 2>&1 ||
        { cat "$SCRATCH/run.txt"; return 1; }
    grep -qE '\b6 (cases|iterations)' "$SCRATCH/run.txt"
}
check "a campaign goes on and finds nothing" goes_on
check "nothing is left in the work folder" emptied "$INSTAR_FUZZ_WORK"
finish
