#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The story of a finding is there to be repeated by hand: every command line that it prints works in
# the folder that it names, whatever folders are called and wherever one stands; and it says first
# what it says last.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
export INSTAR_FUZZ_PAIR=standin

# README's own example, and a case that shows two divergences in steps that are not the last.
seed=$ROOT/corpus/seeds/qcow2-v3-zero-clusters.json
two=$(text two <<'J'
{"format": "qcow2", "virtual_size": 1048576, "cluster_bits": 12,
 "writes": [{"offset_bytes": 0, "length_bytes": 5000}, {"offset_bytes": 98304, "length_bytes": 131072, "form": "zero"}],
 "operations": [{"op": "measure", "target": "qcow2"}, {"op": "convert", "target": "vpc"},
                {"op": "measure", "target": "vmdk"}, {"op": "convert", "target": "qcow2", "input": "a_output"},
                {"op": "info", "input": "a_output"}]}
J
)
out=$SCRATCH/"it's out"
mkdir "$SCRATCH/elsewhere"

# From a relative folder, so that a path which is not absolute would be seen.
replays() { # STATUS LIE CASE
    cd "$SCRATCH" && rm -rf "$out" && STANDIN_LIE=$2 status "$1" "$FUZZ" replay --out "it's out" "$3" >"$SCRATCH/story"
}
# pastes FIRST STORY: a fresh shell elsewhere, the line FIRST, then every line of the story.
pastes() {
    { echo "$1"; sed -n 's/^    \$ //p' "$2"; } >"$SCRATCH/lines"
    [ "$(wc -l <"$SCRATCH/lines")" -gt 8 ] || { cat "$2"; return 1; }
    (cd "$SCRATCH/elsewhere" && env -i PATH="$PATH" sh -v <"$SCRATCH/lines") >"$SCRATCH/said" 2>&1
    # A copy that must be refused is.
    ! grep -v "Could not open 'c[.]damage" "$SCRATCH/said" | grep -iE 'no such file|not found|could not|cannot|failed to' ||
        { cat "$SCRATCH/said"; return 1; }
    [ -z "$(find "$SCRATCH/elsewhere" -mindepth 1)" ]
}
first_lines() { sed -n 's/^To paste the commands above: //p' "$SCRATCH/story"; }
# What a line writes must not have to be there already.
every_line() { # STATUS-LIE-CASE as for replays, then how many findings
    local first count=0
    replays 1 "$1" "$2" || return 1
    while IFS= read -r first; do
        count=$((count + 1))
        pastes "$first" "$SCRATCH/story" && pastes "$first && rm [ab].*" "$SCRATCH/story" || return 1
    done < <(first_lines)
    [ "$count" = "$3" ] || { cat "$SCRATCH/story"; return 1; }
}
check "every line of README's story can be pasted" every_line qcow2-zero-clusters-allocated "$seed" 1
reproducers() { (cd "$SCRATCH/elsewhere" && sed -n 's/^Reproducer: //p' "$SCRATCH/story" | env -i PATH="$PATH" sh) | grep -x '=== what was found'; }
check "and its reproducer" reproducers
check "so can every line of a case with two findings, in the folder of either" \
    every_line qcow2-zero-clusters-allocated,wrong-byte-near-end "$two" 2
kept() { # a report is taken elsewhere
    local story first
    mkdir "$SCRATCH/taken" && cp -r "$out/findings/." "$SCRATCH/taken" && rm -rf "$SCRATCH"/taken/*/images "$out" || return 1
    for story in "$SCRATCH"/taken/*/story.txt; do
        first=$(sed -n 's/^To paste the commands, begin in the folder of this file: //p' "$story")
        [ "$first" ] && pastes "cd '${story%/*}' && $first && rm [ab].*" "$story" || return 1
    done
}
check "and those of the reports, after they were moved" kept
first_and_last() { # WORDS LIE CASE
    STANDIN_LIE=$2 "$FUZZ" replay "$3" >"$SCRATCH/story"
    [ "$(sed -n 2p "$SCRATCH/story")" = "$(grep '^Verdict: ' "$SCRATCH/story" | tail -n 1)" ] &&
        sed -n 2p "$SCRATCH/story" | grep "^Verdict: $1" && [ "$(grep -c '^Verdict: ' "$SCRATCH/story")" = 2 ]
}
check "the verdict is the first line, too" first_and_last '2 divergences$' qcow2-zero-clusters-allocated,wrong-byte-near-end "$two"
check "also where there is none" first_and_last 'no divergence ' '' "$seed"
check "and where nothing was asked" first_and_last 'inconclusive (nothing_asked)' '' /dev/null
finish
