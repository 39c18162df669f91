// SPDX-License-Identifier: Apache-2.0
//
// The registry as it stood at build time, inside the program, so that a target that was moved to
// another machine explains the same divergences.
#include "oracles/registry.h"

// The Makefile names the file and makes this object depend on it.
__asm__(".section .rodata\n"
        "registry_built_in_text:\n"
        ".incbin \"oracles/known-divergences.json\"\n"
        "registry_built_in_end:\n"
        ".previous\n");
extern const char registry_built_in_text[], registry_built_in_end[];

int registry_load_built_in(struct registry **registry, struct fault *fault) {
    return registry_load_text(registry, registry_built_in_text,
                              (size_t)(registry_built_in_end - registry_built_in_text),
                              "oracles/known-divergences.json", fault);
}
