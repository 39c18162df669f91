// SPDX-License-Identifier: Apache-2.0
//
// See maps.h. Whatever a member holds, what comes out are sorted extents within a row.
#include "page/maps.h"

#include <stdio.h>
#include <string.h>

const struct maps_state maps_states[MAPS_STATES] = {
    {"data", "s-data", "data"},
    {"compressed", "s-compressed", "compressed"},
    {"zero", "s-zero", "explicit zeros"},
    {"zero_allocated", "s-kept", "explicit zeros, space kept"},
};

static const struct maps_state *state_named(const char *name) {
    for (size_t i = 0; i < MAPS_STATES; i++)
        if (strcmp(maps_states[i].name, name) == 0)
            return &maps_states[i];
    return NULL;
}

bool maps_range(const cJSON *item, uint64_t *from, uint64_t *to) {
    uint64_t length;
    return json_u64(json_at(item, 0), from) && json_u64(json_at(item, 1), &length) && length &&
           !__builtin_add_overflow(*from, length, to);
}

static void read_extents(struct maps_row *row, const cJSON *list, struct axis *axis) {
    const cJSON *item;
    uint64_t done = 0;
    cJSON_ArrayForEach(item, list) {
        struct maps_extent extent;
        const cJSON *state = json_at(item, 2);
        if (row->count == MAPS_EXTENTS || !maps_range(item, &extent.from, &extent.to) ||
            extent.from < done || extent.to > row->size || !cJSON_IsString(state))
            continue;
        extent.state = state_named(state->valuestring);
        if (!extent.state)
            continue;
        row->extents[row->count++] = extent;
        done = extent.to;
        axis_add(axis, extent.from, extent.to);
    }
}

static void label_row(struct maps_row *row, const cJSON *json, const char *const names[2]) {
    const char *what = json_text(json, "what"), *name = json_text(json, "name");
    if (!strcmp(what, "content"))
        snprintf(row->label, sizeof row->label, "What the guest holds%s%.20s",
                 *name ? " in snapshot " : "", name);
    else if (!strcmp(what, "snapshot"))
        snprintf(row->label, sizeof row->label, "What snapshot %.20s holds", name);
    else if (!strcmp(what, "below"))
        snprintf(row->label, sizeof row->label, "%.60s, below the input", name);
    else if (!strcmp(what, "output"))
        snprintf(row->label, sizeof row->label, "%.60s, written by %.60s", name,
                 names[!strcmp(json_text(json, "side"), "b")]);
    else
        snprintf(row->label, sizeof row->label, "%.60s, the input", name);
}

static void read_row(struct maps_picture *picture, const cJSON *json, const char *const names[2]) {
    if (picture->count == MAPS_ROWS)
        return;
    struct maps_row *row = &picture->rows[picture->count++];
    memset(row, 0, sizeof *row);
    label_row(row, json, names);
    row->is_output = !strcmp(json_text(json, "what"), "output");
    row->size = json_number(json, "size");
    row->coarse = json_number(json, "coarsened_to");
    row->cut = json_number(json, "cut_at");
    snprintf(row->fault, sizeof row->fault, "%s", json_text(json, "fault"));
    row->ranges = json_member(json_member(json, "differs_from_source"), "ranges");
    read_extents(row, json_member(json, "extents"), &picture->axis);
    // Both ends of every disk are to be seen.
    axis_add(&picture->axis, 0, row->size ? 1 : 0);
    axis_add(&picture->axis, row->size ? row->size - 1 : 0, row->size);
}

// Where nobody knows the source's content, the outputs are held against each other.
static void read_differences(struct maps_picture *picture, const cJSON *maps) {
    const cJSON *pair = json_member(json_member(maps, "difference"), "ranges");
    bool any = false;
    for (size_t i = 0; i < picture->count; i++)
        any |= picture->rows[i].ranges != NULL;
    picture->differs = any ? "differs from the source" : "the outputs differ";
    for (size_t i = 0; i < picture->count && !any; i++)
        if (picture->rows[i].is_output)
            picture->rows[i].ranges = pair;
}

// The offset that the finding is about: where the outputs part, else where one leaves the source.
static void find_offset(struct maps_picture *picture, const cJSON *maps) {
    const cJSON *first = json_member(maps, "difference"), *output;
    cJSON_ArrayForEach(output, json_member(maps, "outputs")) if (!first) first =
        json_member(output, "differs_from_source");
    picture->has_offset = json_u64(json_member(first, "offset"), &picture->offset) &&
                          picture->offset < UINT64_MAX - 1;
    if (picture->has_offset)
        axis_add(&picture->axis, picture->offset, picture->offset + 1);
}

void maps_read(struct maps_picture *picture, const cJSON *maps, const char *const names[2]) {
    const cJSON *row;
    cJSON_ArrayForEach(row, json_member(json_member(maps, "source"), "rows"))
        read_row(picture, row, names);
    cJSON_ArrayForEach(row, json_member(maps, "outputs")) read_row(picture, row, names);
    read_differences(picture, maps);
    find_offset(picture, maps);
    axis_make(&picture->axis);
}
