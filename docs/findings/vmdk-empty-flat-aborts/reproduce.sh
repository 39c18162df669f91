#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A vmdk descriptor without an extent, as create makes it for size 0, ends qemu-img by an assertion.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

for subformat in monolithicFlat twoGbMaxExtentFlat twoGbMaxExtentSparse; do
    create -f vmdk -o subformat=$subformat empty.vmdk 0 || { echo "create: refused"; gone=1; }
    # A shell of its own, so that "Aborted" is not our noise; 134 is 128 and SIGABRT.
    for operation in "info" "convert -O raw"; do
        out=
        [ "$operation" = info ] || out=out.raw
        shows "exit status of $operation, $subformat" 134 \
            "$(status sh -c '"$@"; exit $?' sh "$QEMU_IMG" $operation -f vmdk empty.vmdk $out)"
    done
    shows "it is an assertion" yes "$(says num_extents)"
done
shows "exit status of check" 0 "$(status img check -f vmdk empty.vmdk)"
exit $gone
