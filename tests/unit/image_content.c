// SPDX-License-Identifier: Apache-2.0
//
// Content, comparison, maps, raw files and the wrappers of image.c: held against a model that
// stores every byte, or against values written down here.
#include "tests/unit/image_helper.h"

#include "base/bytes.h"
#include "base/file.h"
#include "image/compare.h"
#include "image/content.h"
#include "image/image.h"

#include <sys/stat.h>

#define MODEL_BYTES 4096

static void write_random(struct content *content, struct random *random) {
    struct content_extent write = {
        .offset = below(random, MODEL_BYTES + 100),
        .length = below(random, 1 + below(random, 1500)),
        .pattern = (enum content_pattern)below(random, CONTENT_PATTERNS),
        .form = (enum content_form)below(random, CONTENT_FORMS),
        .seed = (uint8_t)below(random, 4),
    };
    content_write(content, &write);
}

static void later_writes_win_byte_by_byte(void **state) {
    (void)state;
    struct content content = {0}, single = {0};
    struct random random = {7};
    for (int round = 0; round < 200; round++) {
        uint8_t model[MODEL_BYTES] = {0}, found[MODEL_BYTES];
        content_begin(&content, MODEL_BYTES);
        for (int i = 0; i < 12; i++) {
            struct random before = random;
            write_random(&content, &random);
            // The same write alone gives its bytes; those are what must be found.
            content_begin(&single, MODEL_BYTES);
            write_random(&single, &before);
            for (size_t j = 0; j < single.count; j++)
                content_read(&single, single.extents[j].offset, model + single.extents[j].offset,
                             (size_t)single.extents[j].length);
        }
        content_read(&content, 0, found, sizeof found);
        assert_memory_equal(found, model, sizeof model);
        uint64_t end = 0;
        for (size_t i = 0; i < content.count; i++) {
            assert_true(content.extents[i].offset >= end && content.extents[i].length > 0);
            end = content.extents[i].offset + content.extents[i].length;
        }
        assert_true(end <= MODEL_BYTES);
    }
    content_free(&content);
    content_free(&single);
}

static void reads_and_zero_answers_agree_at_every_offset(void **state) {
    (void)state;
    struct content content = {0};
    struct random random = {11};
    uint8_t whole[MODEL_BYTES], part[MODEL_BYTES + 64];
    content_begin(&content, MODEL_BYTES);
    for (int i = 0; i < 9; i++)
        write_random(&content, &random);
    content_read(&content, 0, whole, sizeof whole);
    for (int i = 0; i < 4000; i++) {
        size_t offset = (size_t)below(&random, MODEL_BYTES);
        size_t length = (size_t)below(&random, 1 + below(&random, MODEL_BYTES - offset + 1));
        content_read(&content, offset, part, length);
        assert_memory_equal(part, whole + offset, length);
        assert_int_equal(content_is_zero(&content, offset, length),
                         bytes_are_zero(whole + offset, length));
    }
    memset(part, 1, sizeof part);
    content_read(&content, MODEL_BYTES - 8, part, 64);
    assert_true(bytes_are_zero(part + 8, 56));
    assert_true(content_is_zero(&content, MODEL_BYTES, UINT64_MAX));
    content_free(&content);
}

static void patterns_are_what_the_header_says(void **state) {
    (void)state;
    struct content content = {0};
    content_begin(&content, 1ull << 41);
    const struct content_extent writes[] = {
        {.offset = 0, .length = 3, .pattern = PATTERN_CONSTANT, .seed = 0},
        {.offset = 8, .length = 16, .pattern = PATTERN_COUNTER, .seed = 0x5a},
        {.offset = 1ull << 40, .length = 8, .pattern = PATTERN_COUNTER, .seed = 0},
        {.offset = 32, .length = 8, .pattern = PATTERN_NOISE, .form = FORM_ZERO, .seed = 1},
        {.offset = UINT64_MAX, .length = UINT64_MAX, .pattern = PATTERN_NOISE},
    };
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
        content_write(&content, &writes[i]);
    assert_int_equal(content.count, 4);
    uint8_t bytes[40], word[8];
    content_read(&content, 0, bytes, sizeof bytes);
    static const uint8_t expected[40] = {0xff, 0xff, 0xff, 0,    0, 0, 0, 0, 1, 0, 0, 0,
                                         0,    0,    0,    0x5a, 2, 0, 0, 0, 0, 0, 0, 0x5a};
    assert_memory_equal(bytes, expected, sizeof expected);
    content_read(&content, 1ull << 40, word, sizeof word);
    assert_int_equal(get_le64(word), 1ull << 37);
    assert_false(content_is_zero(&content, 0, 8));
    assert_true(content_is_zero(&content, 24, 1ull << 39));
    content_free(&content);
}

static void a_source_shows_wishes_and_holes(void **state) {
    (void)state;
    struct content content = {0};
    struct image_source source;
    struct image_extent extent;
    struct fault fault;
    content_begin(&content, 1000);
    content_write(&content, &(struct content_extent){
                                .offset = 100, .length = 50, .form = FORM_ZERO_ALLOCATED});
    content_write(&content,
                  &(struct content_extent){.offset = 150, .length = 5000, .form = FORM_COMPRESSED});
    content_as_source(&content, &source);
    assert_int_equal(source.size, 1000);
    const struct image_extent expected[] = {
        {.offset = 40, .length = 60, .state = IMAGE_HOLE},
        {.offset = 120, .length = 30, .state = IMAGE_ZERO_ALLOCATED},
        {.offset = 150, .length = 850, .state = IMAGE_COMPRESSED}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_int_equal(source.extent(source.context, expected[i].offset, &extent, &fault), 0);
        assert_int_equal(extent.offset, expected[i].offset);
        assert_int_equal(extent.length, expected[i].length);
        assert_int_equal(extent.state, expected[i].state);
    }
    assert_int_equal(source.extent(source.context, 1000, &extent, &fault), -1);
    content_free(&content);
}

static struct image_difference compared(const struct content *a, const struct content *b,
                                        uint64_t budget) {
    struct image_source first, second;
    struct image_difference difference;
    struct fault fault;
    content_as_source(a, &first);
    content_as_source(b, &second);
    assert_int_equal(image_compare(&first, &second, budget, &difference, &fault), 0);
    return difference;
}

static void comparison_finds_the_first_difference(void **state) {
    (void)state;
    struct content a = {0}, b = {0};
    content_begin(&a, 1ull << 40);
    content_begin(&b, 1ull << 40);
    struct content_extent write = {
        .offset = 1ull << 39, .length = 200000, .pattern = PATTERN_NOISE, .seed = 3};
    content_write(&a, &write);
    content_write(&b, &write);
    struct image_difference difference = compared(&a, &b, UINT64_MAX);
    assert_true(difference.prefix_equal && difference.tail_zero && !difference.cut_short);
    assert_int_equal(difference.bytes_read, 400000);

    uint8_t byte;
    uint64_t where = write.offset + 150001;
    content_read(&a, where, &byte, 1);
    write = (struct content_extent){
        .offset = where, .length = 1, .pattern = PATTERN_CONSTANT, .seed = (uint8_t)~byte};
    content_write(&b, &write);
    difference = compared(&a, &b, UINT64_MAX);
    assert_false(difference.prefix_equal);
    assert_int_equal(difference.first_offset, where);
    assert_int_equal(difference.a_byte, byte);
    assert_int_equal(difference.b_byte, byte == 0xff ? 0xff : (uint8_t)~byte);

    difference = compared(&a, &b, 100000);
    assert_true(difference.cut_short && difference.prefix_equal);
    content_free(&a);
    content_free(&b);
}

static void comparison_judges_the_tail_of_the_longer(void **state) {
    (void)state;
    struct content a = {0}, b = {0};
    content_begin(&a, 1000);
    content_begin(&b, 1ull << 50);
    struct image_difference difference = compared(&a, &b, 0);
    assert_true(difference.prefix_equal && difference.tail_zero && !difference.cut_short);
    // Written zeros are read, and are zero.
    content_write(&b, &(struct content_extent){.offset = 999, .length = 77});
    difference = compared(&a, &b, UINT64_MAX);
    assert_true(difference.prefix_equal && difference.tail_zero);
    content_write(&b,
                  &(struct content_extent){
                      .offset = 1ull << 49, .length = 9, .pattern = PATTERN_CONSTANT, .seed = 6});
    difference = compared(&a, &b, UINT64_MAX);
    assert_true(difference.prefix_equal && !difference.tail_zero);
    assert_int_equal(difference.first_offset, 1ull << 49);
    assert_int_equal(difference.a_byte, 0);
    assert_int_equal(difference.b_byte, 6);
    difference = compared(&b, &a, UINT64_MAX);
    assert_int_equal(difference.a_byte, 6);
    content_free(&a);
    content_free(&b);
}

static bool same(const struct content *a, const struct content *b, const struct content *c,
                 uint64_t budget) {
    struct image_source sources[3];
    const struct image_source *pointers[3] = {&sources[0], &sources[1], &sources[2]};
    content_as_source(a, &sources[0]);
    content_as_source(b, &sources[1]);
    content_as_source(c, &sources[2]);
    return image_all_same(pointers, 3, budget);
}

// Where in the row the odd one stands must not matter, nor whether it stores what differs.
static void only_what_differs_nowhere_is_all_the_same(void **state) {
    (void)state;
    struct content a = {0}, b = {0}, odd = {0};
    const struct content_extent data = {
        .offset = 1ull << 39, .length = 200000, .pattern = PATTERN_NOISE, .seed = 3};
    const struct content_extent differences[] = {
        {.offset = data.offset + 150001, .length = 1, .form = FORM_ZERO},
        {.offset = data.offset + 199999, .length = 2, .pattern = PATTERN_CONSTANT, .seed = 1},
        {.offset = 77, .length = 1, .pattern = PATTERN_CONSTANT, .seed = 1},
        {.offset = (1ull << 40) + 4000, .length = 5, .pattern = PATTERN_CONSTANT, .seed = 1},
    };
    for (size_t i = 0; i <= sizeof differences / sizeof *differences; i++) {
        content_begin(&a, 1ull << 40);
        content_begin(&b, (1ull << 40) + 1000);
        content_begin(&odd, (1ull << 40) + 5000);
        content_write(&a, &data);
        content_write(&b, &data);
        content_write(&odd, &data);
        // Written zeros are what holes are.
        content_write(&b, &(struct content_extent){.offset = 5000, .length = 70000});
        bool differs = i < sizeof differences / sizeof *differences;
        if (differs)
            content_write(&odd, &differences[i]);
        assert_int_equal(same(&a, &b, &odd, UINT64_MAX), !differs);
        assert_int_equal(same(&odd, &a, &b, UINT64_MAX), !differs);
        assert_int_equal(same(&b, &odd, &a, UINT64_MAX), !differs);
    }
    assert_true(same(&a, &b, &odd, 270000));
    assert_false(same(&a, &b, &odd, 269999));
    content_free(&a);
    content_free(&b);
    content_free(&odd);
}

static int no_read(void *context, uint64_t offset, void *buffer, size_t length,
                   struct fault *fault) {
    (void)context, (void)offset, (void)buffer, (void)length;
    return fault_set(fault, "nothing can be read");
}

static int no_extent(void *context, uint64_t offset, struct image_extent *extent,
                     struct fault *fault) {
    (void)context, (void)offset, (void)extent;
    return fault_set(fault, "nothing is known");
}

static void what_cannot_be_read_is_never_the_same(void **state) {
    (void)state;
    struct content content = {0};
    struct image_source good, bad;
    const struct image_source *pointers[2] = {&bad, &good};
    content_begin(&content, 5000);
    content_write(&content, &(struct content_extent){.offset = 4000, .length = 1});
    content_as_source(&content, &good);
    content_as_source(&content, &bad);
    assert_true(image_all_same(pointers, 2, UINT64_MAX));
    bad.read = no_read;
    assert_false(image_all_same(pointers, 2, UINT64_MAX));
    bad = good;
    bad.extent = no_extent;
    assert_false(image_all_same(pointers, 2, UINT64_MAX));
    content_free(&content);
}

static void maps_merge_neighbours_and_drop_holes(void **state) {
    (void)state;
    struct image_map map = {0};
    image_map_add(&map, 0, 10, IMAGE_DATA);
    image_map_add(&map, 10, 10, IMAGE_DATA);
    image_map_add(&map, 20, 10, IMAGE_HOLE);
    image_map_add(&map, 30, 0, IMAGE_DATA);
    image_map_add(&map, 30, 10, IMAGE_DATA);
    image_map_add(&map, 40, 10, IMAGE_COMPRESSED);
    assert_int_equal(map.count, 3);
    assert_int_equal(map.extents[0].length, 20);
    assert_int_equal(map.extents[1].offset, 30);
    assert_int_equal(map.extents[2].state, IMAGE_COMPRESSED);
    image_map_free(&map);
}

static void deflated_bytes_come_back(void **state) {
    (void)state;
    static uint8_t plain[65536], packed[65536], back[65536];
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i / 300 * 7 + (i % 5 == 0));
    for (int raw = 0; raw < 2; raw++) {
        size_t length = image_deflate(packed, sizeof packed, plain, sizeof plain, raw);
        assert_in_range(length, 1, sizeof plain / 4);
        assert_int_equal(image_inflate(back, sizeof back, packed, length, raw), sizeof plain);
        assert_memory_equal(back, plain, sizeof plain);
        assert_int_equal(image_deflate(packed, length - 1, plain, sizeof plain, raw), 0);
        assert_int_equal(image_deflate(packed, sizeof packed, plain, sizeof plain, raw), length);
        assert_int_equal(image_inflate(back, sizeof back, packed, length / 2, raw), 0);
        assert_int_equal(image_inflate(back, sizeof back, packed, length, !raw), 0);
    }
}

// Writes `content` as raw; *stored is what the file system really keeps.
static void write_raw(const char *path, const struct content *content, bool skip_zeros,
                      struct image_written *written, uint64_t *stored) {
    struct image_source source;
    struct image_options options = {.skip_zeros = skip_zeros};
    struct fault fault = {.text = ""};
    content_as_source(content, &source);
    if (image_write(path, IMAGE_RAW, &options, &source, written, &fault) < 0)
        fail_msg("%s", fault.text);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    *stored = (uint64_t)status.st_blocks * 512;
    unlink(path);
}

// What is kept of earlier units is no answer to another question.
static void packing_again_gives_the_same(void **state) {
    (void)state;
    static uint8_t plain[8192], packed[9000], again[9000], back[8192];
    for (int i = 0; i < 2000; i++) {
        // The ends stay, by which a unit is looked up.
        memset(plain + 3000, i & 255, 100);
        put_le16(plain + 4000, (uint16_t)(i / 2));
        bool raw = i % 3;
        size_t length = image_deflate(packed, sizeof packed, plain, sizeof plain, raw);
        assert_int_equal(image_deflate(again, sizeof again, plain, sizeof plain, raw), length);
        assert_memory_equal(again, packed, length);
        assert_int_equal(image_inflate(back, sizeof back, again, length, raw), sizeof back);
        assert_memory_equal(back, plain, sizeof back);
        assert_int_equal(image_deflate(again, length - 1, plain, sizeof plain, raw), 0);
        assert_int_equal(image_deflate(again, length - 1, plain, sizeof plain, raw), 0);
        length = image_zstd(packed, sizeof packed, plain, sizeof plain);
        assert_int_equal(image_zstd(again, sizeof again, plain, sizeof plain), length);
        assert_int_equal(image_unzstd(back, sizeof back, again, length), sizeof back);
        assert_memory_equal(back, plain, sizeof back);
    }
}

static void raw_files_keep_holes_and_written_zeros(void **state) {
    (void)state;
    struct content content = {0};
    struct image_written written = {0};
    uint64_t stored;
    content_begin(&content, (1ull << 32) + 77);
    content_write(&content, &(struct content_extent){.offset = 1 << 20, .length = 8192});
    content_write(&content, &(struct content_extent){.offset = 2 << 20,
                                                     .length = 8192,
                                                     .pattern = PATTERN_NOISE,
                                                     .form = FORM_ZERO});
    write_raw("sparse.raw", &content, false, &written, &stored);
    assert_int_equal(written.virtual_size, (1ull << 32) + 77);
    assert_int_equal(written.file_size, (1ull << 32) + 77);
    assert_int_equal(written.map.count, 1);
    assert_int_equal(written.map.extents[0].offset, 1 << 20);
    assert_int_equal(written.map.extents[0].length, 8192);
    assert_int_equal(stored, 8192);
    write_raw("sparse.raw", &content, true, &written, &stored);
    assert_int_equal(written.map.count, 0);
    assert_int_equal(stored, 0);
    image_written_free(&written);
    content_free(&content);
}

static int broken_read(void *context, uint64_t offset, void *buffer, size_t length,
                       struct fault *fault) {
    (void)context, (void)offset, (void)buffer, (void)length;
    return fault_set(fault, "broken source");
}

static void a_failed_write_leaves_nothing_and_an_old_file_alone(void **state) {
    (void)state;
    struct content content = {0};
    struct image_written written = {0};
    struct image_options options = {0};
    struct image_source source;
    struct fault fault;
    content_begin(&content, 100000);
    content_write(&content, &(struct content_extent){.offset = 5, .length = 70000});
    content_as_source(&content, &source);
    for (int format = 0; format < IMAGE_FORMATS; format++) {
        assert_int_equal(
            image_write("new", (enum image_format)format, &options, &source, &written, &fault), 0);
        assert_int_equal(
            image_write("new", (enum image_format)format, &options, &source, &written, &fault), -1);
        assert_int_equal(access("new", F_OK), 0);
        unlink("new");
        struct image_source broken = source;
        broken.read = broken_read;
        assert_int_equal(
            image_write("new", (enum image_format)format, &options, &broken, &written, &fault), -1);
        assert_non_null(strstr(fault.text, "broken source"));
        assert_int_equal(access("new", F_OK), -1);
    }
    image_written_free(&written);
    content_free(&content);
}

static void every_format_has_its_driver_and_names(void **state) {
    (void)state;
    static const char *const names[IMAGE_FORMATS] = {"raw", "qcow2", "vpc", "vmdk", "vhdx"};
    for (int format = 0; format < IMAGE_FORMATS; format++) {
        const struct image_driver *driver = image_driver((enum image_format)format);
        assert_non_null(driver);
        assert_int_equal(driver->format, format);
        assert_string_equal(driver->name, names[format]);
        assert_ptr_equal(image_driver_named(names[format]), driver);
    }
    assert_ptr_equal(image_driver_named("vhd"), image_driver(IMAGE_VPC));
    assert_ptr_equal(image_driver_named("virtualpc"), image_driver(IMAGE_VPC));
    assert_null(image_driver_named("qed"));
    assert_null(image_driver(IMAGE_FORMATS));
}

static void only_regular_files_are_opened_and_requests_stay_inside(void **state) {
    (void)state;
    struct image *image;
    struct fault fault;
    char byte;
    struct image_extent extent;
    enum image_format format;
    assert_int_equal(image_open(&image, "missing", IMAGE_RAW, &fault), -1);
    assert_null(image);
    assert_int_equal(image_open(&image, ".", IMAGE_RAW, &fault), -1);
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(image_open(&image, "fifo", IMAGE_RAW, &fault), -1);
    assert_int_equal(image_probe("fifo", &format, &fault), -1);
    unlink("fifo");
    int fd = open("five", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(file_pwrite(fd, "12345", 5, 0, &fault), 0);
    close(fd);
    assert_int_equal(image_probe("five", &format, &fault), 0);
    assert_int_equal(format, IMAGE_RAW);
    assert_int_equal(image_open(&image, "five", IMAGE_RAW, &fault), 0);
    assert_int_equal(image_read(image, 4, &byte, 1, &fault), 0);
    assert_int_equal(byte, '5');
    assert_int_equal(image_read(image, 5, &byte, 1, &fault), -1);
    assert_int_equal(image_read(image, UINT64_MAX, &byte, 1, &fault), -1);
    assert_int_equal(image_extent_at(image, 5, &extent, &fault), -1);
    image_close(image);
    image_close(NULL);
    unlink("five");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_writes_win_byte_by_byte),
        cmocka_unit_test(reads_and_zero_answers_agree_at_every_offset),
        cmocka_unit_test(patterns_are_what_the_header_says),
        cmocka_unit_test(a_source_shows_wishes_and_holes),
        cmocka_unit_test(comparison_finds_the_first_difference),
        cmocka_unit_test(comparison_judges_the_tail_of_the_longer),
        cmocka_unit_test(only_what_differs_nowhere_is_all_the_same),
        cmocka_unit_test(what_cannot_be_read_is_never_the_same),
        cmocka_unit_test(maps_merge_neighbours_and_drop_holes),
        cmocka_unit_test(deflated_bytes_come_back),
        cmocka_unit_test(packing_again_gives_the_same),
        cmocka_unit_test(raw_files_keep_holes_and_written_zeros),
        cmocka_unit_test(a_failed_write_leaves_nothing_and_an_old_file_alone),
        cmocka_unit_test(every_format_has_its_driver_and_names),
        cmocka_unit_test(only_regular_files_are_opened_and_requests_stay_inside),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
