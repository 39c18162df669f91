#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Extents of a vmdk descriptor that are of type ZERO, or not RW, are left out; what follows moves up.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

head -c 512K /dev/zero | tr '\0' A >flat
head -c 512K /dev/zero | tr '\0' B >>flat
# middle LINE: a disk of A, this extent and B; its size.
middle() {
    printf '%s\n' '# Disk DescriptorFile' 'version=1' 'CID=1' 'parentCID=ffffffff' \
        'createType="monolithicFlat"' '# Extent description' \
        'RW 1024 FLAT "flat" 0' "$1" 'RW 1024 FLAT "flat" 1024' >src.vmdk
    virtual_size vmdk src.vmdk
}
shows "an RW extent in the middle" 1572864 "$(middle 'RW 1024 FLAT "flat" 0')"
for extent in 'RW 1024 ZERO' 'RDONLY 1024 FLAT "flat" 0' 'NOACCESS 1024 FLAT "flat" 0'; do
    shows "'$extent' in the middle" 1048576 "$(middle "$extent")"
    convert -f vmdk -O raw src.vmdk out.raw
    shows "    the last extent is where this one was" 0 "$(status cmp out.raw flat)"
    shows "    exit status of check" 0 "$(status img check -f vmdk src.vmdk)"
done
exit $gone
