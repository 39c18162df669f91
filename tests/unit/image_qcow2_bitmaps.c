// SPDX-License-Identifier: Apache-2.0
//
// Persistent bitmaps of qcow2: what is written is what qemu-img shows, checks, loads and copies.
#include "image_qcow2_helper.h"

#include "base/file.h"

#define MAX_BITMAPS 4
#define COPY        "copy.qcow2"

static struct image_bitmap bitmaps[MAX_BITMAPS];
static struct image_map dirty[MAX_BITMAPS];
static struct image_options options;

static void begin(uint64_t size, uint32_t cluster_bits) {
    content_begin(&content, size);
    for (int i = 0; i < MAX_BITMAPS; i++)
        image_map_clear(&dirty[i]);
    options = (struct image_options){.cluster_bits = cluster_bits, .bitmaps = bitmaps};
}

static struct image_map *add(const char *name, uint32_t granularity_bits) {
    size_t i = options.bitmap_count++;
    bitmaps[i] = (struct image_bitmap){.granularity_bits = granularity_bits, .dirty = &dirty[i]};
    snprintf(bitmaps[i].name, sizeof bitmaps[i].name, "%s", name);
    return &dirty[i];
}

// --- what a file says, read once more and on its own ---------------------------------------------

// Is the bit of guest byte `offset` set in bitmap `index` of a file? Follows the specification's
// figures only ("Bitmaps extension"), with numbers for offsets.
static bool bit_of(const uint8_t *file, uint32_t index, uint64_t offset) {
    uint32_t cluster_bits = get_be32(file + 20);
    size_t at = get_be32(file + 100);
    while (get_be32(file + at) != 0x23852875)
        at += 8 + (get_be32(file + at + 4) + 7) / 8 * 8;
    const uint8_t *entry = file + get_be64(file + at + 8 + 16);
    for (; index > 0; index--)
        entry += (24 + get_be16(entry + 18) + 7) / 8 * 8;
    uint64_t bit = offset >> entry[17], per_cluster = 8ull << cluster_bits;
    uint64_t place = get_be64(file + get_be64(entry) + bit / per_cluster * 8);
    if (place <= 1)
        return place;
    return file[place + bit % per_cluster / 8] >> bit % 8 & 1;
}

static uint8_t *load_file(const char *path) {
    struct fault fault = {.text = ""};
    struct image *image = opened(path, IMAGE_QCOW2);
    uint8_t *bytes = malloc((size_t)image->file_size);
    assert_non_null(bytes);
    assert_int_equal(file_pread(image->fd, bytes, (size_t)image->file_size, 0, &fault), 0);
    image_close(image);
    return bytes;
}

static bool is_dirty(const struct image_map *map, uint64_t from, uint64_t to) {
    for (size_t i = 0; i < map->count; i++)
        if (map->extents[i].offset < to && map->extents[i].offset + map->extents[i].length > from)
            return true;
    return false;
}

// Every bit of every bitmap, at the granularity that it was written with.
static void assert_bits(const char *path) {
    uint8_t *file = load_file(path);
    for (uint32_t i = 0; i < options.bitmap_count; i++) {
        uint64_t step = 1ull << bitmaps[i].granularity_bits;
        for (uint64_t at = 0; at < content.size; at += step)
            if (bit_of(file, i, at) !=
                is_dirty(&dirty[i], at, min_u64(at + step, round_up(content.size, 512))))
                fail_msg("%s: bitmap %u at %llu", path, i, (unsigned long long)at);
    }
    free(file);
}

// qemu-img loads every bitmap and stores it again in a file of its own.
static void assert_copied(void) {
    char *argv[] = {"qemu-img", "convert", "--bitmaps", "-f", "qcow2",
                    "-O",       "qcow2",   FILE_NAME,   COPY, NULL};
    if (!have_qemu_img())
        return;
    if (run_qemu_img(argv, &text) != 0)
        fail_msg("%s", text.data);
    assert_bits(COPY);
    unlink(COPY);
}

static const cJSON *shown_bitmaps(cJSON *json) {
    const cJSON *specific = cJSON_GetObjectItemCaseSensitive(json, "format-specific");
    return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(specific, "data"),
                                            "bitmaps");
}

static bool has_flag(const cJSON *flags, const char *name) {
    const cJSON *flag;
    cJSON_ArrayForEach(flag, flags) if (strcmp(flag->valuestring, name) == 0) return true;
    return false;
}

static void assert_shown_by_qemu_img(void) {
    char *argv[] = {"qemu-img", "info", "--output=json", FILE_NAME, NULL};
    if (!have_qemu_img())
        return;
    assert_int_equal(run_qemu_img(argv, &text), 0);
    cJSON *json = cJSON_Parse(text.data);
    const cJSON *list = shown_bitmaps(json);
    assert_int_equal(cJSON_GetArraySize(list), options.bitmap_count);
    for (int i = 0; i < (int)options.bitmap_count; i++) {
        const cJSON *item = cJSON_GetArrayItem(list, i);
        const cJSON *flags = cJSON_GetObjectItemCaseSensitive(item, "flags");
        assert_string_equal(cJSON_GetObjectItemCaseSensitive(item, "name")->valuestring,
                            bitmaps[i].name);
        assert_true(cJSON_GetObjectItemCaseSensitive(item, "granularity")->valuedouble ==
                    (double)(1ull << bitmaps[i].granularity_bits));
        assert_int_equal(has_flag(flags, "auto"), bitmaps[i].automatic);
        assert_int_equal(has_flag(flags, "in-use"), bitmaps[i].in_use);
    }
    cJSON_Delete(json);
}

static void assert_shown_by_us(void) {
    struct fault fault = {.text = ""};
    struct image *image = opened(FILE_NAME, IMAGE_QCOW2);
    struct image_info info;
    struct image_bitmap_info found;
    image->driver->info(image, &info);
    assert_int_equal(info.bitmaps, options.bitmap_count);
    for (uint32_t i = 0; i < info.bitmaps; i++) {
        assert_int_equal(image->driver->bitmap(image, i, &found, &fault), 0);
        assert_string_equal(found.name, bitmaps[i].name);
        assert_int_equal(found.granularity_bits, bitmaps[i].granularity_bits);
        assert_int_equal(found.automatic, bitmaps[i].automatic);
        assert_int_equal(found.in_use, bitmaps[i].in_use);
    }
    assert_int_equal(image->driver->bitmap(image, info.bitmaps, &found, &fault), -1);
    image_close(image);
}

static void assert_good(void) {
    build(&options);
    assert_clean();
    assert_shown_by_us();
    assert_shown_by_qemu_img();
}

// --- what is written -----------------------------------------------------------------------------

static void names_granularity_and_flags_are_shown(void **state) {
    (void)state;
    for (uint32_t bits = 9; bits <= 31; bits++) {
        begin(3u << 20, 9 + bits % 13);
        put_extent(100000, 100000, PATTERN_NOISE, FORM_NORMAL);
        image_map_add(add("a", bits), 0, 1, IMAGE_DATA);
        bitmaps[0].automatic = true;
        add("a name of many letters, 1234567890, and some more", 9);
        image_map_add(add("third", 12), 70000, 5, IMAGE_DATA);
        bitmaps[2].in_use = bitmaps[2].automatic = true;
        add("4", 31);
        bitmaps[3].in_use = true;
        assert_good();
    }
}

static void bits_are_where_writes_were(void **state) {
    (void)state;
    // Disks around the edges of a byte, a word and a cluster of bits.
    static const uint64_t sizes[] = {512,        511 * 512,     4096 * 512, 4096 * 512 + 1,
                                     5000 * 512, 3 * 4096 * 512};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t size = sizes[i];
        begin(size, 9);
        struct image_map *some = add("some", 9), *all = add("all", 10);
        image_map_add(some, 0, 1, IMAGE_DATA);
        image_map_add(some, size / 2, min_u64(size - size / 2, 70000), IMAGE_DATA);
        image_map_add(some, max_u64(size - 1, size / 2 + 70000), 1, IMAGE_DATA);
        image_map_add(all, 0, size, IMAGE_DATA);
        add("none", 11);
        image_map_add(add("behind", 12), size, 1u << 20, IMAGE_DATA);
        assert_good();
        assert_bits(FILE_NAME);
        assert_copied();
    }
}

static void generated_bits_are_copied(void **state) {
    (void)state;
    struct random random = {11};
    for (int round = 0; round < 25; round++) {
        uint64_t size = 1 + below(&random, 8u << 20);
        begin(size, 9 + (uint32_t)below(&random, 8));
        for (uint64_t left = 1 + below(&random, MAX_BITMAPS); left > 0; left--) {
            char name[8];
            snprintf(name, sizeof name, "%u", (unsigned)left);
            struct image_map *map = add(name, 9 + (uint32_t)below(&random, 10));
            for (uint64_t at = 0; at < size && !one_in(&random, 6);) {
                uint64_t start = at + below(&random, size - at);
                at = start + 1 + below(&random, one_in(&random, 2) ? 700 : size / 3 + 1);
                image_map_add(map, start, at - start, IMAGE_DATA);
            }
        }
        options.refcount_bits = 1u << below(&random, 7);
        assert_good();
        assert_bits(FILE_NAME);
        assert_copied();
    }
}

// What is all clear or all set has no cluster: only a part of each does.
static void full_and_empty_parts_take_no_space(void **state) {
    (void)state;
    uint64_t sizes[3];
    for (int i = 0; i < 3; i++) {
        begin(16u << 20, 9); // 4096 bits a cluster: eight clusters of bits
        struct image_map *map = add("one", 9);
        if (i > 0)
            image_map_add(map, 0, i == 1 ? 16u << 20 : 8u << 20, IMAGE_DATA);
        if (i == 2)
            image_map_add(map, (8u << 20) + 512, 1, IMAGE_DATA);
        assert_good();
        sizes[i] = written.file_size;
    }
    assert_int_equal(sizes[1], sizes[0]);
    assert_int_equal(sizes[2], sizes[0] + 512);
}

static void bitmaps_live_beside_everything_else(void **state) {
    (void)state;
    begin(1u << 20, 14);
    put_extent(5000, 300000, PATTERN_COUNTER, FORM_COMPRESSED);
    image_map_add(add("one", 9), 5000, 300000, IMAGE_DATA);
    options.extended_l2 = true;
    options.refcount_bits = 1;
    assert_good();
    assert_copied();
    struct image_snapshot snapshot = {.id = "1", .name = "one"};
    content_as_source(&content, &snapshot.source);
    options.refcount_bits = 2;
    options.snapshots = &snapshot;
    options.snapshot_count = 1;
    assert_good();
    assert_copied();
    options.snapshot_count = 0;
    options.data_file = QCOW2_DATA_FILE;
    unlink("image.data");
    assert_good();
    assert_copied();
    unlink("image.data");
}

static void what_cannot_be_written_is_refused(void **state) {
    (void)state;
    const struct image_driver *driver = image_driver(IMAGE_QCOW2);
    static const struct {
        uint64_t size;
        uint32_t version, granularity_bits;
        const char *name, *reason;
    } rows[] = {
        {0, 3, 9, "a", "not empty"},     {512, 2, 9, "a", "version 2"},
        {512, 3, 8, "a", "granularity"}, {512, 3, 32, "a", "granularity"},
        {512, 3, 9, "", "name"},         {1ull << 42, 3, 9, "a", "512 MiB"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {.text = ""};
        uint64_t declared;
        begin(rows[i].size, 16);
        add(rows[i].name, rows[i].granularity_bits);
        options.qcow2_version = rows[i].version;
        assert_int_equal(driver->declared_size(&options, rows[i].size, &declared, &fault), -1);
        assert_non_null(strstr(fault.text, rows[i].reason));
    }
}

static int release_bitmaps(void **state) {
    for (int i = 0; i < MAX_BITMAPS; i++)
        image_map_free(&dirty[i]);
    return release(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_granularity_and_flags_are_shown),
        cmocka_unit_test(bits_are_where_writes_were),
        cmocka_unit_test(generated_bits_are_copied),
        cmocka_unit_test(full_and_empty_parts_take_no_space),
        cmocka_unit_test(bitmaps_live_beside_everything_else),
        cmocka_unit_test(what_cannot_be_written_is_refused),
    };
    return cmocka_run_group_tests(tests, enter_directory, release_bitmaps);
}
