// SPDX-License-Identifier: Apache-2.0
//
// See timeline.h.
#include "page/timeline.h"
#include "page/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MOST 64 // columns of a file, known or not

const char *const timeline_names[TIMELINE_COLUMNS] = {
    [TIMELINE_TIME] = "time",
    [TIMELINE_SITTING] = "sitting",
    [TIMELINE_JOBS] = "jobs",
    [TIMELINE_CASES] = "cases",
    [TIMELINE_COMPARISONS] = "comparisons",
    [TIMELINE_DIVERGENCES] = "divergences",
    [TIMELINE_FINDINGS] = "findings",
    [TIMELINE_INCONCLUSIVE] = "inconclusive",
    [TIMELINE_CORPUS] = "corpus",
    [TIMELINE_FEATURES] = "features",
    [TIMELINE_DISK_KIB] = "disk_kib",
};

// Which column of the file is what: an index into timeline_names, TIMELINE_COLUMNS for others.
struct columns {
    enum timeline_column of[FIELDS_MOST];
    size_t count;
};

static enum timeline_column column_of(const char *name) {
    size_t column = 0;
    while (column < TIMELINE_COLUMNS && strcmp(timeline_names[column], name) != 0)
        column++;
    return (enum timeline_column)column;
}

// Ends the field at *at and returns it; NULL behind the last one.
static char *next_field(char **at) {
    char *field = *at;
    if (!field)
        return NULL;
    char *tab = strchr(field, '\t');
    *at = tab ? tab + 1 : NULL;
    if (tab)
        *tab = 0;
    return field;
}

static int read_header(struct timeline *timeline, struct columns *columns, char *line) {
    for (char *field; (field = next_field(&line));) {
        if (columns->count == FIELDS_MOST)
            return -1;
        enum timeline_column column = column_of(field);
        if (column < TIMELINE_COLUMNS)
            timeline->has[column] = true;
        columns->of[columns->count++] = column;
    }
    return timeline->has[TIMELINE_TIME] ? 0 : -1;
}

static bool parse_number(const char *field, uint64_t *value) {
    if (!*field || field[strspn(field, "0123456789")])
        return false;
    errno = 0;
    *value = strtoull(field, NULL, 10);
    return errno == 0;
}

static bool parse_sample(const struct columns *columns, char *line,
                         struct timeline_sample *sample) {
    *sample = (struct timeline_sample){0};
    size_t count = 0;
    for (char *field; (field = next_field(&line)); count++) {
        if (count == columns->count)
            return false;
        enum timeline_column column = columns->of[count];
        if (column < TIMELINE_COLUMNS && !parse_number(field, &sample->values[column]))
            return false;
    }
    return count == columns->count;
}

// A clock that was put back adds no running time.
static void add_sample(struct timeline *timeline, struct timeline_sample sample) {
    const struct timeline_sample *last =
        timeline->count ? &timeline->samples[timeline->count - 1] : NULL;
    uint64_t passed = 0;
    if (last && sample.values[TIMELINE_TIME] > last->values[TIMELINE_TIME])
        passed = sample.values[TIMELINE_TIME] - last->values[TIMELINE_TIME];
    bool is_new = !last || passed > TIMELINE_PAUSE ||
                  sample.values[TIMELINE_SITTING] != last->values[TIMELINE_SITTING];
    sample.running = (last ? last->running : 0) + (is_new ? 0 : passed);
    if (is_new) {
        timeline->stretches = array_room(timeline->stretches, &timeline->stretch_capacity,
                                         timeline->stretch_count + 1, sizeof *timeline->stretches);
        timeline->stretches[timeline->stretch_count++] =
            (struct timeline_stretch){.first = timeline->count, .pause = passed};
    }
    timeline->stretches[timeline->stretch_count - 1].count++;
    timeline->samples = array_room(timeline->samples, &timeline->capacity, timeline->count + 1,
                                   sizeof *timeline->samples);
    timeline->samples[timeline->count++] = sample;
}

// What has no newline behind it is not whole, whatever it looks like.
static char *next_line(char **at) {
    char *line = *at, *end = strchr(line, '\n');
    if (!end)
        return NULL;
    *end = 0;
    *at = end + 1;
    return line;
}

static int read_text(struct timeline *timeline, char *text) {
    struct columns columns = {0};
    struct timeline_sample sample;
    bool is_damaged = false;
    char *line = next_line(&text);
    if (!line || read_header(timeline, &columns, line))
        return -1;
    while ((line = next_line(&text))) {
        timeline->damaged += is_damaged;
        is_damaged = !parse_sample(&columns, line, &sample);
        if (!is_damaged)
            add_sample(timeline, sample);
    }
    timeline->damaged += is_damaged && *text;
    return 0;
}

int timeline_read(struct timeline *timeline, const char *path, struct fault *fault) {
    struct buffer text = {0};
    memset(timeline, 0, sizeof *timeline);
    int status = read_file(path, TIMELINE_MOST, &text, fault);
    // A machine that lost its power leaves zeros in a file; the lines behind them are whole.
    for (size_t i = 0; status == 0 && i < text.length; i++)
        if (!text.data[i])
            text.data[i] = ' ';
    if (status == 0 && read_text(timeline, text.data))
        status = fault_set(fault, "%s: its first line names no column \"time\"", path);
    buffer_free(&text);
    return status;
}

void timeline_free(struct timeline *timeline) {
    free(timeline->samples);
    free(timeline->stretches);
    memset(timeline, 0, sizeof *timeline);
}

uint64_t timeline_length(const struct timeline *timeline) {
    return timeline->count ? timeline->samples[timeline->count - 1].running : 0;
}

size_t timeline_at(const struct timeline *timeline, uint64_t running) {
    size_t low = 0, high = timeline->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (timeline->samples[middle].running < running)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
