// SPDX-License-Identifier: Apache-2.0
//
// When would a campaign have found each planted bug? Walks the journal of an honest campaign and
// says for every lie of the stand-in after how many processor seconds it was
//
//   reached    the stand-in asked whether to lie
//   triggered  it would have answered otherwise, both in a case in which that could be told
//   detected   the harness reports it, confirmed, under the type that the lie declares
//
// in the words of Magma (Hazimeh et al., 2020). One campaign so stands for as many as there are
// lies. Inputs that decode to the same case as an earlier one are passed over, and those without an
// operation.
//
//   clock [--all] JOURNAL TIMELINE SECONDS
//
// --all asks the harness about every lie in every case, whether it is triggered or not: slow, and
// the measure of the other way, which must find each lie with the same input.
//
// Prints a line a lie: name, type, the three times ("-": never within SECONDS), the number of the
// input that it was detected with and how often the harness was asked; a last line, "inputs
// <executed> <different>".
#include "detect.h"
#include "journal.h"
#include "narrow.h"
#include "timeline.h"
#include "trigger.h"

#include "base/hash.h"
#include "harness.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEVER (-1.0)

static struct watch {
    double reached, triggered, detected; // processor seconds
    uint64_t input;
    unsigned attempts;
    struct detector detector;
} watches[SUBJECT_LIES_MAX];
static struct subject_lies lies;
static uint32_t growing; // those that a bound shows
static bool all;

// --- which cases were there before: a set of hashes ----------------------------------------------

static uint64_t *seen;
static size_t seen_room, seen_count;

static bool seen_add(uint64_t hash) {
    size_t at = (size_t)(hash % seen_room);
    for (; seen[at]; at = (at + 1) % seen_room)
        if (seen[at] == hash)
            return false;
    seen[at] = hash;
    seen_count++;
    return true;
}

static void seen_grow(void) {
    uint64_t *old = seen;
    size_t room = seen_room;
    if (2 * seen_count < seen_room)
        return;
    seen_room = room ? 4 * room : 65536;
    seen_count = 0;
    seen = must_realloc(NULL, seen_room * sizeof *seen);
    memset(seen, 0, seen_room * sizeof *seen);
    for (size_t i = 0; i < room; i++)
        if (old[i])
            seen_add(old[i]);
    free(old);
}

// Of what the bytes decode to; a case that asks nothing of the tools is counted and not looked at.
static struct testcase testcase;
static bool is_worth_a_look(const struct journal_entry *entry) {
    uint8_t bytes[CASE_MAX_BYTES];
    case_decode(&testcase, entry->data, entry->head.size);
    size_t size = case_encode(&testcase, bytes);
    seen_grow();
    return seen_add(hash_bytes(bytes, size) | 1) && testcase.operation_count;
}

// --- the walk ------------------------------------------------------------------------------------

static void note(double *time, double cpu) {
    if (*time == NEVER)
        *time = cpu;
}

// What grows files is triggered by any output, but told by few of them: the first time of either
// counts.
static uint32_t may_show(uint32_t wanted) {
    for (int i = 0; i < lies.count; i++)
        if ((watches[i].triggered != NEVER || !(growing >> i & 1)) &&
            !narrow_may_show(lies.items[i].name, &testcase))
            wanted &= ~(1u << i);
    return wanted;
}

static int look(const struct journal_entry *entry, uint64_t number, double cpu, uint32_t *wanted,
                struct fault *fault) {
    struct trigger trigger = {.wanted = may_show(*wanted), .growing = growing};
    if (!trigger.wanted && !all)
        return 0;
    if (trigger_run(&trigger, entry->data, entry->head.size, fault))
        return -1;
    if (all)
        trigger.triggered = trigger.telling = *wanted;
    for (int i = 0; i < lies.count; i++) {
        struct watch *watch = &watches[i];
        uint32_t bit = 1u << i;
        bool found = false;
        if (trigger.reached & bit)
            note(&watch->reached, cpu);
        if (!(trigger.triggered & bit))
            continue;
        note(&watch->triggered, cpu);
        if (!(trigger.telling & bit))
            continue;
        watch->attempts++;
        if (detect_ask(&watch->detector, &lies.items[i], entry, &found, fault))
            return -1;
        if (!found)
            continue;
        watch->detected = cpu;
        watch->input = number;
        *wanted &= ~bit;
        detect_end(&watch->detector);
    }
    return 0;
}

static int walk(FILE *file, const struct timeline *timeline, double budget, uint64_t *inputs,
                struct fault *fault) {
    static struct journal_entry entry;
    uint32_t wanted = lies.count == 32 ? UINT32_MAX : (1u << lies.count) - 1;
    int got;
    for (*inputs = 0; (got = journal_next(file, &entry)) == 1;) {
        double cpu = timeline_cpu(timeline, (double)entry.head.time_us / 1e6);
        if (cpu > budget)
            return 0;
        ++*inputs;
        if (is_worth_a_look(&entry) && wanted && look(&entry, *inputs, cpu, &wanted, fault))
            return -1;
    }
    return got < 0 ? fault_set(fault, "input %" PRIu64 " of the journal is damaged", *inputs + 1)
                   : 0;
}

static void print_time(double time) {
    if (time == NEVER)
        fputs("\t-", stdout);
    else
        printf("\t%.2f", time);
}

static void print(uint64_t inputs) {
    for (int i = 0; i < lies.count; i++) {
        const struct watch *watch = &watches[i];
        printf("%s\t%s", lies.items[i].name, lies.items[i].finding);
        print_time(watch->reached);
        print_time(watch->triggered);
        print_time(watch->detected);
        printf("\t%" PRIu64 "\t%u\n", watch->input, watch->attempts);
    }
    printf("inputs\t%" PRIu64 "\t%zu\n", inputs, seen_count);
}

int main(int argc, char **argv) {
    struct fault fault = {0};
    struct timeline timeline;
    uint64_t inputs;
    all = argc > 1 && strcmp(argv[1], "--all") == 0;
    argv += all;
    argc -= all;
    double budget = argc == 4 ? atof(argv[3]) : 0;
    if (budget <= 0) {
        fprintf(stderr, "usage: clock [--all] JOURNAL TIMELINE SECONDS\n");
        return EXIT_BAD_USE;
    }
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < SUBJECT_LIES_MAX; i++)
        watches[i].reached = watches[i].triggered = watches[i].detected = NEVER;
    FILE *file = fopen(argv[1], "re");
    int status = file ? 0 : fault_errno(&fault, "%s", argv[1]);
    status = status ? status : timeline_read(&timeline, argv[2], &fault);
    status = status ? status : subject_lies(&lies, &fault);
    for (int i = 0; status == 0 && i < lies.count; i++)
        if (strcmp(lies.items[i].finding, TRIGGER_GROWING) == 0)
            growing |= 1u << i;
    status = status ? status : trigger_open(&fault);
    status = status ? status : walk(file, &timeline, budget, &inputs, &fault);
    if (status == 0)
        print(inputs);
    else
        fprintf(stderr, "clock: %s\n", fault.text);
    for (int i = 0; i < lies.count; i++)
        detect_end(&watches[i].detector);
    trigger_close();
    return status ? EXIT_BAD_USE : EXIT_NONE;
}
