// SPDX-License-Identifier: Apache-2.0
//
// Is the fence in a tool's way? Then a capability would be missing without anybody's fault, and a
// campaign would quietly test less. So where a fenced probe finds something amiss, the tool is
// probed once more without the fence, on the same images of ours; what only the fence took away
// ends the run with the tool's own words.
#include "tool/adapter.h"

#include <stdio.h>
#include <string.h>

static bool probe_is_whole(const struct tool *tool) {
    bool whole = tool->available && !tool->why_not[0];
    for (int op = 0; op < OPERATIONS; op++)
        whole = whole && tool->ops[op];
    for (int format = 0; format < IMAGE_FORMATS; format++)
        whole = whole && tool->reads[format] && tool->writes[format];
    return whole;
}

// What is there unfenced and not fenced, in words; NULL: nothing.
static const char *probe_difference(const struct tool *fenced, const struct tool *plain) {
    static char words[96];
    if (plain->available && !fenced->available)
        return "it cannot run";
    for (int op = 0; op < OPERATIONS; op++)
        if (plain->ops[op] && !fenced->ops[op]) {
            snprintf(words, sizeof words, "its %s does not work", operation_names[op]);
            return words;
        }
    for (int format = 0; format < IMAGE_FORMATS; format++)
        if ((plain->reads[format] && !fenced->reads[format]) ||
            (plain->writes[format] && !fenced->writes[format]) ||
            (plain->measures[format] && !fenced->measures[format])) {
            snprintf(words, sizeof words, "its %s driver does not work", tool_format_name(format));
            return words;
        }
    if (memcmp(plain->lacks_option, fenced->lacks_option, sizeof plain->lacks_option) != 0)
        return "an option does not work";
    return fenced->why_not[0] && !plain->why_not[0] ? "a command fails" : NULL;
}

int tool_probe(struct tool *tool, const char *path, enum tool_kind wanted, struct tool_room *room,
               struct fault *fault) {
    if (tool_probe_once(tool, path, wanted, room, fault) != 0)
        return -1;
    struct fault missing;
    if (room->unfenced || probe_is_whole(tool) ||
        tool_find(path, tool->path, sizeof tool->path, &missing) != 0)
        return 0;
    struct tool plain;
    struct tool_room open = *room;
    open.unfenced = true;
    if (tool_probe_once(&plain, path, wanted, &open, fault) != 0)
        return -1;
    const char *difference = probe_difference(tool, &plain);
    // What a stalled host did to instar would look like the fence, too.
    if (difference && tool_probe_once(tool, path, wanted, room, fault) != 0)
        return -1;
    difference = difference ? probe_difference(tool, &plain) : NULL;
    if (!difference)
        return 0;
    return fault_set(fault,
                     "%.200s needs something that the fence keeps from it: without the fence it "
                     "works, with it %s%s%.240s. INSTAR_FUZZ_FENCE=/a/folder lets the tools read "
                     "that folder, too; INSTAR_FUZZ_FENCE=off takes the fence away",
                     tool->path, difference, tool->why_not[0] ? ": " : "", tool->why_not);
}
