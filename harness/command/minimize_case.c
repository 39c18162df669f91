// SPDX-License-Identifier: Apache-2.0
//
// The simplest case that still shows a divergence. The steps are the mutators' (simplify.h); here a
// candidate is judged by both tools, and kept only if its divergence repeats on fresh files. It
// writes nothing and talks to nobody, so minimize and triage share it.
#include "command/minimize.h"

#include "exec/clock.h"
#include "mutators/simplify.h"

#include <stdio.h>
#include <string.h>

// A hang is judged by waiting, so while one is made simpler its deadline is as short as can be: no
// shorter than a small conversion takes, so that the one long wait is ten of them. The result is
// judged by the deadline in force.
#define HANG_CASE_MS 1000

static void set_budget(const struct minimizer *m, unsigned case_ms) {
    m->settings->case_ms = case_ms;
    harness_rebudget(m->harness);
}

static unsigned hang_case_ms(const struct minimizer *m, unsigned usual) {
    unsigned least = harness_convert_ms(m->harness) * SETTINGS_DEADLINE_SHARE;
    if (least < HANG_CASE_MS)
        least = HANG_CASE_MS;
    return usual < least ? usual : least;
}

static int shows(const struct minimizer *m, struct minimized *made, const uint8_t *data,
                 size_t size, struct fault *fault) {
    made->runs++;
    return harness_shows(m->harness, data, size, made->signature, fault);
}

// From made->before down, until nothing simpler shows the divergence, time is up or, as the fault
// then says, a candidate could not be judged. made->after is the simplest by then.
static void simplify_case(const struct minimizer *m, struct minimized *made, uint64_t until_us,
                          struct fault *fault) {
    struct simplify *s = simplify_begin(made->before.bytes, made->before.size);
    uint8_t candidate[CASE_MAX_BYTES];
    size_t size;
    made->end = MINIMIZE_DONE;
    while (made->end == MINIMIZE_DONE && (size = simplify_next(s, candidate)) > 0) {
        if (*m->interrupted || clock_us() > until_us) {
            made->end = *m->interrupted ? MINIMIZE_INTERRUPTED : MINIMIZE_TIME;
            break;
        }
        int kept = shows(m, made, candidate, size, fault);
        made->kept += kept > 0;
        simplify_judged(s, kept > 0);
        if (kept < 0)
            made->end = MINIMIZE_ERROR;
    }
    const uint8_t *best = simplify_best(s, &made->after.size);
    memcpy(made->after.bytes, best, made->after.size);
    simplify_end(s);
}

static int wanted_from(const struct minimizer *m, struct minimized *made, struct fault *fault) {
    snprintf(made->signature, sizeof made->signature, "%s", m->signature ? m->signature : "");
    return shows(m, made, made->before.bytes, made->before.size, fault);
}

static bool is_hang(const char *signature) {
    return strncmp(signature, "tool_hang-", 10) == 0;
}

// Does it hang by short deadlines? Where nobody has said so before, also by those in force: what is
// only slow would take all the time there is. 1, 0 or -1.
static int hangs(const struct minimizer *m, struct minimized *made, unsigned usual,
                 struct fault *fault) {
    unsigned least = hang_case_ms(m, usual);
    set_budget(m, least);
    int status = wanted_from(m, made, fault);
    if (status <= 0 || !is_hang(made->signature))
        return status < 0 ? -1 : 0;
    if (m->signature || least == usual)
        return 1;
    set_budget(m, usual);
    status = shows(m, made, made->before.bytes, made->before.size, fault);
    set_budget(m, least);
    return status;
}

// A hang is told by short deadlines, and simplified by them: then one long wait is enough, at the
// end, also after a harness error: only what hangs by that is kept.
// 1: made->after shows it by the settings in force as well; 0: it is something else.
static int minimize_hang(const struct minimizer *m, struct minimized *made, uint64_t until_us,
                         struct fault *fault) {
    unsigned usual = m->settings->case_ms;
    int status = hangs(m, made, usual, fault);
    if (status > 0)
        simplify_case(m, made, until_us, fault);
    set_budget(m, usual);
    return status > 0 ? shows(m, made, made->after.bytes, made->after.size, fault) : status;
}

int minimize_case(const struct minimizer *m, struct minimized *made, struct fault *fault) {
    uint64_t begun = clock_us(), until_us = begun + m->seconds * 1000000ull;
    bool may_hang = !m->signature || is_hang(m->signature);
    int status = may_hang ? minimize_hang(m, made, until_us, fault) : 0;
    if (status == 0) {
        status = wanted_from(m, made, fault);
        if (status > 0)
            simplify_case(m, made, until_us, fault);
    }
    made->us = clock_us() - begun;
    return status;
}
