// SPDX-License-Identifier: Apache-2.0
//
// The worker's side: a process that holds a harness and answers requests until nobody asks any
// more. It is a fork of the process that probed the tools, with a launcher and a case directory of
// its own. What dies here, dies alone.
#include "command/triage.h"

#include "report/report.h"
#include "report/story.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t never;

// The first judgement of the case with this verdict, and its step; NULL: none.
static const struct judgement *first_of(const struct record *record, enum verdict verdict,
                                        const struct step_record **step) {
    for (size_t s = 0; s < record->step_count; s++)
        for (size_t i = 0; record->steps[s].done && i < record->steps[s].judgements.count; i++)
            if (record->steps[s].judgements.items[i].verdict == verdict) {
                *step = &record->steps[s];
                return &record->steps[s].judgements.items[i];
            }
    return NULL;
}

static void look(struct triage_pool *pool, const struct triage_request *request,
                 struct triage_answer *answer) {
    struct triage_looked *looked = &answer->looked;
    const struct record *record;
    const struct step_record *step;
    struct fault fault = {0};
    if (harness_look(pool->harness, request->bytes, request->size, &record, &fault)) {
        answer->error = true;
        snprintf(answer->fault, sizeof answer->fault, "%s", fault.text);
        return;
    }
    for (size_t i = 0; i < record->finding_count; i++)
        memcpy(looked->shown[looked->count++], record->findings[i].signature, SIGNATURE_ROOM);
    const struct judgement *known = first_of(record, VERDICT_KNOWN, &step);
    if (known) {
        snprintf(looked->known_id, sizeof looked->known_id, "%s", known->known_id);
        oracle_signature(&step->step, known, looked->known_signature,
                         sizeof looked->known_signature);
    }
    const struct judgement *absent = first_of(record, VERDICT_UNAVAILABLE, &step);
    if (absent)
        snprintf(looked->unavailable, sizeof looked->unavailable, "%s", absent->reason);
    // A case that asks nothing is what an engine begins with, and no comparison that failed.
    const char *reason = record->step_count ? record_undecided(record) : NULL;
    snprintf(looked->undecided, sizeof looked->undecided, "%s", reason ? reason : "");
}

// --- edges are counted -------------------------------------------------------------------------

static void note_edges(void *context, const uint8_t *counters, size_t edges) {
    uint8_t *reached = context;
    for (size_t i = 0; i < edges; i++)
        if (counters[i])
            reached[i] = 1;
}

static void count(struct triage_pool *pool, const struct triage_request *request,
                  struct triage_answer *answer) {
    struct fault fault = {0};
    if (harness_count(pool->harness, request->bytes, request->size, note_edges, pool->reached,
                      &fault)) {
        answer->error = true;
        snprintf(answer->fault, sizeof answer->fault, "%s", fault.text);
    }
}

// --- a signature is settled ----------------------------------------------------------------------

static void tell_finding(const struct record *record, const struct finding *finding,
                         struct triage_settled *settled) {
    const struct step_record *step = &record->steps[finding->step];
    const struct judgement *judgement = &step->judgements.items[finding->judgement];
    const struct opinion *opinion = &finding->opinion;
    const char *role = oracle_opinion_role(&step->step, opinion);
    bool one = opinion->wrong == OPINION_A || opinion->wrong == OPINION_B;
    const struct tool *tool = record->tools[opinion->wrong == OPINION_B ? SIDE_B : SIDE_A];
    snprintf(settled->role, sizeof settled->role, "%s", role);
    const char *name = tool->is_standin ? "stand-in" : report_tool_words(tool);
    snprintf(settled->who, sizeof settled->who, "%s", one ? name : role);
    snprintf(settled->wrong, sizeof settled->wrong, "%s", opinion_wrong_names[opinion->wrong]);
    snprintf(settled->by, sizeof settled->by, "%s", opinion_by_names[opinion->by]);
    snprintf(settled->reason, sizeof settled->reason, "%s", opinion->reason);
    snprintf(settled->type, sizeof settled->type, "%s", judgement->oracle->type);
    snprintf(settled->known_id, sizeof settled->known_id, "%s", judgement->known_id);
    snprintf(settled->words, sizeof settled->words, "%s", judgement->text);
    snprintf(settled->field, sizeof settled->field, "%s", judgement->field);
    snprintf(settled->values[SIDE_A], sizeof settled->values[SIDE_A], "%s", judgement->a_value);
    snprintf(settled->values[SIDE_B], sizeof settled->values[SIDE_B], "%s", judgement->b_value);
    for (int side = 0; side < SIDES; side++)
        snprintf(settled->roles[side], sizeof settled->roles[side], "%s",
                 record->tools[side]->role);
}

// Plays the case for its record, and leaves the report. 1, 0: it does not show the signature, or
// -1.
static int report(struct triage_pool *pool, const char *signature, const uint8_t *bytes,
                  size_t size, struct triage_answer *answer, struct fault *fault) {
    const struct record *record;
    size_t unconfirmed, at = 0;
    char path[4096];
    if (harness_replay(pool->harness, bytes, size, signature, &record, &unconfirmed, fault))
        return -1;
    while (at < record->finding_count && strcmp(record->findings[at].signature, signature) != 0)
        at++;
    if (at == record->finding_count)
        return 0;
    tell_finding(record, &record->findings[at], &answer->settled);
    answer->settled.shows = true;
    answer->settled.size = (uint32_t)size;
    memcpy(answer->settled.bytes, bytes, size);
    if (!pool->out)
        return 1;
    answer->settled.reported = harness_report(pool->harness, bytes, size, at, pool->out, false,
                                              path, sizeof path, fault) >= 0;
    if (!answer->settled.reported)
        snprintf(answer->fault, sizeof answer->fault, "%s", fault->text);
    return 1;
}

// 1: made->after is what to report; 0: it does not repeat; -1.
static int simplest(struct triage_pool *pool, const struct triage_request *request,
                    struct minimized *made, struct triage_settled *settled, struct fault *fault) {
    static const char *const ends[] = {
        [MINIMIZE_DONE] = "done",
        [MINIMIZE_TIME] = "time",
        [MINIMIZE_INTERRUPTED] = "time",
        [MINIMIZE_ERROR] = "error",
    };
    const struct minimizer minimizer = {pool->settings, pool->harness, request->signature,
                                        pool->seconds, &never};
    made->after = made->before;
    snprintf(settled->minimized, sizeof settled->minimized, "no");
    if (!pool->minimize)
        return 1;
    int status = minimize_case(&minimizer, made, fault);
    if (status <= 0)
        return status;
    snprintf(settled->minimized, sizeof settled->minimized, "%s", ends[made->end]);
    settled->runs = made->runs;
    settled->us = made->us;
    return 1;
}

static void settle(struct triage_pool *pool, const struct triage_request *request,
                   struct triage_answer *answer) {
    static struct minimized made;
    struct fault fault = {0};
    memset(&made, 0, sizeof made);
    made.before.size = request->size;
    memcpy(made.before.bytes, request->bytes, request->size);
    int status = simplest(pool, request, &made, &answer->settled, &fault);
    if (status > 0)
        status =
            report(pool, request->signature, made.after.bytes, made.after.size, answer, &fault);
    // The simplest case repeated a moment ago; if it does not any more, the case as found may.
    if (status == 0 && made.after.size && made.kept) {
        snprintf(answer->settled.minimized, sizeof answer->settled.minimized, "no");
        status = report(pool, request->signature, request->bytes, request->size, answer, &fault);
    }
    if (status < 0) {
        answer->error = true;
        snprintf(answer->fault, sizeof answer->fault, "%s", fault.text);
    }
}

static void ignore(int number) {
    (void)number;
}

static void (*const serve[])(struct triage_pool *pool, const struct triage_request *request,
                             struct triage_answer *answer) = {
    [TRIAGE_LOOK] = look, [TRIAGE_SETTLE] = settle, [TRIAGE_COUNT] = count};

_Noreturn void triage_worker_serve(struct triage_pool *pool, int fd) {
    static struct triage_request request;
    static struct triage_answer answer;
    // Ctrl-C is the parent's to hear; handlers, unlike what is ignored, do not reach the tools.
    const struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    while (recv(fd, &request, sizeof request, 0) == sizeof request) {
        memset(&answer, 0, sizeof answer);
        serve[request.kind](pool, &request, &answer);
        if (send(fd, &answer, sizeof answer, MSG_NOSIGNAL) != sizeof answer || answer.error)
            break; // after an error of its own a harness is not trusted with another case
    }
    harness_close(pool->harness);
    _exit(0);
}
