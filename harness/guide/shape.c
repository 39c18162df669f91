// SPDX-License-Identifier: Apache-2.0
//
// Features of disks: which cell of the matrix a step is in, how large the disk is, how its
// allocation lies to the units of both formats, and what shape the outputs have. They are what a
// tool that counts, rounds or splits wrongly goes by.
#include "guide/family.h"
#include "oracles/model.h"
#include "testcase/call_class.h"
#include "testcase/caps.h"
#include "testcase/source_class.h"

static void tell_cells(const struct guide_telling *telling, const struct guide_view *view) {
    const struct oracle_step *step = view->step;
    size_t calls[OPTION_CLASSES];
    size_t count = call_classes_of(step->op, step->target, &step->options, calls);
    for (size_t source = 0; source < SOURCE_CLASSES; source++)
        for (size_t i = 0; i < count && view->sources >> source & 1; i++)
            GUIDE_TELL(telling, GUIDE_TRUTH, source, calls[i]);
}

const struct guide_family guide_cells = {
    .name = "cells",
    .parts = "truth",
    .words = "kind of source with its features, operation, target and option: a cell of the matrix "
             "that `status --cells` shows",
    .tell = tell_cells,
};

static uint64_t target_unit(const struct oracle_step *step) {
    return step->target < IMAGE_FORMATS ? model_target_unit(step->target, &step->options) : 0;
}

// How a place lies to a unit: on its edge, within a sector of it, on a sector, or anywhere.
enum lie_of { LIES_ALIGNED, LIES_NEAR, LIES_ON_SECTOR, LIES_ODD, LIES_WITHOUT_UNIT };

static enum lie_of lies(uint64_t at, uint64_t unit) {
    if (!unit)
        return LIES_WITHOUT_UNIT;
    uint64_t off = at % unit;
    if (off == 0)
        return LIES_ALIGNED;
    if (off <= SECTOR || unit - off <= SECTOR)
        return LIES_NEAR;
    return off % SECTOR ? LIES_ODD : LIES_ON_SECTOR;
}

static void tell_sizes(const struct guide_telling *telling, const struct guide_view *view) {
    const struct oracle_step *step = view->step;
    uint64_t size = step->truth.shown_size;
    GUIDE_TELL(telling, GUIDE_TRUTH, step->source, step->target, guide_magnitude(size));
    GUIDE_TELL(telling, GUIDE_TRUTH, step->op, step->source, step->target,
               lies(size, step->truth.unit), lies(size, target_unit(step)),
               size == step->truth.asked_size);
}

const struct guide_family guide_sizes = {
    .name = "sizes",
    .parts = "truth",
    .words = "source and target format, magnitude of the disk's size; operation, and how the "
             "disk's end lies to the units of source and target",
    .tell = tell_sizes,
};

struct shape {
    unsigned states;       // bit set
    unsigned starts, ends; // bit sets of enum lie_of: of the runs, to one unit
    uint64_t bytes;        // in runs
};

static struct shape shape_of(const struct image_map *map, uint64_t unit) {
    struct shape shape = {0};
    for (size_t i = 0; i < map->count; i++) {
        const struct image_extent *run = &map->extents[i];
        shape.states |= 1u << run->state;
        shape.starts |= 1u << lies(run->offset, unit);
        shape.ends |= 1u << lies(run->offset + run->length, unit);
        shape.bytes += run->length;
    }
    return shape;
}

// What a feature of a shape is about, so that none is taken for another one.
enum { ABOUT_RUNS, ABOUT_STARTS, ABOUT_ENDS, ABOUT_REACH, ABOUT_UNITS };

// Where the last run ends: at the disk's end, in its last target unit, or before.
static unsigned reach(const struct image_map *map, uint64_t size, uint64_t unit) {
    if (!map->count)
        return 0;
    const struct image_extent *last = &map->extents[map->count - 1];
    uint64_t end = last->offset + last->length;
    return end == size ? 1 : unit && end > (size - 1) / unit * unit ? 2 : 3;
}

static void tell_input_shape(const struct guide_telling *telling, const struct guide_view *view) {
    const struct oracle_step *step = view->step;
    const struct image_map *map = step->truth.allocation;
    if (!map)
        return;
    uint64_t unit = target_unit(step);
    struct shape to_source = shape_of(map, step->truth.unit), to_target = shape_of(map, unit);
    GUIDE_TELL(telling, GUIDE_TRUTH, ABOUT_RUNS, step->source, step->op, to_source.states,
               guide_magnitude(map->count));
    GUIDE_TELL(telling, GUIDE_TRUTH, ABOUT_STARTS, step->source, step->target, to_source.starts,
               to_target.starts);
    GUIDE_TELL(telling, GUIDE_TRUTH, ABOUT_ENDS, step->source, step->target, to_source.ends,
               to_target.ends);
    GUIDE_TELL(telling, GUIDE_TRUTH, ABOUT_REACH, step->source, step->target,
               reach(map, step->truth.shown_size, unit), to_source.states);
    if (!unit)
        return;
    // Runs that share a target unit, and units that hold less than they could.
    uint64_t touched = model_units_touched(map, unit);
    uint64_t least = model_allocated(map) / unit + (model_allocated(map) % unit != 0);
    GUIDE_TELL(telling, GUIDE_TRUTH, ABOUT_UNITS, step->source, step->target,
               guide_magnitude(touched - (touched < least ? touched : least)));
}

const struct guide_family guide_input_shape = {
    .name = "input shape",
    .parts = "truth",
    .words = "source format, operation, states and number of the input's runs; source and target "
             "format, and how its runs lie to the units of both, whether the last one reaches the "
             "disk's end, how many more target units they touch than they would fill",
    .tell = tell_input_shape,
};

static void tell_output(const struct guide_telling *telling, const struct oracle_step *step,
                        int side, struct image *output) {
    static struct image_map map; // reused from step to step
    image_map_clear(&map);
    if (image_map_of(output, &map, NULL))
        return;
    struct shape shape = shape_of(&map, output->unit);
    GUIDE_TELL(telling, guide_part_of(side), ABOUT_RUNS, step->source, step->target, shape.states,
               guide_magnitude(map.count));
    GUIDE_TELL(telling, guide_part_of(side), ABOUT_ENDS, step->source, step->target, shape.ends,
               guide_magnitude(shape.bytes / (output->unit ? output->unit : 1)));
    GUIDE_TELL(telling, guide_part_of(side), ABOUT_UNITS, step->target,
               lies(output->virtual_size, output->unit), guide_magnitude(output->unit));
}

static void tell_output_shape(const struct guide_telling *telling, const struct guide_view *view) {
    for (int side = 0; side < ORACLE_SIDES; side++) {
        struct image *output = oracle_side_at(view->step, side)->output;
        if (output)
            tell_output(telling, view->step, side, output);
    }
}

const struct guide_family guide_output_shape = {
    .name = "output shape",
    .parts = "each side",
    .words = "source and target format, states and number of the output's runs; how they end in "
             "its unit, and how many units their bytes would fill; target, how the disk's end lies "
             "to the unit, its magnitude",
    .tell = tell_output_shape,
};
