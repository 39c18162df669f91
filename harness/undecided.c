// SPDX-License-Identifier: Apache-2.0
//
// Whether a case that shows no divergence says anything: "nothing could be decided" must look like
// agreement to nobody, neither to who replays one case nor to who sorts thousands.
#include "harness.h"

#include <string.h>

// A step in which something could not be decided and no answers were compared either.
static const char *undecided(const struct step_record *step) {
    const char *reason = !step->done && strcmp(step->why, "budget") == 0 ? step->why : NULL;
    for (size_t i = 0; step->done && i < step->judgements.count; i++) {
        const struct judgement *judgement = &step->judgements.items[i];
        bool agreed = judgement->verdict == VERDICT_AGREE && !judgement->oracle->no_answer;
        if (agreed || judgement->verdict == VERDICT_KNOWN)
            return NULL;
        if (judgement->verdict == VERDICT_INCONCLUSIVE && !reason)
            reason = judgement->reason;
    }
    return reason;
}

const char *harness_undecided(const struct record *record) {
    for (size_t i = 0; i < record->step_count; i++) {
        const char *reason = undecided(&record->steps[i]);
        if (reason)
            return reason;
    }
    return NULL;
}
