#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Which honest pairs ci/pairs takes without being told: what needs a network is not among them.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
# A tree in which no other qemu-img was unpacked.
mkdir "$SCRATCH/tree" && ln -s "$ROOT/build" "$SCRATCH/tree/" && cp -r "$ROOT/ci" "$SCRATCH/tree/"
pairs() { # EXPECTED VARIABLE...
    local expected=$1 got
    shift
    got=$(env TIME=0 DATA="$SCRATCH/data" "$@" "$SCRATCH/tree/ci/pairs" | sed -n 's/: nothing yet$//p' | paste -sd' ')
    [ "$got" = "$expected" ] || { echo "got '$got'"; return 1; }
}
check "two pairs need nothing" pairs 'standin only-qemu'
check "a second qemu-img that is named is compared" pairs 'standin only-qemu versions' SECOND=/x/qemu-img
mkdir -p "$SCRATCH/tree/second-qemu-img/suite" && : >"$SCRATCH/tree/second-qemu-img/suite/qemu-img"
check "one that was unpacked, too" pairs 'standin only-qemu versions'
finish
