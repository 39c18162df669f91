#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A sparse vmdk of size 0 is created and can then not be opened; a failed convert leaves it behind.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

shows "exit status of create -f vmdk ... 0" 0 "$(status img create -f vmdk empty.vmdk 0)"
shows "exit status of info" 1 "$(status img info -f vmdk empty.vmdk)"
cat said
truncate -s 0 src.raw
shows "exit status of convert of an empty disk" 1 "$(status convert -f raw -O vmdk src.raw out.vmdk)"
cat said
shows "length of the file that it leaves" 65536 "$(length out.vmdk)"
create -f vmdk -o subformat=streamOptimized stream.vmdk 0
shows "exit status of info, streamOptimized" 1 "$(status img info -f vmdk stream.vmdk)"
exit $gone
