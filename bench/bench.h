// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the benchmark share: a part is one file with one function and one line in the
// table of main.c.
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "contender.h"
#include "figures.h"

struct bench {
    unsigned rounds;
    struct bench_case *cases;
    size_t case_count;
    struct figures figures; // filled by the part
    cJSON *facts;           // of the part: what else a reader of its JSON needs
};

// Each measures `rounds` rounds, fills figures and prints its table. -1: the reason.
int bench_launcher(struct bench *bench, struct fault *fault);
int bench_commands(struct bench *bench, struct fault *fault);
int bench_iterations(struct bench *bench, struct fault *fault);
int bench_seeds(struct bench *bench, struct fault *fault);
int bench_floors(struct bench *bench, struct fault *fault);

// Kernel, processor, cores and which of them may be used, load.
cJSON *machine_json(void);
// The tools, the fence and the case directory of a contender.
void facts_of(struct bench *bench, const struct contender *contender);

#endif
