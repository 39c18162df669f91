#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Which of the two sizes in a VHD footer counts depends on its creator application.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

create -f vpc src.vpc 1M # geometry 31 * 4 * 17 sectors: 1079296 bytes
patch src.vpc 48 '\0\0\0\0\0\020\0\0' # current size 1048576

# by CREATOR-ESCAPES EXPECTED WORDS: the creator, and the footer's checksum made right again.
by() {
    cp src.vpc case.vpc
    patch case.vpc 28 "$1"
    patch case.vpc 64 '\0\0\0\0'
    sum=0
    for byte in $(od -An -v -tu1 -N512 case.vpc); do sum=$((sum + byte)); done
    sum=$((4294967295 - sum))
    patch case.vpc 64 "$(printf '\\%03o\\%03o\\%03o\\%03o' $((sum >> 24 & 255)) \
        $((sum >> 16 & 255)) $((sum >> 8 & 255)) $((sum & 255)))"
    shows "creator '$1' ($3)" "$2" "$(virtual_size vpc case.vpc)"
}
by 'win ' 1048576 "current size"
by 'qem2' 1048576 "current size"
by 'd2v ' 1048576 "current size"
by 'tap\0' 1048576 "current size"
by 'CTXS' 1048576 "current size"
by 'qemu' 1079296 geometry
by 'vpc ' 1079296 geometry
# Of the others qemu-img has changed its mind.
others=1079296 which=geometry
case $(version) in
[1-9][0-9].*) others=1048576 which="current size" ;;
esac
by 'vs  ' $others "$which"
by 'vsim' $others "$which"
by 'imgo' $others "$which"
by 'wa\0\0' $others "$which"
by 'xyzz' $others "$which"
exit $gone
