#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The sizes in a vmdk descriptor are held against nothing: a flat file may be shorter, the header of
# a sparse extent may say another one, which is then the size.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

# sized TYPE LINE: the size of a disk of that one extent.
sized() {
    printf '%s\n' '# Disk DescriptorFile' 'version=1' 'CID=1' 'parentCID=ffffffff' \
        "createType=\"$1\"" '# Extent description' "$2" >src.vmdk
    virtual_size vmdk src.vmdk
}
head -c 1M /dev/zero | tr '\0' A >flat
shows "a line of 2 MiB, a flat file of 1 MiB" 2097152 "$(sized monolithicFlat 'RW 4096 FLAT "flat" 0')"
shows "    exit status of convert" 0 "$(status img convert -f vmdk -O raw src.vmdk out.raw)"
shows "    bytes of guest data" 1048576 "$(tr -dc A <out.raw | wc -c)"
shows "    zeros behind them" 1048576 "$(tail -c 1M out.raw | tr -dc '\0' | wc -c)"
shows "    exit status of check" 0 "$(status img check -f vmdk src.vmdk)"
shows "an extent that begins behind the file's end" 4096 "$(sized monolithicFlat 'RW 8 FLAT "flat" 99999')"
shows "    exit status of convert" 0 "$(status img convert -f vmdk -O raw src.vmdk out.raw)"

create -f vmdk -o subformat=twoGbMaxExtentSparse sparse.vmdk 1M
for sectors in 1024 2047 4096; do
    shows "a line of $sectors sectors, a sparse extent of 2048" 1048576 \
        "$(sized twoGbMaxExtentSparse "RW $sectors SPARSE \"sparse-s001.vmdk\"")"
    shows "    exit status of check" 0 "$(status img check -f vmdk src.vmdk)"
done
exit $gone
