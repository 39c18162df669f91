// SPDX-License-Identifier: Apache-2.0
//
// A contender: a pair of tools and a back end that runs them, as one harness of its own. All
// contenders live in this process, so that they can take turns; each has its own launcher and case
// directory.
#ifndef BENCH_CONTENDER_H
#define BENCH_CONTENDER_H

#include "harness.h"

// A case of the published set, as an engine would hand it over.
struct bench_case {
    char name[96];
    uint8_t bytes[CASE_MAX_BYTES];
    size_t size;
    struct testcase testcase;
};

struct contender {
    const char *pair;    // INSTAR_FUZZ_PAIR
    const char *backend; // INSTAR_FUZZ_EXEC
    struct settings settings;
    struct harness *harness;
    // Of the latest run: the clock's time, and what of it this process computed itself (building,
    // reading, judging). The rest is the tools, the launcher and waiting for both.
    double wall_us, own_us;
};

#define CONTENDERS_MAX 8
struct contenders {
    struct contender items[CONTENDERS_MAX];
    size_t count;
};

// One contender for each of the pairs (NULL at the end, at most two) and each back end that the
// build offers, plain execution first; says which it does not. A tool that cannot run is an error.
int contenders_open(struct contenders *contenders, const char *const *pairs, struct fault *fault);
void contenders_close(struct contenders *contenders);
// "stand-in for instar with qemu-img"
void contender_pair_words(const struct contender *contender, char *to, size_t room);
// One iteration. A divergence is an error: what confirms it would be timed, too.
int contender_run(struct contender *contender, const struct bench_case *one, struct fault *fault);

#endif
