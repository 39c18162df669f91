// SPDX-License-Identifier: Apache-2.0
//
// Running a program: the only door from the harness to the tools. A small launcher process
// (harness/exec/launcher.c, a program of its own, one per harness process and one for each warm
// process) forks and executes what is run: it is tiny, so its fork is cheap however large an engine
// has grown, and it can set what posix_spawn cannot. The same process is the guard: in its own
// session, it notices when the harness is gone (its socket closes), kills what still runs and
// removes the case directory. Nothing here knows of images, tools or verdicts.
//
// No shell. Every wait is EINTR-safe (libFuzzer owns SIGALRM and interrupts waits). Every fd is
// CLOEXEC; the child gets 0 (/dev/null), 1 and 2 only (a persistent worker has one socket besides).
#ifndef EXEC_EXEC_H
#define EXEC_EXEC_H

#include "base/buffer.h"
#include "base/fault.h"
#include "exec/backend.h"
#include "exec/limits.h"

#include <stdbool.h>
#include <stdint.h>

enum exec_end {
    EXEC_EXITED,   // value: exit status
    EXEC_SIGNALED, // value: signal that we did not send
    EXEC_LOST,     // the warm process that ran it died with it, by nobody's fault that we know of
    EXEC_DEADLINE, // we ended its group when the deadline passed; value: the deadline in ms
    // It took more than a limit and we killed it; value: the limit, in MiB or as a number.
    EXEC_MEMORY,
    EXEC_SPACE,
    EXEC_PROCESSES,
};

struct exec_command {
    const char *program;            // absolute path; not searched
    const char *const *argv;        // NULL-terminated, argv[0] included
    const char *const *environment; // NULL-terminated; the whole environment of the child
    const char *directory;          // its working directory; absolute
    const char *const *fence;       // NULL-terminated list of exec/fence.h; NULL: not fenced
    enum exec_backend backend;
    uint32_t deadline_ms;       // wall clock, > 0; then SIGTERM, and soon SIGKILL
    uint64_t file_size_limit;   // RLIMIT_FSIZE in bytes; 0 = none
    uint32_t cpu_seconds_limit; // RLIMIT_CPU; 0 = none
    struct exec_limits limits;  // of all its processes together
    size_t capture_limit;       // bytes kept of stdout and of stderr each; the rest is read,
                                // counted as cut and thrown away
};

struct exec_outcome {
    enum exec_end end;
    int value;
    bool out_cut, err_cut;
    struct buffer out, err; // captured; NUL-terminated but may contain NULs; reused
    uint64_t wall_us, user_us, system_us;
    // Of itself or of a child that it waited for, the larger one. Of a persistent worker: so far.
    uint64_t max_resident_kib;
    // Processes that it started outlived it, in its group or out of it, and were killed. Not judged
    // where we ended it, because all of them are killed together then.
    bool left_processes;
};
void exec_outcome_free(struct exec_outcome *outcome);
// "exit 1", "signal 11 (SIGSEGV)", "killed after 2000 ms", "killed for more than 1024 MiB of
// memory"
void exec_outcome_words(const struct exec_outcome *outcome, struct buffer *words);
// Did it have only a part of a core? What a program does that waits, or works all the time, says
// more of it than of the machine.
bool exec_outcome_starved(const struct exec_outcome *outcome);

struct exec; // connection to the launcher

// Starts the launcher. A struct exec belongs to the process that made it: after a fork the child
// makes its own, and may exec_stop the inherited one, which then only forgets it.
// `launcher` is the program's path. `guarded` (or NULL) is the absolute path of a directory named
// as workdir_name names them that the guard removes when this process dies without calling
// exec_stop.
int exec_start(struct exec **exec, const char *launcher, const char *guarded, struct fault *fault);
// Orderly end; the launcher exits and is reaped. NULL is fine.
void exec_stop(struct exec *exec);
// Runs one command to its end. -1 means that the command could not be run at all (program missing,
// not executable, launcher dead): a harness error, not an outcome.
// Warm processes are started when they are first asked for, and kept. What they were started with
// must fit: another directory, environment, argv[0], fence or limit starts another one.
// A launcher that died between two commands is restarted, once; one that dies during a command is
// an error, because a command that ran in part cannot be run again, and is restarted by the next.
int exec_run(struct exec *exec, const struct exec_command *command, struct exec_outcome *outcome,
             struct fault *fault);
// From now on every command runs without its fence.
void exec_fence_off(struct exec *exec);
// "no network, files (Landlock ABI 7)", what is missing and why, or that it is off.
void exec_fence_words(const struct exec *exec, struct buffer *words);
// The path of a helper program that is built beside this one: <dir of the running
// executable>/NAME, or one directory above it. Returns 0, or -1 with what was looked for.
int exec_find_beside(const char *name, char *path, size_t room, struct fault *fault);

#endif
