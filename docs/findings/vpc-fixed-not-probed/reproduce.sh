#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A fixed VHD has its footer at the end only, and qemu-img looks at the beginning: without -f it is
# raw, and one sector too long.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

create -f vpc -o subformat=fixed,force_size=on src.vpc 1M
shows "format without -f" '"raw"' "$(img info --output=json src.vpc | member format)"
shows "virtual size without -f" 1049088 "$(img info --output=json src.vpc | member virtual-size)"
shows "virtual size with -f vpc" 1048576 "$(virtual_size vpc src.vpc)"
shows "block size of a fixed disk" absent "$(img info --output=json -f vpc src.vpc | member cluster-size)"
create -f vpc dynamic.vpc 1M
shows "a dynamic one is recognised" '"vpc"' "$(img info --output=json dynamic.vpc | member format)"
exit $gone
