// SPDX-License-Identifier: Apache-2.0
//
// Whole iterations over the published cases (or the seeds): the source is built, both tools measure
// and convert it, what they wrote is judged. Each pair of tools through each back end, and the
// plain script; they take turns, a turn is one pass over all cases, and a round is a turn of each.
#include "bench.h"

#include "script.h"

#include <stdio.h>
#include <string.h>

// The null experiment, where both halves cost the same, and what a campaign compares.
static const char *const pairs[] = {"qemu", "auto", NULL};
#define PAIRS 2

struct iterations {
    struct bench *bench;
    struct contenders contenders;
    struct script scripts[PAIRS]; // of the pair of the same index
    // Microseconds of this round, and those of this process; scripts stand behind the contenders.
    double pass[CONTENDERS_MAX + PAIRS], own[CONTENDERS_MAX];
};

static const struct contender *of_pair(const struct iterations *all, size_t pair) {
    for (size_t c = 0; c < all->contenders.count; c++)
        if (strcmp(all->contenders.items[c].pair, pairs[pair]) == 0)
            return &all->contenders.items[c];
    return NULL;
}

// Script and harness work on the same file system.
static int start_scripts(struct iterations *all, struct fault *fault) {
    const char *why = NULL;
    for (size_t p = 0; p < PAIRS && !why; p++) {
        const struct contender *contender = of_pair(all, p);
        char parent[4096];
        snprintf(parent, sizeof parent, "%s", harness_workdir(contender->harness)->path);
        *strrchr(parent, '/') = 0;
        if (script_start(&all->scripts[p], harness_tool(contender->harness, SIDE_A),
                         harness_tool(contender->harness, SIDE_B), parent, &why, fault))
            return -1;
    }
    if (why)
        printf("Without the script: %s.\n", why);
    return 0;
}

static void note(struct iterations *all, size_t index, const char *name, const char *case_name,
                 double us) {
    all->pass[index] += us;
    figure_add(figures_at(&all->bench->figures, "us", "case/%s/%s", case_name, name), us);
}

static void name_of(const struct iterations *all, size_t index, char *to, size_t room) {
    size_t contenders = all->contenders.count;
    if (index < contenders)
        snprintf(to, room, "%s/%s", all->contenders.items[index].pair,
                 all->contenders.items[index].backend);
    else
        snprintf(to, room, "%s/script", pairs[index - contenders]);
}

// One contender's, or one script's, iteration of a case.
static int run_one(struct iterations *all, size_t index, const struct bench_case *one,
                   struct fault *fault) {
    char name[64], path[256];
    double us;
    if (index < all->contenders.count) {
        struct contender *contender = &all->contenders.items[index];
        if (contender_run(contender, one, fault))
            return -1;
        us = contender->wall_us;
        all->own[index] += contender->own_us;
    } else {
        struct script *script = &all->scripts[index - all->contenders.count];
        snprintf(path, sizeof path, "bench/cases/%s.json", one->name);
        if (!script->pid)
            return 0;
        if (script_run(script, path, &us, fault))
            return -1;
    }
    name_of(all, index, name, sizeof name);
    note(all, index, name, one->name, us);
    return 0;
}

// A turn is a pass over all cases: a campaign has the machine's caches for itself, too.
static int run_pass(struct iterations *all, size_t index, struct fault *fault) {
    const struct bench *bench = all->bench;
    for (size_t i = 0; i < bench->case_count; i++)
        if (run_one(all, index, &bench->cases[i], fault))
            return -1;
    return 0;
}

static int run_round(struct iterations *all, unsigned round, struct fault *fault) {
    const struct bench *bench = all->bench;
    memset(all->pass, 0, sizeof all->pass);
    memset(all->own, 0, sizeof all->own);
    // The first place goes round.
    size_t count = all->contenders.count + PAIRS;
    for (size_t i = 0; i < count; i++)
        if (run_pass(all, (round + i) % count, fault))
            return -1;
    for (size_t i = 0; i < count; i++) {
        char name[64];
        name_of(all, i, name, sizeof name);
        if (all->pass[i] > 0)
            figure_add(figures_at(&all->bench->figures, "/s", "iterations/%s", name),
                       (double)bench->case_count * 1e6 / all->pass[i]);
        if (i < all->contenders.count)
            figure_add(figures_at(&all->bench->figures, "us", "own/%s", name),
                       all->own[i] / (double)bench->case_count);
    }
    return 0;
}

// Caches, and a first case of each harness that starts its launcher, are no iteration.
static int warm_up(struct iterations *all, struct fault *fault) {
    for (size_t c = 0; c < all->contenders.count; c++)
        if (contender_run(&all->contenders.items[c], &all->bench->cases[0], fault))
            return -1;
    return 0;
}

// Commands of an iteration: what the harness runs beside the two that are asked for (a check of
// each output, the third reader) is part of its price.
static void note_commands(struct iterations *all) {
    cJSON *json = cJSON_AddObjectToObject(all->bench->facts, "commands_an_iteration");
    for (size_t c = 0; c < all->contenders.count; c++) {
        char name[64];
        const struct stats *stats = harness_stats(all->contenders.items[c].harness);
        name_of(all, c, name, sizeof name);
        cJSON_AddNumberToObject(json, name, (double)stats->commands / (double)stats->cases);
    }
}

// How many times as fast as `to`; nothing if that was not measured.
static void print_times(const struct figure *figure, const struct figure *to) {
    if (to->count)
        printf(" %9.2f", figure_ratio(figure, to));
}

static void print_row(struct iterations *all, size_t index, struct figure first,
                      struct figure script) {
    char name[64];
    name_of(all, index, name, sizeof name);
    struct figure figure = *figures_at(&all->bench->figures, "/s", "iterations/%s", name);
    if (!figure.count)
        return;
    printf("  %-12s %8.1f   %6.1f to %-6.1f", strrchr(name, '/') + 1, figure_median(&figure),
           figure_quantile(&figure, 0.25), figure_quantile(&figure, 0.75));
    print_times(&figure, &first);
    print_times(&figure, &script);
    if (index < all->contenders.count)
        printf("  %8.2f ms",
               figure_median(figures_at(&all->bench->figures, "us", "own/%s", name)) / 1e3);
    printf("\n");
}

static void print_pair(struct iterations *all, size_t pair) {
    char words[128];
    const struct contender *contender = of_pair(all, pair);
    struct figures *figures = &all->bench->figures;
    struct figure first =
        *figures_at(figures, "/s", "iterations/%s/%s", pairs[pair], contender->backend);
    struct figure script = *figures_at(figures, "/s", "iterations/%s/script", pairs[pair]);
    contender_pair_words(contender, words, sizeof words);
    printf("\n%s, %zu cases\n", words, all->bench->case_count);
    printf("  %-12s %8s   %-16s %9s%s\n", "", "each s", "(half of rounds)", "to plain",
           script.count ? "    script        own" : "        own");
    for (size_t c = 0; c < all->contenders.count; c++)
        if (strcmp(all->contenders.items[c].pair, pairs[pair]) == 0)
            print_row(all, c, first, script);
    print_row(all, all->contenders.count + pair, first, script);
}

static int measure(struct bench *bench, bool with_scripts, struct fault *fault) {
    static struct iterations all;
    all.bench = bench;
    int status = contenders_open(&all.contenders, pairs, fault);
    if (!status)
        status = warm_up(&all, fault);
    for (size_t c = 0; c < all.contenders.count && !status; c++)
        facts_of(bench, &all.contenders.items[c]);
    if (!status && with_scripts)
        status = start_scripts(&all, fault);
    for (unsigned round = 0; round < bench->rounds && !status; round++)
        status = run_round(&all, round, fault);
    if (!status) {
        note_commands(&all);
        for (size_t p = 0; p < PAIRS; p++)
            print_pair(&all, p);
    }
    for (size_t p = 0; p < PAIRS; p++)
        script_stop(&all.scripts[p]);
    contenders_close(&all.contenders);
    return status;
}

int bench_iterations(struct bench *bench, struct fault *fault) {
    return measure(bench, true, fault);
}

// Up to eight operations a case, options and chains: no iteration of anything but ourselves.
int bench_seeds(struct bench *bench, struct fault *fault) {
    return measure(bench, false, fault);
}
