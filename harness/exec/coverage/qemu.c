// SPDX-License-Identifier: Apache-2.0
//
// What makes an instrumented qemu-img count the same for the same command. Which of its threads is
// the faster one decides how often it polls and in which order it copies; so the work that it would
// hand to its thread pool is done at once, by the caller, and the thread that frees memory later
// (call_rcu) is not started: a process of one command can do without. Not one line of qemu is
// changed: the linker puts these in the place of qemu's own (--wrap).
//
// QEMU_SUBMIT_TAKES_POOL: before 8.0 the pool was an argument (include/block/thread-pool.h).
#include <string.h>

typedef int work_function(void *argument);
typedef void *thread_function(void *argument);
struct QemuThread;

#ifdef QEMU_SUBMIT_TAKES_POOL
int __wrap_thread_pool_submit_co(void *pool, work_function *work, void *argument);
int __wrap_thread_pool_submit_co(void *pool, work_function *work, void *argument) {
    (void)pool;
    return work(argument);
}
#else
int __wrap_thread_pool_submit_co(work_function *work, void *argument);
int __wrap_thread_pool_submit_co(work_function *work, void *argument) {
    return work(argument);
}
#endif

// Weak: the small programs by which qemu's configure looks round are linked with this, too.
__attribute__((weak)) void __real_qemu_thread_create(struct QemuThread *thread, const char *name,
                                                     thread_function *start, void *argument,
                                                     int mode);
void __wrap_qemu_thread_create(struct QemuThread *thread, const char *name, thread_function *start,
                               void *argument, int mode);
void __wrap_qemu_thread_create(struct QemuThread *thread, const char *name, thread_function *start,
                               void *argument, int mode) {
    if (strcmp(name, "call_rcu") != 0)
        __real_qemu_thread_create(thread, name, start, argument, mode);
}
