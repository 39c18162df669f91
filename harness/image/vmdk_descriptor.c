// SPDX-License-Identifier: Apache-2.0
//
// The text that every vmdk carries: which kind of disk, which extents, which parent.
#include "base/bytes.h"
#include "image/vmdk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

// A writer has only an open file, no name. Readers of an embedded descriptor take the file that
// they found it in and ignore the name; so does qemu-img.
#define VMDK_EXTENT_NAME "disk.vmdk"
// VMware's own value for a disk that was never opened; a random one would change from run to run.
#define VMDK_FIRST_CID 0xfffffffeu

void vmdk_descriptor_build(char *text, size_t room, const char *create_type, uint64_t sectors) {
    memset(text, 0, room);
    snprintf(text, room,
             "# Disk DescriptorFile\n"
             "version=1\n"
             "CID=%08x\n"
             "parentCID=ffffffff\n"
             "createType=\"%s\"\n"
             "\n"
             "# Extent description\n"
             "RW %" PRIu64 " SPARSE \"" VMDK_EXTENT_NAME "\"\n"
             "\n"
             "# The Disk Data Base\n"
             "#DDB\n"
             "\n"
             "ddb.virtualHWVersion = \"4\"\n"
             "ddb.geometry.cylinders = \"%" PRIu64 "\"\n"
             "ddb.geometry.heads = \"16\"\n"
             "ddb.geometry.sectors = \"63\"\n"
             "ddb.adapterType = \"ide\"\n",
             VMDK_FIRST_CID, create_type, sectors, sectors / (16 * 63));
}

// The value behind "name=" at the start of a line, or NULL.
static const char *vmdk_descriptor_value(const char *text, const char *name) {
    size_t length = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) == 0 && line[length] == '=')
            return line + length + 1;
    }
    return NULL;
}

static unsigned vmdk_descriptor_extents(const char *text) {
    static const char *const access[] = {"RW ", "RDONLY ", "NOACCESS "};
    unsigned count = 0;
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        for (size_t i = 0; i < sizeof access / sizeof *access; i++)
            count += strncmp(line, access[i], strlen(access[i])) == 0;
    }
    return count;
}

int vmdk_descriptor_read(struct vmdk *vmdk, const char *text, struct fault *fault) {
    const char *cid = vmdk_descriptor_value(text, "CID");
    const char *parent = vmdk_descriptor_value(text, "parentCID");
    if (cid)
        vmdk->cid = (uint32_t)strtoul(cid, NULL, 16);
    if (parent)
        vmdk->parent_cid = (uint32_t)strtoul(parent, NULL, 16);
    if (vmdk_descriptor_extents(text) > 1)
        return fault_set(fault, "vmdk disks of several extents are not supported");
    if (vmdk->parent_cid != UINT32_MAX || vmdk_descriptor_value(text, "parentFileNameHint"))
        return fault_set(fault, "vmdk disks with a parent are not supported");
    return 0;
}
