#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A vpc output is made of whole cylinders: the disk grows, by up to a few MiB of zeros.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

for sizes in 512:34816 1048576:1079296 35651584:35686400 1073741824:1073995776; do
    rm -f out.vpc
    create -f vpc out.vpc "${sizes%:*}"
    shows "create of ${sizes%:*} bytes" "${sizes#*:}" "$(virtual_size vpc out.vpc)"
done
truncate -s 1048576 src.raw
convert -f raw -O vpc src.raw out.vpc
shows "convert of a disk of 1048576 bytes" 1079296 "$(virtual_size vpc out.vpc)"
convert -f vpc -O raw out.vpc back.raw
shows "and back to raw" 1079296 "$(length back.raw)"
convert -f raw -O vpc -o force_size=on src.raw exact.vpc
shows "with force_size=on" 1048576 "$(virtual_size vpc exact.vpc)"
# Within the last cylinder below the largest geometry, and beyond it, the size is exact.
for sizes in 136897904128:136897904640 136899993088:136899993088 137000000000:137000000000; do
    rm -f large.vpc
    create -f vpc large.vpc "${sizes%:*}"
    shows "create of ${sizes%:*} bytes" "${sizes#*:}" "$(virtual_size vpc large.vpc)"
done
exit $gone
