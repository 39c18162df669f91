#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A VHD of size 0: a dynamic one can be read, a fixed one only be created.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

create -f vpc dynamic.vpc 0
shows "dynamic: virtual size" 0 "$(virtual_size vpc dynamic.vpc)"
shows "dynamic: exit status of convert" 0 "$(status convert -f vpc -O raw dynamic.vpc out.raw)"
shows "fixed: exit status of create" 0 "$(status img create -f vpc -o subformat=fixed fixed.vpc 0)"
shows "fixed: length" 512 "$(length fixed.vpc)"
shows "fixed: exit status of info" 1 "$(status img info -f vpc fixed.vpc)"
cat said
exit $gone
