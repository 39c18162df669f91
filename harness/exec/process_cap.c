// SPDX-License-Identifier: Apache-2.0
//
// What is done with a cgroup that is there: three small files.
#include "exec/process_cap.h"

#include "exec/bare.h"

#include <string.h>
#include <unistd.h>

static void process_cap_write(struct process_cap *cap, const char *text) {
    if (pwrite(cap->max, text, strlen(text), 0) < 0)
        cap->most = UINT64_MAX;
}

void process_cap_set(struct process_cap *cap, uint64_t most) {
    char text[BARE_NUMBER_ROOM] = "max";
    if (cap->most == most)
        return;
    if (most)
        bare_number(text, most + 1); // the caller lives there too
    cap->most = most;
    process_cap_write(cap, text);
}

void process_cap_close(struct process_cap *cap) {
    cap->most = UINT64_MAX;
    process_cap_write(cap, "0");
}

// "max N"
bool process_cap_met(struct process_cap *cap) {
    char text[64];
    ssize_t length = pread(cap->events, text, sizeof text - 1, 0);
    if (length < 4)
        return false;
    text[length] = 0;
    const char *at = text + 4;
    uint64_t before = cap->refusals;
    cap->refusals = bare_parse(&at);
    return cap->refusals > before;
}
