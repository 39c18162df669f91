// SPDX-License-Identifier: Apache-2.0
//
// A full check of a VHDX file: both headers, both region tables, every table entry, no block used
// twice. qemu-img check of vhdx looks at less (the blocks' places, and whether a log was replayed).
#include "base/bytes.h"
#include "image/file_claims.h"
#include "image/vhdx.h"

#include <stdio.h>

static void vhdx_check_problem(struct image_check *check, const char *problem, uint64_t number) {
    if (!check->first_problem[0])
        snprintf(check->first_problem, sizeof check->first_problem, "%s %llu", problem,
                 (unsigned long long)number);
    check->corruptions++;
}

static int vhdx_check_blocks(struct image *image, struct image_check *check,
                             struct file_claims *claims, struct fault *fault) {
    struct vhdx *vhdx = image->state;
    uint64_t entry, run, expected = 0;
    for (uint64_t block = 0; block < vhdx->blocks; block += run) {
        if (vhdx_entry(vhdx, block, &entry, &run, fault))
            return -1;
        const char *problem = vhdx_entry_problem(image, entry);
        if (problem)
            vhdx_check_problem(check, problem, block);
        if (problem || (entry & VHDX_STATE_MASK) < VHDX_FULLY_PRESENT)
            continue;
        uint64_t at = entry & VHDX_OFFSET_MASK;
        check->allocated_clusters++;
        check->fragmented_clusters += expected && at != expected;
        expected = at + vhdx->block_size;
        file_claims_add(claims, at, vhdx->block_size);
    }
    return 0;
}

// Every partially present block needs its chunk's sector bitmap; one that is there is claimed.
static int vhdx_check_bitmaps(struct image *image, struct image_check *check,
                              struct file_claims *claims, struct fault *fault) {
    struct vhdx *vhdx = image->state;
    uint64_t entry, run, offset, known = UINT64_MAX; // chunk
    for (uint64_t block = 0; vhdx->differencing && block < vhdx->blocks; block += run) {
        uint64_t chunk = block / vhdx->chunk_ratio;
        if (vhdx_entry(vhdx, block, &entry, &run, fault))
            return -1;
        if ((entry & VHDX_STATE_MASK) != VHDX_PARTIALLY_PRESENT || chunk == known)
            continue;
        known = chunk;
        if (vhdx_bitmap_offset(image, chunk, &offset, NULL))
            vhdx_check_problem(check, "missing or misplaced: sector bitmap", chunk);
        else
            file_claims_add(claims, offset, VHDX_MIB);
    }
    return 0;
}

static int vhdx_check_all(struct image *image, struct image_check *check,
                          struct file_claims *claims, struct fault *fault) {
    struct vhdx *vhdx = image->state;
    for (int i = 0; i < 2; i++) {
        if (!vhdx->header_valid[i])
            vhdx_check_problem(check, "damaged: header", (uint64_t)i + 1);
        if (!vhdx->regions_valid[i])
            vhdx_check_problem(check, "damaged: region table", (uint64_t)i + 1);
    }
    file_claims_add(claims, 0, VHDX_MIB);
    file_claims_add(claims, vhdx->log.offset, vhdx->log.length);
    // The last region may be cut by the file's end.
    file_claims_add(claims, vhdx->bat.offset,
                    min_u64(vhdx->bat.length, image->file_size - vhdx->bat.offset));
    file_claims_add(claims, vhdx->metadata.offset,
                    min_u64(vhdx->metadata.length, image->file_size - vhdx->metadata.offset));
    if (vhdx_check_blocks(image, check, claims, fault) ||
        vhdx_check_bitmaps(image, check, claims, fault))
        return -1;
    struct file_claims_sum sum = file_claims_judge(claims, VHDX_MIB, vhdx->block_size);
    if (sum.overlaps)
        vhdx_check_problem(check, "tables or blocks that overlap:", sum.overlaps);
    check->leaks = sum.lost;
    check->image_end_offset = sum.end;
    return 0;
}

int vhdx_check(struct image *image, struct image_check *check, struct fault *fault) {
    struct vhdx *vhdx = image->state;
    *check = (struct image_check){0};
    check->total_clusters = vhdx->blocks;
    struct file_claims claims = {0};
    int result = vhdx_check_all(image, check, &claims, fault);
    file_claims_free(&claims);
    return result;
}
