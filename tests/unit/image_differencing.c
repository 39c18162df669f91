// SPDX-License-Identifier: Apache-2.0
//
// Differencing vpc and vhdx files: chains that our reader, and libvhdi where python3 can load it,
// read as the layers were written; fields where the specifications have them; damage. qemu-img is
// no judge here: it ignores the parent of a vpc and refuses a vhdx that has one.
#include "tests/unit/image_disk_helper.h"

#include "image/vhdx.h"
#include "image/vpc.h"

#define MAX_LAYERS 3

struct chain {
    enum image_format format;
    struct image_options options[MAX_LAYERS];
    unsigned layers; // 0 is the lowest
    struct content own[MAX_LAYERS], merged[MAX_LAYERS];
    struct image_written written[MAX_LAYERS];
};

static const char *const names[MAX_LAYERS] = {"base", "middle", "top"};

// Writes layer by layer; each merged content grows from the one below.
static void chain_make(struct chain *chain) {
    struct fault fault = {.text = ""};
    struct image_backing backing = {0};
    for (unsigned i = 0; i < chain->layers; i++) {
        struct content *own = &chain->own[i], *merged = &chain->merged[i];
        struct content_layer pair = {own, merged};
        struct image_options options = chain->options[i];
        struct image_source source;
        if (i > 0)
            content_copy(merged, &chain->merged[i - 1]);
        else
            content_begin(merged, own->size);
        content_resize(merged, own->size);
        for (size_t j = 0; j < own->count; j++)
            content_write(merged, &own->extents[j]);
        if (i > 0)
            content_as_overlay(&pair, &source);
        else
            content_as_source(own, &source);
        options.backing = i > 0 ? &backing : NULL;
        unlink(names[i]);
        if (image_write(names[i], chain->format, &options, &source, &chain->written[i], &fault))
            fail_msg("%s", fault.text);
        content_resize(merged, chain->written[i].virtual_size);
        backing = (struct image_backing){.format = chain->format};
        strcpy(backing.name, names[i]);
        memcpy(backing.identity, chain->written[i].identity, sizeof backing.identity);
    }
}

static void chain_free(struct chain *chain) {
    for (unsigned i = 0; i < chain->layers; i++) {
        unlink(names[i]);
        content_free(&chain->own[i]);
        content_free(&chain->merged[i]);
        image_written_free(&chain->written[i]);
    }
}

// Before the parent is open, extents are the file's own; with it, bytes are the chain's.
static void assert_reads_back(const struct chain *chain) {
    struct fault fault = {.text = ""};
    for (unsigned i = 0; i < chain->layers; i++) {
        struct image *image = disk_open(names[i], chain->format);
        struct image_map map = {0};
        struct image_check check;
        uint8_t *bytes = must_realloc(NULL, 1 << 20);
        assert_int_equal(image->virtual_size, chain->written[i].virtual_size);
        assert_int_equal(image->has_backing, i > 0);
        if (image_map_of(image, &map, &fault))
            fail_msg("%s", fault.text);
        const struct image_map *own = &chain->written[i].map;
        assert_int_equal(map.count, own->count);
        for (size_t j = 0; j < own->count; j++)
            assert_true(map.extents[j].offset == own->extents[j].offset &&
                        map.extents[j].length == own->extents[j].length &&
                        map.extents[j].state == own->extents[j].state);
        if (i > 0)
            assert_int_equal(image_read(image, 0, bytes, 1, &fault), -1);
        if (image_open_backing(image, &fault))
            fail_msg("%s", fault.text);
        for (uint64_t at = 0; at < image->virtual_size; at += 1 << 20) {
            size_t part = (size_t)min_u64(1 << 20, image->virtual_size - at);
            if (image_read(image, at, bytes, part, &fault))
                fail_msg("%s", fault.text);
            disk_compare(&chain->merged[i], at, bytes, part);
        }
        assert_int_equal(image->driver->check(image, &check, &fault), 0);
        assert_string_equal(check.first_problem, "");
        assert_int_equal(check.corruptions + check.leaks, 0);
        free(bytes);
        image_map_free(&map);
        image_close(image);
    }
}

// --- libvhdi -------------------------------------------------------------------------------------

static const char reader[] =
    "import sys, pyvhdi\n"
    "parent, chain = None, []\n"
    "for name in sys.argv[1:]:\n"
    "    f = pyvhdi.file()\n"
    "    f.open(name)\n"
    "    chain.append(f)\n"
    "    if parent:\n"
    "        assert f.get_parent_identifier() == parent.get_identifier(), 'identifiers differ'\n"
    "        known = f.get_parent_filename()\n"
    "        assert known in (None, before), 'the parent is ' + known\n"
    "        f.set_parent(parent)\n"
    "    parent, before = f, name\n"
    "out = open('out.raw', 'wb')\n"
    "left = f.get_media_size()\n"
    "f.seek_offset(0, 0)\n"
    "while left:\n"
    "    part = f.read_buffer(min(left, 1 << 20))\n"
    "    out.write(part)\n"
    "    left -= len(part)\n";

static bool have_libvhdi(void) {
    static int known = -1;
    struct buffer text = {0};
    char *argv[] = {"python3", "-c", "import pyvhdi", NULL};
    if (known < 0)
        known = run_program("/usr/bin/python3", argv, &text) == 0;
    buffer_free(&text);
    return known;
}

// What libvhdi reads of the topmost file.
static void assert_libvhdi_agrees(const struct chain *chain) {
    if (!have_libvhdi())
        return;
    struct buffer text = {0};
    char *argv[4 + MAX_LAYERS] = {"python3", "-c", (char *)reader};
    for (unsigned i = 0; i < chain->layers; i++)
        argv[3 + i] = (char *)names[i];
    if (run_program("/usr/bin/python3", argv, &text))
        fail_msg("libvhdi: %s", text.data);
    struct image *raw = disk_open("out.raw", IMAGE_RAW);
    const struct content *merged = &chain->merged[chain->layers - 1];
    uint8_t *bytes = must_realloc(NULL, 1 << 20);
    assert_true(raw->virtual_size >= merged->size);
    for (uint64_t at = 0; at < merged->size; at += 1 << 20) {
        size_t part = (size_t)min_u64(1 << 20, merged->size - at);
        assert_int_equal(image_read(raw, at, bytes, part, NULL), 0);
        disk_compare(merged, at, bytes, part);
    }
    free(bytes);
    image_close(raw);
    unlink("out.raw");
    buffer_free(&text);
}

// --- chains --------------------------------------------------------------------------------------

static void random_layer(struct random *random, struct content *own, uint64_t size, uint32_t unit) {
    content_begin(own, size);
    for (uint64_t left = below(random, 8); left > 0; left--) {
        uint64_t offset = below(random, size);
        if (one_in(random, 2))
            offset = round_down(offset, one_in(random, 2) ? unit : 512);
        const uint64_t lengths[] = {1 + below(random, 3000), (1 + below(random, 64)) * 512, unit,
                                    unit + 512};
        const struct content_extent write = {
            .offset = offset,
            .length = lengths[below(random, 4)],
            .pattern = (enum content_pattern)below(random, CONTENT_PLAIN_PATTERNS),
            .form = (enum content_form)below(random, CONTENT_FORMS),
            .seed = (uint8_t)(1 + below(random, 255)),
        };
        content_write(own, &write);
    }
}

static void chains_read_as_they_were_written(void **state) {
    enum image_format format = *(enum image_format *)*state;
    const char *set = getenv("IMAGE_GENERATED");
    unsigned long count = set ? strtoul(set, NULL, 10) : 40;
    for (unsigned long index = 0; index < count; index++) {
        struct random random = {(uint64_t)format * 7919 + index * 104729};
        struct chain chain = {.format = format, .layers = 2 + (unsigned)below(&random, 2)};
        uint64_t size = 1 + below(&random, 12 << 20);
        for (unsigned i = 0; i < chain.layers; i++) {
            struct image_options *options = &chain.options[i];
            options->block_bits = (format == IMAGE_VPC ? 19 : 20) + (uint32_t)below(&random, 3);
            options->vpc_creator = (enum vpc_creator)below(&random, VPC_CREATORS);
            options->vpc_fixed = i == 0 && one_in(&random, 3);
            options->vhdx_fixed = i == 0 && one_in(&random, 3);
            random_layer(&random, &chain.own[i], size, 1u << options->block_bits);
            if (one_in(&random, 4)) // another size above, in both directions
                size = 1 + below(&random, 12 << 20);
        }
        chain_make(&chain);
        assert_reads_back(&chain);
        chain_free(&chain);
    }
}

// Three layers of one size: the middle one has parts of blocks, the top whole ones too. libvhdi
// 20210425 takes the bits behind a set one in the same byte of a vpc for set, and a zero block of a
// vhdx for the parent's: so runs end with a byte of bits, and nothing is explicitly zero.
static void make_plain_chain(struct chain *chain, enum image_format format, uint64_t size) {
    const struct content_extent writes[MAX_LAYERS][2] = {
        {{0, size, PATTERN_COUNTER, FORM_NORMAL, 1}},
        {{512 * 3, 512 * 5, PATTERN_CONSTANT, FORM_NORMAL, 2},
         {(2 << 20) + 4096, 3 << 20, PATTERN_NOISE, FORM_NORMAL, 3}},
        {{(1 << 20) - 4096, 8192, PATTERN_CONSTANT, FORM_NORMAL, 4},
         {4 << 20, 2 << 20, PATTERN_NOISE, FORM_NORMAL, 5}},
    };
    *chain = (struct chain){.format = format, .layers = MAX_LAYERS};
    for (unsigned i = 0; i < MAX_LAYERS; i++) {
        chain->options[i].block_bits = 20;
        chain->options[i].vpc_creator = VPC_CREATOR_WIN;
        content_begin(&chain->own[i], size);
        for (unsigned j = 0; j < 2; j++)
            content_write(&chain->own[i], &writes[i][j]);
    }
    chain_make(chain);
}

static void libvhdi_reads_the_same_chain(void **state) {
    enum image_format format = *(enum image_format *)*state;
    struct chain chain;
    make_plain_chain(&chain, format, (9 << 20) + 4096);
    assert_reads_back(&chain);
    assert_libvhdi_agrees(&chain);
    chain_free(&chain);
    if (!have_libvhdi())
        skip();
}

static void vpc_fields_are_where_the_specification_has_them(void **state) {
    (void)state;
    struct chain chain;
    uint8_t base[VPC_FOOTER_SIZE], footer[VPC_FOOTER_SIZE], header[VPC_HEADER_SIZE], bytes[64];
    make_plain_chain(&chain, IMAGE_VPC, 9 << 20);
    disk_peek("base", 0, base, sizeof base);
    disk_peek("middle", 0, footer, sizeof footer);
    disk_peek("middle", 512, header, sizeof header);
    assert_int_equal(get_be32(footer + VPC_FOOTER_TYPE), 4);
    assert_memory_equal(header + 40, base + VPC_FOOTER_UUID, 16);
    assert_memory_not_equal(footer + VPC_FOOTER_UUID, base + VPC_FOOTER_UUID, 16);
    assert_int_equal(get_be32(header + 56), get_be32(base + VPC_FOOTER_TIME));
    assert_memory_equal(header + 64, "\0b\0a\0s\0e\0\0", 10);
    assert_memory_equal(header + 576, "W2ru", 4);
    assert_int_equal(get_be32(header + 576 + 8), 12);
    disk_peek("middle", get_be64(header + 576 + 16), bytes, 12);
    assert_memory_equal(bytes, ".\0\\\0b\0a\0s\0e\0", 12);
    assert_memory_equal(header + 600, "W2ku", 4);
    disk_peek("middle", get_be64(header + 600 + 16), bytes, 8);
    assert_memory_equal(bytes, "b\0a\0s\0e\0", 8);
    disk_peek("middle", 1536, bytes, 4);
    disk_peek("middle", (uint64_t)get_be32(bytes) * 512, bytes, 3);
    assert_memory_equal(bytes, "\x1f\0\0", 3); // sectors 3 to 7 of the first block
    chain_free(&chain);
}

static void vhdx_fields_are_where_the_specification_has_them(void **state) {
    (void)state;
    struct chain chain;
    uint8_t base[16], item[1024], entry[32], bytes[8];
    make_plain_chain(&chain, IMAGE_VHDX, 9 << 20);
    disk_peek("base", VHDX_HEADER_2_OFFSET + VHDX_HEADER_DATA_WRITE, base, sizeof base);
    disk_peek("middle", (2 << 20) + 32 + 5 * 32, entry, sizeof entry);
    assert_int_equal(get_le32(entry + 24), 4);
    uint64_t at = (2 << 20) + get_le32(entry + 16);
    disk_peek("middle", at, item, sizeof item);
    assert_memory_equal(item, vhdx_locator_type, 16);
    assert_int_equal(get_le16(item + 18), 2);
    assert_memory_equal(item + get_le32(item + 20), "p\0a\0r\0e\0n\0t\0_\0l\0", 16);
    assert_int_equal(get_le16(item + 20 + 10), 76); // a GUID in braces
    assert_memory_equal(item + get_le32(item + 24), "{\0009\0001\0003\000c\0004\000d\000", 14);
    assert_memory_equal(base, "\x11\x4d\x3c\x91", 4);
    assert_memory_equal(item + get_le32(item + 36), ".\0\\\0b\0a\0s\0e\0", 12);
    disk_peek("middle", (2 << 20) + 65536 + 4, bytes, 4);
    assert_int_equal(get_le32(bytes), VHDX_HAS_PARENT);
    disk_peek("middle", 3 << 20, bytes, 8);
    assert_int_equal(get_le64(bytes), (4 << 20) | VHDX_PARTIALLY_PRESENT);
    disk_peek("middle", (3 << 20) + 4096 * 8, bytes, 8); // behind the 4096 blocks of a chunk
    assert_int_equal(get_le64(bytes), (5 << 20) | VHDX_BITMAP_PRESENT);
    disk_peek("middle", 5 << 20, bytes, 3);
    assert_memory_equal(bytes, "\xf8\0\0", 3);
    chain_free(&chain);
}

// [MS-VHDX] 2.5.1.1: only a block that is not present shows the parent.
static void vhdx_states_without_content_do_not_show_the_parent(void **state) {
    (void)state;
    static const struct {
        uint8_t state;
        enum image_state shown;
    } states[] = {{VHDX_NOT_PRESENT, IMAGE_HOLE},
                  {VHDX_UNDEFINED, IMAGE_ZERO},
                  {VHDX_ZERO, IMAGE_ZERO},
                  {VHDX_UNMAPPED, IMAGE_ZERO},
                  {VHDX_UNMAPPED_DRAFT, IMAGE_ZERO}};
    struct chain chain;
    struct image_extent extent;
    uint8_t byte;
    make_plain_chain(&chain, IMAGE_VHDX, 9 << 20);
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        disk_poke("middle", (3 << 20) + 8 * 8, &states[i].state, 1);
        struct image *image = disk_open("middle", IMAGE_VHDX);
        assert_int_equal(image_extent_at(image, 8 << 20, &extent, NULL), 0);
        assert_int_equal(extent.state, states[i].shown);
        assert_int_equal(image_open_backing(image, NULL), 0);
        assert_int_equal(image_read(image, (8 << 20) + 7, &byte, 1, NULL), 0);
        assert_int_equal(byte, states[i].shown == IMAGE_HOLE ? 1 : 0); // the counter's top byte
        image_close(image);
    }
    chain_free(&chain);
}

// A parent that is longer must not show behind a child that its format makes longer.
static void what_rounding_adds_is_zero(void **state) {
    enum image_format format = *(enum image_format *)*state;
    struct chain chain = {.format = format, .layers = 2};
    const struct content_extent all = {0, 3 << 20, PATTERN_CONSTANT, FORM_NORMAL, 7};
    uint8_t byte;
    content_begin(&chain.own[0], 3 << 20);
    content_write(&chain.own[0], &all);
    content_begin(&chain.own[1], (2 << 20) + 100);
    chain_make(&chain);
    assert_true(chain.written[1].virtual_size > chain.own[1].size);
    assert_reads_back(&chain);
    content_read(&chain.merged[1], (2 << 20) + 99, &byte, 1);
    assert_int_equal(byte, 7);
    content_read(&chain.merged[1], (2 << 20) + 100, &byte, 1);
    assert_int_equal(byte, 0);
    chain_free(&chain);
}

static void parents_that_cannot_be_are_refused(void **state) {
    enum image_format format = *(enum image_format *)*state;
    struct content content = {0};
    struct content_layer pair = {&content, &content};
    struct image_source source;
    struct image_written written = {0};
    struct fault fault = {.text = ""};
    struct image_backing backing = {.name = "base", .format = IMAGE_RAW};
    struct image_options options = {.backing = &backing};
    content_begin(&content, 1 << 20);
    content_as_overlay(&pair, &source);
    assert_int_equal(image_write("disk", format, &options, &source, &written, &fault), -1);
    assert_non_null(strstr(fault.text, "parent"));
    backing.format = format;
    options.vpc_fixed = options.vhdx_fixed = true;
    assert_int_equal(image_write("disk", format, &options, &source, &written, &fault), -1);
    assert_non_null(strstr(fault.text, "parent"));
    content_free(&content);
    image_written_free(&written);
}

static void mend_vpc(const char *path) {
    uint8_t bytes[VPC_HEADER_SIZE];
    disk_peek(path, 0, bytes, VPC_FOOTER_SIZE);
    put_be32(bytes + VPC_FOOTER_CHECKSUM,
             vpc_checksum(bytes, VPC_FOOTER_SIZE, VPC_FOOTER_CHECKSUM));
    disk_poke(path, 0, bytes, VPC_FOOTER_SIZE);
}

static void damaged_files_are_survived(void **state) {
    enum image_format format = *(enum image_format *)*state;
    static const struct disk_part vpc_parts[] = {{512, 48}, {576, 80}, {512 + 576, 48}, {1536, 40}};
    static const struct disk_part vhdx_parts[] = {{2 << 20, 224},
                                                  {(2 << 20) + 65536, 64},
                                                  {(2 << 20) + 65536 + 40, 200},
                                                  {3 << 20, 80},
                                                  {(3 << 20) + 4096 * 8, 8}};
    struct chain chain;
    make_plain_chain(&chain, format, 9 << 20);
    if (format == IMAGE_VPC)
        disk_damage("middle", format, vpc_parts, 4, 400, mend_vpc);
    else
        disk_damage("middle", format, vhdx_parts, 5, 400, NULL);
    assert_reads_back(&chain);
    disk_truncate("middle", format);
    chain_free(&chain);
}

#define OF_BOTH(test) cmocka_unit_test_prestate(test, &vpc), cmocka_unit_test_prestate(test, &vhdx)

int main(void) {
    static enum image_format vpc = IMAGE_VPC, vhdx = IMAGE_VHDX;
    const struct CMUnitTest tests[] = {
        OF_BOTH(chains_read_as_they_were_written),
        OF_BOTH(libvhdi_reads_the_same_chain),
        cmocka_unit_test(vpc_fields_are_where_the_specification_has_them),
        cmocka_unit_test(vhdx_fields_are_where_the_specification_has_them),
        cmocka_unit_test(vhdx_states_without_content_do_not_show_the_parent),
        OF_BOTH(what_rounding_adds_is_zero),
        OF_BOTH(parents_that_cannot_be_are_refused),
        OF_BOTH(damaged_files_are_survived),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
