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
# joint LIE WITHOUT...: the case is on stdin; WITHOUT is a sed script that takes one thing from it.
joint() {
    local lie=$1 case without
    shift
    case=$(text "$lie")
    check "$lie" shows "$lie" "$case"
    for without; do
        sed "$without" "$case" >"$SCRATCH/without.json"
        check "... and nothing after $without" silent "$lie" "$SCRATCH/without.json"
    done
}
joint subclusters-past-backing s/sector_shorter/same/ 's/"extended_l2": true, //' 's/, {"offset_bytes": 983040, "length_bytes": 2048}//' <<'END'
{
  "format": "qcow2", "extended_l2": true, "backing_1": "raw", "backing_1_size": "sector_shorter", "virtual_size": 1048576,
  "writes": [{"offset_bytes": 983040, "length_bytes": 65024, "layer": 1, "seed": 1}, {"offset_bytes": 983040, "length_bytes": 2048}],
  "operations": [{"op": "convert", "target": "raw"}]
}
END
joint middle-zeros-forgotten 's/"backing_2": "raw", //' 's/, "form": "zero"//' 's/"offset_bytes": 65536/"offset_bytes": 131072/' <<'END'
{
  "format": "qcow2", "backing_1": "qcow2", "backing_2": "raw", "virtual_size": 1048576,
  "writes": [{"offset_bytes": 0, "length_bytes": 131072, "layer": 2, "seed": 1}, {"offset_bytes": 65536, "length_bytes": 65536, "layer": 1, "form": "zero"}],
  "operations": [{"op": "convert", "target": "qcow2"}]
}
END
joint zstd-below-other-clusters s/zstd/zlib/ 's/"backing_cluster_bits": 15, //' 's/"form": "compressed", //' <<'END'
{
  "format": "qcow2", "compression": "zstd", "backing_1": "qcow2", "backing_cluster_bits": 15, "virtual_size": 1048576,
  "writes": [{"offset_bytes": 65536, "length_bytes": 65536, "layer": 1, "form": "compressed", "pattern": "constant", "seed": 1}],
  "operations": [{"op": "convert", "target": "vpc"}]
}
END
joint short-snapshot-compressed s/shorter/longer/ 's/, "snapshot": 1//' 's/"form": "compressed", //' <<'END'
{
  "format": "qcow2", "snapshots": 1, "snapshot_size": "shorter", "virtual_size": 1048576,
  "writes": [{"offset_bytes": 0, "length_bytes": 65536, "form": "compressed", "pattern": "constant", "seed": 1}, {"offset_bytes": 131072, "length_bytes": 65536}],
  "operations": [{"op": "convert", "target": "raw", "snapshot": 1}]
}
END
joint grain-tables-straddled s/streamOptimized/monolithicSparse/ 's/"length_bytes": 8192/"length_bytes": 4096/' s/2093056/2088960/ <<'END'
{
  "format": "vmdk", "vmdk_subformat": "streamOptimized", "grain_bits": 12, "virtual_size": 4194304,
  "writes": [{"offset_bytes": 2093056, "length_bytes": 8192, "pattern": "constant", "seed": 1}],
  "operations": [{"op": "convert", "target": "raw"}]
}
END
joint extents-straddled 's/twoGbMaxExtentSparse/single/' 's/twoGbMaxExtentSparse/twoGbMaxExtentFlat/' <<'END'
{
  "format": "vmdk", "vmdk_layout": "twoGbMaxExtentSparse", "virtual_size": 1048576,
  "writes": [{"offset_bytes": 0, "length_bytes": 1048576}],
  "operations": [{"op": "convert", "target": "raw"}]
}
END
joint metadata-of-subclusters 's/"extended_l2": true, //' s/metadata/full/ 's/"refcount_order": 7/"refcount_order": 6/' <<'END'
{
  "virtual_size": 1048576,
  "operations": [{"op": "measure", "target": "qcow2", "extended_l2": true, "preallocation": "metadata", "refcount_order": 7}]
}
END
finish
