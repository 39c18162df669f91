// SPDX-License-Identifier: Apache-2.0
//
// What a week of fuzzing leaves, made in minutes: many cases that differ and show few signatures.
// Each given case is mutated as engines do it, and what still shows its signature, and no other, is
// kept under the names that libFuzzer and two AFL++ fuzzers would have given it. The environment
// decides which tools (and lies) are compared. What was made is printed, so that who counts
// afterwards knows what to expect.
#include "command/command.h"
#include "mutators/mutate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CRASHERS_PATIENCE 60 // mutants for one that is kept

static const char *const names[] = {
    "%s/libfuzzer/crash-%040u",
    "%s/afl/main/crashes/id:%06u,sig:06,src:000000,time:1000,execs:2000,op:havoc,rep:2",
    "%s/afl/second/crashes/id:%06u,sig:06,sync:main,src:000001",
};
#define NAMES (sizeof names / sizeof *names)

struct kind { // one signature
    char signature[SIGNATURE_ROOM];
    uint8_t (*cases)[CASE_MAX_BYTES];
    size_t *sizes, count, wanted;
};

static int die(const char *text) {
    fprintf(stderr, "crashers: %s\n", text);
    exit(EXIT_BAD_USE);
}

// The one signature of a case, or NULL.
static const char *only_signature(struct harness *harness, const uint8_t *bytes, size_t size) {
    const struct record *record;
    struct fault fault = {0};
    if (harness_look(harness, bytes, size, &record, &fault))
        die(fault.text);
    return record->finding_count == 1 ? record->findings[0].signature : NULL;
}

static void keep(struct kind *kind, const uint8_t *bytes, size_t size) {
    memcpy(kind->cases[kind->count], bytes, size);
    kind->sizes[kind->count++] = size;
}

static bool is_there(const struct kind *kind, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < kind->count; i++)
        if (kind->sizes[i] == size && memcmp(kind->cases[i], bytes, size) == 0)
            return true;
    return false;
}

static void begin(struct kind *kind, struct harness *harness, const char *path, size_t wanted) {
    struct testcase testcase;
    struct fault fault = {0};
    uint8_t bytes[CASE_MAX_BYTES];
    if (case_load(&testcase, path, &fault))
        die(fault.text);
    size_t size = case_encode(&testcase, bytes);
    const char *signature = only_signature(harness, bytes, size);
    if (!signature)
        die("a case does not show one signature");
    snprintf(kind->signature, sizeof kind->signature, "%s", signature);
    kind->wanted = wanted;
    kind->cases = must_realloc(NULL, wanted * sizeof *kind->cases);
    kind->sizes = must_realloc(NULL, wanted * sizeof *kind->sizes);
    keep(kind, bytes, size);
}

// A walk from case to case, so that they grow apart and larger.
static void fill(struct kind *kind, struct harness *harness, uint64_t seed) {
    for (size_t tries = 0; kind->count < kind->wanted; tries++) {
        if (tries == kind->wanted * CRASHERS_PATIENCE)
            die("no more mutants of a case show its signature alone");
        uint8_t mutant[CASE_MAX_BYTES];
        size_t parent = (size_t)((seed + tries) * 0x9e3779b97f4a7c15u >> 32) % kind->count;
        size_t size = kind->sizes[parent];
        memcpy(mutant, kind->cases[parent], size);
        size = mutate_case(mutant, size, sizeof mutant, seed + tries, NULL, NULL);
        if (is_there(kind, mutant, size))
            continue;
        const char *signature = only_signature(harness, mutant, size);
        if (signature && strcmp(signature, kind->signature) == 0)
            keep(kind, mutant, size);
    }
}

static void write_case(const char *folder, unsigned number, const uint8_t *bytes, size_t size) {
    char path[4096];
    struct fault fault = {0};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(path, sizeof path, names[number % NAMES], folder, number);
#pragma GCC diagnostic pop
    for (char *slash = strchr(path + strlen(folder), '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0777) && errno != EEXIST)
            die(path);
        *slash = '/';
    }
    FILE *file = fopen(path, "wxe");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file)) {
        fault_errno(&fault, "%s", path);
        die(fault.text);
    }
}

int main(int argc, char **argv) {
    struct settings settings;
    struct harness *harness;
    struct fault fault = {0};
    bool unavailable;
    char *end;
    unsigned long count = argc > 3 ? strtoul(argv[2], &end, 10) : 0;
    if (argc < 4 || *end || count < (unsigned long)argc - 3)
        return die("usage: crashers FOLDER COUNT CASE...   (a case for each signature)");
    if (settings_read(&settings, &fault) || harness_open(&harness, &settings, &unavailable, &fault))
        return die(fault.text);
    unsigned number = 0, kinds = (unsigned)argc - 3;
    for (unsigned k = 0; k < kinds; k++) {
        struct kind kind = {.count = 0};
        begin(&kind, harness, argv[3 + k], count / kinds + (k < count % kinds));
        fill(&kind, harness, 1000003ull * k);
        for (size_t i = 0; i < kind.count; i++)
            write_case(argv[1], number++, kind.cases[i], kind.sizes[i]);
        printf("%zu\t%s\n", kind.count, kind.signature);
        fflush(stdout);
        free(kind.cases);
        free(kind.sizes);
    }
    harness_close(harness);
    return EXIT_NONE;
}
