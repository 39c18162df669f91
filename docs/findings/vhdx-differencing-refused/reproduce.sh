#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A VHDX whose file parameters say that it has a parent is refused by every command.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

create -f vhdx src.vhdx 8M
shows "without a parent, info ends with" 0 "$(status img info -f vhdx src.vhdx)"
# create puts the metadata at 3 MiB, with five items: the sixth is a parent locator of 20 bytes behind
# the others. The flag is in the file parameters, the first item.
table=3145728
patch src.vhdx $((table + 10)) '\006'
patch src.vhdx $((table + 32 + 5 * 32)) \
    '\055\137\323\250\013\263\115\105\253\367\323\330\110\064\253\014'
patch src.vhdx $((table + 32 + 5 * 32 + 16)) '\0\002\001\0\024\0\0\0\004\0\0\0'
patch src.vhdx $((table + 65536 + 4)) '\002'
for command in "info -f vhdx" "measure -f vhdx -O raw" "map -f vhdx" "check -f vhdx"; do
    # shellcheck disable=SC2086 # several words
    shows "with one, ${command%% *} ends with" 1 "$(status img $command src.vhdx)"
    shows "    and says that it is not supported" yes "$(says 'Operation not supported')"
done
shows "convert ends with" 1 "$(status img convert -f vhdx -O raw src.vhdx out.raw)"
exit $gone
