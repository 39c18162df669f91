// SPDX-License-Identifier: Apache-2.0
//
// A handful of slots in turn. More fences than slots are no error, only slower.
#include "exec/fence_cache.h"

#include "exec/fence.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FENCE_SLOTS 8
#define FENCE_ROOM  8192 // of a list; a longer one is not kept but cannot be used either

struct fence_slot {
    int ruleset;
    size_t length; // 0: empty
    dev_t device;
    ino_t inode;
    char text[FENCE_ROOM];
};

static struct fence_slot fence_slots[FENCE_SLOTS];
static size_t fence_next;

// The list's strings lie one behind the other in the request (launcher.c), but nothing here depends
// on it. 0: too long.
static size_t fence_flatten(char *const *list, char text[FENCE_ROOM]) {
    size_t used = 0;
    for (; *list; list++) {
        size_t length = strlen(*list) + 1;
        if (length > FENCE_ROOM - used)
            return 0;
        memcpy(text + used, *list, length);
        used += length;
    }
    return used;
}

int fence_cached(int landlock, char *const *list, const char *directory) {
    static char text[FENCE_ROOM];
    struct stat status;
    size_t length = fence_flatten(list, text);
    if (!length) {
        errno = E2BIG;
        return -1;
    }
    if (stat(directory, &status))
        return -1;
    for (size_t i = 0; i < FENCE_SLOTS; i++) {
        const struct fence_slot *slot = &fence_slots[i];
        if (slot->length == length && slot->inode == status.st_ino &&
            slot->device == status.st_dev && !memcmp(slot->text, text, length))
            return slot->ruleset;
    }
    int ruleset = fence_build(landlock, list);
    if (ruleset < 0)
        return -1;
    struct fence_slot *slot = &fence_slots[fence_next++ % FENCE_SLOTS];
    if (slot->length)
        close(slot->ruleset);
    slot->ruleset = ruleset;
    slot->length = length;
    slot->device = status.st_dev;
    slot->inode = status.st_ino;
    memcpy(slot->text, text, length);
    return ruleset;
}
