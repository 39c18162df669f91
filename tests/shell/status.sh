#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What a campaign compared, told from outside: cells that stayed empty are named and fail
# `status --empty`. qemu-img against itself, so that no divergence ends a case.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
export INSTAR_FUZZ_PAIR=qemu INSTAR_FUZZ_OPS=info

# A case for each class of sources, but raw of an odd size.
number=0 cases=()
while IFS= read -r members; do
    number=$((number + 1))
    cases+=("$(text "$number" <<<"{$members${members:+, }\"operations\": [{\"op\": \"info\"}]}")")
done <<'members'

"writes": [{"table": "mbr", "length_bytes": 512}]
"virtual_size": 65536, "writes": [{"table": "gpt", "length_bytes": 17408}]
"format": "qcow2", "qcow2_version": 2
"format": "qcow2", "extended_l2": true, "virtual_size": 65536, "writes": [{"form": "zero", "length_bytes": 65536}]
"format": "qcow2", "compression": "zstd", "virtual_size": 65536, "writes": [{"form": "compressed", "pattern": "counter", "length_bytes": 65536}]
"format": "qcow2", "snapshots": 1
"format": "qcow2", "bitmaps": 1
"format": "qcow2", "data_file": "data_file"
"format": "qcow2", "data_file": "data_file_raw"
"format": "qcow2", "backing_1": "raw"
"format": "qcow2", "backing_1": "qcow2", "backing_2": "raw"
"format": "qcow2", "backing_1": "vpc"
"format": "qcow2", "backing_1": "vmdk"
"format": "qcow2", "backing_1": "vhdx"
"format": "vmdk"
"format": "vmdk", "backing_1": "vmdk"
"format": "vmdk", "vmdk_subformat": "streamOptimized"
"format": "vmdk", "vmdk_layout": "monolithicFlat"
"format": "vmdk", "vmdk_layout": "twoGbMaxExtentSparse"
"format": "vmdk", "vmdk_layout": "twoGbMaxExtentFlat"
"format": "vpc"
"format": "vpc", "vpc_creator": "qem2"
"format": "vpc", "vpc_fixed": true
"format": "vhdx"
"format": "vhdx", "vhdx_fixed": true
members
odd=$(text odd <<<'{"virtual_size": 513, "operations": [{"op": "info"}]}')

export INSTAR_FUZZ_OUT=$SCRATCH/campaign
replays() { "$FUZZ" replay "$@" >/dev/null; }
says() { # says WORDS COMMAND...
    local words=$1
    shift
    "$@" | grep -F -- "$words"
}
empty() { "$FUZZ" status --empty "$INSTAR_FUZZ_OUT"; }

check "the cases run" replays "${cases[@]}"
check "the cell that stayed empty is named" says 'raw odd size' empty
check "and no other" says '30 of 31 cells that can be reached were compared, 1 are empty' empty
check "an empty cell fails" status 1 empty
# The summary names the folder relative to where nobody stands later.
pasted() { cd "$SCRATCH" && line=$("$FUZZ" status campaign | grep -e ' --empty ') && cd / && eval "$line" | grep -F 'raw odd size'; }
check "the summary has the command that names it, to be pasted anywhere" pasted
check "all cells are in the columns" says 'vmdk over vmdk' "$FUZZ" status --cells "$INSTAR_FUZZ_OUT"
check "and in the JSON" says '"cells_reachable":	31' "$FUZZ" status --json "$INSTAR_FUZZ_OUT"
check "the live view counts them" says 'cells: 30 of 31' "$FUZZ" status --live "$INSTAR_FUZZ_OUT"
check "what people look for is within 80 columns" says 'comparisons' bash -c "'$FUZZ' status --live '$INSTAR_FUZZ_OUT' | cut -c 1-80"
check "one more case fills it" replays "$odd"
check "then nothing is empty" status 0 empty
mkdir -p "$SCRATCH/none/stats"
check "where nothing was run, nothing is said to be full" status 2 "$FUZZ" status --empty "$SCRATCH/none"
finish
