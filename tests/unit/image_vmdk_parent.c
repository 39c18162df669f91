// SPDX-License-Identifier: Apache-2.0
//
// A vmdk over another one: identifiers that tell contents apart, holes that show the parent, zeroed
// grains that do not, and chains that somebody broke. qemu-img's conversion of the chain is the
// second opinion of every case.
#include "tests/unit/image_disk_helper.h"

#include "base/file.h"
#include "image/vmdk.h"

#define KIB 1024ull

struct chain {
    struct content below, own, merged;
    struct image_written base, over;
    struct image_backing backing;
    struct content_layer layer;
};

static void write_below(struct chain *chain, const struct image_options *options, uint64_t size) {
    disk_content(&chain->below, size, 1u << 16);
    disk_make("base.vmdk", IMAGE_VMDK, options, &chain->below, &chain->base);
    chain->backing = (struct image_backing){"base.vmdk", IMAGE_VMDK, {0}};
    memcpy(chain->backing.identity, chain->base.identity, sizeof chain->base.identity);
    content_copy(&chain->merged, &chain->below);
    content_resize(&chain->merged, chain->base.virtual_size);
}

static void write_over(struct chain *chain, struct image_options options, uint64_t size,
                       const struct content_extent *writes, size_t count) {
    struct fault fault = {.text = ""};
    struct image_source source;
    content_begin(&chain->own, size);
    content_resize(&chain->merged, size);
    for (size_t i = 0; i < count; i++) {
        content_write(&chain->own, &writes[i]);
        content_write(&chain->merged, &writes[i]);
    }
    chain->layer = (struct content_layer){&chain->own, &chain->merged};
    content_as_overlay(&chain->layer, &source);
    options.backing = &chain->backing;
    if (image_write("over.vmdk", IMAGE_VMDK, &options, &source, &chain->over, &fault))
        fail_msg("%s", fault.text);
}

static void end_chain(struct chain *chain) {
    unlink("over.vmdk");
    unlink("base.vmdk");
    for (size_t i = 0; i < chain->base.file_count; i++)
        unlink(chain->base.files[i]);
    content_free(&chain->below);
    content_free(&chain->own);
    content_free(&chain->merged);
    image_written_free(&chain->base);
    image_written_free(&chain->over);
}

static struct image *open_chain(void) {
    struct fault fault = {.text = ""};
    struct image *image = disk_open("over.vmdk", IMAGE_VMDK);
    if (image_open_backing(image, &fault))
        fail_msg("%s", fault.text);
    return image;
}

static void assert_merged(const struct chain *chain) {
    struct image *image = open_chain();
    uint8_t *bytes = must_realloc(NULL, image->virtual_size);
    assert_int_equal(image->virtual_size, chain->over.virtual_size);
    assert_int_equal(image_read(image, 0, bytes, image->virtual_size, NULL), 0);
    disk_compare(&chain->merged, 0, bytes, image->virtual_size);
    free(bytes);
    image_close(image);
    assert_qemu_agrees("over.vmdk", IMAGE_VMDK, true, &chain->merged, &chain->over);
}

static const struct content_extent changes[] = {
    {3 * 64 * KIB + 700, 9000, PATTERN_NOISE, FORM_NORMAL, 21},
    {5 * 64 * KIB, 64 * KIB, PATTERN_ZERO, FORM_ZERO, 0},
    {6 * 64 * KIB + 512, 512, PATTERN_ZERO, FORM_ZERO_ALLOCATED, 0}, // a part of a grain
    {9 * 64 * KIB, 10 * 64 * KIB, PATTERN_COUNTER, FORM_COMPRESSED, 22},
    {30 * 64 * KIB, 3 * 64 * KIB, PATTERN_ZERO, FORM_NORMAL, 0},
};
#define CHANGES (sizeof changes / sizeof *changes)

static void holes_show_the_parent(void **state) {
    (void)state;
    static const struct image_options below[] = {
        {0},
        {.vmdk_subformat = VMDK_STREAM},
        {.vmdk_subformat = VMDK_FLAT},
        {.vmdk_subformat = VMDK_SPLIT_SPARSE, .vmdk_extent = 1024 * KIB, .grain_bits = 12},
        {.vmdk_subformat = VMDK_SPLIT_FLAT, .vmdk_extent = 1000 * KIB},
    };
    for (size_t i = 0; i < sizeof below / sizeof *below; i++)
        for (uint32_t bits = 12; bits <= 16; bits += 2) {
            struct chain chain = {0};
            write_below(&chain, &below[i], 4096 * KIB);
            write_over(&chain, (struct image_options){.grain_bits = bits}, 4096 * KIB, changes,
                       CHANGES);
            assert_merged(&chain);
            end_chain(&chain);
        }
}

// The chain's sizes need not be equal, nor be whole sectors. What lies behind the end that was
// asked for is zero, also where the last sector reaches over it and the parent has bytes there.
static void sizes_may_differ(void **state) {
    (void)state;
    static const uint64_t sizes[][2] = {
        {4096 * KIB, 2560 * KIB},
        {2560 * KIB, 4096 * KIB},
        {4096 * KIB, 2560 * KIB + 1},
        {4096 * KIB - 511, 2560 * KIB},
        {512, 2560 * KIB},
        {2560 * KIB, 2560 * KIB - 100},
        {2560 * KIB + 64 * KIB + 1000, 2560 * KIB + 64 * KIB + 999},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct chain chain = {0};
        write_below(&chain, &(struct image_options){0}, sizes[i][0]);
        write_over(&chain, (struct image_options){0}, sizes[i][1], changes, CHANGES);
        assert_merged(&chain);
        end_chain(&chain);
    }
}

static void the_map_is_that_of_the_file_alone(void **state) {
    (void)state;
    struct chain chain = {0};
    struct image_map map = {0};
    static const struct image_extent expected[] = {
        {3 * 64 * KIB, 64 * KIB, IMAGE_DATA},      {5 * 64 * KIB, 64 * KIB, IMAGE_ZERO},
        {6 * 64 * KIB, 64 * KIB, IMAGE_DATA}, // zeros beside bytes of the parent
        {9 * 64 * KIB, 10 * 64 * KIB, IMAGE_DATA}, {30 * 64 * KIB, 3 * 64 * KIB, IMAGE_DATA},
    };
    write_below(&chain, &(struct image_options){0}, 4096 * KIB);
    write_over(&chain, (struct image_options){0}, 4096 * KIB, changes, CHANGES);
    struct image *image = disk_open("over.vmdk", IMAGE_VMDK);
    assert_int_equal(image_map_of(image, &map, NULL), 0);
    assert_int_equal(map.count, 5);
    assert_int_equal(chain.over.map.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(map.extents[i].offset, expected[i].offset);
        assert_int_equal(map.extents[i].length, expected[i].length);
        assert_int_equal(map.extents[i].state, expected[i].state);
        assert_int_equal(chain.over.map.extents[i].offset, expected[i].offset);
        assert_int_equal(chain.over.map.extents[i].length, expected[i].length);
        assert_int_equal(chain.over.map.extents[i].state, expected[i].state);
    }
    image_close(image);
    image_map_free(&map);
    end_chain(&chain);
}

static void the_descriptor_names_the_parent(void **state) {
    (void)state;
    struct chain chain = {0};
    char text[20 * 512], expected[128];
    struct image_info info;
    write_below(&chain, &(struct image_options){0}, 1024 * KIB);
    write_over(&chain, (struct image_options){0}, 1024 * KIB, changes, 1);
    disk_peek("over.vmdk", 512, text, sizeof text);
    snprintf(expected, sizeof expected,
             "\nCID=%08x\nparentCID=%08x\ncreateType=\"monolithicSparse\"\n"
             "parentFileNameHint=\"base.vmdk\"\n",
             get_le32(chain.over.identity), get_le32(chain.base.identity));
    assert_non_null(strstr(text, expected));
    struct image *image = disk_open("over.vmdk", IMAGE_VMDK);
    image->driver->info(image, &info);
    assert_true(image->has_backing);
    assert_true(info.has_backing);
    assert_string_equal(info.backing_name, "base.vmdk");
    assert_string_equal(info.backing_format, "vmdk");
    assert_int_equal(info.vmdk_parent_cid, get_le32(chain.base.identity));
    image_close(image);
    end_chain(&chain);
}

static uint32_t cid_of(const struct image_options *options, uint64_t size,
                       const struct content_extent *write) {
    struct content content = {0};
    struct image_written written = {0};
    content_begin(&content, size);
    if (write)
        content_write(&content, write);
    disk_make("disk.vmdk", IMAGE_VMDK, options, &content, &written);
    uint32_t cid = get_le32(written.identity);
    unlink("disk.vmdk");
    for (size_t i = 0; i < written.file_count; i++)
        unlink(written.files[i]);
    content_free(&content);
    image_written_free(&written);
    return cid;
}

static void other_contents_have_other_identifiers(void **state) {
    (void)state;
    static const struct content_extent writes[] = {
        {65536, 512, PATTERN_CONSTANT, FORM_NORMAL, 1},
        {65536, 512, PATTERN_CONSTANT, FORM_NORMAL, 2},
        {65536, 1024, PATTERN_CONSTANT, FORM_NORMAL, 1},
        {131072, 512, PATTERN_CONSTANT, FORM_NORMAL, 1},
        {900 * KIB, 512, PATTERN_CONSTANT, FORM_NORMAL, 1},
    };
    for (int layout = 0; layout < VMDK_SUBFORMATS; layout++) {
        struct image_options options = {.vmdk_subformat = (enum vmdk_subformat)layout,
                                        .vmdk_extent = 512 * KIB};
        uint32_t cids[7];
        cids[0] = cid_of(&options, 1024 * KIB, NULL);
        cids[1] = cid_of(&options, 1024 * KIB + 512, NULL);
        for (size_t i = 0; i < 5; i++)
            cids[2 + i] = cid_of(&options, 1024 * KIB, &writes[i]);
        for (size_t i = 0; i < 7; i++) {
            assert_int_not_equal(cids[i], UINT32_MAX);
            for (size_t other = 0; other < i; other++)
                assert_int_not_equal(cids[i], cids[other]);
        }
        assert_int_equal(cids[4], cid_of(&options, 1024 * KIB, &writes[2]));
    }
}

// qemu-img 7.2 opens such a chain and fails at the first hole of the upper file whose bytes it
// needs: where the parent has none it does not ask for them.
static void a_parent_that_changed_is_refused(void **state) {
    (void)state;
    struct chain chain = {0};
    struct fault fault = {.text = ""};
    struct content content = {0};
    write_below(&chain, &(struct image_options){0}, 1024 * KIB);
    write_over(&chain, (struct image_options){0}, 1024 * KIB, changes, 1);
    content_begin(&content, 1024 * KIB);
    content_write(&content, &changes[3]);
    disk_make("base.vmdk", IMAGE_VMDK, &(struct image_options){0}, &content, &chain.base);
    struct image *image = disk_open("over.vmdk", IMAGE_VMDK);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(image_open_backing(image, &fault), -1);
        assert_non_null(strstr(fault.text, "base.vmdk is not the parent"));
        assert_null(image->backing);
    }
    uint8_t byte;
    assert_int_equal(image_read(image, 0, &byte, 1, &fault), -1);
    image_close(image);
    if (have_qemu_img()) {
        struct buffer text = {0};
        char *convert[] = {"qemu-img", "convert", "-O", "raw", "over.vmdk", "out.raw", NULL};
        assert_int_equal(run_qemu_img(convert, &text), 1);
        assert_non_null(strstr(text.data, "Invalid argument"));
        unlink("out.raw");
        buffer_free(&text);
    }
    content_free(&content);
    end_chain(&chain);
}

static void a_parent_that_is_no_vmdk_is_refused(void **state) {
    (void)state;
    struct chain chain = {0};
    struct fault fault = {.text = ""};
    write_below(&chain, &(struct image_options){0}, 1024 * KIB);
    write_over(&chain, (struct image_options){0}, 1024 * KIB, changes, 1);
    disk_poke("base.vmdk", 0, "raw", 3);
    struct image *image = disk_open("over.vmdk", IMAGE_VMDK);
    assert_int_equal(image_open_backing(image, &fault), -1);
    unlink("base.vmdk");
    assert_int_equal(image_open_backing(image, &fault), -1);
    image_close(image);
    end_chain(&chain);
}

// As qemu-img makes it: the chain and what was written to it are its own.
static void chains_of_qemu_img_are_read(void **state) {
    (void)state;
    struct chain chain = {0};
    struct buffer text = {0};
    char *create[] = {"qemu-img",  "create", "-f",   "vmdk",      "-b",
                      "base.vmdk", "-F",     "vmdk", "over.vmdk", NULL};
    char *write[] = {"qemu-io", "-f", "vmdk", "-c", "write -P 7 100k 3k", "over.vmdk", NULL};
    if (!have_qemu_img() || run_program("qemu-io", (char *[]){"qemu-io", "-V", NULL}, &text) != 0) {
        buffer_free(&text);
        skip();
    }
    write_below(&chain, &(struct image_options){0}, 1024 * KIB);
    if (run_qemu_img(create, &text) != 0 || run_program("qemu-io", write, &text) != 0)
        fail_msg("%s", text.data);
    struct image *image = open_chain();
    const struct content_extent seven = {100 * KIB, 3 * KIB, PATTERN_CONSTANT, FORM_NORMAL, 7};
    uint8_t *bytes = must_realloc(NULL, 1024 * KIB);
    content_write(&chain.merged, &seven);
    assert_int_equal(image_read(image, 0, bytes, 1024 * KIB, NULL), 0);
    disk_compare(&chain.merged, 0, bytes, 1024 * KIB);
    free(bytes);
    image_close(image);
    buffer_free(&text);
    end_chain(&chain);
}

static void what_cannot_have_a_parent_is_refused(void **state) {
    (void)state;
    static const struct {
        struct image_options options;
        struct image_backing backing;
        const char *reason;
    } refused[] = {
        {{.vmdk_subformat = VMDK_STREAM}, {"base.vmdk", IMAGE_VMDK, {0}}, "only monolithicSparse"},
        {{.vmdk_subformat = VMDK_FLAT}, {"base.vmdk", IMAGE_VMDK, {0}}, "only monolithicSparse"},
        {{0}, {"base.raw", IMAGE_RAW, {0}}, "only a vmdk"},
        {{0}, {"ba\"se.vmdk", IMAGE_VMDK, {0}}, "the parent's name"},
    };
    struct content content = {0};
    struct content_layer layer = {&content, &content};
    struct image_source source;
    content_begin(&content, 1024 * KIB);
    content_as_overlay(&layer, &source);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct image_options options = refused[i].options;
        struct image_written written = {0};
        struct fault fault = {.text = ""};
        options.backing = &refused[i].backing;
        assert_int_equal(image_write("over.vmdk", IMAGE_VMDK, &options, &source, &written, &fault),
                         -1);
        if (!strstr(fault.text, refused[i].reason))
            fail_msg("\"%s\" does not say \"%s\"", fault.text, refused[i].reason);
        image_written_free(&written);
    }
    content_free(&content);
}

// A flat extent is wholly the disk's own: its holes are zeros, whatever lies below.
static void holes_of_a_flat_extent_show_no_parent(void **state) {
    (void)state;
    struct chain chain = {0};
    struct buffer text = {0};
    uint8_t bytes[4096];
    write_below(&chain, &(struct image_options){0}, 1024 * KIB);
    int fd = open("flat", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, 1024 * KIB), 0);
    close(fd);
    buffer_format(&text,
                  "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=%08x\n"
                  "createType=\"monolithicFlat\"\nparentFileNameHint=\"base.vmdk\"\n"
                  "# Extent description\nRW 2048 FLAT \"flat\" 0\n",
                  get_le32(chain.base.identity));
    fd = open("over.vmdk", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(file_pwrite(fd, text.data, text.length, 0, NULL), 0);
    close(fd);
    struct image *image = open_chain();
    assert_int_equal(image_read(image, 0, bytes, sizeof bytes, NULL), 0);
    assert_true(bytes_are_zero(bytes, sizeof bytes));
    image_close(image);
    chain.over.virtual_size = 1024 * KIB;
    content_begin(&chain.merged, 1024 * KIB);
    assert_qemu_agrees("over.vmdk", IMAGE_VMDK, true, &chain.merged, &chain.over);
    unlink("flat");
    buffer_free(&text);
    end_chain(&chain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holes_show_the_parent),
        cmocka_unit_test(sizes_may_differ),
        cmocka_unit_test(the_map_is_that_of_the_file_alone),
        cmocka_unit_test(the_descriptor_names_the_parent),
        cmocka_unit_test(other_contents_have_other_identifiers),
        cmocka_unit_test(a_parent_that_changed_is_refused),
        cmocka_unit_test(a_parent_that_is_no_vmdk_is_refused),
        cmocka_unit_test(chains_of_qemu_img_are_read),
        cmocka_unit_test(what_cannot_have_a_parent_is_refused),
        cmocka_unit_test(holes_of_a_flat_extent_show_no_parent),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
