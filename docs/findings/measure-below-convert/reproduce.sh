#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# measure is documented as a size that is guaranteed to fit. Cases in which it is
# too small.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

# fits WHAT SOURCE OPTIONS REQUIRED FULLY WRITTEN: what is measured, and what convert then writes.
fits() {
    rm -f out.qcow2
    shows "$1: required" "$4" "$(measured required -f raw -O qcow2 -o "$3" "$2")"
    shows "$1: fully-allocated" "$5" "$(measured fully-allocated -f raw -O qcow2 -o "$3" "$2")"
    convert -f raw -O qcow2 -o "$3" "$2" out.qcow2
    shows "$1: written" "$6" "$(length out.qcow2)"
}
truncate -s 1M hole.raw
fits "preallocation=metadata of a hole" hole.raw preallocation=metadata 327680 1376256 1376256
truncate -s 0 empty.raw
fits "preallocation=falloc of nothing" empty.raw preallocation=falloc 196608 196608 262144
fits "preallocation=full of nothing" empty.raw preallocation=full 196608 196608 262144
truncate -s 2696704 holes.raw
fits "preallocation=falloc in small clusters" holes.raw cluster_size=512,preallocation=falloc 2752000 2752000 2752512
head -c 16M /dev/zero | tr '\0' A >full.raw
fits "small clusters, wide refcounts" full.raw cluster_size=512,refcount_bits=64 17319424 17319424 17355776
fits "small clusters" full.raw cluster_size=512 17112576 17112576 17143808
shows "exit status of check of the last (no leaks)" 0 "$(status img check -f qcow2 out.qcow2)"
exit $gone
