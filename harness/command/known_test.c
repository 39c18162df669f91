// SPDX-License-Identifier: Apache-2.0
//
// known --test: a registry silences findings, so each entry brings the case that it is about, and
// that case must come out as known: under this entry, with this value, with nothing new beside it,
// and as a finding where known ones count (INSTAR_FUZZ_STRICT=known). An entry that no longer fires
// is stale and hides what it was not written for.
#include "command/known.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum holds { HOLDS_YES, HOLDS_NOT, HOLDS_UNTRIED, HOLDS };

struct test {
    const struct command *command;
    struct settings *settings;
    const struct registry *registry;
    struct harness *harness; // NULL: none is open
    char lies[128];          // that it was opened with
    size_t counts[HOLDS];
    size_t unexplained, lacking; // of the untried: nothing to try; for want of a tool
};

static void say(struct test *test, enum holds holds, const char *id, const char *words) {
    static const char *const names[HOLDS] = {"fires", "stale", "untried"};
    test->counts[holds]++;
    printf("%-8s %s: %s\n", names[holds], id, words);
    fflush(stdout);
}

// 0: a harness with these lies is open; 1: the tools cannot be had, as the fault says; -1. An
// instar that was named tells by itself what it does.
static int open_with(struct test *test, const char *lies, struct fault *fault) {
    bool unavailable = false;
    if (test->harness && strcmp(test->lies, lies) == 0)
        return 0;
    harness_close(test->harness);
    test->harness = NULL;
    snprintf(test->lies, sizeof test->lies, "%s", lies);
    if (test->settings->pair == PAIR_STANDIN)
        setenv("STANDIN_LIE", lies, 1);
    if (harness_open(&test->harness, test->settings, &unavailable, fault) == 0)
        return 0;
    test->harness = NULL;
    return unavailable ? 1 : -1;
}

// A pair that works without the entry's lie and not with it has no such lie.
static int open_for(struct test *test, const struct registry_proof *proof, struct fault *fault) {
    char lies[128];
    struct fault other = {0};
    bool lied = *proof->lie && test->settings->pair == PAIR_STANDIN;
    snprintf(lies, sizeof lies, "%s%s", lied ? "as-instar," : "", lied ? proof->lie : "");
    int status = open_with(test, lies, fault);
    if (status != 1)
        return status;
    bool lie_is_wrong = lied && open_with(test, "as-instar", &other) == 0;
    test->lacking += !lie_is_wrong;
    say(test, lie_is_wrong ? HOLDS_NOT : HOLDS_UNTRIED, proof->id, fault->text);
    return 1;
}

struct seen {
    const struct judgement *known; // under the entry's id
    bool counts;                   // its step makes a finding where known ones count
    const struct judgement *other; // a divergence that nothing explains
};

static void look(const struct record *record, const char *id, struct seen *seen) {
    for (size_t i = 0; i < record->step_count; i++) {
        const struct step_record *step = &record->steps[i];
        for (size_t j = 0; step->done && j < step->judgements.count; j++) {
            const struct judgement *judgement = &step->judgements.items[j];
            if (judgement->verdict == VERDICT_DIVERGENCE && !seen->other)
                seen->other = judgement;
            if (judgement->verdict != VERDICT_KNOWN || strcmp(judgement->known_id, id) != 0 ||
                seen->known)
                continue;
            seen->known = judgement;
            for (size_t k = 0; k < record->finding_count; k++)
                seen->counts |= record->findings[k].step == i;
        }
    }
}

static void tell(struct test *test, const struct registry_proof *proof, const struct record *record,
                 size_t unconfirmed) {
    struct seen seen = {0};
    struct buffer words = {0};
    look(record, proof->id, &seen);
    if (seen.other)
        buffer_format(&words, "its case shows something new: %s", seen.other->text);
    else if (!seen.known)
        buffer_text(&words, unconfirmed ? "its case shows it once and not on fresh files"
                                        : "its case does not show it");
    else if (!seen.counts)
        buffer_text(&words, "its case is no finding where known divergences count");
    else
        buffer_format(&words, "as predicted. %s", seen.known->text);
    say(test, seen.counts && !seen.other ? HOLDS_YES : HOLDS_NOT, proof->id, words.data);
    buffer_free(&words);
}

static int try_case(struct test *test, const struct registry_proof *proof, struct fault *fault) {
    uint8_t bytes[CASE_MAX_BYTES];
    size_t unconfirmed, size = case_encode(&proof->testcase, bytes);
    const struct record *record;
    if (harness_replay(test->harness, bytes, size, NULL, &record, &unconfirmed, fault))
        return -1;
    tell(test, proof, record, unconfirmed);
    return 0;
}

static int try_entry(struct test *test, size_t index, struct fault *fault) {
    struct registry_proof proof;
    registry_proof(test->registry, index, &proof);
    if (!proof.explained) {
        test->unexplained++;
        say(test, HOLDS_UNTRIED, proof.id, "unexplained: it never makes anything known");
        return 0;
    }
    int status = open_for(test, &proof, fault);
    if (status)
        return status < 0 ? -1 : 0;
    if (registry_is_about(test->registry, index, harness_tool(test->harness, SIDE_A),
                          harness_tool(test->harness, SIDE_B)))
        return try_case(test, &proof, fault);
    say(test, HOLDS_UNTRIED, proof.id, "it is about other tools or versions than are here");
    return 0;
}

int known_test(const struct command *command, struct settings *settings,
               const struct registry *registry, const size_t *indices, size_t count) {
    struct test test = {.command = command, .settings = settings, .registry = registry};
    struct fault fault = {0};
    settings->pair =
        settings->instar && settings->pair != PAIR_STANDIN ? PAIR_INSTAR : PAIR_STANDIN;
    settings->exec = TOOL_EXEC_PLAIN; // a few commands a pair
    settings->strict_known = true;
    settings->out = settings->seen = NULL;
    for (int op = 0; op < OPERATIONS; op++)
        settings->ops[op] = true;
    for (int target = 0; target < IMAGE_FORMATS; target++)
        settings->targets[target] = true;
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++)
        status = try_entry(&test, indices[i], &fault);
    harness_close(test.harness);
    if (status)
        return command_complain(command, "%s", fault.text);
    printf("%zu fire, %zu stale, %zu untried\n", test.counts[HOLDS_YES], test.counts[HOLDS_NOT],
           test.counts[HOLDS_UNTRIED]);
    if (test.counts[HOLDS_NOT])
        return EXIT_FOUND;
    bool none_tried = !test.counts[HOLDS_YES] && test.unexplained < count;
    return test.lacking || none_tried ? EXIT_UNAVAILABLE : EXIT_NONE;
}
