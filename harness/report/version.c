// SPDX-License-Identifier: Apache-2.0
//
// The version in a file of its own: a commit makes this object anew and no other.
#include "report/version.h"

// The Makefile writes the file and makes this object depend on it.
__asm__(".section .rodata\n"
        ".globl report_harness_version\n"
        "report_harness_version:\n"
        ".incbin \"build/version\"\n"
        ".byte 0\n"
        ".previous\n");
