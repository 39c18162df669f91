#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A vhdx of size 0: the number of blocks less one wraps around, so the block allocation table has the
# bitmap entries of a disk of 2^32 blocks; with blocks of 256 MiB it cannot be written or read at all.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

create -f vhdx -o block_size=1M empty.vhdx 0
shows "file of size 0 with 1 MiB blocks" 15728640 "$(length empty.vhdx)"
create -f vhdx -o block_size=1M one.vhdx 512
shows "file of size 512 with 1 MiB blocks" 8388608 "$(length one.vhdx)"
create -f vhdx -o block_size=4M empty4.vhdx 0
shows "file of size 0 with 4 MiB blocks" 40894464 "$(length empty4.vhdx)"
shows "it opens, virtual size" 0 "$(virtual_size vhdx empty4.vhdx)"
truncate -s 0 src.raw
convert -f raw -O vhdx src.raw out.vhdx
shows "convert of an empty disk, default blocks" 74448896 "$(length out.vhdx)"
rm -f ./*.vhdx
shows "exit status of create with 256 MiB blocks" 1 \
    "$(status img create -f vhdx -o block_size=256M big.vhdx 0)"
cat said
shows "exit status of info of what it leaves" 1 "$(status img info -f vhdx big.vhdx)"
shows "the size is the reason: 1 GiB can be created" 0 \
    "$(status img create -f vhdx -o block_size=256M fine.vhdx 1G)"
exit $gone
