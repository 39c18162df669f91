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
    [DAMAGE_LEAK] = "leak",       [DAMAGE_REFCOUNT] = "refcount",
    [DAMAGE_EXCESS] = "excess",   [DAMAGE_COPIED] = "copied",
    [DAMAGE_OVERLAP] = "overlap", [DAMAGE_SUBCLUSTERS] = "subclusters",
    [DAMAGE_BEYOND] = "beyond",
};

#define QCOW2  (1u << IMAGE_QCOW2)
#define TABLES (QCOW2 | 1u << IMAGE_VMDK | 1u << IMAGE_VPC | 1u << IMAGE_VHDX)

static const struct {
    unsigned formats; // bit set
    int (*inflict)(const struct damaged_copy *copy, struct fault *fault);
} damages[IMAGE_DAMAGES] = {
    [DAMAGE_LEAK] = {QCOW2, damage_leak},        [DAMAGE_REFCOUNT] = {QCOW2, damage_refcount},
    [DAMAGE_EXCESS] = {QCOW2, damage_excess},    [DAMAGE_COPIED] = {QCOW2, damage_copied},
    [DAMAGE_OVERLAP] = {TABLES, damage_overlap}, [DAMAGE_SUBCLUSTERS] = {QCOW2, damage_subclusters},
    [DAMAGE_BEYOND] = {TABLES, damage_beyond},
};

int image_damage(const char *from, const char *to, enum image_format format,
                 enum image_damage damage, uint64_t chosen, uint64_t most, struct fault *fault) {
    struct damaged_copy copy = {.chosen = chosen};
    if (!(damages[damage].formats & 1u << format))
        return fault_set(fault, "no damage of that format");
    if (image_open(&copy.image, from, format, fault))
        return -1;
    copy.fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    int status = copy.fd < 0 ? fault_errno(fault, "%s", to)
                             : file_copy(copy.image->fd, copy.fd, most, fault);
    if (status == 0)
        status = damages[damage].inflict(&copy, fault);
    image_close(copy.image);
    if (copy.fd < 0)
        return -1;
    close(copy.fd);
    if (status)
        unlink(to);
    return status;
}
