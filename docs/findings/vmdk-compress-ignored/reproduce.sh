#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# convert -c -O vmdk without subformat=streamOptimized succeeds and compresses nothing; with it, the
# grains are deflated without -c too.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

head -c 1048576 /dev/zero | tr '\0' A >src.raw
shows "exit status of convert -c -O vmdk" 0 "$(status convert -c -f raw -O vmdk src.raw asked.vmdk)"
convert -f raw -O vmdk src.raw plain.vmdk
shows "bytes less than without -c" 0 "$(($(length plain.vmdk) - $(length asked.vmdk)))"
convert -c -f raw -O vmdk -o subformat=streamOptimized src.raw stream.vmdk
shows "streamOptimized is smaller" yes "$([ "$(length stream.vmdk)" -lt 200000 ] && echo yes || echo no)"
convert -f raw -O vmdk -o subformat=streamOptimized src.raw unasked.vmdk
shows "and as small without -c" "$(length stream.vmdk)" "$(length unasked.vmdk)"
for format in vpc vhdx raw; do
    shows "exit status of convert -c -O $format" 1 "$(status convert -c -f raw -O $format src.raw out)"
done
exit $gone
