#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# map of an empty disk has a run without length.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

truncate -s 0 empty.raw
create -f qcow2 empty.qcow2 0
for format in raw qcow2; do
    img map --output=json -f "$format" "empty.$format" >said
    shows "length and more of an empty $format" yes \
        "$(says '"length": 0, "depth": 0, "present": false, "zero": false, "data": false')"
done
exit $gone
