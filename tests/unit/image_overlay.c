// SPDX-License-Identifier: Apache-2.0
//
// One file of a chain over another: allocation maps and guest content, held against models that
// know every unit and every byte.
#include "tests/unit/image_helper.h"

#include "base/bytes.h"
#include "image/content.h"
#include "image/image.h"

#define UNITS 40

static void states_to_map(const enum image_state states[UNITS], struct image_map *map) {
    image_map_clear(map);
    for (uint64_t i = 0; i < UNITS; i++)
        image_map_add(map, i * 10, 10, states[i]);
}

static void random_states(struct random *random, enum image_state states[UNITS]) {
    for (uint64_t i = 0; i < UNITS;) {
        enum image_state state = (enum image_state)below(random, IMAGE_COMPRESSED + 1);
        for (uint64_t end = i + 1 + below(random, 6); i < end && i < UNITS; i++)
            states[i] = state;
    }
}

static void assert_same_map(const struct image_map *found, const struct image_map *expected) {
    assert_int_equal(found->count, expected->count);
    for (size_t i = 0; i < found->count; i++) {
        assert_int_equal(found->extents[i].offset, expected->extents[i].offset);
        assert_int_equal(found->extents[i].length, expected->extents[i].length);
        assert_int_equal(found->extents[i].state, expected->extents[i].state);
    }
}

static void an_overlay_shows_what_lies_below_its_holes(void **state) {
    (void)state;
    struct image_map map = {0}, above = {0}, spare = {0}, expected = {0};
    struct random random = {3};
    for (int round = 0; round < 2000; round++) {
        enum image_state lower[UNITS], upper[UNITS], merged[UNITS];
        uint64_t size = below(&random, UNITS + 1);
        random_states(&random, lower);
        random_states(&random, upper);
        for (uint64_t i = 0; i < UNITS; i++)
            merged[i] = upper[i] != IMAGE_HOLE ? upper[i] : i < size ? lower[i] : IMAGE_HOLE;
        states_to_map(lower, &map);
        states_to_map(upper, &above);
        states_to_map(merged, &expected);
        image_map_overlay(&map, size * 10, &above, &spare);
        assert_same_map(&map, &expected);
    }
    image_map_free(&map);
    image_map_free(&above);
    image_map_free(&spare);
    image_map_free(&expected);
}

// The file below may end inside an extent, and not at a unit of the file above.
static void the_end_of_the_file_below_cuts_its_extents(void **state) {
    (void)state;
    struct image_map map = {0}, above = {0}, spare = {0};
    image_map_add(&map, 0, 1000, IMAGE_DATA);
    image_map_add(&above, 100, 50, IMAGE_ZERO);
    image_map_overlay(&map, 333, &above, &spare);
    assert_int_equal(map.count, 3);
    assert_int_equal(map.extents[0].length, 100);
    assert_int_equal(map.extents[1].state, IMAGE_ZERO);
    assert_int_equal(map.extents[2].offset, 150);
    assert_int_equal(map.extents[2].length, 183);
    image_map_free(&map);
    image_map_free(&above);
    image_map_free(&spare);
}

#define BYTES 3000

static void write_random(struct content *content, struct random *random) {
    content_write(content, &(struct content_extent){
                               .offset = below(random, BYTES),
                               .length = 1 + below(random, 700),
                               .pattern = (enum content_pattern)below(random, CONTENT_PATTERNS),
                               .form = (enum content_form)below(random, CONTENT_FORMS),
                               .seed = (uint8_t)below(random, 256),
                           });
}

static void a_resized_content_forgets_what_was_behind_its_end(void **state) {
    (void)state;
    struct content content = {0};
    struct random random = {5};
    for (int round = 0; round < 300; round++) {
        uint8_t before[BYTES], after[BYTES];
        uint64_t cut = below(&random, BYTES + 1);
        content_begin(&content, BYTES);
        for (int i = 0; i < 8; i++)
            write_random(&content, &random);
        content_read(&content, 0, before, BYTES);
        content_resize(&content, cut);
        assert_int_equal(content.size, cut);
        for (size_t i = 0; i < content.count; i++)
            assert_true(content.extents[i].length > 0 &&
                        content.extents[i].offset + content.extents[i].length <= cut);
        content_resize(&content, BYTES);
        content_read(&content, 0, after, BYTES);
        assert_memory_equal(after, before, cut);
        assert_true(bytes_are_zero(after + cut, BYTES - cut));
    }
    content_free(&content);
}

static void a_copy_is_equal_and_independent(void **state) {
    (void)state;
    struct content from = {0}, to = {0};
    struct random random = {9};
    uint8_t before[BYTES], after[BYTES];
    for (int writes = 0; writes < 40; writes += 13) { // also none, and more than there was room for
        content_begin(&from, BYTES - (uint64_t)writes);
        for (int i = 0; i < writes; i++)
            write_random(&from, &random);
        content_copy(&to, &from);
        assert_int_equal(to.size, from.size);
        assert_int_equal(to.count, from.count);
        content_read(&from, 0, before, BYTES);
        content_write(&from, &(struct content_extent){.length = BYTES, .form = FORM_ZERO});
        content_read(&to, 0, after, BYTES);
        assert_memory_equal(after, before, BYTES);
    }
    content_copy(&from, &to); // into one that had fewer
    content_free(&to);
    content_read(&from, 0, after, BYTES);
    assert_memory_equal(after, before, BYTES);
    content_free(&from);
}

static void an_overlay_has_its_own_states_and_the_guests_bytes(void **state) {
    (void)state;
    struct content own = {0}, merged = {0};
    struct image_source source;
    struct image_extent extent;
    struct fault fault;
    uint8_t byte;
    const struct content_extent lower = {
        .length = 100, .pattern = PATTERN_CONSTANT, .form = FORM_COMPRESSED, .seed = 1};
    const struct content_extent upper = {
        .offset = 50, .length = 10, .pattern = PATTERN_CONSTANT, .seed = 2};
    content_begin(&own, 200);
    content_write(&own, &upper);
    content_begin(&merged, 200);
    content_write(&merged, &lower);
    content_write(&merged, &upper);
    struct content_layer pair = {&own, &merged};
    content_as_overlay(&pair, &source);
    assert_true(source.overlay);
    assert_int_equal(source.size, 200);
    // The bytes of both files, but nothing said of the lower one's extents.
    const struct {
        uint64_t offset, length;
        enum image_state state;
        uint8_t byte;
    } expected[] = {{20, 30, IMAGE_HOLE, 1}, {50, 10, IMAGE_DATA, 2}, {60, 140, IMAGE_HOLE, 1}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_int_equal(source.extent(source.context, expected[i].offset, &extent, &fault), 0);
        assert_int_equal(extent.length, expected[i].length);
        assert_int_equal(extent.state, expected[i].state);
        assert_int_equal(source.read(source.context, expected[i].offset, &byte, 1, &fault), 0);
        assert_int_equal(byte, expected[i].byte);
    }
    assert_int_equal(source.read(source.context, 150, &byte, 1, &fault), 0);
    assert_int_equal(byte, 0);
    content_as_source(&own, &source);
    assert_false(source.overlay);
    content_free(&own);
    content_free(&merged);
}

static unsigned asked;

static int counted_extent(struct image *image, uint64_t offset, struct image_extent *extent,
                          struct fault *fault) {
    (void)fault;
    asked++;
    *extent = (struct image_extent){offset, image->virtual_size - offset, IMAGE_HOLE};
    return 0;
}

static int counted_read(struct image *image, uint64_t offset, void *buffer, size_t length,
                        struct fault *fault) {
    (void)image, (void)offset, (void)fault;
    memset(buffer, 1, length);
    return 0;
}

// A driver walks all table entries of a run to find its end.
static void a_long_run_read_in_pieces_is_looked_for_once(void **state) {
    (void)state;
    const struct image_driver driver = {.extent = counted_extent, .read = counted_read};
    struct image below = {.driver = &driver, .virtual_size = 1u << 20};
    struct image image = {
        .driver = &driver, .virtual_size = 2u << 20, .has_backing = true, .backing = &below};
    struct image_extent extent;
    struct fault fault = {.text = ""};
    uint8_t bytes[4096];
    asked = 0;
    for (uint64_t offset = 0; offset < image.virtual_size; offset += sizeof bytes) {
        assert_int_equal(image_extent_at(&image, offset, &extent, &fault), 0);
        assert_int_equal(extent.offset, offset);
        assert_int_equal(extent.length,
                         (offset < below.virtual_size ? below.virtual_size : image.virtual_size) -
                             offset);
        assert_int_equal(image_read(&image, offset, bytes, sizeof bytes, &fault), 0);
        assert_int_equal(bytes[0], offset < below.virtual_size);
    }
    assert_int_equal(asked, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_overlay_shows_what_lies_below_its_holes),
        cmocka_unit_test(the_end_of_the_file_below_cuts_its_extents),
        cmocka_unit_test(a_resized_content_forgets_what_was_behind_its_end),
        cmocka_unit_test(a_copy_is_equal_and_independent),
        cmocka_unit_test(an_overlay_has_its_own_states_and_the_guests_bytes),
        cmocka_unit_test(a_long_run_read_in_pieces_is_looked_for_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
