// SPDX-License-Identifier: Apache-2.0
//
// One part of the benchmark: reads the cases, measures, prints a table and writes everything as
// JSON.
//
//   bench PART ROUNDS JSON FOLDER [PATTERN]     FOLDER holds the cases; those whose names contain
//                                               PATTERN
#include "bench.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct part {
    const char *name;
    int (*run)(struct bench *bench, struct fault *fault);
} parts[] = {
    {"launcher", bench_launcher}, {"commands", bench_commands}, {"iterations", bench_iterations},
    {"floors", bench_floors},     {"seeds", bench_seeds},
};

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct bench_case *)a)->name, ((const struct bench_case *)b)->name);
}

static int read_cases(struct bench *bench, const char *folder, const char *pattern,
                      struct fault *fault) {
    DIR *directory = opendir(folder);
    if (!directory)
        return fault_errno(fault, "%s", folder);
    for (struct dirent *entry; (entry = readdir(directory));) {
        char path[4096];
        if (entry->d_name[0] == '.' || !strstr(entry->d_name, pattern))
            continue;
        bench->cases = must_realloc(bench->cases, (bench->case_count + 1) * sizeof *bench->cases);
        struct bench_case *one = &bench->cases[bench->case_count];
        snprintf(one->name, sizeof one->name, "%s", entry->d_name);
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (case_load(&one->testcase, path, fault)) {
            closedir(directory);
            return -1;
        }
        one->size = case_encode(&one->testcase, one->bytes);
        bench->case_count++;
    }
    closedir(directory);
    if (!bench->case_count)
        return fault_set(fault, "no case in %s has '%s' in its name", folder, pattern);
    qsort(bench->cases, bench->case_count, sizeof *bench->cases, by_name);
    return 0;
}

// `machine` was noted before the part ran: its own load is no fact about the machine.
static int write_json(const struct bench *bench, const char *part, cJSON *machine, const char *path,
                      struct fault *fault) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "part", part);
    cJSON_AddNumberToObject(json, "rounds", bench->rounds);
    cJSON_AddItemToObject(json, "machine", machine);
    cJSON_AddItemToObject(json, "facts", bench->facts);
    cJSON_AddItemToObject(json, "figures", figures_json(&bench->figures));
    char *text = cJSON_Print(json);
    FILE *file = fopen(path, "we");
    int status = file && fprintf(file, "%s\n", text) > 0 ? 0 : -1;
    if (file && fclose(file))
        status = -1;
    free(text);
    cJSON_Delete(json);
    return status ? fault_errno(fault, "%s", path) : 0;
}

int main(int argc, char **argv) {
    struct fault fault = {0};
    struct bench bench = {.facts = cJSON_CreateObject()};
    const struct part *part = NULL;
    bench.rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (argc > 1 && strcmp(parts[i].name, argv[1]) == 0)
            part = &parts[i];
    if (!part || argc < 5 || argc > 6 || bench.rounds < 1 || bench.rounds > 10000) {
        fprintf(stderr, "usage: bench launcher|commands|iterations|floors|seeds ROUNDS JSON FOLDER "
                        "[PATTERN]\n");
        return EXIT_BAD_USE;
    }
    cJSON *machine = machine_json();
    int status = read_cases(&bench, argv[4], argc > 5 ? argv[5] : "", &fault);
    if (!status)
        status = part->run(&bench, &fault);
    if (!status)
        status = write_json(&bench, part->name, machine, argv[3], &fault);
    if (status)
        fprintf(stderr, "bench %s: %s\n", part->name, fault.text);
    figures_free(&bench.figures);
    free(bench.cases);
    return status ? EXIT_BAD_USE : EXIT_NONE;
}
