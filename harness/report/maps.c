// SPDX-License-Identifier: Apache-2.0
//
// Maps of a finding's files, bounded: a row is walked up to a limit and then coarsened, so that a
// file of a hundred thousand clusters costs no more than a page can show.
#include "report/maps.h"

#include "base/bytes.h"
#include "image/compare.h"

#include <stdio.h>
#include <string.h>

#define WALK_MOST  (1u << 18) // extents looked at in one file
#define GRAINS     512        // of a disk, by which differing ranges end; none is larger than
#define GRAIN_MOST 65536

static const char *const state_names[] = {
    [IMAGE_HOLE] = "hole",
    [IMAGE_ZERO] = "zero",
    [IMAGE_ZERO_ALLOCATED] = "zero_allocated",
    [IMAGE_DATA] = "data",
    [IMAGE_COMPRESSED] = "compressed",
};

static cJSON *size_item(uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return value < (1ull << 53) ? cJSON_CreateRaw(text) : cJSON_CreateString(text);
}

void report_add_size(cJSON *object, const char *name, uint64_t value) {
    cJSON_AddItemToObject(object, name, size_item(value));
}

// What a coarse unit is called of which only a part has a state: the one that takes more space.
static enum image_state stronger(enum image_state a, enum image_state b) {
    static const int rank[] = {[IMAGE_HOLE] = 0,
                               [IMAGE_ZERO] = 1,
                               [IMAGE_ZERO_ALLOCATED] = 2,
                               [IMAGE_COMPRESSED] = 3,
                               [IMAGE_DATA] = 4};
    return rank[a] > rank[b] ? a : b;
}

// Every extent outward to whole units; what then touches becomes one.
static size_t coarsen(struct image_map *map, uint64_t unit, uint64_t size) {
    size_t count = 0;
    for (size_t i = 0; i < map->count; i++) {
        struct image_extent *extent = &map->extents[i];
        uint64_t start = round_down(extent->offset, unit);
        uint64_t end = min_u64(round_up(extent->offset + extent->length, unit), size);
        struct image_extent *last = count ? &map->extents[count - 1] : NULL;
        if (last && start <= last->offset + last->length) {
            last->length = max_u64(last->length, end - last->offset);
            last->state = stronger(last->state, extent->state);
        } else {
            map->extents[count++] = (struct image_extent){start, end - start, extent->state};
        }
    }
    map->count = count;
    return count;
}

static void add_extents(cJSON *row, struct image_map *map, uint64_t size) {
    uint64_t unit = 0;
    while (map->count > MAPS_EXTENTS && unit < size)
        coarsen(map, unit = unit ? unit * 2 : 512, size);
    if (unit)
        report_add_size(row, "coarsened_to", unit);
    cJSON *list = cJSON_AddArrayToObject(row, "extents");
    for (size_t i = 0; i < map->count; i++) {
        cJSON *extent = cJSON_CreateArray();
        cJSON_AddItemToArray(extent, size_item(map->extents[i].offset));
        cJSON_AddItemToArray(extent, size_item(map->extents[i].length));
        cJSON_AddItemToArray(extent, cJSON_CreateString(state_names[map->extents[i].state]));
        cJSON_AddItemToArray(list, extent);
    }
}

static cJSON *new_row(const char *what, const char *name) {
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "what", what);
    if (*name)
        cJSON_AddStringToObject(row, "name", name);
    return row;
}

// What the guest holds, as it was decided when the image was built.
static cJSON *content_row(const struct content *content, const char *what, const char *name) {
    struct image_map map = {0};
    cJSON *row = new_row(what, name);
    report_add_size(row, "size", content->size);
    for (size_t i = 0; i < content->count; i++) {
        const struct content_extent *extent = &content->extents[i];
        bool zero = content_is_zero(content, extent->offset, extent->length);
        image_map_add(&map, extent->offset, extent->length, zero ? IMAGE_ZERO : IMAGE_DATA);
    }
    add_extents(row, &map, content->size);
    image_map_free(&map);
    return row;
}

static void add_walk(cJSON *row, struct image *image) {
    struct image_map map = {0};
    struct image_extent extent;
    struct fault fault = {0};
    uint64_t at = 0;
    report_add_size(row, "size", image->virtual_size);
    report_add_size(row, "unit", image->unit);
    for (unsigned i = 0; at < image->virtual_size && i < WALK_MOST; i++) {
        if (image_extent_at(image, at, &extent, &fault)) {
            cJSON_AddStringToObject(row, "fault", fault.text);
            break;
        }
        image_map_add(&map, at, extent.offset + extent.length - at, extent.state);
        at = extent.offset + extent.length;
    }
    if (at < image->virtual_size)
        report_add_size(row, "cut_at", at);
    add_extents(row, &map, image->virtual_size);
    image_map_free(&map);
}

// A file's own allocation as our reader finds it. The image stays open for the caller, or is NULL.
static cJSON *file_row(const struct report *report, const char *what, const char *name,
                       enum image_format format, const char *snapshot, struct image **image) {
    char path[4096];
    struct fault fault = {0};
    cJSON *row = new_row(what, name);
    snprintf(path, sizeof path, "%s/%s", report->directory, name);
    if (image_open(image, path, format, &fault) ||
        (snapshot && image_choose_snapshot(*image, snapshot, &fault))) {
        cJSON_AddStringToObject(row, "fault", fault.text);
        image_close(*image);
        *image = NULL;
        return row;
    }
    add_walk(row, *image);
    return row;
}

// The files below, one a row. Only images of our own building are asked for theirs, and a name with
// a directory in it is none that we wrote.
static void add_below(const struct report *report, struct image *image, cJSON *rows) {
    struct image_info info = {0};
    image->driver->info(image, &info);
    for (int depth = 1; depth < CASE_MAX_LAYERS && info.has_backing; depth++) {
        const struct image_driver *driver = image_driver_named(info.backing_format);
        struct image *below = NULL;
        char name[IMAGE_NAME_ROOM];
        if (strchr(info.backing_name, '/') || strlen(info.backing_name) >= sizeof name)
            return;
        snprintf(name, sizeof name, "%.63s", info.backing_name);
        // vmdk records no format: it is its own.
        cJSON_AddItemToArray(rows, file_row(report, "below", name,
                                            driver ? driver->format : image->driver->format, NULL,
                                            &below));
        memset(&info, 0, sizeof info);
        if (below)
            below->driver->info(below, &info);
        image_close(below);
    }
}

static cJSON *source_json(const struct report *report, const struct oracle_step *step) {
    cJSON *source = cJSON_CreateObject();
    const struct truth *truth = &step->truth;
    cJSON *rows = cJSON_AddArrayToObject(source, "rows");
    report_add_size(source, "size", truth->declared_size);
    if (step->options.size_only)
        return source;
    uint32_t chosen = step->options.snapshot;
    struct image *image = NULL;
    if (truth->content)
        cJSON_AddItemToArray(rows, content_row(truth->content, "content",
                                               chosen ? case_snapshot_id(chosen - 1) : ""));
    cJSON_AddItemToArray(rows, file_row(report, "file", step->input_name, step->source,
                                        chosen ? case_snapshot_id(chosen - 1) : NULL, &image));
    if (image && !step->input_is_output)
        add_below(report, image, rows);
    image_close(image);
    for (size_t i = 0; i < truth->snapshot_count && !chosen; i++)
        cJSON_AddItemToArray(
            rows, content_row(&truth->snapshots[i], "snapshot", case_snapshot_id((uint32_t)i)));
    return source;
}

// A source from `base` on.
struct shifted {
    const struct image_source *of;
    uint64_t base;
};

static int shifted_extent(void *context, uint64_t offset, struct image_extent *extent,
                          struct fault *fault) {
    const struct shifted *shifted = context;
    uint64_t at = offset + shifted->base;
    if (shifted->of->extent(shifted->of->context, at, extent, fault))
        return -1;
    uint64_t end = extent->offset + extent->length;
    *extent = (struct image_extent){offset, end - at, extent->state};
    return 0;
}

static int shifted_read(void *context, uint64_t offset, void *buffer, size_t length,
                        struct fault *fault) {
    const struct shifted *shifted = context;
    return shifted->of->read(shifted->of->context, offset + shifted->base, buffer, length, fault);
}

static struct image_source shift(struct shifted *context) {
    uint64_t size = context->of->size;
    return (struct image_source){
        .size = size > context->base ? size - context->base : 0,
        .extent = shifted_extent,
        .read = shifted_read,
        .context = context,
    };
}

// The first difference at or behind `base`: 1 or 0; -1: nobody can tell.
static int next_difference(const struct image_source *a, const struct image_source *b,
                           uint64_t base, uint64_t *budget, struct image_difference *difference) {
    struct shifted left = {a, base}, right = {b, base};
    struct image_source from_a = shift(&left), from_b = shift(&right);
    struct fault fault;
    if (image_compare(&from_a, &from_b, *budget, difference, &fault))
        return -1;
    *budget -= min_u64(*budget, difference->bytes_read / 2);
    difference->first_offset += base;
    if (!difference->prefix_equal || !difference->tail_zero)
        return 1;
    return difference->cut_short ? -1 : 0;
}

static uint64_t grain_of(uint64_t size) {
    uint64_t grain = 1;
    while (grain < GRAIN_MOST && grain < size / GRAINS)
        grain *= 2;
    return grain;
}

static void add_ranges(cJSON *json, const struct image_map *ranges) {
    cJSON *list = cJSON_AddArrayToObject(json, "ranges");
    for (size_t i = 0; i < ranges->count && i < MAPS_RANGES; i++) {
        cJSON *range = cJSON_CreateArray();
        cJSON_AddItemToArray(range, size_item(ranges->extents[i].offset));
        cJSON_AddItemToArray(range, size_item(ranges->extents[i].length));
        cJSON_AddItemToArray(list, range);
    }
}

// {"offset", <a>, <b>, "ranges"}: the first difference with the bytes there, and where others are.
// NULL where the sources hold the same.
static cJSON *difference_json(const struct image_source *a, const struct image_source *b,
                              uint64_t budget, const char *a_name, const char *b_name) {
    struct image_difference difference;
    struct image_map ranges = {0};
    cJSON *json = NULL;
    uint64_t at = 0, end = max_u64(a->size, b->size), grain = grain_of(end);
    int found = 0;
    while (at < end && ranges.count <= MAPS_RANGES &&
           (found = next_difference(a, b, at, &budget, &difference)) > 0) {
        uint64_t first = difference.first_offset;
        if (!json) {
            json = cJSON_CreateObject();
            report_add_size(json, "offset", first);
            cJSON_AddNumberToObject(json, a_name, difference.a_byte);
            cJSON_AddNumberToObject(json, b_name, difference.b_byte);
            report_add_size(json, "grain", grain);
        }
        at = min_u64(round_down(first, grain) + grain, end);
        image_map_add(&ranges, first, at - first, IMAGE_DATA);
    }
    if (json)
        add_ranges(json, &ranges);
    if (json && at < end && found)
        report_add_size(json, "ranges_cut_at", at);
    image_map_free(&ranges);
    return json;
}

static void add_output(const struct report *report, const struct step_record *record, int side,
                       struct image **image, cJSON *outputs) {
    static const char *const sides[SIDES] = {"a", "b"};
    const struct oracle_step *step = &record->step;
    struct image_source written, truth;
    cJSON *row = file_row(report, "output", record->outputs[side], step->target, NULL, image);
    cJSON_AddStringToObject(row, "side", sides[side]);
    cJSON_AddStringToObject(row, "role", oracle_side_at(step, side)->tool->role);
    if (*image && step->truth.content) {
        image_as_source(*image, &written);
        content_as_source(step->truth.content, &truth);
        cJSON *wrong = difference_json(&written, &truth, step->compare_budget, "byte", "source");
        if (wrong)
            cJSON_AddItemToObject(row, "differs_from_source", wrong);
    }
    cJSON_AddItemToArray(outputs, row);
}

cJSON *report_maps(const struct report *report) {
    const struct step_record *record = &report->record->steps[report->finding->step];
    const struct oracle_step *step = &record->step;
    struct image *images[SIDES] = {NULL};
    struct image_source a, b;
    cJSON *maps = cJSON_CreateObject();
    cJSON_AddItemToObject(maps, "source", source_json(report, step));
    cJSON *outputs = cJSON_AddArrayToObject(maps, "outputs");
    for (int side = 0; side < SIDES; side++)
        if (oracle_side_at(step, side)->ran && record->outputs[side][0] &&
            record->results[side].class == OUTCOME_OK)
            add_output(report, record, side, &images[side], outputs);
    if (images[SIDE_A] && images[SIDE_B]) {
        image_as_source(images[SIDE_A], &a);
        image_as_source(images[SIDE_B], &b);
        cJSON *difference = difference_json(&a, &b, step->compare_budget, "a", "b");
        if (difference)
            cJSON_AddItemToObject(maps, "difference", difference);
    }
    for (int side = 0; side < SIDES; side++)
        image_close(images[side]);
    return maps;
}
