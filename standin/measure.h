// SPDX-License-Identifier: Apache-2.0
//
// The stand-in's own measure: what of a source counts (measure_scan.c), what a target of some size
// and data costs (measure_size.c), and what qemu-img sees in a qcow2 file with holes of its own
// (measure_holes.c). It shares nothing with the model in oracles/, so that the two can disagree.
#ifndef STANDIN_MEASURE_H
#define STANDIN_MEASURE_H

#include "standin/standin.h"

enum preallocation { PREALLOC_OFF, PREALLOC_METADATA, PREALLOC_FALLOC, PREALLOC_FULL };

struct measure_options {
    enum image_format target;
    uint64_t cluster_size;  // qcow2
    uint64_t refcount_bits; // qcow2
    bool extended_l2;
    bool compat_010; // compat=0.10
    enum preallocation preallocation;
    enum vmdk_subformat subformat; // vmdk: one of the first three
    uint64_t grain_size;           // vmdk
    bool vpc_fixed;
    uint64_t block_size; // vpc, vhdx; 0 = the format's default
};

struct measure_size {
    uint64_t required, fully; // bytes
};

// What the command line asks for. 0, or 1 after a refusal.
int measure_options_parse(const struct arguments *arguments, struct measure_options *options);
// The target's allocation unit in bytes (raw: 512).
uint64_t measure_unit(const struct measure_options *options);
// How many of the target's units hold data, as qemu-img's block status says it.
int measure_scan(struct source *source, const struct measure_options *options, uint64_t *units,
                 struct fault *fault);
// File sizes for a disk of `size` guest bytes of which `units` target units hold data. False if a
// size does not fit in 63 bits (which qemu-img could not print either).
bool measure_size(const struct measure_options *options, uint64_t size, uint64_t units,
                  struct measure_size *result);

// Bytes of the source's persistent bitmaps in a qcow2 target with clusters of that many bytes.
int measure_bitmaps(const struct source *source, uint64_t cluster, uint64_t *bytes,
                    struct fault *fault);

// A qcow2 file whose clusters are not all backed by blocks of the host: qemu-img then asks the host
// about every data cluster, and what is a hole there counts as zero.
struct measure_holes {
    int fd;
    int data_fd; // of the file that has the guest's clusters: `fd`, or an own one
    bool ask_host;
    uint64_t file_size;
    unsigned cluster_bits, refcount_order;
    bool extended_l2;
    uint64_t l1_offset, l1_entries, table_offset, table_entries; // file bytes, 8-byte entries
};
int measure_holes_begin(struct measure_holes *holes, struct image *image, struct fault *fault);
void measure_holes_end(struct measure_holes *holes); // after a failure too
// The run at guest `offset`, at most `*length` bytes (cut to what is known): is it data for the
// host?
int measure_holes_next(const struct measure_holes *holes, uint64_t offset, uint64_t *length,
                       bool *data, struct fault *fault);
// The run at file `offset` of a host file, at most *length: data or hole.
void measure_host_run(int fd, uint64_t offset, uint64_t *length, bool *data);

#endif
