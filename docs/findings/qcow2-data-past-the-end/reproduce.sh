#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# An L2 entry whose cluster lies behind the end of the file reads as zeros, and convert succeeds.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

create -f qcow2 src.qcow2 1M
"$QEMU_IO" -f qcow2 -c 'write -P 0x41 0 64k' src.qcow2 >/dev/null
truncate -s 327680 src.qcow2 # where the data cluster begins
shows "exit status of convert" 0 "$(status convert -f qcow2 -O raw src.qcow2 out.raw)"
head -c 65536 /dev/zero >zeros
head -c 65536 out.raw >first
shows "the lost cluster reads as zeros" 0 "$(status cmp first zeros)"
shows "exit status of check (2: corrupt)" 2 "$(status img check -f qcow2 src.qcow2)"
shows "measure counts the lost cluster" 393216 "$(measured required -f qcow2 -O qcow2 src.qcow2)"
exit $gone
