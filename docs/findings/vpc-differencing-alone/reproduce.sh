#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A differencing VHD is read as if it were dynamic: neither its parent nor its sector bitmaps count.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

# mend FILE OFFSET LENGTH FIELD: the checksum of a structure is made right again.
mend() {
    patch "$1" $(($2 + $4)) '\0\0\0\0'
    sum=0
    for byte in $(od -An -v -tu1 -j"$2" -N"$3" "$1"); do sum=$((sum + byte)); done
    sum=$((4294967295 - sum))
    patch "$1" $(($2 + $4)) "$(printf '\\%03o\\%03o\\%03o\\%03o' $((sum >> 24 & 255)) \
        $((sum >> 16 & 255)) $((sum >> 8 & 255)) $((sum & 255)))"
}
# byte OFFSET: of the converted disk.
byte() { od -An -tu1 -j "$1" -N 1 out.raw | tr -d ' '; }

# The parent is 65 everywhere; of the child only the second block is there.
create -f vpc -o force_size=on base.vpc 8M
"$QEMU_IO" -f vpc -c 'write -P 65 0 8M' base.vpc >/dev/null
create -f vpc -o force_size=on top.vpc 8M
"$QEMU_IO" -f vpc -c 'write -P 66 2M 2M' top.vpc >/dev/null
last=$(($(length top.vpc) - 512))
for footer in 0 $last; do # type 4
    patch top.vpc $((footer + 60)) '\0\0\0\004'
    mend top.vpc "$footer" 512 64
done
# Parent UUID and name (UTF-16, big endian) in the dynamic disk header at 512.
dd if=base.vpc of=top.vpc bs=1 skip=68 seek=552 count=16 conv=notrunc status=none
patch top.vpc 576 '\0b\0a\0s\0e\0.\0v\0p\0c'
mend top.vpc 512 1024 36
# Sectors 0 to 7 of that block are the parent's: its bitmap is where table entry 1 points to.
block=$(($(od -An -tu1 -j 1540 -N 4 top.vpc | { read -r a b c d; echo $((a << 24 | b << 16 | c << 8 | d)); }) * 512))
patch top.vpc "$block" '\0'

shows "info ends with" 0 "$(status img info -f vpc --output=json top.vpc)"
shows "    and names the parent" absent \
    "$(img info -f vpc --output=json top.vpc | member backing-filename)"
convert -f vpc -O raw top.vpc out.raw
shows "a block that the parent has" 0 "$(byte 0)"
shows "a sector that the parent has" 66 "$(byte 2097152)"
shows "a sector of the child" 66 "$(byte 2101248)"
shows "check ends with" 63 "$(status img check -f vpc top.vpc)"
exit $gone
