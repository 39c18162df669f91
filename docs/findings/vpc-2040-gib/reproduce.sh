#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A VHD holds 2040 GiB and not a sector more.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

truncate -s 2190433320960 most.raw
truncate -s 2190433321472 more.raw
shows "exit status of convert, 2040 GiB" 0 "$(status convert -f raw -O vpc most.raw most.vpc)"
shows "exit status of convert, a sector more" 1 "$(status convert -f raw -O vpc more.raw more.vpc)"
cat said
shows "length of the file that it leaves" 0 "$(length more.vpc)"
exit $gone
