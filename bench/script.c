// SPDX-License-Identifier: Apache-2.0
//
// Starting the script and telling it what to do: a path on its stdin, an answer on its stdout.
#include "script.h"

#include "exec/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCRIPT "bench/script.py"

static void become(int to[2], int from[2], const struct tool *a, const struct tool *b,
                   const char *parent) {
    dup2(to[0], 0);
    dup2(from[1], 1);
    // "instar" or "qemu-img": how its command lines are written.
    execlp("python3", "python3", SCRIPT, parent, a->kind == TOOL_INSTAR ? "instar" : "qemu-img",
           a->path, b->path, NULL);
    _exit(127);
}

// A line without its end; NULL: the script has ended.
static const char *answer(struct script *script, char *line, size_t room) {
    if (!fgets(line, (int)room, script->from))
        return NULL;
    line[strcspn(line, "\n")] = 0;
    return line;
}

int script_start(struct script *script, const struct tool *a, const struct tool *b,
                 const char *parent, const char **why, struct fault *fault) {
    int to[2], from[2];
    char line[512];
    *script = (struct script){0};
    if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
        return fault_errno(fault, "no pipe for %s", SCRIPT);
    pid_t pid = fork();
    if (pid < 0)
        return fault_errno(fault, "no process for %s", SCRIPT);
    if (!pid)
        become(to, from, a, b, parent);
    close(to[0]);
    close(from[1]);
    *script = (struct script){.pid = pid, .to = fdopen(to[1], "w"), .from = fdopen(from[0], "r")};
    const char *said = answer(script, line, sizeof line);
    if (said && strcmp(said, "ready") == 0)
        return 0;
    script_stop(script);
    *why = "python3 cannot run " SCRIPT;
    return 0;
}

int script_run(struct script *script, const char *path, double *us, struct fault *fault) {
    char line[512];
    uint64_t start = clock_us();
    if (fprintf(script->to, "%s\n", path) < 0 || fflush(script->to))
        return fault_errno(fault, "%s has ended", SCRIPT);
    const char *said = answer(script, line, sizeof line);
    *us = (double)(clock_us() - start);
    if (!said || strcmp(said, "equal") != 0)
        return fault_set(fault, "%s, %s: %s", SCRIPT, path, said ? said : "has ended");
    return 0;
}

void script_stop(struct script *script) {
    if (!script->pid)
        return;
    fclose(script->to);
    fclose(script->from);
    while (waitpid(script->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    *script = (struct script){0};
}
