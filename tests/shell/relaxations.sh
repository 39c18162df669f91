#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Every relaxation is really used by a pair of tools: with it switched off, and nothing else changed,
# a case that agrees diverges. What goes red here is a freedom that nobody takes any more, and that
# only hides bugs. Relaxations that no pair on this machine takes are listed with their reason, and
# it is held that they are not taken; a new relaxation that is in no list goes red, too.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
requires "${CC:-cc}"
export INSTAR_FUZZ_WORK=$SCRATCH/work INSTAR_FUZZ_PAIR=standin INSTAR_FUZZ_CONFIRM=0
mkdir -p "$INSTAR_FUZZ_WORK" "$SCRATCH/bin/standin"
cd "$ROOT" || exit 2

# instar-fuzz with a switch: WITHOUT=name takes one relaxation away.
cat >"$SCRATCH/switch.c" <<'C'
#define relax_allows relax_allows_as_written
#define relax_member_find relax_member_find_as_written
#include "oracles/relax.c"
#include "oracles/relax_members.c"
#undef relax_allows
#undef relax_member_find
#include <stdlib.h>

static bool taken_away(const char *name) {
    const char *without = getenv("WITHOUT");
    return without && strcmp(without, name) == 0;
}

bool relax_allows(enum relaxation_id id, const struct relax_query *query);
const struct relax_member *relax_member_find(const char *path);

bool relax_allows(enum relaxation_id id, const struct relax_query *query) {
    return !taken_away(relaxations[id].name) && relax_allows_as_written(id, query);
}

const struct relax_member *relax_member_find(const char *path) {
    return taken_away(path) ? NULL : relax_member_find_as_written(path);
}
C
build() {
    local libs
    read -ra libs <<<"$(make -s --no-print-directory harness-libs)"
    "${CC:-cc}" -std=c11 -O1 -D_GNU_SOURCE -I. -Iharness -o "$SCRATCH/bin/instar-fuzz" "$SCRATCH/switch.c" \
        -Wl,--whole-archive build/lib/plain/libcommand.a -Wl,--no-whole-archive "${libs[@]}" || return 1
    ln -s "$ROOT/build/launcher" "$SCRATCH/bin/launcher" &&
        ln -s "$STANDIN" "$SCRATCH/bin/standin/instar"
}
check "instar-fuzz can be built with a switch for relaxations" build
FUZZ=$SCRATCH/bin/instar-fuzz

shown=""
# needed NAME SIGNATURE CASE: the case agrees; without the relaxation it has that signature.
needed() {
    local name=$1 signature=$2 case=$3 out
    status 0 "$FUZZ" replay "$case" || return 1
    out=$(WITHOUT=$name "$FUZZ" replay "$case" 2>&1)
    grep -qx "  $signature" <<<"$out" || { echo "without $name no $signature:"; echo "$out" | tail -n 20; return 1; }
}
used() {
    shown+="$1"$'\n'
    check "$1 is used" needed "$@"
}

used pair_vpc_cylinders convert_content_divergence-convert-raw-vpc-size "$(text pair <<'J'
{"format": "raw", "virtual_size": 1048576, "operations": [{"op": "convert", "target": "vpc"}]}
J
)"
used truth_vpc_cylinders truth_size_divergence-convert-raw-vpc-qemu_img "$SCRATCH/pair.json"
used truth_sector truth_size_divergence-info-raw-none-info_instar "$(text sector <<'J'
{"format": "raw", "virtual_size": 1000000, "operations": [{"op": "info"}, {"op": "convert", "target": "raw"}]}
J
)"
used truth_active_size truth_size_divergence-convert-qcow2-raw-instar "$(text snapshot <<'J'
{"format": "qcow2", "virtual_size": 1048576, "snapshots": 1, "snapshot_size": "shorter",
 "operations": [{"op": "convert", "target": "raw", "snapshot": 1}]}
J
)"
# A second set of grain tables, which measure does not count.
used bound_cushion measure_above_fully_allocated_bound-measure-raw-vmdk-instar "$(text cushion <<'J'
{"format": "raw", "virtual_size": 65536, "writes": [{"length_bytes": 65536}],
 "operations": [{"op": "measure", "target": "vmdk"}]}
J
)"
# Zeros that are really in the raw file: allocated, so measured, and then not written.
used bound_sparse_writer measure_below_required_bound-measure-raw-vmdk-instar "$(text sparse <<'J'
{"format": "raw", "virtual_size": 4194304, "writes": [{"pattern": "zero", "length_bytes": 1048576}],
 "operations": [{"op": "measure", "target": "vmdk"}]}
J
)"
used bound_stream measure_below_required_bound-measure-raw-vmdk-instar "$(text stream <<'J'
{"format": "raw", "virtual_size": 1048576, "writes": [{"pattern": "constant", "seed": 5, "length_bytes": 1048576}],
 "operations": [{"op": "measure", "target": "vmdk", "subformat": "streamOptimized"}]}
J
)"
used numeric_empty_vhdx measure_numeric_divergence-measure-raw-vhdx-fully_instar "$(text empty-vhdx <<'J'
{"format": "raw", "virtual_size": 0, "operations": [{"op": "measure", "target": "vhdx"}]}
J
)"
used contract_metadata measure_contract_violation-measure-raw-qcow2-qemu_img "$(text metadata <<'J'
{"format": "raw", "virtual_size": 1048576, "operations": [{"op": "measure", "target": "qcow2", "preallocation": "metadata"}]}
J
)"
used contract_falloc measure_contract_violation-measure-raw-qcow2-qemu_img "$(text empty <<'J'
{"format": "raw", "virtual_size": 0, "operations": [{"op": "measure", "target": "qcow2", "preallocation": "full"}]}
J
)"
used contract_refcount_table measure_contract_violation-measure-raw-qcow2-qemu_img "$(text table <<'J'
{"format": "raw", "virtual_size": 3145728, 
 "writes": [{"length_bytes": 1048576}, {"offset_bytes": 1048576, "length_bytes": 1048576}, {"offset_bytes": 2097152, "length_bytes": 1048576}],
 "operations": [{"op": "measure", "target": "qcow2", "cluster_bits": 9, "refcount_order": 7}]}
J
)"
used map_no_block_status map_divergence-measure-vhdx-raw-data_qemu_img "$(text no-status <<'J'
{"format": "vhdx", "virtual_size": 1048576, "operations": [{"op": "measure", "target": "raw"}]}
J
)"
used map_vpc_present map_divergence-measure-vpc-raw-present_qemu_img "$(text vpc-present <<'J'
{"format": "vpc", "virtual_size": 1048576, "operations": [{"op": "measure", "target": "raw"}]}
J
)"
used map_instar_refuses map_divergence-measure-qcow2-raw-refused_instar "$(text refuses <<'J'
{"format": "qcow2", "virtual_size": 1048576, "backing_1": "raw", "operations": [{"op": "measure", "target": "raw"}]}
J
)"
used map_standin_vhdx map_measure_divergence-measure-vhdx-qcow2-instar "$(text vhdx-map <<'J'
{"format": "vhdx", "virtual_size": 1048576, "operations": [{"op": "measure", "target": "qcow2"}]}
J
)"
used damage_overlap check_damage_divergence-check-vmdk-none-overlap_qemu_img "$(text check-vmdk <<'J'
{"format": "vmdk", "virtual_size": 1048576, "writes": [{"offset_bytes": 0, "length_bytes": 262144}], "operations": [{"op": "check"}]}
J
)"
used filename info_output_divergence-info-vmdk-none-filename "$(text info-vmdk <<'J'
{"format": "vmdk", "virtual_size": 1048576, "operations": [{"op": "info"}]}
J
)"
used "format-specific.data.extents[].filename" info_output_divergence-info-vmdk-none-extents_filename "$SCRATCH/info-vmdk.json"

used full-backing-filename info_output_divergence-info-qcow2-none-full_backing_filename "$(text info-backing <<'J'
{"format": "qcow2", "virtual_size": 1048576, "backing_1": "raw", "operations": [{"op": "info"}]}
J
)"
used snapshots info_output_divergence-info-qcow2-none-snapshots_missing_instar "$(text info-snapshots <<'J'
{"format": "qcow2", "virtual_size": 1048576, "snapshots": 2, "operations": [{"op": "info"}]}
J
)"
used format-specific.data.bitmaps info_output_divergence-info-qcow2-none-bitmaps_missing_instar "$(text info-bitmaps <<'J'
{"format": "qcow2", "virtual_size": 1048576, "bitmaps": 2, "operations": [{"op": "info"}]}
J
)"

# Members of images that no case can build: here qemu-img makes them. The stand-in leaves out what
# instar's documentation says that it leaves out.
# omitted NAME FILE: qemu-img's info has that member, the stand-in's has not, at any depth.
omitted() {
    local member=\"${1##*.}\":
    qemu-img info --output=json "$2" >"$SCRATCH/theirs" && "$STANDIN" info --output json "$2" >"$SCRATCH/ours" || return 1
    grep -q "^ *$member" "$SCRATCH/theirs" || { echo "qemu-img prints no $member"; return 1; }
    ! grep "^ *$member" "$SCRATCH/ours"
}
left_out() { # NAME IMAGE
    shown+="$1"$'\n'
    check "$1 is left out" omitted "$1" "$SCRATCH/$2"
}
# Not luks: making its key measures the time that a hash takes, which fails on a busy machine.
images() {
    qemu-img create -q --object secret,id=key,data=one -f qcow2 \
            -o encrypt.format=aes,encrypt.key-secret=key "$SCRATCH/encrypted.qcow2" 1M
}
check "an image with encryption" images
left_out format-specific.data.encrypt encrypted.qcow2

# Not used by qemu-img and the stand-in here, for the reasons that are given.
info_cases=()
for format in raw qcow2 vpc vmdk vhdx; do
    info_cases+=("$(text "every-$format" <<<"{\"format\": \"$format\", \"virtual_size\": 1048576, \"operations\": [{\"op\": \"info\"}]}")")
done
not_needed() { WITHOUT=$1 status 0 "$FUZZ" replay "${info_cases[@]}"; }
unused() { # NAME REASON
    shown+="$1"$'\n'
    check "$1 is not used by this pair ($2)" not_needed "$1"
}
unused contract_instar_sector "the stand-in's files end where their last cluster does"
unused map_instar_raw "the stand-in sees the holes of a raw file"
unused map_instar_compressed "the stand-in says of raw files alone where something lies"
unused damage_subclusters "no qemu-img below 6.2 is here"
unused actual-size "both look at the same file at once; only a busy file system changes it in between"
if qemu-img --version | grep -qE 'version ([0-7])\.'; then
    unused children "the stand-in follows qemu-img's version; two qemu-img, older and newer than 8.0, differ"
else
    used children info_output_divergence-info-raw-none-children_filename "${info_cases[0]}"
fi
unused format-specific "a raw file gets one only from an extent size hint, which only some file systems have"

listed() {
    sed -n 's/.*\.name = "\([^"]*\)".*/\1/p; s/.*\.path = "\([^"]*\)".*/\1/p' oracles/relax.c oracles/relax_members.c
}
complete() { diff <(listed | sort) <(sort <<<"${shown%$'\n'}"); }
check "every relaxation is shown here" complete
finish
