// SPDX-License-Identifier: Apache-2.0
//
// The environment of the tools, built from nothing: a configuration file in somebody's home, a
// locale or a qemu-img that happens to be on PATH must not change what a case shows.
#include "tool/adapter.h"

#include "exec/coverage_map.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const *tool_environment(const struct tool *tool, const struct tool_room *room) {
    static char home[320], config[320], path[320], temporary[320], lies[320], guests[540], map[320];
    static const char *items[10];
    size_t count = 0;
    snprintf(home, sizeof home, "HOME=%s", room->workdir->home_path);
    snprintf(config, sizeof config, "XDG_CONFIG_HOME=%s", room->workdir->home_path);
    snprintf(path, sizeof path, "PATH=%s", room->workdir->bin_path);
    items[count++] = home;
    items[count++] = config;
    items[count++] = path;
    items[count++] = "TZ=UTC";
    items[count++] = "LC_ALL=C";
    if (tool->is_standin && tool->lies[0]) {
        snprintf(lies, sizeof lies, "STANDIN_LIE=%s", tool->lies);
        items[count++] = lies;
    }
    // By its source (run_measure in src/vmm/src/main.rs) instar's measure --size makes a file of
    // one sector in the temporary folder, for its guest to boot with; a tool may write nowhere
    // else.
    if (tool->kind == TOOL_INSTAR) {
        snprintf(temporary, sizeof temporary, "TMPDIR=%s", room->workdir->case_path);
        items[count++] = temporary;
    }
    // Where instar's guest programs lie is part of where instar lies, not of the surroundings.
    if (tool->guests[0]) {
        snprintf(guests, sizeof guests, "INSTAR_BIN_DIR=%s", tool->guests);
        items[count++] = guests;
    }
    if (tool->edges) {
        snprintf(map, sizeof map, "%s=%s", COVERAGE_VARIABLE, room->workdir->map_path);
        items[count++] = map;
    }
    items[count] = NULL;
    return items;
}

int tool_link_qemu_img(const struct workdir *workdir, const char *qemu_img, struct fault *fault) {
    char link[sizeof workdir->bin_path + 16];
    if (mkdir(workdir->bin_path, 0755) != 0 && errno != EEXIST)
        return fault_errno(fault, "cannot create %s", workdir->bin_path);
    snprintf(link, sizeof link, "%s/qemu-img", workdir->bin_path);
    if (unlink(link) != 0 && errno != ENOENT)
        return fault_errno(fault, "cannot remove %s", link);
    if (qemu_img && symlink(qemu_img, link) != 0)
        return fault_errno(fault, "cannot create %s", link);
    return 0;
}
