#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The first operations of the soak (tests/soak/backends.c), and what the program says of itself. A
# long run is started by hand: build/tests/soak_backends --from 100 --count 20000 --log FILE.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
SOAK=$ROOT/build/tests/soak_backends LOG=$SCRATCH/log

check "every back end answers as plain execution does" status 0 "$SOAK" --count 100 --log "$LOG"

pieces() {
    status 0 "$SOAK" --seed 2 --from 7 --count 3 --log "$LOG" || return 1
    grep -q '"from": 0, "operations": 100,.*"persistent": {"runs": [1-9]' "$LOG" &&
        tail -n +2 "$LOG" | grep -q '"seed": 2, "from": 7, "operations": 3,'
}
check "each piece of a run adds a line to its log" pieces

# Its interpreter would be what is warm, and what the script does to its arguments would be lost.
script=$(fake wrapper/qemu-img <<'EOS'
exec "$QEMU_IMG" "$@"
EOS
)
warm_script() {
    QEMU_IMG=$script status 2 "$SOAK" --count 1 >"$SCRATCH/out" 2>&1 || { cat "$SCRATCH/out"; return 1; }
    [ "$(grep -c '^qemu-img has no .* back end: ' "$SCRATCH/out")" = 3 ]
}
check "a script has no warm process" warm_script
check "another program is held against qemu-img's plain execution" \
    status 0 "$SOAK" --count 20 --against "$(command -v qemu-img)"
liar=$(fake liar/qemu-img <<'EOS'
case $1 in info) "$QEMU_IMG" "$@" | sed 's/qcow2/qcow3/'; exit 0 ;; esac
exec "$QEMU_IMG" "$@"
EOS
)
lies() { status 1 "$SOAK" --count 30 --against "$liar" | grep '^difference at .*, plain: '; }
check "and what it answers otherwise is told" lies
check "a word that it does not know is refused" status 2 "$SOAK" --sead 1
finish
