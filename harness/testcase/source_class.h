// SPDX-License-Identifier: Apache-2.0
//
// What kinds of source a campaign must have tried: the rows of the matrix of comparisons. A format
// alone says too little: a tool that reads every qcow2 image but those with a data file has an
// empty row here and a full one there. A file is counted in every class that it is in.
#ifndef TESTCASE_SOURCE_CLASS_H
#define TESTCASE_SOURCE_CLASS_H

#include "testcase/call_class.h"
#include "testcase/testcase.h"

// Classes of images that the harness builds come first.
enum {
    SOURCE_BUILT_CLASSES = 31,
    SOURCE_SIZE_ONLY = SOURCE_BUILT_CLASSES, // measure of a size, without a file
    SOURCE_OUTPUT,                           // + enum image_format: what a tool wrote
    SOURCE_CLASSES = SOURCE_OUTPUT + IMAGE_FORMATS
};

// A source that was built, as far as classes look at it.
struct source_view {
    const struct testcase *testcase;
    const struct image_options *options; // of the source's own file
    const struct image_map *allocation;  // of it too, as the writer made it: what a case asks to be
                                         // compressed may have been stored as it is
};

struct source_class {
    const char *name;
    enum image_format format; // that the tools are given; of a size alone: raw
    unsigned operations;      // bit set of 1u << enum operation that can have it as input
    bool snapshots;           // a source of this class may have internal snapshots
    bool (*holds)(const struct source_view *source); // NULL: no class of built images
};
extern const struct source_class source_classes[SOURCE_CLASSES];

// The classes of a built source, as a bit set of indices.
uint64_t source_classes_of(const struct source_view *source);

// Can any case make this call on a source of this class? Whether tools can answer is another
// question (cells.h).
bool source_class_takes(size_t source, const struct call_class *call);

#endif
