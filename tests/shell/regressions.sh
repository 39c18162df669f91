#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Past finds, kept apart from the seeds: each was a false accusation or a bug of ours, says so in its
# first line, and stays silent with honest tools.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
for find in "$ROOT"/corpus/regressions/*.json; do
    name=$(basename "$find" .json)
    check "$name says what it was" bash -c "head -n 1 '$find' | grep -q '^// '"
    check "$name stays silent" status 0 "$FUZZ" replay "$find"
done
finish
