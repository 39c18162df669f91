// SPDX-License-Identifier: Apache-2.0
//
// What the files of `coverage` share: the edges of an instrumented qemu-img by source file and by
// driver, the cases of the folders, and what became of them.
#ifndef COMMAND_EDGES_H
#define COMMAND_EDGES_H

#include "command/command.h"

#include <cjson/cJSON.h>

// --- edges by source file (coverage_edges.c) -----------------------------------------------------

struct edges_file {
    char *name; // of the source file: "block/qcow2-cluster.c"
    size_t driver;
    uint32_t first, count, reached; // edges
};

struct edges {
    struct edges_file *files;
    size_t count, capacity;
};

// Reads the table that ci/instrumented-qemu-img puts beside the program. -1: it is not there, is no
// such table, or is about a program of another number of edges.
int edges_read(struct edges *edges, const char *path, uint32_t total, struct fault *fault);
// `reached`: a byte an edge.
void edges_count(struct edges *edges, const uint8_t *reached);
void edges_free(struct edges *edges);

#define EDGES_DRIVERS 9
extern const char *const edges_drivers[EDGES_DRIVERS];

// --- cases (coverage_cases.c) --------------------------------------------------------------------

struct coverage_case {
    uint8_t *bytes; // canonical
    uint32_t size;
    uint64_t hash;
};

struct coverage_cases {
    struct coverage_case *items; // of each meaning one, in the order of their hashes
    size_t count, capacity;
    size_t files, unreadable;
    struct fault fault; // why the first of those cannot be read
};

// The files of the folders themselves, or single files. -1: one of the paths cannot be read.
int coverage_collect(struct coverage_cases *cases, char *const *paths, int count,
                     struct fault *fault);

// --- what became of it ---------------------------------------------------------------------------

struct coverage_result {
    struct edges edges;
    struct coverage_cases cases;
    char *const *paths;
    int path_count;
    const struct tool *program;
    size_t run, failed; // cases; those that failed are among those that were run
    char failure[600];  // of the first of them
    uint64_t made_s, took_s;
    int ended_by; // a signal: SIGALRM is the limit of time; 0: all cases were run
};

// coverage_words.c
cJSON *coverage_json(const struct coverage_result *result);
void coverage_table(const struct coverage_result *result, struct buffer *out);

#endif
