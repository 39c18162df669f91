// SPDX-License-Identifier: Apache-2.0
//
// What `coverage` found, for programs and for people.
#include "command/edges.h"
#include "command/triage.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

struct sum {
    uint32_t edges, reached;
};

// Of one driver, or of all for EDGES_DRIVERS.
static struct sum sum_of(const struct edges *edges, size_t driver) {
    struct sum sum = {0};
    for (size_t i = 0; i < edges->count; i++)
        if (driver == EDGES_DRIVERS || edges->files[i].driver == driver) {
            sum.edges += edges->files[i].count;
            sum.reached += edges->files[i].reached;
        }
    return sum;
}

static const char *ended_words(const struct coverage_result *result) {
    return !result->ended_by ? "all" : result->ended_by == SIGALRM ? "time" : "interrupted";
}

// --- JSON ---------------------------------------------------------------------------------------

static void add_number(cJSON *object, const char *name, uint64_t value) {
    cJSON_AddNumberToObject(object, name, (double)value);
}

static void add_sum(cJSON *object, const char *name, const char *text, struct sum sum) {
    if (name)
        triage_add_text(object, name, text);
    add_number(object, "edges", sum.edges);
    add_number(object, "reached", sum.reached);
}

static cJSON *driver_json(const struct edges *edges, size_t driver) {
    cJSON *object = cJSON_CreateObject();
    add_sum(object, "driver", edges_drivers[driver], sum_of(edges, driver));
    cJSON *files = cJSON_AddArrayToObject(object, "files");
    for (size_t i = 0; i < edges->count; i++) {
        const struct edges_file *file = &edges->files[i];
        if (file->driver != driver)
            continue;
        cJSON *item = cJSON_CreateObject();
        add_sum(item, "file", file->name, (struct sum){file->count, file->reached});
        cJSON_AddItemToArray(files, item);
    }
    return object;
}

cJSON *coverage_json(const struct coverage_result *result) {
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "tool", "instar-fuzz coverage");
    add_number(tree, "version", 1);
    add_number(tree, "made", result->made_s);
    add_number(tree, "seconds", result->took_s);
    cJSON *folders = cJSON_AddArrayToObject(tree, "folders");
    for (int i = 0; i < result->path_count; i++)
        triage_add_text(folders, NULL, result->paths[i]);
    triage_add_text(tree, "program", result->program->path);
    triage_add_text(tree, "program_version", result->program->version);
    add_number(tree, "files", result->cases.files);
    add_number(tree, "unreadable", result->cases.unreadable);
    add_number(tree, "cases", result->cases.count);
    add_number(tree, "run", result->run);
    add_number(tree, "failed", result->failed);
    cJSON_AddStringToObject(tree, "ended", ended_words(result));
    add_sum(tree, NULL, NULL, sum_of(&result->edges, EDGES_DRIVERS));
    cJSON *drivers = cJSON_AddArrayToObject(tree, "drivers");
    for (size_t driver = 0; driver < EDGES_DRIVERS; driver++)
        if (sum_of(&result->edges, driver).edges)
            cJSON_AddItemToArray(drivers, driver_json(&result->edges, driver));
    return tree;
}

// --- for people ---------------------------------------------------------------------------------

static void put_row(const char *name, struct sum sum, struct buffer *out) {
    buffer_format(out, "%-16s %8u %8u %7.1f %%\n", name, sum.reached, sum.edges,
                  100.0 * sum.reached / (sum.edges ? sum.edges : 1));
}

static void put_cases(const struct coverage_result *result, struct buffer *out) {
    const struct coverage_cases *cases = &result->cases;
    buffer_format(out, "%zu of %zu cases of %zu file%s, %llu s", result->run, cases->count,
                  cases->files, cases->files == 1 ? "" : "s", (unsigned long long)result->took_s);
    if (result->ended_by)
        buffer_text(out, result->ended_by == SIGALRM ? " (the time was up)" : " (interrupted)");
    buffer_text(out, "\n");
    if (cases->unreadable)
        buffer_format(out, "%zu file%s could not be read; the first: %s\n", cases->unreadable,
                      cases->unreadable == 1 ? "" : "s", cases->fault.text);
    if (result->failed)
        buffer_format(out, "%zu case%s could not be run to the end; the first: %s\n",
                      result->failed, result->failed == 1 ? "" : "s", result->failure);
}

void coverage_table(const struct coverage_result *result, struct buffer *out) {
    buffer_format(out, "%-16s %8s %8s\n", "driver", "reached", "edges");
    for (size_t driver = 0; driver < EDGES_DRIVERS; driver++) {
        struct sum sum = sum_of(&result->edges, driver);
        if (sum.edges)
            put_row(edges_drivers[driver], sum, out);
    }
    put_row("all", sum_of(&result->edges, EDGES_DRIVERS), out);
    put_cases(result, out);
}
