#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# measure counts a bitmap that is marked as in use; convert --bitmaps does not copy it.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

create -f qcow2 src.qcow2 1M
img bitmap --add src.qcow2 one
shows "bitmaps, of a sound one" 196608 "$(measured bitmaps -f qcow2 -O qcow2 src.qcow2)"
# qemu-img puts the bitmaps extension behind its list of features, at 504: the directory's offset is
# 24 bytes on. The flags are at 12 of its one entry.
directory=$((0x$(od -An -tx1 -j 528 -N 8 src.qcow2 | tr -d ' ')))
patch src.qcow2 $((directory + 15)) '\003' # automatic, and in use
img info -f qcow2 src.qcow2 >said
shows "info calls it in-use" yes "$(says 'in-use')"
shows "bitmaps, of an inconsistent one" 196608 "$(measured bitmaps -f qcow2 -O qcow2 src.qcow2)"
copy() { status img convert --bitmaps -f qcow2 -O qcow2 "$@" src.qcow2 out.qcow2; }
shows "convert --bitmaps ends with" 1 "$(copy)"
shows "    with --skip-broken-bitmaps" 0 "$(copy --skip-broken-bitmaps)"
shows "    bitmaps of what it wrote" 0 "$(measured bitmaps -f qcow2 -O qcow2 out.qcow2)"
exit $gone
