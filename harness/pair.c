// SPDX-License-Identifier: Apache-2.0
//
// Choosing the pair. Where instar cannot run and nobody asked for it by name, the stand-in takes
// its place, and every announcement says so; a tool that somebody did name must run, because a
// campaign against the wrong program is worse than none.
#include "pair.h"

#include <stdio.h>
#include <string.h>

// The one that was named; else the one that came with this program (a fuzzing service's bundle
// brings its tools); else the one on PATH.
static const char *path_of(const char *named, const char *name, char bundled[4096]) {
    char beside[64];
    snprintf(beside, sizeof beside, "tools/%s", name);
    if (named)
        return named;
    return exec_find_beside(beside, bundled, 4096, NULL) == 0 ? bundled : name;
}

static int probe_standin(struct tool *tool, struct tool_room *room, struct fault *fault) {
    char path[4096];
    if (exec_find_beside("standin/instar", path, sizeof path, fault))
        return -1;
    return tool_probe(tool, path, TOOL_INSTAR, room, fault);
}

static void leave_out(struct tool *tool, enum tool_kind kind) {
    *tool = (struct tool){.kind = kind};
    snprintf(tool->role, sizeof tool->role, "%s", kind == TOOL_INSTAR ? "instar" : "qemu_img");
    snprintf(tool->name, sizeof tool->name, "%s", kind == TOOL_INSTAR ? "instar" : "qemu-img");
    snprintf(tool->why_not, sizeof tool->why_not, "left out by INSTAR_FUZZ_PAIR");
}

static int need(const struct tool *tool, bool *unavailable, struct fault *fault) {
    if (tool->available)
        return 0;
    *unavailable = true;
    return fault_set(fault, "%s cannot run here: %s", tool->name, tool->why_not);
}

// Side A of the automatic choice.
static int choose_subject(struct tool *tool, const struct settings *settings,
                          struct tool_room *room, bool *unavailable, struct fault *fault) {
    if (settings->pair != PAIR_STANDIN) {
        char bundled[4096];
        if (tool_probe(tool, path_of(settings->instar, "instar", bundled), TOOL_INSTAR, room,
                       fault))
            return -1;
        if (tool->available)
            return 0;
        if (settings->instar || settings->pair == PAIR_INSTAR)
            return need(tool, unavailable, fault);
    }
    char why[sizeof tool->no_instar];
    snprintf(why, sizeof why, "%s", settings->pair == PAIR_STANDIN ? "" : tool->why_not);
    if (probe_standin(tool, room, fault))
        return -1;
    if (need(tool, unavailable, fault))
        return -1;
    // Beside why_not, where the stand-in may have a failed probe of its own (STANDIN_LIE).
    memcpy(tool->no_instar, why, sizeof tool->no_instar);
    return 0;
}

static int choose_reference(struct tool *tool, const struct settings *settings,
                            struct tool_room *room, bool *unavailable, struct fault *fault) {
    char bundled[4096];
    if (tool_probe(tool, path_of(settings->qemu_img, "qemu-img", bundled), TOOL_QEMU_IMG, room,
                   fault))
        return -1;
    return need(tool, unavailable, fault);
}

static void choose_backends(struct tool tools[SIDES], const struct settings *settings,
                            struct tool_room *room) {
    struct tool *a = &tools[SIDE_A], *b = &tools[SIDE_B];
    tool_choose_backend(b, settings->exec, room);
    if (settings->pair != PAIR_QEMU) {
        tool_choose_backend(a, settings->exec, room);
        return;
    }
    a->backend = b->backend;
    a->backend_recalled = b->backend_recalled;
    memcpy(a->backend_why, b->backend_why, sizeof a->backend_why);
}

int pair_choose(struct tool tools[SIDES], const struct settings *settings, struct tool_room *room,
                bool *unavailable, struct fault *fault) {
    struct tool *a = &tools[SIDE_A], *b = &tools[SIDE_B];
    if (settings->pair == PAIR_ONLY_INSTAR)
        leave_out(b, TOOL_QEMU_IMG);
    else if (choose_reference(b, settings, room, unavailable, fault))
        return -1;
    if (b->available && tool_link_qemu_img(room->workdir, b->path, fault))
        return -1;
    if (settings->pair == PAIR_ONLY_QEMU)
        leave_out(a, TOOL_INSTAR);
    else if (settings->pair == PAIR_QEMU)
        *a = *b;
    else if (choose_subject(a, settings, room, unavailable, fault))
        return -1;
    if (a->kind == TOOL_INSTAR)
        tool_set_qemu_version(a, b);
    if (a->kind == b->kind) {
        snprintf(a->role, sizeof a->role, "qemu_img_a");
        snprintf(b->role, sizeof b->role, "qemu_img_b");
    }
    choose_backends(tools, settings, room);
    return 0;
}
