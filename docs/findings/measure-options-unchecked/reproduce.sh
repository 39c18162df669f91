#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# measure takes options that create refuses together, and refuses a size that it measures in a file.
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

for option in extended_l2=on lazy_refcounts=on compression_type=zstd; do
    shows "create, compat=0.10,$option" 1 \
        "$(status img create -f qcow2 -o "compat=0.10,$option" out.qcow2 1M)"
    shows "measure, compat=0.10,$option" 327680 \
        "$(measured required --size 1M -O qcow2 -o "compat=0.10,$option")"
done
shows "measure, compat=0.10,refcount_bits=8" 1 \
    "$(status img measure --size 1M -O qcow2 -o compat=0.10,refcount_bits=8)"

truncate -s 137438953984 src.raw # one sector beyond 4194304 L1 entries of 64 clusters
shows "a file, cluster_size=512" 0 "$(status img measure -f raw -O qcow2 -o cluster_size=512 src.raw)"
shows "its size, cluster_size=512" 1 \
    "$(status img measure --size 137438953984 -O qcow2 -o cluster_size=512)"
shows "it says that it is too large" yes "$(says 'image size is too large')"
exit $gone
