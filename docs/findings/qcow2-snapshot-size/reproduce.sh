#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# An internal snapshot is converted in the active disk's size: its end is cut off, or something
# stands behind it, which in an overlay is the file below.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

resized() { img resize -q -f qcow2 "$@" >/dev/null; }
writes() { # FILE COMMAND...
    file=$1
    shift
    "$QEMU_IO" -f qcow2 "$@" "$file" >/dev/null
}
# of_snapshot FILE OFFSET: the byte there in the snapshot, as it is converted.
of_snapshot() {
    rm -f out.raw
    convert -f qcow2 -O raw -l s "$1" out.raw
    od -An -tu1 -j "$2" -N 1 out.raw | tr -d ' '
}

create -f qcow2 src.qcow2 1M
writes src.qcow2 -c 'write -P 65 0 1M'
img snapshot -c s src.qcow2
resized src.qcow2 2M
writes src.qcow2 -c 'write -P 66 0 2M'
shows "snapshot of 1 MiB, disk of 2 MiB: its last byte" 65 "$(of_snapshot src.qcow2 1048575)"
shows "    the byte behind it" 0 "$(of_snapshot src.qcow2 1048576)"
shows "    bytes that convert writes" 2097152 "$(length out.raw)"
shows "    measure -l" 2097152 "$(measured required -f qcow2 -O raw -l s src.qcow2)"
cp src.qcow2 applied.qcow2
img snapshot -a s applied.qcow2
shows "    snapshot -a makes a disk of" 1048576 "$(virtual_size qcow2 applied.qcow2)"
resized --shrink src.qcow2 512K
shows "the same snapshot, disk of 512 KiB: its byte there" 65 "$(of_snapshot src.qcow2 524287)"
shows "    bytes that convert writes" 524288 "$(length out.raw)"
shows "    exit status of check" 0 "$(status img check -f qcow2 src.qcow2)"

# A cluster that the end of the snapshot cuts in two.
create -f qcow2 cut.qcow2 1M
writes cut.qcow2 -c 'write -P 65 0 1M'
resized --shrink cut.qcow2 96K
img snapshot -c s cut.qcow2
resized cut.qcow2 1M
shows "snapshot of 96 KiB, 64 KiB clusters: behind it" 65 "$(of_snapshot cut.qcow2 98304)"
shows "    in the next cluster" 0 "$(of_snapshot cut.qcow2 131072)"

head -c 2M /dev/zero | tr '\0' C >base.raw
create -f qcow2 -b base.raw -F raw over.qcow2 1M
writes over.qcow2 -c 'write -P 65 0 64k'
img snapshot -c s over.qcow2
resized over.qcow2 2M
writes over.qcow2 -c 'write -P 66 0 2M'
shows "overlay, snapshot of 1 MiB, disk of 2 MiB: behind it" 67 "$(of_snapshot over.qcow2 1048576)"
shows "    last byte" 67 "$(of_snapshot over.qcow2 2097151)"
exit $gone
