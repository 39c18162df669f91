// SPDX-License-Identifier: Apache-2.0
//
// What follows from a case: its virtual size in bytes, the options for the writer of its image,
// the place of each write. It is where the caps of caps.h on building and reading
// the source are applied, so that a case is cheap whatever its bytes say.

#include "base/bytes.h"
#include "testcase/caps.h"
#include "testcase/fields.h"

const uint64_t case_size_edges[CASE_EDGES] = {
    1 * MIB,
    2 * MIB, // a vpc block, and what an L2 table of 4 KiB clusters covers
    4 * MIB,    8 * MIB, 16 * MIB,
    32 * MIB, // a vmdk grain table, a vhdx block
    64 * MIB,
    504 * MIB,  // geometry: 16 heads of 63 sectors end here
    512 * MIB,  // one L2 table of 64 KiB clusters
    8064 * MIB, // geometry: 255 heads of 63 sectors end here
    1 * GIB,    2 * GIB,
    4 * GIB,    // more sectors and bytes than 32 bits hold
    127 * GIB,  // the last whole GiB that vpc geometry can express
    2040 * GIB, // the most that a vpc image may have
    2048 * GIB,
};

// A vmdk source is walked grain by grain. Others cost nothing by size alone, or only in
// conversions (vhdx), which case_operation_allowed judges.
static const uint64_t format_caps[IMAGE_FORMATS] = {
    [IMAGE_RAW] = CASE_MAX_SIZE, [IMAGE_QCOW2] = CASE_MAX_SIZE, [IMAGE_VPC] = 2040 * GIB,
    [IMAGE_VMDK] = 8 * GIB,      [IMAGE_VHDX] = CASE_MAX_SIZE,
};

static enum vmdk_subformat vmdk_layout(const struct testcase *testcase) {
    static const enum vmdk_subformat layouts[LAYOUTS] = {
        [LAYOUT_FLAT] = VMDK_FLAT,
        [LAYOUT_SPLIT_SPARSE] = VMDK_SPLIT_SPARSE,
        [LAYOUT_SPLIT_FLAT] = VMDK_SPLIT_FLAT,
    };
    return testcase->vmdk_layout == LAYOUT_SINGLE ? (enum vmdk_subformat)testcase->vmdk_subformat
                                                  : layouts[testcase->vmdk_layout];
}

static bool is_flat(const struct testcase *testcase) {
    enum vmdk_subformat layout = vmdk_layout(testcase);
    return layout == VMDK_FLAT || layout == VMDK_SPLIT_FLAT;
}

// log2 of the source's unit as the case asks for it. 12 where the format has no unit.
static uint32_t asked_unit_bits(const struct testcase *testcase) {
    switch ((enum image_format)testcase->format) {
    case IMAGE_QCOW2:
        return testcase->cluster_bits;
    case IMAGE_VMDK:
        return is_flat(testcase) ? 12 : testcase->grain_bits;
    case IMAGE_VPC:
        return testcase->vpc_fixed ? 12 : testcase->block_bits;
    case IMAGE_VHDX:
        return testcase->block_bits < 20 ? 20 : testcase->block_bits;
    default:
        return 12;
    }
}

static uint64_t add_sectors(uint64_t size, int32_t sectors) {
    if (sectors < 0)
        return size - min_u64(size, (uint64_t) - (int64_t)sectors * SECTOR);
    return size + (uint64_t)sectors * SECTOR;
}

// A sparse vmdk has at least one grain, and the footer of an empty fixed vpc would be taken for a
// dynamic disk's first copy. The smallest disk stands in.
static bool cannot_be_empty(const struct testcase *testcase) {
    return testcase->format == IMAGE_VMDK || (testcase->format == IMAGE_VPC && testcase->vpc_fixed);
}

uint64_t case_virtual_size(const struct testcase *testcase) {
    uint64_t value = testcase->size_value, size = 0;

    if (testcase->layer) {
        size = min_u64(testcase->layer_size, format_caps[testcase->format]);
        return size == 0 && cannot_be_empty(testcase) ? SECTOR : size;
    }
    switch ((enum size_class)testcase->size_class) {
    case SIZE_SECTORS:
        size = (1 + value % 32768) * SECTOR;
        break;
    case SIZE_UNITS:
        size = min_u64(value % 64 << asked_unit_bits(testcase), CAP_UNITS_SIZE);
        size = add_sectors(size, testcase->size_delta);
        break;
    case SIZE_EDGE:
        size = add_sectors(case_size_edges[value % CASE_EDGES], testcase->size_delta);
        break;
    case SIZE_ODD:
        size = 1 + value % (16 * MIB);
        break;
    case SIZE_NONE:
    case SIZE_CLASSES:
        break;
    }
    size = min_u64(size, format_caps[testcase->format]);
    return size == 0 && cannot_be_empty(testcase) ? SECTOR : size;
}

// By the clusters that the case asks for, not by those it gets: what a flag means must not change
// with the size of the disk.
static bool has_extended_l2(const struct testcase *testcase) {
    return testcase->extended_l2 && testcase->qcow2_version == 3 && testcase->cluster_bits >= 14;
}

// The files of a chain are all walked.
static uint32_t affordable_cluster_bits(const struct testcase *testcase, uint32_t bits,
                                        uint64_t size) {
    uint64_t entries = CAP_L1_ENTRIES / case_layers(testcase);
    while (bits < 21 && operation_l1_entries(size, bits, has_extended_l2(testcase)) > entries)
        bits++;
    return bits;
}

// Large blocks of a large disk would make a write of one byte cost a whole block of reading.
static uint32_t affordable_block_bits(uint32_t bits, uint64_t size) {
    // Also because qemu-img opens no empty vhdx with blocks of 256 MiB.
    if (size == 0)
        return (uint32_t)min_u64(bits, CAP_BLOCK_BITS_OF_NOTHING);
    while (bits < 28 && div_up(size, 1ull << bits) > CAP_BLOCKS)
        bits++;
    while (min_u64(1ull << bits, size) > CAP_BLOCK_OF_SOURCE)
        bits--;
    return bits;
}

static uint32_t unit_bits(const struct testcase *testcase) {
    uint32_t bits = asked_unit_bits(testcase);
    uint64_t size = case_virtual_size(testcase);

    if (testcase->format == IMAGE_QCOW2)
        return affordable_cluster_bits(testcase, bits, size);
    if (testcase->format == IMAGE_VMDK && !is_flat(testcase))
        while (bits < 16 && div_up(size, 1ull << bits) > CAP_READ_GRAINS)
            bits++;
    if (testcase->format == IMAGE_VHDX || (testcase->format == IMAGE_VPC && !testcase->vpc_fixed))
        return affordable_block_bits(bits, size);
    return bits;
}

uint32_t case_source_unit(const struct testcase *testcase) {
    return 1u << unit_bits(testcase);
}

// Three extents where the disk has room for them, and never more than 2 GiB in one.
static uint64_t vmdk_extent(const struct testcase *testcase) {
    bool by_sector = testcase->vmdk_sector_extents && vmdk_layout(testcase) == VMDK_SPLIT_FLAT;
    uint64_t third = case_virtual_size(testcase) / 3 + 1;
    return min_u64(round_up(third, by_sector ? SECTOR : 64 * KIB), 2 * GIB);
}

void case_image_options(const struct testcase *testcase, struct image_options *options) {
    *options = (struct image_options){0};
    switch ((enum image_format)testcase->format) {
    case IMAGE_QCOW2:
        options->cluster_bits = unit_bits(testcase);
        options->qcow2_version = testcase->qcow2_version;
        options->refcount_bits = testcase->qcow2_version == 2 ? 16 : 1u << testcase->refcount_order;
        options->lazy_refcounts = testcase->qcow2_version == 3 && testcase->lazy_refcounts;
        // Stale, so that a tool which overlooks the bitmap reads something else than zeros.
        options->extended_l2 = options->stale_subclusters = has_extended_l2(testcase);
        if (testcase->qcow2_version == 3)
            options->compression = (enum qcow2_compression)testcase->compression;
        options->data_file = case_data_file(testcase);
        break;
    case IMAGE_VPC:
        options->vpc_fixed = testcase->vpc_fixed;
        options->vpc_creator = testcase->vpc_application
                                   ? (enum vpc_creator)(testcase->vpc_application - 1)
                                   : (enum vpc_creator)testcase->vpc_creator;
        options->block_bits = testcase->vpc_fixed ? 0 : unit_bits(testcase);
        break;
    case IMAGE_VMDK:
        options->vmdk_subformat = vmdk_layout(testcase);
        if (!is_flat(testcase))
            options->grain_bits = unit_bits(testcase);
        // A streamOptimized image has no other kind of grain.
        options->compress = options->vmdk_subformat == VMDK_STREAM;
        options->vmdk_extent = vmdk_extent(testcase);
        break;
    case IMAGE_VHDX:
        options->vhdx_fixed = testcase->vhdx_fixed;
        options->block_bits = unit_bits(testcase);
        break;
    case IMAGE_RAW:
    case IMAGE_FORMATS:
        break;
    }
}

// `value` units from the start, reduced to the units that the disk has, so that what was aligned
// stays aligned.
static uint64_t unit_offset(uint64_t value, uint64_t unit, uint64_t size) {
    return value % div_up(size, unit) * unit;
}

uint64_t case_write_offset(const struct testcase *testcase, const struct case_write *write) {
    uint64_t size = case_virtual_size(testcase), base = 0;
    int64_t delta = (int64_t)write->offset_delta * (write->delta_scale ? (int64_t)SECTOR : 1);

    if (size == 0)
        return 0;
    switch ((enum write_anchor)write->anchor) {
    case ANCHOR_START:
        base = write->offset % size;
        break;
    case ANCHOR_SOURCE:
        base = unit_offset(write->offset, case_source_unit(testcase), size);
        break;
    case ANCHOR_TARGET:
        base = unit_offset(write->offset, 64 * KIB, size);
        break;
    case ANCHOR_END:
        base = size - write->offset % size;
        break;
    case ANCHOR_BLOCK:
        base = unit_offset(write->offset, 2 * MIB, size);
        break;
    case WRITE_ANCHORS:
        break;
    }
    // Wraps around, so that a negative delta at the start means the end of the disk.
    uint64_t back = delta < 0 ? (uint64_t)-delta % size : 0;
    return (base + (delta > 0 ? (uint64_t)delta : 0) + size - back) % size;
}

static bool write_is_data(const struct content_extent *extent) {
    return extent->form == FORM_NORMAL || extent->form == FORM_COMPRESSED;
}

uint64_t case_touched_bytes(const struct content_extent *extents, size_t count, uint32_t unit,
                            uint64_t size) {
    uint64_t touched = 0;

    for (size_t i = 0; i < count; i++) {
        if (extents[i].length == 0 || !write_is_data(&extents[i]))
            continue;
        uint64_t first = extents[i].offset / unit;
        uint64_t last = (extents[i].offset + extents[i].length - 1) / unit;
        for (uint64_t at = first; at <= last; at++) {
            bool seen = false;
            for (size_t j = 0; j < i && !seen; j++)
                seen = extents[j].length != 0 && write_is_data(&extents[j]) &&
                       extents[j].offset / unit <= at &&
                       (extents[j].offset + extents[j].length - 1) / unit >= at;
            // The lower file of a chain may reach behind the disk's end.
            if (!seen && at * unit < size)
                touched += min_u64((at + 1) * unit, size) - at * unit;
        }
    }
    return touched;
}

// Will the writer of the image deflate it?
static bool write_is_deflated(const struct testcase *testcase,
                              const struct content_extent *extent) {
    if (testcase->format == IMAGE_VMDK)
        return vmdk_layout(testcase) == VMDK_STREAM && write_is_data(extent);
    return testcase->format == IMAGE_QCOW2 && extent->form == FORM_COMPRESSED &&
           case_data_file(testcase) == QCOW2_DATA_INSIDE;
}

uint64_t case_deflated_bytes(const struct testcase *testcase, const struct content_extent *extents,
                             size_t count) {
    struct content_extent deflated[CASE_MAX_WRITES];
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        if (write_is_deflated(testcase, &extents[i]))
            deflated[found++] = extents[i];
    return case_touched_bytes(deflated, found, case_source_unit(testcase), UINT64_MAX);
}

struct budget {
    uint64_t bytes, deflated_units, zero_units;
};

// Cuts one write to what is left of the budgets; length 0 leaves it out.
static void fit_budget(struct content_extent *extent, bool deflated, uint32_t unit,
                       struct budget *budget) {
    uint64_t *units = deflated                ? &budget->deflated_units
                      : write_is_data(extent) ? NULL
                                              : &budget->zero_units;

    if (write_is_data(extent)) {
        extent->length = min_u64(extent->length, min_u64(CAP_WRITE, budget->bytes));
        budget->bytes -= extent->length;
    }
    if (!units || extent->length == 0)
        return;
    if (*units == 0) {
        extent->length = 0;
        return;
    }
    uint64_t first = extent->offset / unit;
    extent->length = min_u64(extent->length, (first + *units) * unit - extent->offset);
    *units -= (extent->offset + extent->length - 1) / unit - first + 1;
}

static enum content_pattern write_pattern(const struct testcase *testcase,
                                          const struct case_write *write) {
    static const enum content_pattern tables[WRITE_TABLES] = {
        [TABLE_MBR] = PATTERN_MBR,
        [TABLE_GPT] = PATTERN_GPT,
        [TABLE_QCOW2_HEADER] = PATTERN_QCOW2_HEADER,
        [TABLE_VPC_FOOTER] = PATTERN_VPC_FOOTER,
    };
    // A fixed vpc file begins with the guest's bytes, and a reader that finds a footer's cookie
    // there has to take it for one: such a disk cannot be told from a dynamic one.
    if (write->table == TABLE_VPC_FOOTER && testcase->format == IMAGE_VPC && testcase->vpc_fixed)
        return (enum content_pattern)write->pattern;
    return write->table ? tables[write->table] : (enum content_pattern)write->pattern;
}

size_t case_write_extents(const struct testcase *testcase,
                          struct content_extent extents[CASE_MAX_WRITES]) {
    uint64_t size = case_virtual_size(testcase);
    uint32_t unit = case_source_unit(testcase), layers = case_layers(testcase);
    struct budget budget = {CASE_MAX_WRITTEN / layers,
                            min_u64(CAP_DEFLATED_UNITS, CAP_DEFLATED_BYTES / unit) / layers,
                            CAP_ZERO_UNITS / layers};
    const uint64_t scales[LENGTH_SCALES] = {1, SECTOR, unit};

    for (uint32_t i = 0; i < testcase->write_count; i++) {
        const struct case_write *write = &testcase->writes[i];
        struct content_extent *extent = &extents[i];
        *extent = (struct content_extent){.offset = case_write_offset(testcase, write),
                                          .pattern = write_pattern(testcase, write),
                                          .form = (enum content_form)write->form,
                                          .seed = (uint8_t)write->seed};
        if (size == 0 || case_write_layer(testcase, write) != testcase->layer)
            continue;
        extent->length =
            min_u64((write->length + 1ull) * scales[write->length_scale], size - extent->offset);
        struct budget before = budget;
        fit_budget(extent, write_is_deflated(testcase, extent), unit, &budget);
        // Small units cannot reach the limit: 32 writes touch at most 4 MiB and 64 units more.
        if (unit >= MIB && case_touched_bytes(extents, i + 1, unit, size) > CAP_TOUCHED / layers) {
            extent->length = 0;
            budget = before;
        }
    }
    return testcase->write_count;
}

void case_writes(const struct testcase *testcase, struct content *content) {
    struct content_extent extents[CASE_MAX_WRITES];
    size_t count = case_write_extents(testcase, extents);

    for (size_t i = 0; i < count; i++)
        if (extents[i].length > 0)
            content_write(content, &extents[i]);
}

void case_content(const struct testcase *testcase, struct content *content) {
    content_begin(content, case_virtual_size(testcase));
    case_writes(testcase, content);
}
