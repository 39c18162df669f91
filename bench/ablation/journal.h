// SPDX-License-Identifier: Apache-2.0
//
// Every input that a campaign executed, with the time at which it was done. A campaign of the
// ablation runs with an honest stand-in and never ends at a finding; which planted bugs it would
// have met, and when, is asked of this file afterwards (clock.c), for all of them at once.
#ifndef ABLATION_JOURNAL_H
#define ABLATION_JOURNAL_H

#include "testcase/testcase.h"

#include <stdint.h>
#include <stdio.h>

// In front of the input's bytes; written in one call, since AFL++ has several processes.
struct journal_head {
    uint64_t time_us; // CLOCK_MONOTONIC
    uint32_t size;    // at most CASE_MAX_BYTES
    uint32_t magic;
};
#define JOURNAL_MAGIC    0x4a4c4e52u
#define JOURNAL_VARIABLE "ABLATION_JOURNAL"

struct journal_entry {
    struct journal_head head;
    uint8_t data[CASE_MAX_BYTES];
};
// 1: an entry; 0: the end, or half an entry where a process was killed; -1: no journal.
int journal_next(FILE *file, struct journal_entry *entry);

#endif
