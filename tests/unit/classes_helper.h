// SPDX-License-Identifier: Apache-2.0
//
// Of which kinds of source is a case, as far as it can be told without building it?
#ifndef UNIT_CLASSES_HELPER_H
#define UNIT_CLASSES_HELPER_H

#include "tests/unit/testcase_helper.h"

#include "testcase/source_class.h"

// A bit set; what is asked to be compressed counts as compressed.
static uint64_t helper_classes(const struct testcase *testcase) {
    struct image_options options;
    struct image_map map = {0};
    struct content content = {0};
    struct image_source source;
    struct image_extent extent;
    case_image_options(testcase, &options);
    case_content(testcase, &content);
    content_as_source(&content, &source);
    for (uint64_t at = 0; at < source.size; at += extent.length) {
        assert_int_equal(source.extent(source.context, at, &extent, NULL), 0);
        image_map_add(&map, at, extent.length, extent.state);
    }
    uint64_t classes = source_classes_of(&(struct source_view){testcase, &options, &map});
    content_free(&content);
    image_map_free(&map);
    return classes;
}

#endif
