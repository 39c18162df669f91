// SPDX-License-Identifier: Apache-2.0
//
// The table of damages, and the copy that one of them is done to. Where it is done changes from
// case to case, for a checker that forgets a kind of cluster (a table, a snapshot's, a deflated
// one) overlooks only those.
#include "image/damage.h"

#include "base/file.h"
#include "image/damage_kinds.h"

#include <fcntl.h>
#include <unistd.h>

const char *const image_damage_names[IMAGE_DAMAGES] = {
    [DAMAGE_LEAK] = "leak",         [DAMAGE_REFCOUNT] = "refcount",
    [DAMAGE_EXCESS] = "excess",     [DAMAGE_COPIED] = "copied",
    [DAMAGE_OVERLAP] = "overlap",   [DAMAGE_SUBCLUSTERS] = "subclusters",
    [DAMAGE_BEYOND] = "beyond",     [DAMAGE_FEATURE] = "feature",
    [DAMAGE_LOG] = "log",           [DAMAGE_COMPRESSION] = "compression",
    [DAMAGE_VERSION] = "version",   [DAMAGE_COOKIE] = "cookie",
    [DAMAGE_CHECKSUM] = "checksum", [DAMAGE_REGION] = "region",
    [DAMAGE_ITEM] = "item",
};

#define QCOW2  (1u << IMAGE_QCOW2)
#define TABLES (QCOW2 | 1u << IMAGE_VMDK | 1u << IMAGE_VPC | 1u << IMAGE_VHDX)
#define VHDX   (1u << IMAGE_VHDX)

static bool always(const struct image *image) {
    (void)image;
    return true;
}

static const struct {
    unsigned formats;                               // bit set
    bool (*is_possible)(const struct image *image); // as far as can be said before it is copied
    int (*inflict)(const struct damaged_copy *copy, struct fault *fault);
} damages[IMAGE_DAMAGES] = {
    [DAMAGE_LEAK] = {QCOW2, always, damage_leak},
    [DAMAGE_REFCOUNT] = {QCOW2, always, damage_refcount},
    [DAMAGE_EXCESS] = {QCOW2, always, damage_excess},
    [DAMAGE_COPIED] = {QCOW2, damage_has_entries, damage_copied},
    [DAMAGE_SUBCLUSTERS] = {QCOW2, damage_has_subclusters, damage_subclusters},
    [DAMAGE_OVERLAP] = {TABLES, damage_has_entries, damage_overlap},
    [DAMAGE_BEYOND] = {TABLES, damage_has_entries, damage_beyond},
    [DAMAGE_FEATURE] = {QCOW2, damage_has_features, damage_feature},
    [DAMAGE_COMPRESSION] = {QCOW2, damage_has_compression, damage_compression},
    [DAMAGE_VERSION] = {1u << IMAGE_VMDK, damage_has_entries, damage_version},
    [DAMAGE_COOKIE] = {1u << IMAGE_VPC, damage_has_entries, damage_cookie},
    [DAMAGE_LOG] = {VHDX, always, damage_log},
    [DAMAGE_CHECKSUM] = {VHDX, always, damage_checksum},
    [DAMAGE_REGION] = {VHDX, always, damage_region},
    [DAMAGE_ITEM] = {VHDX, always, damage_item},
};

static int copy_and_inflict(struct damaged_copy *copy, const char *to, enum image_damage damage,
                            uint64_t most, struct fault *fault) {
    copy->fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (copy->fd < 0)
        return fault_errno(fault, "%s", to);
    int status = file_copy(copy->image->fd, copy->fd, most, fault);
    if (status == 0)
        status = damages[damage].inflict(copy, fault);
    close(copy->fd);
    if (status)
        unlink(to);
    return status;
}

int image_damage(const char *from, const char *to, enum image_format format,
                 enum image_damage damage, uint64_t chosen, uint64_t most, struct fault *fault) {
    struct damaged_copy copy = {.chosen = chosen};
    if (!(damages[damage].formats & 1u << format))
        return fault_set(fault, "no damage of that format");
    if (image_open(&copy.image, from, format, fault))
        return -1;
    int status = damages[damage].is_possible(copy.image)
                     ? copy_and_inflict(&copy, to, damage, most, fault)
                     : fault_set(fault, "nothing that could have this damage");
    image_close(copy.image);
    return status;
}
