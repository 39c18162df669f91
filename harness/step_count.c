// SPDX-License-Identifier: Apache-2.0
//
// What a step adds to the counters. A cell of the matrix counts a comparison only where an oracle
// compared answers: that a tool left its source alone, or that both refused, is none.
#include "cells.h"
#include "step.h"

#include <stdio.h>
#include <string.h>

struct tally {
    bool compared, refused, unsupported, inconclusive;
};

static void count_reason(struct stats *stats, enum verdict verdict, const char *reason) {
    char text[96];
    stats->verdicts[verdict]++;
    snprintf(text, sizeof text, "%s: %s", verdict_names[verdict], reason);
    stats_count(stats->reasons, STATS_NAMES, text);
}

static void count_judgement(const struct judgement *judgement, struct stats *stats,
                            struct tally *tally) {
    switch (judgement->verdict) {
    case VERDICT_KNOWN:
        stats_count(stats->known, sizeof stats->known / sizeof *stats->known, judgement->known_id);
        // fall through
    case VERDICT_AGREE:
    case VERDICT_DIVERGENCE:
        stats->verdicts[judgement->verdict]++;
        stats_count(stats->oracles, sizeof stats->oracles / sizeof *stats->oracles,
                    judgement->oracle->type);
        if (strcmp(judgement->reason, ORACLE_BOTH_REFUSED) == 0)
            tally->refused = true;
        else
            tally->compared |= !judgement->oracle->no_answer;
        return;
    default:
        count_reason(stats, judgement->verdict, judgement->reason);
        tally->inconclusive |= judgement->verdict == VERDICT_INCONCLUSIVE;
        tally->unsupported |= judgement->verdict == VERDICT_UNSUPPORTED;
    }
}

static void count_skipped(const struct step_record *step, struct stats *stats, uint64_t built) {
    // What the user filtered out is nobody's verdict.
    if (strcmp(step->why, "filtered") == 0) {
        stats_count(stats->reasons, STATS_NAMES, "left out: filtered");
        return;
    }
    count_reason(stats, VERDICT_INCONCLUSIVE, step->why);
    cells_count(stats, &step->step, built, CELL_INCONCLUSIVE);
}

void step_count(const struct step_record *step, uint64_t built, struct stats *stats) {
    if (!step->done) {
        count_skipped(step, stats, built);
        return;
    }
    struct tally tally = {0};
    stats->operations++;
    for (size_t i = 0; i < step->judgements.count; i++)
        count_judgement(&step->judgements.items[i], stats, &tally);
    // One count a step: the best that can be said of it.
    if (tally.compared)
        cells_count(stats, &step->step, built, CELL_COMPARED);
    else if (tally.refused)
        cells_count(stats, &step->step, built, CELL_REFUSED);
    else if (tally.inconclusive)
        cells_count(stats, &step->step, built, CELL_INCONCLUSIVE);
    else if (tally.unsupported)
        cells_count(stats, &step->step, built, CELL_SKIPPED);
}
