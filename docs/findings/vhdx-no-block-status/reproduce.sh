#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# There is no block status for vhdx: measure counts an empty disk as full, and map shows no holes.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

create -f vhdx src.vhdx 64M
create -f vpc -o force_size=on src.vpc 64M
shows "measure of an empty vhdx of 64 MiB" 67436544 "$(measured required -f vhdx -O qcow2 src.vhdx)"
shows "the same disk as vpc" 327680 "$(measured required -f vpc -O qcow2 src.vpc)"
shows "map calls all of it data" yes \
    "$(status img map --output=json -f vhdx src.vhdx >/dev/null; says '"length": 67108864, "depth": 0, "present": true, "zero": false, "data": true')"
convert -f vhdx -O qcow2 src.vhdx out.qcow2
shows "convert still writes no data" 262144 "$(( ($(length out.qcow2) + 65535) / 65536 * 65536 ))"
exit $gone
