#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A vmdk descriptor without an extent that counts ends qemu-img by an assertion: as create makes it
# for size 0, or with nothing but extents of type ZERO or that are not RW.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

# A shell of its own, so that its word "Aborted" is in `said`; 134 is 128 and SIGABRT.
# shellcheck disable=SC2016 # for that shell
aborts() { status sh -c '"$@"; exit $?' sh "$QEMU_IMG" "$@"; }
# all WORDS: what the commands make of empty.vmdk.
all() {
    shows "exit status of info, $1" 134 "$(aborts info -f vmdk empty.vmdk)"
    shows "    it is an assertion" yes "$(says num_extents)"
    shows "    of convert" 134 "$(aborts convert -f vmdk -O raw empty.vmdk out.raw)"
    shows "    of check" 0 "$(status img check -f vmdk empty.vmdk)"
    shows "    of measure" 0 "$(status img measure -f vmdk -O raw empty.vmdk)"
}
for subformat in monolithicFlat twoGbMaxExtentFlat twoGbMaxExtentSparse; do
    create -f vmdk -o subformat=$subformat empty.vmdk 0 || { echo "create: refused"; gone=1; }
    all $subformat
done
truncate -s 1M flat
for extent in 'RDONLY 2048 FLAT "flat" 0' 'NOACCESS 2048 FLAT "flat" 0' 'RW 2048 ZERO'; do
    printf '%s\n' '# Disk DescriptorFile' 'version=1' 'CID=1' 'parentCID=ffffffff' \
        'createType="monolithicFlat"' '# Extent description' "$extent" >empty.vmdk
    all "$extent"
done
truncate -s 0 src.raw
shows "exit status of convert to monolithicFlat" 134 \
    "$(aborts convert -f raw -O vmdk -o subformat=monolithicFlat src.raw out.vmdk)"
exit $gone
