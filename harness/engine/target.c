// SPDX-License-Identifier: Apache-2.0
//
// The fuzz target, one source for every engine: libFuzzer (and all that speak its interface) calls
// LLVMFuzzerTestOneInput, and so does AFL++'s driver, in persistent mode with test cases in shared
// memory. A new, confirmed divergence ends in abort() behind one line that names its signature,
// which is what ClusterFuzz groups by; nothing else that a tool said reaches this stderr.
#include "engine/abort.h"
#include "engine/afl_map.h"
#include "guide/guide.h"
#include "harness.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct settings settings;
#define AFL_CONTROL_PIPE 198 // FORKSRV_FD of AFL++'s config.h

static struct harness *harness;

// What the harness tells of a case. libFuzzer reads every byte of this section as a counter of its
// own and clears it before a case, so nothing else may be in its pages; AFL++ is given a copy.
#ifdef __AFL_COMPILER
static uint8_t guide[GUIDE_CELLS];
#else
__attribute__((section("__libfuzzer_extra_counters"), aligned(4096),
               used)) static uint8_t guide[GUIDE_CELLS];
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

// afl-fuzz puts its target into a session of its own, where what ends afl-fuzz and its group (an
// out-of-memory killer, a service manager) does not reach it, and a target that waits for afl-fuzz
// waits for ever. So it ends with its parent; each forked child has to ask for that itself.
static void follow_parent(void) {
#ifdef __AFL_COMPILER
    static pid_t asked;
    if (asked == getpid())
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // It may have died before that. Of the fork server, its pipe tells (there is none where a
    // person starts the target); of a child, that its parent is not the fork server any more.
    struct pollfd pipe = {.fd = AFL_CONTROL_PIPE, .events = POLLIN};
    bool orphan = asked ? getppid() != asked
                        : poll(&pipe, 1, 0) == 1 && !(pipe.revents & (POLLNVAL | POLLIN)) &&
                              (pipe.revents & POLLHUP);
    if (orphan)
        _exit(EXIT_NONE);
    asked = getpid();
#endif
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    struct fault fault = {0};
    bool unavailable = false;
    follow_parent();
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
    harness_guide(harness, guide);
    struct buffer words = {0};
    harness_announce(harness, &words);
    fprintf(stderr, "instar-fuzz: %s", words.data);
    buffer_free(&words);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fault fault = {0};
    char signature[SIGNATURE_ROOM];
    follow_parent();
#ifdef __AFL_COMPILER
    memset(guide, 0, sizeof guide);
    int verdict = harness_run(harness, data, size, signature, &fault);
    engine_afl_map_guide(guide);
#else
    int verdict = harness_run(harness, data, size, signature, &fault);
#endif
    switch (verdict) {
    case HARNESS_NOTHING:
    case HARNESS_REPEATED:
        return 0;
    case HARNESS_NEW:
        engine_abort(signature);
    default:
        leave(EXIT_BAD_USE, fault.text);
    }
    return 0;
}
