// SPDX-License-Identifier: Apache-2.0
//
// What everything below the calling process takes at this moment: processes, memory, and the space
// of a directory's files. System calls alone (watch.h).
#ifndef EXEC_CENSUS_H
#define EXEC_CENSUS_H

#include <stdint.h>

struct census {
    uint64_t processes; // and threads
    uint64_t memory;    // bytes resident, summed over processes
};

// As far as they are seen (family.h).
struct census census_below(void);
// Bytes that the files right in the directory take on disk. 0: it cannot be read.
uint64_t census_space(const char *directory);

#endif
