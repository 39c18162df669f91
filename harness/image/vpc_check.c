// SPDX-License-Identifier: Apache-2.0
//
// The check that qemu-img does not have for vpc: every checksum, the two footers against each
// other, every block where it may be. Opening has already refused blocks beyond the file's end.
#include "base/bytes.h"
#include "base/file.h"
#include "image/file_claims.h"
#include "image/vpc.h"

#include <stdio.h>

#define VPC_MAX_PADDING 65536u // bytes: the largest sector of a device that a tool writes to

static void vpc_check_problem(struct image_check *check, const char *problem) {
    if (!check->first_problem[0])
        snprintf(check->first_problem, sizeof check->first_problem, "%s", problem);
    check->corruptions++;
}

// Is the footer at the front also here?
static int vpc_footer_at(struct image *image, const struct vpc *vpc, uint64_t place, bool *found,
                         struct image_check *check, struct fault *fault) {
    uint8_t copy[VPC_FOOTER_SIZE];
    if (file_pread(image->fd, copy, sizeof copy, place, fault))
        return -1;
    *found = memcmp(copy, "conectix", 8) == 0;
    if (*found && memcmp(copy, vpc->footer, sizeof copy) != 0)
        vpc_check_problem(check, "the two footers differ");
    return 0;
}

// The copy at the end; its place is the end of the file, or behind the last block when a writer
// with a device of large sectors padded blocks and file. Without one the disk is still readable,
// but no longer what the specification asks for ("the footer is located at the end of the hard disk
// image").
static int vpc_check_footers(struct image *image, const struct vpc *vpc, uint64_t blocks_end,
                             struct image_check *check, struct fault *fault) {
    bool found;
    if (vpc_footer_at(image, vpc, image->file_size - VPC_FOOTER_SIZE, &found, check, fault))
        return -1;
    for (uint64_t sector = VPC_SECTOR; !found && sector <= VPC_MAX_PADDING; sector *= 2)
        if (vpc_footer_at(image, vpc, round_up(blocks_end, sector), &found, check, fault))
            return -1;
    if (!found)
        vpc_check_problem(check, "there is no footer behind the blocks");
    return 0;
}

static int vpc_check_blocks(struct vpc *vpc, struct image_check *check, struct file_claims *claims,
                            struct fault *fault) {
    uint64_t stored = (uint64_t)vpc->bitmap_size + vpc->block_size, expected = 0;
    for (uint32_t i = 0; i < vpc->entries; i++) {
        uint32_t entry;
        if (vpc_entry(vpc, i, &entry, fault))
            return -1;
        if (entry == VPC_UNUSED)
            continue;
        uint64_t at = (uint64_t)entry * VPC_SECTOR;
        check->allocated_clusters++;
        check->fragmented_clusters += expected && at != expected;
        expected = at + stored;
        file_claims_add(claims, at, stored);
    }
    return 0;
}

static void vpc_check_locators(const struct image *image, const struct vpc *vpc,
                               struct image_check *check, struct file_claims *claims) {
    for (unsigned i = 0; vpc->differencing && i < VPC_LOCATORS; i++) {
        const uint8_t *locator = vpc->header + VPC_HEADER_LOCATORS + i * VPC_LOCATOR_SIZE;
        uint64_t offset = get_be64(locator + VPC_LOCATOR_OFFSET);
        uint32_t length = get_be32(locator + VPC_LOCATOR_LENGTH);
        if (length && (offset > image->file_size || length > image->file_size - offset))
            vpc_check_problem(check, "a parent locator lies outside the file");
        else if (length)
            file_claims_add(claims, offset, length);
    }
}

static int vpc_check_dynamic(struct image *image, struct vpc *vpc, struct image_check *check,
                             struct file_claims *claims, struct fault *fault) {
    if (vpc_checksum(vpc->header, VPC_HEADER_SIZE, VPC_HEADER_CHECKSUM) !=
        get_be32(vpc->header + VPC_HEADER_CHECKSUM))
        vpc_check_problem(check, "the dynamic disk header's checksum is wrong");
    file_claims_add(claims, 0, VPC_FOOTER_SIZE);
    file_claims_add(claims, get_be64(vpc->footer + VPC_FOOTER_DATA_OFFSET), VPC_HEADER_SIZE);
    if (vpc->entries)
        file_claims_add(claims, vpc->table_offset,
                        round_up((uint64_t)vpc->entries * 4, VPC_SECTOR));
    vpc_check_locators(image, vpc, check, claims);
    if (vpc_check_blocks(vpc, check, claims, fault))
        return -1;
    // Padding of a writer with a device of large sectors is less than a block and no loss.
    struct file_claims_sum sum =
        file_claims_judge(claims, VPC_SECTOR, (uint64_t)vpc->bitmap_size + vpc->block_size);
    if (sum.overlaps)
        vpc_check_problem(check, "blocks or tables overlap");
    check->leaks = sum.lost;
    check->image_end_offset = sum.end;
    return vpc_check_footers(image, vpc, sum.end, check, fault);
}

int vpc_check(struct image *image, struct image_check *check, struct fault *fault) {
    struct vpc *vpc = image->state;
    *check = (struct image_check){0};
    check->total_clusters = div_up(image->virtual_size, image->unit);
    check->image_end_offset = image->file_size;
    if (vpc->fixed) {
        check->allocated_clusters = check->total_clusters;
        return 0;
    }
    struct file_claims claims = {0};
    int result = vpc_check_dynamic(image, vpc, check, &claims, fault);
    file_claims_free(&claims);
    return result;
}
