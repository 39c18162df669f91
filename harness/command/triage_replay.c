// SPDX-License-Identifier: Apache-2.0
//
// What the workers are asked for, and what is made of their answers: first each case once, by the
// fastest way; then each signature that was shown, by plain execution on fresh files, with the
// smallest case that shows it.
#include "command/triage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Cases of a signature that are tried before it is called not reproduced.
#define TRIAGE_CANDIDATES 3
// A worker that takes so many budgets of a case is ended.
#define TRIAGE_PATIENCE 20

// --- each case once ------------------------------------------------------------------------------

struct looking {
    struct triage *triage;
    size_t *cases; // by job
    size_t *dead;  // cases whose worker died of them, to be tried alone
    size_t dead_count, count;
    bool alone;
};

static void look_ask(void *context, size_t job, struct triage_request *request) {
    const struct looking *looking = context;
    const struct triage_case *item = &looking->triage->cases[looking->cases[job]];
    request->kind = TRIAGE_LOOK;
    request->size = (uint32_t)item->size;
    memcpy(request->bytes, item->bytes, item->size);
}

static void look_told(void *context, size_t job, const struct triage_answer *answer,
                      const char *death) {
    struct looking *looking = context;
    struct triage *t = looking->triage;
    size_t index = looking->cases[job];
    if (answer && !answer->error) {
        triage_note_look(t, index, &answer->looked);
    } else if (!answer && !looking->alone) {
        looking->dead[looking->dead_count++] = index;
    } else {
        t->cases[index].state = answer ? CASE_ERROR : CASE_CRASH;
        t->cases[index].trouble = triage_intern(t, answer ? answer->fault : death);
    }
}

static void look_progress(void *context, size_t done) {
    const struct looking *looking = context;
    fprintf(stderr, "instar-fuzz triage: %zu of %zu cases replayed, %zu signatures so far\n", done,
            looking->count, looking->triage->signature_count);
}

int triage_look(struct triage *t, struct triage_pool *pool, struct fault *fault) {
    struct looking looking = {.triage = t, .count = t->case_count};
    looking.cases = must_realloc(NULL, (t->case_count + 1) * sizeof *looking.cases);
    looking.dead = must_realloc(NULL, (t->case_count + 1) * sizeof *looking.dead);
    for (size_t i = 0; i < t->case_count; i++)
        looking.cases[i] = i;
    struct triage_work work = {.context = &looking,
                               .count = t->case_count,
                               .ask = look_ask,
                               .told = look_told,
                               .progress = look_progress,
                               .limit_ms = t->settings.case_ms * TRIAGE_PATIENCE};
    int status = triage_pool_run(pool, &work, fault);
    // Once more, each alone in a process of its own: another case may have been what did it.
    memcpy(looking.cases, looking.dead, looking.dead_count * sizeof *looking.cases);
    looking.alone = work.alone = true;
    looking.count = work.count = looking.dead_count;
    if (status == 0 && work.count)
        status = triage_pool_run(pool, &work, fault);
    free(looking.cases);
    free(looking.dead);
    return status;
}

// --- each signature once -------------------------------------------------------------------------

struct settling {
    struct triage *triage;
    size_t *signatures; // by job
    size_t count;
    bool alone;
};

static void settle_ask(void *context, size_t job, struct triage_request *request) {
    const struct settling *settling = context;
    const struct triage *t = settling->triage;
    const struct triage_signature *signature = &t->signatures[settling->signatures[job]];
    const struct triage_case *item = &t->cases[signature->candidates[signature->tries]];
    request->kind = TRIAGE_SETTLE;
    snprintf(request->signature, sizeof request->signature, "%s", signature->name);
    request->size = (uint32_t)item->size;
    memcpy(request->bytes, item->bytes, item->size);
}

// This case did not show it: the next, or what all of them have come to.
static void settle_next(struct triage_signature *signature) {
    signature->tries++;
    bool last =
        signature->tries == signature->candidates_count || signature->tries == TRIAGE_CANDIDATES;
    signature->state = !last                ? SETTLE_PENDING
                       : signature->trouble ? signature->trouble
                                            : SETTLE_REFUTED;
}

// No word about the signature: another case may have been what did it, or a machine that was full
// for a moment. The second time it is what is to be told, unless another case shows it.
static void settle_troubled(const struct settling *settling, struct triage_signature *signature,
                            const struct triage_answer *answer, const char *death) {
    char why[SIGNATURE_ROOM + 640];
    if (!settling->alone) {
        signature->state = SETTLE_ALONE;
        return;
    }
    snprintf(why, sizeof why, "confirming %s: %s", signature->name, answer ? answer->fault : death);
    signature->why = triage_intern(settling->triage, why);
    signature->trouble = answer ? SETTLE_ERROR : SETTLE_CRASH;
    settle_next(signature);
}

static void settle_told(void *context, size_t job, const struct triage_answer *answer,
                        const char *death) {
    struct settling *settling = context;
    struct triage *t = settling->triage;
    struct triage_signature *signature = &t->signatures[settling->signatures[job]];
    if (!answer || answer->error) {
        settle_troubled(settling, signature, answer, death);
        return;
    }
    if (answer->settled.shows) {
        signature->state = SETTLE_CONFIRMED;
        signature->settled = answer->settled;
        if (answer->fault[0])
            t->failed = command_complain(t->command, "the report of %s could not be written: %s",
                                         signature->name, answer->fault);
        return;
    }
    if (!signature->trouble)
        signature->why = triage_intern(t, "not_reproduced");
    settle_next(signature);
}

static void settle_progress(void *context, size_t done) {
    const struct settling *settling = context;
    fprintf(stderr, "instar-fuzz triage: %zu of %zu signatures confirmed%s\n", done,
            settling->count, settling->triage->minimize ? " and minimized" : "");
}

static void settle_choose(struct settling *settling, int state) {
    const struct triage *t = settling->triage;
    settling->count = 0;
    for (size_t i = 0; i < t->signature_count; i++)
        if ((int)t->signatures[i].state == state)
            settling->signatures[settling->count++] = i;
}

// The smallest case of each signature; then, of those that did not repeat, the next. What was
// trouble comes last.
int triage_settle(struct triage *t, struct triage_pool *pool, struct fault *fault) {
    struct settling settling = {.triage = t};
    int status = 0;
    triage_choose_candidates(t);
    settling.signatures = must_realloc(NULL, (t->signature_count + 1) * sizeof(size_t));
    do {
        settle_choose(&settling, SETTLE_PENDING);
        settling.alone = !settling.count;
        if (settling.alone)
            settle_choose(&settling, SETTLE_ALONE);
        const struct triage_work work = {.context = &settling,
                                         .count = settling.count,
                                         .alone = settling.alone,
                                         .ask = settle_ask,
                                         .told = settle_told,
                                         .progress = settle_progress,
                                         .limit_ms = t->settings.case_ms * TRIAGE_PATIENCE +
                                                     t->seconds * 1000};
        if (settling.count)
            status = triage_pool_run(pool, &work, fault);
    } while (settling.count && status == 0 && !*pool->interrupted);
    free(settling.signatures);
    return status;
}
