// SPDX-License-Identifier: Apache-2.0
//
// The system calls that a fenced program does without. They fail with an error that programs know
// how to meet, not with a signal: a tool that dies of our fence would look like a finding.
#include "exec/fence_calls.h"
#include "exec/fence.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __x86_64__ && !defined __ILP32__
#define FENCE_ARCH  AUDIT_ARCH_X86_64
#define FENCE_CALLS 0x40000000u // from here on the numbers are those of x32
#elif defined __aarch64__
#define FENCE_ARCH  AUDIT_ARCH_AARCH64
#define FENCE_CALLS 0xffffffffu
#endif

#ifdef FENCE_ARCH
#define FENCE_FAIL(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define FENCE_DENY(call, error)                                                                    \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), FENCE_FAIL(error)
#define FENCE_LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))

static struct sock_filter fence_filter[] = {
    // Another ABI of the same processor has other numbers: none of its calls exist.
    FENCE_LOAD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FENCE_ARCH, 1, 0),
    FENCE_FAIL(ENOSYS),
    FENCE_LOAD(nr),
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FENCE_CALLS, 0, 1),
    FENCE_FAIL(ENOSYS),
    // Of every family: Landlock does not see a unix socket that has a path. A socket pair reaches
    // nobody and stays.
    FENCE_DENY(socket, EACCES),
    // Its rings make sockets without the call above. Programs that use it do without where a kernel
    // has none, and many containers already have none.
    FENCE_DENY(io_uring_setup, ENOSYS),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static bool fence_has_seccomp(void) {
    unsigned action = SECCOMP_RET_ERRNO;
    return !syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}

static int fence_filters(void) {
    const struct sock_fprog program = {sizeof fence_filter / sizeof *fence_filter, fence_filter};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
#else
static bool fence_has_seccomp(void) {
    return false;
}
static int fence_filters(void) {
    errno = ENOSYS;
    return -1;
}
#endif

struct fence_state fence_probe(void) {
    return (struct fence_state){.landlock = fence_landlock(), .seccomp = fence_has_seccomp()};
}

int fence_enter(int ruleset, bool seccomp) {
    if (ruleset >= 0 && fence_restrict(ruleset))
        return -1;
    return seccomp ? fence_filters() : 0;
}
