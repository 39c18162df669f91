#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A cluster of an external data file that is not at its guest offset is refused by every command
# that looks for data, and not seen by check; whether the data file is raw or not.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

for raw in off on; do
    rm -f src.qcow2 data
    create -f qcow2 -o data_file=data,data_file_raw=$raw src.qcow2 1M
    "$QEMU_IO" -f qcow2 -c 'write -P 65 0 128k' src.qcow2 >/dev/null
    shows "data_file_raw=$raw, as it was made, convert ends with" 0 \
        "$(status img convert -f qcow2 -O raw src.qcow2 out.raw)"
    # The L2 table is the cluster at 256 KiB; its first two entries change places.
    patch src.qcow2 262144 '\200\0\0\0\0\001\0\0\200\0\0\0\0\0\0\0'
    for command in "convert -f qcow2 -O raw src.qcow2 out.raw" "map -f qcow2 src.qcow2" \
        "measure -f qcow2 -O qcow2 src.qcow2"; do
        # shellcheck disable=SC2086 # several words
        shows "two clusters exchanged, ${command%% *} ends with" 1 "$(status img $command)"
        shows "    and says so" yes "$(says 'does not match guest cluster offset')"
    done
    shows "exit status of check" 0 "$(status img check -f qcow2 src.qcow2)"
    shows "exit status of info" 0 "$(status img info -f qcow2 src.qcow2)"
done
exit $gone
