// SPDX-License-Identifier: Apache-2.0
//
// Relaxations of info: the members that are not compared as they stand, each with its reason.
#include "oracles/relax.h"

#include <string.h>

#define BY_INSTAR   (1u << TOOL_INSTAR)
#define BY_QEMU_IMG (1u << TOOL_QEMU_IMG)

// One member below the other: aligned columns would hide the reasons.
// clang-format off
const struct relax_member relax_members[] = {
    {.path = "filename",
     .how = MEMBER_BASE_NAME,
     .reason = "instar prints the canonical absolute path, qemu-img the name it was given."},
    {.path = "full-backing-filename",
     .how = MEMBER_BASE_NAME,
     .reason = "As filename: absolute in one, relative to the image in the other."},
    {.path = "format-specific.data.extents[].filename",
     .how = MEMBER_BASE_NAME,
     .reason = "As filename, for the files of a vmdk."},
    {.path = "actual-size",
     .how = MEMBER_IGNORED,
     .reason = "What the file system allocated; it may change between two looks (delayed allocation)."},
    {.path = "children",
     .how = MEMBER_IGNORED,
     .reason = "The protocol node below the image: printed from qemu 8.0, and a question of the file, "
               "not of the format."},
    {.path = "format-specific.data.encrypt",
     .how = MEMBER_OPTIONAL,
     .omitted_by = BY_INSTAR,
     .reason = "instar prints no encrypt object."},
    {.path = "format-specific.data.bitmaps",
     .how = MEMBER_OPTIONAL,
     .omitted_by = BY_INSTAR,
     .reason = "instar prints no bitmaps array."},
    {.path = "snapshots",
     .how = MEMBER_OPTIONAL,
     .omitted_by = BY_INSTAR,
     .reason = "instar prints no snapshots array."},
    {.path = "format-specific",
     .how = MEMBER_OPTIONAL,
     .omitted_by = BY_INSTAR | BY_QEMU_IMG,
     .formats = 1u << IMAGE_RAW,
     .reason = "A raw image has none of its own; qemu-img hands through the file's (extent size hint, "
               "up to 7.2)."},
    {.path = NULL},
};
// clang-format on

const struct relax_member *relax_member_find(const char *path) {
    for (const struct relax_member *member = relax_members; member->path; member++)
        if (strcmp(member->path, path) == 0)
            return member;
    return NULL;
}

bool relax_member_may_omit(const struct relax_member *member, const struct tool *tool,
                           enum image_format format) {
    return member->how == MEMBER_OPTIONAL && (member->omitted_by & 1u << tool->kind) &&
           (!member->formats || (member->formats & 1u << format));
}
