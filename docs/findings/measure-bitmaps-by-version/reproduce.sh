#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# measure -O qcow2 prints "bitmaps" for a qcow2 source of version 3, also without a bitmap, and for
# no other source.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

create -f qcow2 three.qcow2 1M
create -f qcow2 -o compat=0.10 two.qcow2 1M
truncate -s 1M src.raw
create -f vpc src.vpc 1M
shows "version 3 to qcow2" 0 "$(measured bitmaps -f qcow2 -O qcow2 three.qcow2)"
shows "version 2 to qcow2" absent "$(measured bitmaps -f qcow2 -O qcow2 two.qcow2)"
shows "version 3 to raw" absent "$(measured bitmaps -f qcow2 -O raw three.qcow2)"
shows "raw to qcow2" absent "$(measured bitmaps -f raw -O qcow2 src.raw)"
shows "vpc to qcow2" absent "$(measured bitmaps -f vpc -O qcow2 src.vpc)"
exit $gone
