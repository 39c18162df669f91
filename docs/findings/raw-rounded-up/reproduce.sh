#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A raw file whose length is no multiple of 512 is a longer disk, and a copy of it is a longer file.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

truncate -s 1000000 src.raw
shows "raw file of 1000000 bytes, virtual size" 1000448 "$(virtual_size raw src.raw)"
convert -f raw -O raw src.raw out.raw
shows "length of its copy" 1000448 "$(length out.raw)"
convert -f raw -O qcow2 src.raw out.qcow2
shows "virtual size as qcow2" 1000448 "$(virtual_size qcow2 out.qcow2)"
shows "measure -O raw --size 1000000" 1000448 "$(measured required -O raw --size 1000000)"
exit $gone
