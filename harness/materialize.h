// SPDX-License-Identifier: Apache-2.0
//
// A decoded case becomes files, and the truth about them.
#ifndef HARNESS_MATERIALIZE_H
#define HARNESS_MATERIALIZE_H

#include "report/record.h"
#include "testcase/testcase.h"

// A file of the case directory, and what shows that somebody changed it.
struct material_file {
    char name[IMAGE_NAME_ROOM];
    uint64_t size, hash; // of its bytes and length
    int64_t mtime_ns, ctime_ns;
    bool times_tell; // whoever writes to it from now on leaves other times
};

#define MATERIAL_MAX_FILES RECORD_MAX_FILES

// One image that tools may read, in one file or several, and what is known of it. Reused from case
// to case.
struct material {
    char name[32]; // of the file that tools are given: "src.qcow2", "a.out1.vmdk"
    // All files that belong to it: those below it, extents, data files.
    struct material_file files[MATERIAL_MAX_FILES];
    size_t file_count;
    struct truth truth;           // points into the members below
    struct content content;       // of the source, through the whole chain
    struct image_written written; // of the file itself
    struct image_options options; // of the file itself
    struct image_map allocation;  // of the chain; of a tool's output, read back
    struct content snapshot_contents[CASE_MAX_SNAPSHOTS];
    struct image_bitmap bitmaps[CASE_MAX_BITMAPS]; // of `options`; their ranges are in `dirty`
    // Scratch while it is built.
    struct content own, snapshot_own[CASE_MAX_SNAPSHOTS];
    struct image_written below_written;
    struct image_map spare, dirty[CASE_MAX_BITMAPS];
    enum image_format probed; // what the file's own bytes name: a guest can write anything into a
                              // raw file
    bool usable;              // exists and was read
};
void material_free(struct material *material);

// Builds the source of `testcase` in `directory`: "src.<format>", and "base.<format>",
// "base2.<format>", "base3.<format>" below it. -1 is a harness error (disk full, a builder that
// refuses what the decoder allowed).
int material_build(struct material *material, const struct testcase *testcase,
                   const char *directory, struct fault *fault);
// Makes a tool's output usable as an input. `content` NULL: it is tainted, its truth is unknown.
int material_adopt(struct material *material, const char *directory, const char *name,
                   struct image *image, const struct content *content, uint64_t asked_size,
                   struct fault *fault);
// Has one of the files changed since it was built or adopted? Size and time of modification, and
// its bytes where the time of change differs or could not differ.
bool material_modified(const struct material *material, const char *directory);
// Hash of the file's data extents and length; holes cost nothing.
int material_hash(const char *path, uint64_t *hash, struct fault *fault);

#endif
