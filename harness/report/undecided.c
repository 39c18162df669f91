// SPDX-License-Identifier: Apache-2.0
//
// Whether a case that shows no divergence says anything: "nothing could be decided" must look like
// agreement to nobody, neither to who replays one case nor to who runs or sorts thousands.
#include "report/record.h"

#include <string.h>

static bool was_compared(const struct step_record *step) {
    for (size_t i = 0; step->done && i < step->judgements.count; i++) {
        const struct judgement *judgement = &step->judgements.items[i];
        if (judgement->verdict == VERDICT_KNOWN ||
            (judgement->verdict == VERDICT_AGREE && !judgement->oracle->no_answer))
            return true;
    }
    return false;
}

static const char *reason_of(const struct step_record *step, enum verdict verdict) {
    for (size_t i = 0; step->done && i < step->judgements.count; i++)
        if (step->judgements.items[i].verdict == verdict)
            return step->judgements.items[i].reason;
    return NULL;
}

// Something of the step could not be decided, and nothing else of it was compared.
static const char *undecided(const struct step_record *step) {
    if (!step->done)
        return strcmp(step->why, "budget") == 0 ? step->why : NULL;
    return was_compared(step) ? NULL : reason_of(step, VERDICT_INCONCLUSIVE);
}

// Why nobody could compare anything in this step: an option that a tool lacks, what the user
// filtered out, a cap of ours.
static const char *not_compared(const struct step_record *step) {
    const char *reason = step->done ? reason_of(step, VERDICT_UNSUPPORTED) : step->why;
    return reason ? reason : reason_of(step, VERDICT_UNAVAILABLE);
}

const char *record_undecided(const struct record *record) {
    const char *reason = NULL, *first = NULL;
    bool any = false;
    if (!record->step_count)
        return "nothing_asked";
    for (size_t i = 0; i < record->step_count && !reason; i++) {
        const struct step_record *step = &record->steps[i];
        reason = undecided(step);
        any |= was_compared(step);
        first = first ? first : not_compared(step);
    }
    return reason || any ? reason : first;
}
