// SPDX-License-Identifier: Apache-2.0
//
// A cgroup of the pids controller, in which the kernel itself refuses the process that is one too
// many (RLIMIT_NPROC counts per user, and does not bind root at all). The launcher lives in one of
// its own, so that whatever it starts is born there and a command costs no more than without. Where
// none can be made (not root, no delegation, a container), processes are only counted (census.h).
//
// It is named after the guarded directory, WORKDIR_PREFIX*, which several launchers may share, and
// the launcher's number. The launcher removes it when it goes; if launcher and harness were both
// killed, the sweep that finds the directory finds its cgroups too, if it is started in the same
// cgroup as they were. From another one (another login, unit or container) they stay.
#ifndef EXEC_PROCESS_CAP_H
#define EXEC_PROCESS_CAP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process_cap {
    bool active;                   // the rest means nothing otherwise
    int max, events, home, inside; // pids.max, pids.events; the directory above, the cgroup's own
    uint64_t most;                 // what stands in pids.max; UINT64_MAX: not known
    uint64_t refusals;             // seen in pids.events so far
    char name[NAME_MAX + 1];
};

// Makes the cgroup and enters it. `name` is the path of the guarded directory. False: it cannot be.
bool process_cap_enter(struct process_cap *cap, const char *name);
// Goes back to where the caller was before and removes it. Whatever else lives there stays.
void process_cap_leave(struct process_cap *cap);
// Kills whatever lives in the cgroups of that directory's launchers, or in that of one of them, and
// removes them: for who knows that their owner is dead. Nothing happens where there is none.
void process_cap_sweep(const char *name, pid_t launcher); // 0: all

// From here on system calls alone (watch.h).
// At most so many processes and threads below the caller; 0: any number.
void process_cap_set(struct process_cap *cap, uint64_t most);
// Was anybody refused since the last time?
bool process_cap_met(struct process_cap *cap);
// Nobody in it can fork any more, until the next process_cap_set.
void process_cap_close(struct process_cap *cap);

#endif
