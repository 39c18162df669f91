// SPDX-License-Identifier: Apache-2.0
//
// The frames that are gone back to have long returned, so their bytes are kept aside and put back.
// That cannot be done while standing on them: the copy is made on a stack of its own.
#include "exec/preload/again.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define AGAIN_STACK_MAX (256 * 1024) // from main's caller to the first option: a few KiB
#define AGAIN_RED_ZONE  128          // what a function may use below its stack pointer

static ucontext_t again_place, again_copier;
static char *again_low;
static size_t again_length;
static volatile int again_marked;
static _Alignas(16) char again_saved[AGAIN_STACK_MAX], again_stack[16 * 1024];

static void again_copy(void) {
    memcpy(again_low, again_saved, again_length);
    setcontext(&again_place);
    abort(); // it does not return
}

void again_here(void *top) {
    getcontext(&again_place);
    if (again_marked)
        return;
    again_marked = 1;
    again_low = (char *)__builtin_frame_address(0) - 1024 - AGAIN_RED_ZONE;
    again_length = (size_t)((char *)top - again_low);
    if (again_length > sizeof again_saved)
        abort(); // no tool's main() is like that; the harness finds it dead and does without
    getcontext(&again_copier);
    again_copier.uc_stack.ss_sp = again_stack;
    again_copier.uc_stack.ss_size = sizeof again_stack;
    makecontext(&again_copier, again_copy, 0);
    memcpy(again_saved, again_low, again_length);
}

bool again_possible(void) {
    const char *here = __builtin_frame_address(0);
    return again_marked && syscall(SYS_gettid) == getpid() && here < again_low + again_length &&
           here > again_low - ((size_t)4 << 20);
}

void again_back(void) {
    setcontext(&again_copier);
    abort();
}
