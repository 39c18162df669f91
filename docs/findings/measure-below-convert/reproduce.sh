#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# measure is documented as a size that is guaranteed to fit. Three cases in which it is too small.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

# fits WHAT REQUIRED LENGTH SOURCE OPTIONS: what is measured, and what convert then writes.
fits() {
    rm -f out.qcow2
    shows "$1: required" "$2" "$(measured required -f raw -O qcow2 -o "$5" "$4")"
    convert -f raw -O qcow2 -o "$5" "$4" out.qcow2
    shows "$1: written" "$3" "$(length out.qcow2)"
}
truncate -s 1M hole.raw
fits "preallocation=metadata of a hole" 327680 1376256 hole.raw preallocation=metadata
truncate -s 0 empty.raw
fits "preallocation=falloc of nothing" 196608 262144 empty.raw preallocation=falloc
fits "preallocation=full of nothing" 196608 262144 empty.raw preallocation=full
head -c 16M /dev/zero | tr '\0' A >full.raw
fits "small clusters, wide refcounts" 17319424 17355776 full.raw cluster_size=512,refcount_bits=64
fits "small clusters" 17112576 17143808 full.raw cluster_size=512
exit $gone
