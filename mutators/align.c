// SPDX-License-Identifier: Apache-2.0
//
// Where a write begins and ends against the units of the source and of the targets: on them, or
// just beside them. Tools scan, split and zero by units, and what they get wrong they get wrong
// there.
#include "base/bytes.h"
#include "mutators/mutation.h"
#include "testcase/caps.h"

uint32_t mut_target_unit(const struct testcase *testcase, const struct case_operation *operation) {
    // What qemu-img takes where the command line says nothing: blocks of 8 MiB for a vhdx disk of
    // up to 1 GiB, where instar, whose sizes the model computes, takes 32 MiB. raw has no unit: a
    // page.
    static const uint32_t usual_bits[IMAGE_FORMATS] = {
        [IMAGE_RAW] = 12,  [IMAGE_QCOW2] = 16, [IMAGE_VPC] = 21,
        [IMAGE_VMDK] = 16, [IMAGE_VHDX] = 23,
    };
    struct target_options options;
    if (!operation_has_target((enum operation)operation->op))
        return 0;
    case_target_options(testcase, operation, &options);
    uint32_t asked = options.cluster_bits | options.grain_bits | options.block_bits;
    uint32_t bits = asked ? asked : usual_bits[operation->target];
    return 1u << (options.extended_l2 && bits >= 14 ? bits - 5 : bits);
}

uint32_t mut_unit(const struct mut_work *work) {
    const struct testcase *testcase = work->testcase;
    uint32_t units[2 + CASE_MAX_OPERATIONS] = {case_source_unit(testcase)}, count = 1;
    struct image_options options;
    case_image_options(testcase, &options);
    if (options.extended_l2)
        units[count++] = units[0] / 32;
    for (uint32_t i = 0; i < testcase->operation_count; i++) {
        units[count] = mut_target_unit(testcase, &testcase->operations[i]);
        count += units[count] != 0;
    }
    return units[mut_below(work->random, count)];
}

struct place {
    uint32_t index;        // of the write
    struct testcase layer; // that has it
    uint64_t begin, end, size;
};

static bool draw_place(const struct mut_work *work, struct place *place) {
    struct content_extent extents[CASE_MAX_WRITES];
    const struct testcase *testcase = work->testcase;
    if (testcase->write_count == 0)
        return false;
    place->index = mut_below(work->random, testcase->write_count);
    case_layer(testcase, case_write_layer(testcase, &testcase->writes[place->index]),
               &place->layer);
    case_write_extents(&place->layer, extents);
    place->begin = extents[place->index].offset;
    place->end = place->begin + extents[place->index].length;
    place->size = case_virtual_size(&place->layer);
    return extents[place->index].length > 0;
}

// False also where a cap on what is written would end it elsewhere.
static bool put(struct mut_work *work, struct place *place, uint64_t begin, uint64_t end) {
    struct content_extent extents[CASE_MAX_WRITES];
    struct case_write *write = &place->layer.writes[place->index];
    if (begin >= end || end > place->size || !case_choose_place(&place->layer, write, begin) ||
        !case_choose_length(write, end - begin, case_source_unit(&place->layer)))
        return false;
    case_write_extents(&place->layer, extents);
    work->testcase->writes[place->index] = *write;
    return extents[place->index].length == end - begin;
}

static uint64_t nearest(struct mut_random *random, uint64_t at, uint64_t unit) {
    return mut_one_in(random, 2) ? round_down(at, unit) : round_up(at, unit);
}

// The beginning, the end or both come to lie on a unit.
bool mut_align(struct mut_work *work) {
    struct place place;
    if (!draw_place(work, &place))
        return false;
    uint64_t unit = mut_unit(work), begin = place.begin, end = place.end;
    uint32_t which = mut_below(work->random, 3);
    if (which != 1)
        begin = nearest(work->random, begin, unit);
    if (which != 0)
        end = nearest(work->random, end, unit);
    if (begin == place.begin && end == place.end)
        return false;
    // One end has met the other: the write gets what is left of the unit.
    if (end <= begin)
        end = min_u64(round_up(begin + 1, unit), place.size);
    return put(work, &place, begin, end);
}

// The beginning or the end comes to lie a byte, a sector or half a unit beside one.
bool mut_misalign(struct mut_work *work) {
    struct place place;
    if (!draw_place(work, &place))
        return false;
    uint64_t unit = mut_unit(work), begin = place.begin, end = place.end;
    const uint64_t steps[] = {1, SECTOR, max_u64(unit / 2, 1)};
    uint64_t step = steps[mut_below(work->random, sizeof steps / sizeof *steps)];
    uint64_t *side = mut_one_in(work->random, 2) ? &begin : &end;
    *side = nearest(work->random, *side, unit);
    *side = mut_one_in(work->random, 2) ? *side + step : *side - min_u64(step, *side);
    if (side == &begin && end <= begin)
        end = min_u64(begin + (place.end - place.begin), place.size);
    return put(work, &place, begin, end);
}

// --- the steps that are larger than a unit -------------------------------------------------------

// Guest bytes that one table of a format speaks for; 0: it has one for the whole disk.
static uint64_t table_span(enum image_format format, uint64_t unit, bool extended_l2) {
    const uint64_t grains = 512, chunk = UINT64_C(512) << 23; // MS-VHDX 2.5
    switch (format) {
    case IMAGE_QCOW2:
        return unit / (extended_l2 ? 16 : 8) * unit;
    case IMAGE_VMDK:
        return grains * unit;
    case IMAGE_VHDX:
        return chunk;
    default:
        return 0;
    }
}

enum { EDGES_MAX = CASE_MAX_LAYERS + CASE_MAX_SNAPSHOTS + 2 + CASE_MAX_OPERATIONS };
struct edges {
    uint64_t at[EDGES_MAX];
    uint32_t count;
};

static void add_edge(struct edges *edges, uint64_t at, uint64_t size) {
    if (at > 0 && at <= size)
        edges->at[edges->count++] = at;
}

// A multiple of the span, the first one more often than others.
static void add_span(struct mut_random *random, struct edges *edges, uint64_t span, uint64_t size) {
    uint64_t last = span ? size / span : 0;
    if (last > 0)
        add_edge(edges, span * (mut_one_in(random, 2) ? 1 : 1 + mut_draw(random) % last), size);
}

// Where one file, table or extent ends and another begins, as far as the file with the write goes.
static void find_edges(const struct mut_work *work, const struct place *place,
                       struct edges *edges) {
    const struct testcase *testcase = work->testcase;
    struct image_options options;
    struct testcase layer;
    edges->count = 0;
    for (uint32_t i = 0, files = case_layers(testcase); i < files; i++) {
        case_layer(testcase, i, &layer);
        add_edge(edges, case_virtual_size(&layer), place->size);
    }
    for (uint32_t i = 0, snapshots = case_snapshots(testcase); i < snapshots; i++)
        add_edge(edges, case_snapshot_size(testcase, i), place->size);
    case_image_options(&place->layer, &options);
    add_span(work->random, edges,
             table_span((enum image_format)place->layer.format, case_source_unit(&place->layer),
                        options.extended_l2),
             place->size);
    if (place->layer.format == IMAGE_VMDK && place->layer.vmdk_layout >= LAYOUT_SPLIT_SPARSE)
        add_span(work->random, edges, options.vmdk_extent, place->size);
    for (uint32_t i = 0; i < testcase->operation_count; i++) {
        const struct case_operation *operation = &testcase->operations[i];
        struct target_options target;
        uint64_t unit = mut_target_unit(testcase, operation);
        if (!unit)
            continue;
        case_target_options(testcase, operation, &target);
        // Its unit is a subcluster then.
        if (target.extended_l2)
            unit *= 32;
        add_span(work->random, edges,
                 table_span((enum image_format)operation->target, unit, target.extended_l2),
                 place->size);
    }
}

// Across such an edge, or up to it, or from there.
bool mut_write_edge(struct mut_work *work) {
    struct place place;
    struct edges edges;
    if (!draw_place(work, &place) && !(mut_write_add(work) && draw_place(work, &place)))
        return false;
    find_edges(work, &place, &edges);
    if (edges.count == 0)
        return false;
    uint64_t edge = edges.at[mut_below(work->random, edges.count)], unit = mut_unit(work);
    const uint64_t steps[] = {0, SECTOR, unit / 2, unit, unit};
    uint64_t before = steps[mut_below(work->random, sizeof steps / sizeof *steps)];
    uint64_t behind = steps[mut_below(work->random, sizeof steps / sizeof *steps)];
    return put(work, &place, edge - min_u64(min_u64(before, CAP_WRITE / 2), edge),
               min_u64(edge + min_u64(behind, CAP_WRITE / 2), place.size));
}
