#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# measure knows the targets raw and qcow2 only.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

for format in raw qcow2; do
    shows "exit status of measure -O $format" 0 "$(status img measure -O $format --size 1M)"
done
for format in vmdk vpc vhdx; do
    shows "exit status of measure -O $format" 1 "$(status img measure -O $format --size 1M)"
    cat said
done
exit $gone
