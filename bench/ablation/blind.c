// SPDX-License-Identifier: Apache-2.0
//
// An engine that sees nothing at all. The blind targets of the ablation are linked from objects
// without instrumentation, and this is put around the fuzz target by the linker (--wrap): it tells
// the engine the same one thing of every case, since libFuzzer and AFL++ refuse to begin where they
// are told nothing. So whatever they keep or find is owed to the start and to the mutator.
#include <stddef.h>
#include <stdint.h>

int __real_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// libFuzzer reads this section as counters and clears it before each case; in AFL++'s target nobody
// reads it. A word, which is what libFuzzer clears by.
__attribute__((section("__libfuzzer_extra_counters"), aligned(8), used)) static uint8_t felt[8];

// Provided by AFL++'s runtime, in AFL++'s target alone.
extern uint8_t *__afl_area_ptr __attribute__((weak));

int __wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int result = __real_LLVMFuzzerTestOneInput(data, size);
    felt[0] = 1;
    if (&__afl_area_ptr)
        __afl_area_ptr[1] = 1;
    return result;
}
