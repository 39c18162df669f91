// SPDX-License-Identifier: Apache-2.0
//
// Of which kinds of source is a case, as far as it can be told without building it?
#ifndef UNIT_CLASSES_HELPER_H
#define UNIT_CLASSES_HELPER_H

#include "testcase/source_class.h"

// A bit set; what is asked to be compressed counts as compressed.
static uint64_t helper_classes(const struct testcase *testcase) {
    static const enum image_state states[CONTENT_FORMS] = {
        [FORM_NORMAL] = IMAGE_DATA,
        [FORM_COMPRESSED] = IMAGE_COMPRESSED,
        [FORM_ZERO] = IMAGE_ZERO,
        [FORM_ZERO_ALLOCATED] = IMAGE_ZERO_ALLOCATED,
    };
    struct image_options options;
    struct image_map map = {0};
    struct content content = {0};
    case_image_options(testcase, &options);
    case_content(testcase, &content);
    for (size_t i = 0; i < content.count; i++)
        image_map_add(&map, content.extents[i].offset, content.extents[i].length,
                      states[content.extents[i].form]);
    uint64_t classes = source_classes_of(&(struct source_view){testcase, &options, &map});
    content_free(&content);
    image_map_free(&map);
    return classes;
}

#endif
