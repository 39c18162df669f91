// SPDX-License-Identifier: Apache-2.0
//
// Opening harnesses by their variables. Which back ends there are is for settings.c to say: one
// that it refuses is not offered by this build.
#include "contender.h"

#include "exec/clock.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const backends[] = {"plain", "warm", "persistent"};
#define BACKENDS (sizeof backends / sizeof *backends)

// 1: opened; 0: this build has no such back end.
static int open_one(struct contender *contender, const char *pair, const char *backend,
                    struct fault *fault) {
    bool unavailable;
    *contender = (struct contender){.pair = pair, .backend = backend};
    setenv("INSTAR_FUZZ_PAIR", pair, 1);
    setenv("INSTAR_FUZZ_EXEC", "auto", 1);
    if (settings_read(&contender->settings, fault))
        return -1;
    setenv("INSTAR_FUZZ_EXEC", backend, 1);
    if (settings_read(&contender->settings, fault)) {
        printf("This build has no back end %s.\n", backend);
        return 0;
    }
    return harness_open(&contender->harness, &contender->settings, &unavailable, fault) ? -1 : 1;
}

int contenders_open(struct contenders *contenders, const char *const *pairs, struct fault *fault) {
    size_t offered = 0;
    contenders->count = 0;
    for (size_t b = 0; b < BACKENDS && (b + 1 < BACKENDS || offered > 1); b++) {
        int opened = 1;
        for (size_t p = 0; pairs[p] && opened > 0; p++) {
            struct contender *contender = &contenders->items[contenders->count];
            opened = open_one(contender, pairs[p], backends[b], fault);
            contenders->count += opened > 0;
            if (opened < 0) {
                contenders_close(contenders);
                return fault_prefix(fault, "%s, pair %s", backends[b], pairs[p]);
            }
        }
        offered += opened > 0;
    }
    return 0;
}

void contenders_close(struct contenders *contenders) {
    for (size_t i = 0; i < contenders->count; i++)
        harness_close(contenders->items[i].harness);
    contenders->count = 0;
}

void contender_pair_words(const struct contender *contender, char *to, size_t room) {
    snprintf(to, room, "%s with %s", harness_tool(contender->harness, SIDE_A)->name,
             harness_tool(contender->harness, SIDE_B)->name);
}

static double own_us(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

int contender_run(struct contender *contender, const struct bench_case *one, struct fault *fault) {
    char signature[SIGNATURE_ROOM] = "";
    uint64_t start = clock_us();
    double own = own_us();
    int verdict = harness_run(contender->harness, one->bytes, one->size, signature, fault);
    contender->own_us = own_us() - own;
    contender->wall_us = (double)(clock_us() - start);
    if (verdict < 0)
        return fault_prefix(fault, "%s", one->name);
    if (verdict != HARNESS_NOTHING)
        return fault_set(fault, "%s diverges with %s (%s, pair %s): nothing to time", one->name,
                         signature[0] ? signature : "a repeated signature", contender->backend,
                         contender->pair);
    return 0;
}
