// SPDX-License-Identifier: Apache-2.0
//
// One sorted list of file ranges.
#include "image/file_claims.h"

#include "base/buffer.h"
#include "base/bytes.h"

#include <stdlib.h>

void file_claims_add(struct file_claims *claims, uint64_t start, uint64_t length) {
    if (claims->count == claims->capacity) {
        claims->capacity = claims->capacity ? claims->capacity * 2 : 64;
        claims->list = must_realloc(claims->list, claims->capacity * sizeof *claims->list);
    }
    claims->list[claims->count++] = (struct file_claim){start, start + length};
}

void file_claims_free(struct file_claims *claims) {
    free(claims->list);
    *claims = (struct file_claims){0};
}

static int file_claim_order(const void *a, const void *b) {
    const struct file_claim *one = a, *other = b;
    return (one->start > other->start) - (one->start < other->start);
}

struct file_claims_sum file_claims_judge(struct file_claims *claims, uint64_t align,
                                         uint64_t unit) {
    struct file_claims_sum sum = {0};
    if (claims->count)
        qsort(claims->list, claims->count, sizeof *claims->list, file_claim_order);
    for (size_t i = 0; i < claims->count; i++) {
        const struct file_claim *claim = &claims->list[i];
        uint64_t padded = round_up(sum.end, align);
        if (claim->start < sum.end)
            sum.overlaps++;
        else if (claim->start > padded)
            sum.lost += (claim->start - padded) / unit;
        sum.end = max_u64(sum.end, claim->end);
    }
    return sum;
}
