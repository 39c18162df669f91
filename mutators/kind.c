// SPDX-License-Identifier: Apache-2.0
//
// Another kind of source: files below it, several extents, snapshots, a data file. Each is a few
// fields that mean something together and nothing alone, which single fields at random meet late;
// the rows are what source classes (testcase/source_class.h) and known bugs of such tools differ
// by.
#include "mutators/mutation.h"

#include <stddef.h>

// A member of the record gets a value of low..high; a high of 0 stands for no member.
struct setting {
    uint16_t member;
    uint8_t low, high;
};
#define HEADER(member_, low_, high_)                                                               \
    { offsetof(struct testcase, member_), low_, high_ }
#define WRITE(member_, low_, high_)                                                                \
    { offsetof(struct case_write, member_), low_, high_ }

struct kind {
    enum image_format format;
    struct setting header[3];
    struct setting write; // of one write
};

static const struct kind kinds[] = {
    {IMAGE_RAW, {HEADER(size_class, SIZE_ODD, SIZE_ODD)}, {0}},
    {IMAGE_RAW, {{0}}, WRITE(table, TABLE_MBR, WRITE_TABLES - 1)},
    {IMAGE_QCOW2, {HEADER(qcow2_version, 2, 2)}, {0}},
    {IMAGE_QCOW2, {HEADER(cluster_bits, 9, 13)}, {0}},
    {IMAGE_QCOW2, {HEADER(cluster_bits, 17, 21)}, {0}},
    {IMAGE_QCOW2, {HEADER(extended_l2, 1, 1), HEADER(cluster_bits, 14, 18)}, {0}},
    {IMAGE_QCOW2, {HEADER(compression, 0, 1)}, WRITE(form, FORM_COMPRESSED, FORM_COMPRESSED)},
    {IMAGE_QCOW2, {{0}}, WRITE(form, FORM_ZERO, FORM_ZERO_ALLOCATED)},
    {IMAGE_QCOW2, {HEADER(snapshots, 1, CASE_MAX_SNAPSHOTS), HEADER(snapshot_size, 0, 2)}, {0}},
    {IMAGE_QCOW2, {HEADER(bitmaps, 1, CASE_MAX_BITMAPS), HEADER(bitmap_flags, 0, 2)}, {0}},
    {IMAGE_QCOW2, {HEADER(data_file, QCOW2_DATA_FILE, QCOW2_DATA_FILE_RAW)}, {0}},
    {IMAGE_QCOW2, {HEADER(backing_1, BACKING_RAW, BACKING_QCOW2)}, WRITE(layer, 0, 1)},
    {IMAGE_QCOW2, {HEADER(backing_1, BACKING_VPC, BACKING_VHDX)}, WRITE(layer, 0, 1)},
    {IMAGE_QCOW2,
     {HEADER(backing_1, BACKING_RAW, BACKING_QCOW2), HEADER(backing_1_size, 0, BACKING_SIZES - 1)},
     WRITE(layer, 0, 1)},
    {IMAGE_QCOW2,
     {HEADER(backing_1, BACKING_QCOW2, BACKING_QCOW2), HEADER(backing_2, 1, BACKINGS - 1)},
     WRITE(layer, 0, 2)},
    {IMAGE_QCOW2,
     {HEADER(backing_1, BACKING_QCOW2, BACKING_QCOW2), HEADER(backing_cluster_bits, 9, 21)},
     WRITE(layer, 1, 1)},
    {IMAGE_VMDK, {HEADER(grain_bits, 12, 16)}, {0}},
    {IMAGE_VMDK, {HEADER(vmdk_subformat, VMDK_STREAM, VMDK_STREAM)}, {0}},
    {IMAGE_VMDK,
     {HEADER(vmdk_layout, LAYOUT_FLAT, LAYOUTS - 1), HEADER(vmdk_sector_extents, 0, 1)},
     {0}},
    {IMAGE_VMDK, {HEADER(backing_1, BACKING_VMDK, BACKING_VMDK)}, WRITE(layer, 0, 1)},
    {IMAGE_VPC, {HEADER(block_bits, 19, 22)}, {0}},
    {IMAGE_VPC, {HEADER(vpc_fixed, 1, 1)}, {0}},
    {IMAGE_VPC, {HEADER(vpc_application, 1, VPC_CREATORS)}, {0}},
    {IMAGE_VHDX, {HEADER(block_bits, 20, 25)}, {0}},
    {IMAGE_VHDX, {HEADER(vhdx_fixed, 1, 1)}, {0}},
};

static void set(struct mut_random *random, void *record, const struct setting *setting) {
    uint32_t *member = (uint32_t *)((char *)record + setting->member);
    if (setting->high)
        *member = (uint32_t)mut_between(random, setting->low, setting->high);
}

// A header that says the size and nothing else, so that the new kind is also met alone.
static void forget_others(struct testcase *testcase) {
    const struct testcase before = *testcase;
    case_record_defaults(RECORD_HEADER, testcase);
    testcase->size_class = before.size_class;
    testcase->size_value = before.size_value;
    testcase->size_delta = before.size_delta;
}

static void set_write(struct mut_work *work, const struct setting *setting) {
    struct testcase *testcase = work->testcase;
    if (!setting->high || (testcase->write_count == 0 && !mut_write_add(work)))
        return;
    struct case_write *write = &testcase->writes[mut_below(work->random, testcase->write_count)];
    set(work->random, write, setting);
    if (write->table)
        mut_place_table(write);
}

#define ANY IMAGE_FORMATS
static const struct kind *draw(struct mut_random *random, enum image_format format) {
    const struct kind *kind;
    do
        kind = &kinds[mut_below(random, sizeof kinds / sizeof *kinds)];
    while (format != ANY && kind->format != format);
    return kind;
}

static void become(struct mut_work *work, const struct kind *kind) {
    struct testcase *testcase = work->testcase;
    testcase->format = kind->format;
    testcase->qcow2_version = 3;
    for (size_t i = 0; i < sizeof kind->header / sizeof *kind->header; i++)
        set(work->random, testcase, &kind->header[i]);
    set_write(work, &kind->write);
}

bool mut_kind_join(struct mut_work *work) {
    become(work, draw(work->random, (enum image_format)work->testcase->format));
    return true;
}

bool mut_kind(struct mut_work *work) {
    forget_others(work->testcase);
    become(work, draw(work->random, ANY));
    return true;
}
