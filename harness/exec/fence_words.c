// SPDX-License-Identifier: Apache-2.0
//
// The fence in one line, for the start of a run, doctor and reports. What the kernel lacks is said
// behind "without": a fence that is not whole must not look as if it were.
#include "exec/exec.h"
#include "exec/shim.h"

void exec_fence_words(const struct exec *exec, struct buffer *words) {
    const struct fence_state *fence = &exec->plain.fence;
    if (exec->unfenced) {
        buffer_text(words, "off: files and hosts that images name can be reached");
        return;
    }
    const char *comma = "";
    if (fence->seccomp) {
        buffer_text(words, "no network");
        comma = ", ";
    }
    if (fence->landlock) {
        buffer_format(words, "%sfiles (Landlock ABI %d)", comma, fence->landlock);
        comma = ", ";
    }
    if (fence->processes)
        buffer_format(words, "%sprocesses (cgroup)", comma);
    if (fence->seccomp && fence->landlock >= 6 && fence->processes)
        return;
    buffer_format(words, "%swithout", *comma ? "; " : "");
    if (!fence->seccomp)
        buffer_text(words, " network: the kernel has no seccomp filters for this machine;");
    if (!fence->landlock)
        buffer_text(words, " files: the kernel has no Landlock, or it is not switched on;");
    else if (fence->landlock < 3)
        buffer_text(words, " truncation of files outside: Landlock is older than ABI 3;");
    if (fence->landlock && fence->landlock < 5)
        buffer_text(words, " ioctls of devices: Landlock is older than ABI 5;");
    if (fence->landlock && fence->landlock < 6)
        buffer_text(words, " signals to others: Landlock is older than ABI 6;");
    if (!fence->processes)
        buffer_text(words, " a cap on processes: no pids cgroup can be made, they are counted;");
    words->data[--words->length] = 0; // the last semicolon
}
