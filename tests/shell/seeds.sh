#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Some lies hang on cells that the mutator meets once in two thousand mutants. For these there are
# seeds; here each shows its lie, and the seeds of a cross-check are among the cases that are asked.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
export INSTAR_FUZZ_PAIR=standin

# shows LIE TYPE SEED
shows() {
    local out
    out=$(STANDIN_LIE=$1 status 1 "$FUZZ" replay "$ROOT/corpus/seeds/$3.json") || { echo "$out"; return 1; }
    grep "^  $2-" <<<"$out" || { echo "$out"; return 1; }
}
for seed in vpc-dynamic-block-beyond-the-end-small-target-units vpc-dynamic-geometry-ends-in-a-block-measure-every-target; do
    check "$seed shows who counts the last block as a whole" shows last-unit-counted-whole measure_below_required_bound $seed
done
check "a seed shows who forgets an option" shows extended-l2-forgotten output_kind_divergence raw-measure-convert-qcow2-extended-l2
zeros=(qcow2-v3-zeros-stored-measure-qcow2 qcow2-v3-4k-clusters-zeros-stored-beside-data qcow2-v3-extended-l2-zeros-stored)
for seed in "${zeros[@]}"; do
    check "$seed shows who looks into clusters" shows map-reads-zeros map_measure_divergence "$seed"
done

# A replay asks every cross-check, an engine a share of the cases.
asked() {
    local seed
    mkdir "$SCRATCH/zeros" || return 1
    for seed in "${zeros[@]}"; do cp "$ROOT/build/seeds/$seed" "$SCRATCH/zeros" || return 1; done
    STANDIN_LIE=map-reads-zeros INSTAR_FUZZ_OUT=$SCRATCH/out status 77 \
        "$ROOT/build/fuzz_instar" -runs=0 -artifact_prefix="$SCRATCH/" "$SCRATCH/zeros" 2>&1 | tail -n 5
    compgen -G "$SCRATCH/out/findings/map_measure_divergence-*"
}
check "an engine asks one of them for its map" asked
finish
