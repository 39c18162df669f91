#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What a person is told of a case that he wrote: members that change nothing have a note on stderr
# from every command that reads text, and none has where nothing is wrong.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
export INSTAR_FUZZ_PAIR=standin
cd "$SCRATCH" || exit 2

idle=$(text idle <<'J'
{"format": "raw", "virtual_size": 65536, "backing_1": "qcow2", "writes": [{"length_bytes": 512, "layer": 3}],
 "operations": [{"op": "convert", "target": "raw", "cluster_bits": 12}]}
J
)
# notes STATUS COMMAND...: ends with that status, and says on stderr what has no effect, each once.
notes() {
    status "$1" "$FUZZ" "${@:2}" >out 2>err || return 1
    grep NOTE: err | sed 's/ has no effect here: .*//' | diff - <(printf "NOTE: $idle: %s\n" backing_1 'writes[0].layer' 'operations[0].cluster_bits')
}
check "show notes what has no effect" notes 0 show "$idle"
says_why() { grep 'backing_1 has no effect here: Format of the file below the source. qcow2 can have any' err; }
notes 0 show "$idle" >/dev/null
check "and what it would be for" says_why
check "what it prints is the case alone" bash -c '! grep -q NOTE out'
check "so does assemble" notes 0 assemble "$idle" idle.bin
check "so does replay" notes 0 replay "$idle"
minimizes() { STANDIN_LIE=wrong-byte-near-end notes 0 minimize --out small "$idle"; }
check "so does minimize" minimizes
quiet() { status 0 "$FUZZ" show "$@" >out 2>err || return 1; head err; [ ! -s err ]; }
check "bytes have no notes" quiet idle.bin
check "nor has any seed" quiet "$ROOT"/corpus/seeds/*.json
check "nor any case of a joint lie" quiet "$ROOT"/tests/joint/*.json
misspelt=$(text misspelt <<'J'
{"format": "raw", "virtul_size": 65536}
J
)
comma=$(text comma <<'J'
{"format": "raw"
 "virtual_size": 65536}
J
)
refused() { # WORDS COMMAND...
    status 2 "$FUZZ" "${@:2}" 2>err || return 1
    grep -F -- "$1" err || { cat err; return 1; }
}
check "a misspelt member is told the right name" refused "$misspelt: virtul_size: there is no such member; is virtual_size meant?" show "$misspelt"
check "a forgotten comma is told where it was forgotten" refused "$comma: line 1, column 17: not valid JSON: ',' or '}' is expected here" replay "$comma"
finish
