// SPDX-License-Identifier: Apache-2.0
//
// The fuzz target, one source for every engine: libFuzzer (and all that speak its interface) calls
// LLVMFuzzerTestOneInput, and so does AFL++'s driver, in persistent mode with test cases in shared
// memory. A new, confirmed divergence ends in abort() behind one line that names its signature,
// which is what ClusterFuzz groups by; nothing else that a tool said reaches this stderr.
#include "engine/abort.h"
#include "engine/afl.h"
#include "engine/engine.h"
#include "harness.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct settings settings;
static struct harness *harness;

// libFuzzer reads every byte of this section as a counter of its own and clears it before a case,
// so nothing else may be in its pages; AFL++ is given a copy.
#ifdef __AFL_COMPILER
uint8_t engine_guide[GUIDE_CELLS];
#else
__attribute__((section("__libfuzzer_extra_counters"), aligned(4096), used))
uint8_t engine_guide[GUIDE_CELLS];
#endif
_Static_assert(GUIDE_CELLS % 4096 == 0, "a section of whole pages");

static void leave(int status, const char *text) {
    fprintf(stderr, "instar-fuzz: %s\n", text);
    fflush(NULL);
    harness_close(harness);
    // Not exit(): libFuzzer would call that a crash of the target.
    _exit(status);
}

// A file as argument means that one input is replayed or minimized: nothing may be called old.
static bool names_a_file(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        struct stat info;
        if (argv[i][0] != '-' && stat(argv[i], &info) == 0 && S_ISREG(info.st_mode))
            return true;
    }
    return false;
}

// afl-tmin runs one input again and again, and it must crash each time.
static bool parent_minimizes(void) {
    char path[64], name[32] = "";
    snprintf(path, sizeof path, "/proc/%ld/comm", (long)getppid());
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool read = fgets(name, sizeof name, file) != NULL;
    fclose(file);
    return read && strncmp(name, "afl-tmin", 8) == 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    struct fault fault = {0};
    bool unavailable = false;
#ifdef __AFL_COMPILER
    engine_afl_follow_parent();
#endif
    if (settings_read(&settings, &fault))
        leave(EXIT_BAD_USE, fault.text);
    settings.guided = true;
    bool one_file = names_a_file(*argc, *argv);
    if (one_file)
        settings.exec = TOOL_EXEC_PLAIN; // which does not pay for a self-test
    if (harness_open(&harness, &settings, &unavailable, &fault))
        leave(unavailable ? EXIT_UNAVAILABLE : EXIT_BAD_USE, fault.text);
    if (one_file || parent_minimizes())
        harness_forget(harness);
    harness_guide(harness, engine_guide);
    struct buffer words = {0};
    harness_announce(harness, &words);
    fprintf(stderr, "instar-fuzz: %s", words.data);
    buffer_free(&words);
    return 0;
}

void engine_run(const uint8_t *data, size_t size) {
    struct fault fault = {0};
    char signature[SIGNATURE_ROOM];
    switch (harness_run(harness, data, size, signature, &fault)) {
    case HARNESS_NOTHING:
    case HARNESS_REPEATED:
        return;
    case HARNESS_NEW:
        engine_abort(signature);
    default:
        leave(EXIT_BAD_USE, fault.text);
    }
}

#ifndef __AFL_COMPILER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    engine_run(data, size);
    return 0;
}
#endif
