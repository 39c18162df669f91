// SPDX-License-Identifier: Apache-2.0
//
// What the harness (connection.c, exec.c) and the launcher (launcher.c) say to each other over one
// SOCK_SEQPACKET pair. Both are built from this file; the launcher's first message carries the
// version, so that a launcher left over from another build is refused instead of misunderstood.
// Integers are in host order: both ends are the same machine and the same compiler.
//
//   launcher -> harness   hello, once
//   harness -> launcher   run (header, strings, and by SCM_RIGHTS the write ends of the stdout and
//                         the stderr pipe, and for a warm process its socket) or stop
//   launcher -> harness   exactly one of ended, failed for every run, with the run's number
//
// A closed socket without a stop before it means that the harness is gone.
#ifndef EXEC_LAUNCHER_PROTOCOL_H
#define EXEC_LAUNCHER_PROTOCOL_H

#include "exec/limits.h"

#include <stdbool.h>
#include <stdint.h>

#define LAUNCHER_VERSION     3
#define LAUNCHER_MESSAGE_MAX (64 * 1024) // a request, header and strings together
#define LAUNCHER_STRINGS_MAX 4096        // arguments, environment and fence together
#define LAUNCHER_FDS_MAX     3

enum launcher_request_kind {
    LAUNCHER_RUN = 1,
    LAUNCHER_STOP, // the launcher exits and removes nothing
};

struct launcher_request {
    uint32_t kind;
    uint32_t deadline_ms; // 0: none
    uint64_t number;      // counts up; repeated in the reply
    uint64_t file_size_limit;
    struct exec_limits limits;
    uint32_t cpu_seconds_limit;
    uint32_t argument_count;
    uint32_t environment_count;
    uint32_t fence_count; // 0: not fenced
    // Followed by NUL-terminated strings: program, directory, arguments, environment, fence.
};

enum launcher_reply_kind {
    LAUNCHER_HELLO = 1, // number: LAUNCHER_VERSION; status: Landlock's ABI; step: has seccomp
    LAUNCHER_ENDED,     // status: as from wait4
    LAUNCHER_FAILED,    // status: errno of the step that failed; the program never ran
};

enum launcher_step {
    LAUNCHER_STEP_REQUEST,   // the request makes no sense
    LAUNCHER_STEP_PROCESS,   // vfork, pidfd_open
    LAUNCHER_STEP_PREPARE,   // group, limits, descriptors of the child
    LAUNCHER_STEP_DIRECTORY, // chdir
    LAUNCHER_STEP_FENCE,     // building it or putting it on
    LAUNCHER_STEP_PROGRAM,   // execve
    LAUNCHER_STEPS,
};

struct launcher_reply {
    uint64_t number;
    uint32_t kind;
    uint32_t step; // of LAUNCHER_FAILED
    int32_t status;
    uint8_t end;            // of LAUNCHER_ENDED: enum watch_end
    uint8_t left_processes; // of LAUNCHER_ENDED: something that it started outlived it
    uint8_t capped;         // of LAUNCHER_HELLO: it has a process cap
    uint8_t unused;
    uint64_t wall_us, user_us, system_us, max_resident_kib;
};

#endif
