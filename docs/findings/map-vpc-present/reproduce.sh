#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A block of a VHD that the table does not have is present to map; a cluster of a qcow2 and a grain of
# a vmdk are not.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

for format in vpc qcow2 vmdk; do
    create -f "$format" "src.$format" 8M
    img map --output=json -f "$format" "src.$format" >said
    expected=no
    [ $format != vpc ] || expected=yes
    shows "an empty $format of 8 MiB is present" "$expected" "$(says '"present": true')"
    shows "it is data" no "$(says '"data": true')"
done
exit $gone
