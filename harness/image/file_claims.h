// SPDX-License-Identifier: Apache-2.0
//
// Which bytes of an image file are spoken for, and by how many: the checks of all table formats
// ask the same three questions (does anything overlap, is anything unclaimed, where does it end).
#ifndef IMAGE_FILE_CLAIMS_H
#define IMAGE_FILE_CLAIMS_H

#include <stddef.h>
#include <stdint.h>

struct file_claim {
    uint64_t start, end; // file bytes
};

struct file_claims {
    struct file_claim *list; // owned
    size_t count, capacity;
};

void file_claims_add(struct file_claims *claims, uint64_t start, uint64_t length);
void file_claims_free(struct file_claims *claims);

struct file_claims_sum {
    uint64_t overlaps; // claims that begin inside an earlier one
    uint64_t lost;     // whole units that nothing claims, below `end`
    uint64_t end;      // of the last claim
};

// Sorts the claims. From a claim's end to the next multiple of `align` is padding, not loss.
struct file_claims_sum file_claims_judge(struct file_claims *claims, uint64_t align, uint64_t unit);

#endif
