#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Whether a vmdk has a parent is told by the parent's name alone; its CID is looked at by the first
# read of bytes that the parent has.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

# describe FILE CID PARENT-CID [HINT-LINE]: another descriptor for a file that carries its own.
describe() {
    head -c 10240 /dev/zero | dd of="$1" bs=512 seek=1 conv=notrunc status=none
    printf '%s\n' '# Disk DescriptorFile' 'version=1' "CID=$2" "parentCID=$3" \
        'createType="monolithicSparse"' ${4:+"$4"} '# Extent description' "RW 2048 SPARSE \"$1\"" |
        dd of="$1" bs=512 seek=1 conv=notrunc status=none
}
# ends FILE: with what every command ends.
ends() {
    for command in info check map "measure -O qcow2"; do
        # shellcheck disable=SC2086 # two words
        printf '%s ' "$(status img $command -f vmdk "$1")"
    done
    status img convert -f vmdk -O raw "$1" out.raw
}
names_parent() { img info --output=json -f vmdk "$1" | member backing-filename; }
writes() { "$QEMU_IO" -f vmdk -c "$2" "$1" >/dev/null; }

# The base is 65; of the overlays one has the first grain, one all of them, one none.
for file in base part full none empty; do
    create -f vmdk $file.vmdk 1M
done
writes base.vmdk 'write -P 65 0 1M'
writes part.vmdk 'write -P 66 0 64k'
writes full.vmdk 'write -P 66 0 1M'
describe base.vmdk 12345678 ffffffff
describe empty.vmdk 12345678 ffffffff
HINT='parentFileNameHint="base.vmdk"'

describe part.vmdk 1 12345678 "$HINT"
shows "the right CID; info, check, map, measure, convert" "0 0 0 0 0" "$(ends part.vmdk)"
shows "    bytes of the parent in the copy" 983040 "$(tr -dc A <out.raw | wc -c)"
for cid in 87654321 ffffffff; do
    describe part.vmdk 1 $cid "$HINT"
    shows "parentCID=$cid" "0 0 0 0 1" "$(ends part.vmdk)"
    shows "    convert says" yes "$(says 'Invalid argument')"
    shows "    info names the parent" '"base.vmdk"' "$(names_parent part.vmdk)"
    describe full.vmdk 1 $cid "$HINT"
    shows "    nothing of the parent shows" "0 0 0 0 0" "$(ends full.vmdk)"
    describe none.vmdk 1 $cid 'parentFileNameHint="empty.vmdk"'
    shows "    the parent is empty" "0 0 0 0 0" "$(ends none.vmdk)"
done
describe part.vmdk 1 12345678
shows "a parentCID, and no parentFileNameHint" "0 0 0 0 0" "$(ends part.vmdk)"
shows "    info names the parent" absent "$(names_parent part.vmdk)"
shows "    bytes of the parent in the copy" 0 "$(tr -dc A <out.raw | wc -c)"
exit $gone
