#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# An empty line in front of an extent line of a vmdk descriptor makes that extent count once more.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

head -c 1M /dev/zero | tr '\0' A >flat
# sized LINES-ESCAPES: the size of a disk with these lines.
sized() {
    # shellcheck disable=SC2059 # the escapes are the point
    printf "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\n$1\n" \
        >src.vmdk
    virtual_size vmdk src.vmdk
}
line='RW 2048 FLAT "flat" 0'
shows "a comment in front" 1048576 "$(sized "# Extent description\n$line")"
shows "an empty line in front" 2097152 "$(sized "\n$line")"
convert -f vmdk -O raw src.vmdk out.raw
shows "    bytes of guest data, of 1048576 that there are" 2097152 "$(tr -dc A <out.raw | wc -c)"
shows "    exit status of check" 0 "$(status img check -f vmdk src.vmdk)"
shows "a comment and two empty lines" 3145728 "$(sized "# Extent description\n\n\n$line")"
shows "a line with a space in it" 2097152 "$(sized " \n$line")"
shows "an empty line, lines end with CR LF" 2097152 "$(sized "\r\n$line")"
shows "an empty line between two extents of 1 MiB" 3145728 "$(sized "# x\n$line\n\n$line")"
exit $gone
