#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A command line that is not understood and an image that is refused end with the same status, 1.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

truncate -s 1M src.raw
shows "unknown option" 1 "$(status img info --bogus src.raw)"
shows "says so" yes "$(says "Try 'qemu-img")"
shows "refused image" 1 "$(status img info -f qcow2 src.raw)"
shows "says so" no "$(says "Try 'qemu-img")"
shows "no such file" 1 "$(status img info nothing.raw)"
exit $gone
