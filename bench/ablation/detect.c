// SPDX-License-Identifier: Apache-2.0
//
// The children, and what is said over their two pipes: an entry of the journal, a byte.
#include "detect.h"

#include "harness.h"
#include "trigger.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct settings settings;

struct hope {
    const struct subject_lie *lie;
    bool met;
};

static void hear(void *context, const struct harness_finding *found) {
    struct hope *hope = context;
    size_t length = strlen(hope->lie->finding);
    const char *signature = found->finding->signature;
    hope->met |= found->fresh && strncmp(signature, hope->lie->finding, length) == 0 &&
                 signature[length] == '-';
}

static void child_fails(const char *text) {
    fprintf(stderr, "clock: %s\n", text);
    _exit(EXIT_BAD_USE);
}

// All findings of a case count, also behind one of another type, as they would in a campaign that
// has met that one.
static void serve(const struct subject_lie *lie, int from, int to) {
    static struct journal_entry entry;
    struct harness *harness;
    struct fault fault = {0};
    bool unavailable;
    setenv("STANDIN_LIE", lie->name, 1);
    if (settings_read(&settings, &fault))
        child_fails(fault.text);
    settings.pair = PAIR_STANDIN;
    settings.exec = TOOL_EXEC_PLAIN;
    settings.out = settings.seen = NULL;
    if (harness_open(&harness, &settings, &unavailable, &fault))
        child_fails(fault.text);
    FILE *questions = fdopen(from, "r");
    while (journal_next(questions, &entry) == 1) {
        struct hope hope = {lie, false};
        if (harness_run_all(harness, entry.data, entry.head.size, true, hear, &hope, &fault) < 0)
            child_fails(fault.text);
        uint8_t answer = hope.met;
        if (write(to, &answer, 1) != 1)
            break;
    }
    harness_close(harness);
    _exit(EXIT_NONE);
}

static int start(struct detector *detector, const struct subject_lie *lie, struct fault *fault) {
    int questions[2], answers[2];
    if (pipe2(questions, O_CLOEXEC) || pipe2(answers, O_CLOEXEC))
        return fault_errno(fault, "no pipe for %s", lie->name);
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return fault_errno(fault, "no process for %s", lie->name);
    if (pid == 0) {
        trigger_disarm();
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        close(questions[1]);
        close(answers[0]);
        serve(lie, questions[0], answers[1]);
    }
    close(questions[0]);
    close(answers[1]);
    *detector = (struct detector){pid, questions[1], answers[0]};
    return 0;
}

int detect_ask(struct detector *detector, const struct subject_lie *lie,
               const struct journal_entry *entry, bool *found, struct fault *fault) {
    uint8_t answer;
    size_t size = sizeof entry->head + entry->head.size;
    if (!detector->pid && start(detector, lie, fault))
        return -1;
    if (write(detector->to, entry, size) != (ssize_t)size || read(detector->from, &answer, 1) != 1)
        return fault_set(fault, "the harness that looks for %s ended", lie->name);
    *found = answer;
    return 0;
}

void detect_end(struct detector *detector) {
    if (!detector->pid)
        return;
    // Closing would not end it: children that were forked later hold this end, too.
    static const struct journal_head farewell;
    if (write(detector->to, &farewell, sizeof farewell) != (ssize_t)sizeof farewell)
        kill(detector->pid, SIGTERM);
    close(detector->to);
    close(detector->from);
    waitpid(detector->pid, NULL, 0);
    detector->pid = 0;
}
