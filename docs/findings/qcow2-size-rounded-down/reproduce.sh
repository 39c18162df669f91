#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The size in a qcow2 header is rounded down to 512: up to 511 bytes at the end of the disk are lost.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

create -f qcow2 src.qcow2 1M
"$QEMU_IO" -f qcow2 -c 'write -P 0x41 0 1M' src.qcow2 >/dev/null
patch src.qcow2 24 '\0\0\0\0\0\017\102\100' # 1000000, big endian
shows "header says 1000000, virtual size" 999936 "$(virtual_size qcow2 src.qcow2)"
convert -f qcow2 -O raw src.qcow2 out.raw
shows "bytes of guest data that convert keeps" 999936 "$(tr -dc A <out.raw | wc -c)"
shows "exit status of check" 0 "$(status img check -f qcow2 src.qcow2)"
create -f qcow2 created.qcow2 1000000
shows "qemu-img's own create rounds up instead" 1000448 "$(virtual_size qcow2 created.qcow2)"
exit $gone
