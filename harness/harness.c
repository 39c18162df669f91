// SPDX-License-Identifier: Apache-2.0
//
// What a harness process holds: tools, registry, counters, and a launcher with a case directory. A
// process that was forked from the one that opened the harness (AFL++'s persistent children) gets a
// launcher and a case directory of its own at its first case; the rest is shared. What is done with
// a case is in policy.c.
#include "harness_state.h"

#include "base/bytes.h"
#include "cells.h"
#include "compared.h"
#include "cross.h"
#include "pair.h"
#include "report/story.h"
#include "seen.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int harness_attach(struct harness *h, struct fault *fault) {
    if (h->owner == getpid())
        return 0;
    char launcher[4096];
    // The parent's launcher and directory, inherited by a fork, are the parent's to end.
    h->exec = NULL;
    if (exec_find_beside("launcher", launcher, sizeof launcher, fault) ||
        workdir_name(&h->workdir, h->settings->work, fault) ||
        exec_start(&h->exec, launcher, h->workdir.path, fault))
        return -1;
    // The guard is there before what it guards.
    if (workdir_make(&h->workdir, fault)) {
        exec_stop(h->exec);
        h->exec = NULL;
        return -1;
    }
    h->owner = getpid();
    if (h->settings->unfenced)
        exec_fence_off(h->exec);
    buffer_clear(&h->fence);
    exec_fence_words(h->exec, &h->fence);
    h->chain.room =
        (struct tool_room){.exec = h->exec,
                           .workdir = &h->workdir,
                           .unfenced = h->settings->unfenced,
                           .readable = h->settings->fence,
                           .self_tests = h->self_tests,
                           .plain = h->settings->exec == TOOL_EXEC_PLAIN,
                           .deadline_ms = h->settings->case_ms / SETTINGS_DEADLINE_SHARE};
    for (int side = SIDES - 1; side >= 0; side--)
        if (h->tools[side].kind == TOOL_QEMU_IMG && h->tools[side].available)
            return tool_link_qemu_img(&h->workdir, h->tools[side].path, fault);
    return 0;
}

static void detach(struct harness *h) {
    if (h->owner != getpid())
        return;
    exec_stop(h->exec);
    workdir_remove(&h->workdir);
    h->exec = NULL;
    h->owner = 0;
}

// "<INSTAR_FUZZ_OUT>/NAME"; NULL without it.
static char *folder_of(const struct harness *h, const char *name) {
    struct buffer path = {0};
    if (h->settings->out)
        buffer_format(&path, "%s/%s", h->settings->out, name);
    return path.data;
}

static int open_memory(struct harness *h, struct fault *fault) {
    if (stats_open(&h->stats, h->settings->out, fault))
        return -1;
    h->seen = h->settings->seen ? must_strdup(h->settings->seen) : folder_of(h, "seen");
    tool_keep_self_tests(h->self_tests);
    return seen_open(h->seen, fault);
}

static int load_registry(struct harness *h, struct fault *fault) {
    return h->settings->known ? registry_load(&h->registry, h->settings->known, fault)
                              : registry_load_built_in(&h->registry, fault);
}

// Writers and readers take buffers of up to a few MiB for a moment. Memory that goes back to the
// system is faulted in again by the next case. And what inflates is made at its first use, which
// would make the first case that needs it another one than those behind it.
static void keep_memory(void) {
    const uint8_t nothing = 0;
    uint8_t out;
    mallopt(M_MMAP_THRESHOLD, 16 << 20);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    image_inflate(&out, 1, &nothing, 0, true);
    image_inflate(&out, 1, &nothing, 0, false);
    image_unzstd(&out, 1, &nothing, 0);
}

int harness_open(struct harness **harness, const struct settings *settings, bool *unavailable,
                 struct fault *fault) {
    struct harness *h = must_realloc(NULL, sizeof *h);
    memset(h, 0, sizeof *h);
    keep_memory();
    h->settings = settings;
    h->self_tests = settings->tested_anew ? NULL : folder_of(h, "self-tests");
    *unavailable = false;
    *harness = NULL;
    int status = load_registry(h, fault);
    status = status ? status : harness_attach(h, fault);
    if (status == 0)
        status = pair_choose(h->tools, settings, &h->chain.room, unavailable, fault);
    if (status == 0)
        status = third_find(&h->third, &h->chain.room, fault);
    if (status == 0)
        status = coverage_find(&h->coverage, settings, &h->chain.room, unavailable, fault);
    // A campaign's folders are touched only once it is clear that it can start.
    if (status == 0)
        status = open_memory(h, fault);
    if (status == 0)
        status = compared_write(h, fault);
    detach(h);
    if (status) {
        harness_close(h);
        return -1;
    }
    cells_reach(h->stats, h->tools, settings);
    h->chain.settings = settings;
    h->chain.tools = h->tools;
    h->chain.registry = h->registry;
    h->chain.stats = h->stats;
    h->chain.third = &h->third;
    h->chain.coverage = &h->coverage;
    *harness = h;
    return 0;
}

void harness_close(struct harness *h) {
    if (!h)
        return;
    detach(h);
    chain_free(&h->chain);
    registry_free(h->registry);
    struct record *records[] = {&h->first, &h->again};
    for (size_t r = 0; r < 2; r++)
        for (int i = 0; i < CASE_MAX_OPERATIONS; i++)
            for (int side = 0; side < SIDES; side++) {
                exec_outcome_free(&records[r]->steps[i].outcomes[side]);
                exec_outcome_free(&records[r]->steps[i].fit_outcomes[side]);
                tool_result_free(&records[r]->steps[i].results[side]);
                cross_free(&records[r]->steps[i], side);
            }
    buffer_free(&h->fence);
    free(h->seen);
    free(h->self_tests);
    free(h);
}

const struct tool *harness_tool(const struct harness *h, int side) {
    return &h->tools[side];
}

const char *harness_fence(const struct harness *h) {
    return h->fence.data;
}

const struct third *harness_third(const struct harness *h) {
    return &h->third;
}

const struct coverage *harness_coverage(const struct harness *h) {
    return &h->coverage;
}

struct stats *harness_stats(struct harness *h) {
    return h->stats;
}

const struct workdir *harness_workdir(const struct harness *h) {
    return &h->workdir;
}

struct tool_room *harness_room(struct harness *h) {
    return &h->chain.room;
}

void harness_guide(struct harness *h, uint8_t *cells) {
    h->chain.guide.cells = h->settings->guide == GUIDE_OFF ? NULL : cells;
}

void harness_forget(struct harness *h) {
    h->third_always = h->cross_always = true;
    free(h->seen);
    h->seen = NULL;
}

// instar starts a virtual machine for each file of a chain, so a command may take several times as
// long as the probe's smallest one. Ten times that, in whole seconds, is what it is advised to
// have.
static void announce_slow(const struct harness *h, const struct tool *tool, struct buffer *out) {
    uint32_t deadline = h->settings->case_ms / SETTINGS_DEADLINE_SHARE;
    if (!tool->available || tool->convert_ms <= deadline / 3)
        return;
    unsigned long long enough =
        round_up((uint64_t)tool->convert_ms * 10 * SETTINGS_DEADLINE_SHARE, 1000);
    buffer_format(out,
                  "NOTE: %s needs %u ms for a small conversion, and a command may take %u: much "
                  "may stay inconclusive (INSTAR_FUZZ_CASE_MS=%llu gives it ten times as long).\n",
                  tool->name, tool->convert_ms, deadline, enough);
}

void harness_announce(const struct harness *h, struct buffer *out) {
    report_pair_words(&h->tools[SIDE_A], &h->tools[SIDE_B], out);
    if (h->tools[SIDE_A].no_instar[0])
        buffer_format(out, "\nNo instar here: %s (INSTAR=path names one).",
                      h->tools[SIDE_A].no_instar);
    buffer_text(out, "\nThe unmodified programs run on the same input file (");
    for (int side = 0; side < SIDES; side++) {
        const struct tool *tool = &h->tools[side];
        buffer_format(out, "%s%s: %s%s", side ? "; " : "", tool->role,
                      exec_backend_names[tool->backend],
                      tool->backend_recalled ? ", as tested before" : "");
    }
    buffer_text(out, "); a divergence counts once it repeats by plain execution on fresh files.\n");
    if (h->chain.guide.cells)
        buffer_text(out, "The engine is guided by what the tools answer and write.\n");
    coverage_announce(&h->coverage, h->tools, out);
    buffer_format(out, "%s: %s.\n", h->settings->unfenced ? "WARNING: fence" : "Fence",
                  h->fence.data);
    if (!h->workdir.on_tmpfs)
        buffer_format(out,
                      "NOTE: no tmpfs to work on; cases are built below %s, which is slower.\n",
                      h->workdir.path);
    for (int side = 0; side < SIDES; side++)
        announce_slow(h, &h->tools[side], out);
}

void harness_rebudget(struct harness *h) {
    h->chain.room.deadline_ms = h->settings->case_ms / SETTINGS_DEADLINE_SHARE;
}

uint32_t harness_convert_ms(const struct harness *h) {
    uint32_t a = h->tools[SIDE_A].convert_ms, b = h->tools[SIDE_B].convert_ms;
    return a > b ? a : b;
}
