#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A vmdk descriptor without an extent, as create makes it for size 0, ends qemu-img by an assertion.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

# A shell of its own, so that its word "Aborted" is in `said`; 134 is 128 and SIGABRT.
# shellcheck disable=SC2016 # for that shell
aborts() { status sh -c '"$@"; exit $?' sh "$QEMU_IMG" "$@"; }
for subformat in monolithicFlat twoGbMaxExtentFlat twoGbMaxExtentSparse; do
    create -f vmdk -o subformat=$subformat empty.vmdk 0 || { echo "create: refused"; gone=1; }
    shows "exit status of info, $subformat" 134 "$(aborts info -f vmdk empty.vmdk)"
    shows "it is an assertion" yes "$(says num_extents)"
    shows "exit status of convert" 134 "$(aborts convert -f vmdk -O raw empty.vmdk out.raw)"
done
shows "exit status of check" 0 "$(status img check -f vmdk empty.vmdk)"
truncate -s 0 src.raw
shows "exit status of convert to monolithicFlat" 134 \
    "$(aborts convert -f raw -O vmdk -o subformat=monolithicFlat src.raw out.vmdk)"
exit $gone
