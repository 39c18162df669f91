#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# vhdx block_size=524288, below what the format allows, is accepted and becomes 1 MiB.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

for asked in 524288 65536 1048576; do
    rm -f out.vhdx
    shows "exit status of create, block_size=$asked" 0 \
        "$(status img create -f vhdx -o block_size=$asked out.vhdx 8M)"
    shows "block size that info shows" 1048576 \
        "$(img info --output=json -f vhdx out.vhdx | member cluster-size)"
done
shows "exit status of create, block_size=3M" 1 "$(status img create -f vhdx -o block_size=3M out.vhdx 8M)"
exit $gone
