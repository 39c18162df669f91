#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Planted bugs that need several things at once (standin/losses.h): a case that has all of them is
# reported under the type that the lie declares, and the same case with one thing less shows nothing.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
unset INSTAR INSTAR_FUZZ_STRICT
export INSTAR_FUZZ_PAIR=standin

shows() { # LIE CASE
    local finding
    finding=$("$STANDIN" lies | sed -n "s/^$1 .*\[\(.*\)\]\$/\1/p")
    STANDIN_LIE=$1 status 1 "$FUZZ" replay "$2" >"$SCRATCH/story" || { cat "$SCRATCH/story"; return 1; }
    grep "^  $finding-" "$SCRATCH/story" || { cat "$SCRATCH/story"; return 1; }
}
silent() { # LIE CASE
    STANDIN_LIE=$1 status 0 "$FUZZ" replay "$2"
}
# joint LIE WITHOUT...: WITHOUT is a sed script that takes one thing from the lie's case.
joint() {
    local lie=$1 without
    echo "$lie" >>"$SCRATCH/tried"
    local case=$ROOT/tests/joint/$lie.json
    shift
    check "$lie" shows "$lie" "$case"
    for without; do
        sed "$without" "$case" >"$SCRATCH/without.json"
        check "... and nothing after $without" silent "$lie" "$SCRATCH/without.json"
    done
}
joint subclusters-past-backing s/sector_shorter/same/ 's/"extended_l2": true, //' 's/, {"offset_bytes": 67043328, "length_bytes": 2048}//'
joint middle-zeros-forgotten 's/"backing_2": "raw", //' 's/, "form": "zero"//' 's/"offset_bytes": 65536/"offset_bytes": 131072/'
joint zstd-below-other-clusters s/zstd/zlib/ 's/"backing_cluster_bits": 15, //' 's/"form": "compressed", //'
joint short-snapshot-compressed s/shorter/longer/ 's/, "snapshot": 1//' 's/"form": "compressed", //'
joint grain-tables-straddled s/streamOptimized/monolithicSparse/ 's/"length_bytes": 8192/"length_bytes": 4096/' s/2093056/2088960/
joint extents-straddled 's/twoGbMaxExtentSparse/single/' 's/twoGbMaxExtentSparse/twoGbMaxExtentFlat/'
joint extents-in-chunks 's/"vmdk_sector_extents": true, //' s/twoGbMaxExtentFlat/twoGbMaxExtentSparse/
joint type-behind-short-header 's/"cluster_bits": 15/"cluster_bits": 16/' 's/"bitmaps": 1, //' 's/"form": "compressed", //'
joint metadata-of-subclusters 's/"extended_l2": true, //' s/metadata/full/ 's/"refcount_order": 7/"refcount_order": 6/'
check "every case was tried" diff <(sort "$SCRATCH/tried") <(cd "$ROOT/tests/joint" && printf '%s\n' *.json | sed 's/\.json$//' | sort)
finish
