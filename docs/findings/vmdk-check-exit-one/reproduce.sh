#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A vmdk grain behind the end of the file ends check with 1 (failed), not 2 (corrupt), without JSON.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

create -f vmdk src.vmdk 1M
"$QEMU_IO" -f vmdk -c 'write -P 7 0 64k' src.vmdk >/dev/null
truncate -s 65536 src.vmdk # where the grain begins
shows "exit status of check" 1 "$(status img check --output=json -f vmdk src.vmdk)"
cat said
shows "is there JSON" no "$(says '{')"
shows "exit status of convert" 0 "$(status convert -f vmdk -O raw src.vmdk out.raw)"
create -f qcow2 src.qcow2 1M
"$QEMU_IO" -f qcow2 -c 'write -P 7 0 64k' src.qcow2 >/dev/null
truncate -s 327680 src.qcow2
shows "exit status of check, qcow2" 2 "$(status img check --output=json -f qcow2 src.qcow2)"
shows "is there JSON" yes "$(says '"corruptions": 1')"
exit $gone
