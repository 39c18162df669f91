#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Two grains of a vmdk, or two blocks of a vhdx, lie at one place of the file: check finds nothing.
# Of a qcow2 it calls that corrupt.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

# overlap IMAGE ENTRY WIDTH LATER: the entry so many bytes later gets that entry's bytes.
overlap() {
    dd if="$1" of=entry bs=1 skip="$2" count="$3" status=none
    dd if=entry of="$1" bs=1 seek=$(($2 + $4)) conv=notrunc status=none
}
make_two() { # FORMAT CREATE-OPTION...: two units that are stored, 1 MiB apart.
    format=$1
    shift
    create -f "$format" "$@" "src.$format" 2M
    "$QEMU_IO" -f "$format" -c 'write -P 7 0 64k' -c 'write -P 8 1M 64k' "src.$format" >/dev/null
}
sector_at() { echo $(($(od -An -v -tu4 --endian=little -j "$2" -N 4 "$1") * 512)); } # FILE OFFSET
byte_at_1_mib() {
    convert -f "$1" -O raw "src.$1" out.raw
    od -An -tu1 -j 1048576 -N 1 out.raw | tr -d ' '
}

make_two vmdk
directory=$(sector_at src.vmdk 56)
overlap src.vmdk "$(sector_at src.vmdk "$directory")" 4 64 # 16 grains of 64 KiB further on
shows "exit status of check, vmdk" 0 "$(status img check -f vmdk src.vmdk)"
shows "the byte at 1 MiB" 7 "$(byte_at_1_mib vmdk)"

make_two vhdx -o block_size=1M
overlap src.vhdx 2097152 8 8 # where qemu-img puts the BAT of a small disk
shows "exit status of check, vhdx" 0 "$(status img check -f vhdx src.vhdx)"
shows "the byte at 1 MiB" 7 "$(byte_at_1_mib vhdx)"

make_two qcow2 -o cluster_size=1M
overlap src.qcow2 4194304 8 8 # where qemu-img puts the first L2 table
shows "exit status of check, qcow2" 2 "$(status img check -f qcow2 src.qcow2)"
exit $gone
