// SPDX-License-Identifier: Apache-2.0
//
// A decoded case becomes files, and the truth about them.
#ifndef HARNESS_MATERIALIZE_H
#define HARNESS_MATERIALIZE_H

#include "oracles/oracle.h"
#include "testcase/testcase.h"

// One file that tools may read, and what is known of it. Reused from case to case.
struct material {
    char name[32];          // in the case directory: "src.qcow2", "a.out1.vmdk"
    struct truth truth;     // points into the members below
    struct content content; // of the source
    struct image_written written;
    struct image_options options;
    struct image_map allocation; // of a tool's output, read back
    uint64_t hash;               // of the file's bytes and length
    int64_t mtime_ns, ctime_ns;
    bool usable; // exists and was read
};
void material_free(struct material *material);

// Builds the source of `testcase` in `directory`. -1 is a harness error (disk full, a builder that
// refuses what the decoder allowed).
int material_build(struct material *material, const struct testcase *testcase,
                   const char *directory, struct fault *fault);
// Makes a tool's output usable as an input. `content` NULL: it is tainted, its truth is unknown.
int material_adopt(struct material *material, const char *directory, const char *name,
                   struct image *image, const struct content *content, uint64_t asked_size,
                   struct fault *fault);
// Has the file changed since it was built or adopted? Size, times, and, if those differ, its bytes.
bool material_modified(const struct material *material, const char *directory);
// Hash of the file's data extents and length; holes cost nothing.
int material_hash(const char *path, uint64_t *hash, struct fault *fault);

#endif
