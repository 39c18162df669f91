#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A bitmap that is added to a disk of size 0 is not there afterwards; 7.2 ends with 0 all the same.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

# add SIZE STATUS LOST THERE: adds a bitmap to a disk of that size.
add() {
    create -f qcow2 src.qcow2 "$1"
    cp src.qcow2 before.qcow2
    shows "size $1, bitmap --add ends with" "$2" "$(status img bitmap --add src.qcow2 one)"
    shows "    and says that it is lost" "$3" "$(says 'Lost persistent bitmaps')"
    img info -f qcow2 src.qcow2 >said
    shows "    is it there" "$4" "$(says 'name: one')"
}
add 512 0 no yes
ends=0
case $(version) in
[1-9][0-9].*) ends=1 ;; # so does 10.0.2
esac
add 0 $ends yes no
shows "    the file is what it was" 0 "$(status cmp src.qcow2 before.qcow2)"
exit $gone
