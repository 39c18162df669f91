// SPDX-License-Identifier: Apache-2.0
//
// Policy around the chain: when a divergence is believed (repeated on fresh files), when it is new
// (the campaign's memory), what is written down.
#include "harness_state.h"

#include "cross.h"
#include "keep.h"
#include "report/report.h"
#include "seen.h"
#include "turn.h"

#include <stdio.h>
#include <string.h>

// One case in so many runs its shortcuts by plain execution, too, for as long as a campaign lasts.
#define BOTH_WAYS_SHARE 500

// The callback of a campaign's first run: end the case at a signature that nobody has met.
static bool is_new(void *context, const char *signature) {
    return !seen_contains(((struct harness *)context)->seen, signature);
}

// An empty signature is any.
static bool is_wanted(void *context, const char *signature) {
    const char *wanted = context;
    return !*wanted || strcmp(wanted, signature) == 0;
}

static bool is_expected(void *context, const char *signature) {
    return strcmp(context, signature) == 0;
}

static bool has_finding(const struct record *record, const char *signature) {
    for (size_t i = 0; i < record->finding_count; i++)
        if (strcmp(record->findings[i].signature, signature) == 0)
            return true;
    return false;
}

// Runs the case again on fresh files, reading outputs through qemu-img; 1: it repeats each time.
static int confirm(struct harness *h, const struct finding *finding, struct fault *fault) {
    struct chain *chain = &h->chain;
    chain->stop_at = is_expected;
    chain->stop_context = (void *)(uintptr_t)finding->signature;
    chain->confirming = finding;
    chain->sought = finding->signature;
    chain->goes_on = chain->tells_all = chain->counting = false;
    chain->third_turn = true;
    chain->cross_turn = CROSS_ALL;
    chain->room.plain = true;
    int status = 1;
    for (unsigned i = 0; i < h->settings->confirm && status == 1; i++) {
        h->stats->confirmations++;
        if (chain_run(chain, &h->testcase, &h->again, fault))
            status = -1;
        else if (!has_finding(&h->again, finding->signature))
            status = 0;
    }
    chain->confirming = NULL;
    chain->room.plain = h->settings->exec == TOOL_EXEC_PLAIN;
    return status;
}

// tool_hang has had its long second run already (step.c), by plain execution and alone: nothing to
// add but waiting.
static bool needs_no_repetition(const struct finding *finding) {
    return strncmp(finding->signature, "tool_hang-", 10) == 0;
}

// What a first run is for, as struct chain has it.
struct wish {
    bool (*stop_at)(void *context, const char *signature);
    void *context;
    const char *sought;
    bool goes_on, tells_all;
};

static int first_run(struct harness *h, const uint8_t *data, size_t size, const struct wish *wish,
                     struct fault *fault) {
    if (harness_attach(h, fault))
        return -1;
    case_decode(&h->testcase, data, size);
    h->chain.stop_at = wish->stop_at;
    h->chain.stop_context = wish->context;
    h->chain.sought = wish->sought;
    h->chain.goes_on = wish->goes_on;
    h->chain.tells_all = wish->tells_all;
    h->chain.confirming = NULL;
    h->chain.counting = true;
    // By what the case means: two spellings of one case take one way through the oracles, or an
    // engine could not trim.
    uint8_t meant[CASE_MAX_BYTES];
    size_t length = case_encode(&h->testcase, meant);
    bool is_judged = !h->chain.counted;
    h->chain.third_turn = is_judged && (h->third_always || turn_of(meant, length, THIRD_SHARE));
    h->chain.cross_turn = !is_judged ? 0 : h->cross_always ? CROSS_ALL : cross_turns(meant, length);
    h->chain.both_ways = is_judged && turn_of(data, size, BOTH_WAYS_SHARE);
    h->stats->cases++;
    return chain_run(&h->chain, &h->testcase, &h->first, fault);
}

static struct report report_of(struct harness *h, const uint8_t *data, size_t size, const char *out,
                               const struct record *record, size_t finding) {
    return (struct report){
        .record = record,
        .finding = &record->findings[finding],
        .bytes = data,
        .size = size,
        .directory = h->workdir.case_path,
        .exec = h->exec,
        .fence = h->fence.data,
        .out = out,
        .case_ms = h->settings->case_ms,
        .confirm = h->settings->confirm,
        .confirmed = h->settings->confirm > 0 || needs_no_repetition(&record->findings[finding]),
    };
}

// Believes a new finding or not: 1 with the record that holds it, 0, or -1. Where our reader saw
// one thing and qemu-img's reading of the fresh files shows another, that other thing is the
// finding.
static int believe(struct harness *h, struct finding *finding, const struct record **record,
                   struct fault *fault) {
    *record = &h->first;
    if (needs_no_repetition(finding) || !h->settings->confirm)
        return 1;
    *record = &h->again;
    int status = confirm(h, finding, fault);
    if (status != 0 || !h->again.finding_count)
        return status;
    struct finding other = h->again.findings[h->again.finding_count - 1];
    if (!is_new(h, other.signature) || needs_no_repetition(&other))
        return 0;
    *finding = other;
    return confirm(h, finding, fault);
}

static size_t finding_index(const struct record *record, const char *signature) {
    size_t i = record->finding_count;
    while (i-- > 0)
        if (strcmp(record->findings[i].signature, signature) == 0)
            return i;
    return 0;
}

// The report stands before the signature is claimed: what is killed in between, or finds the disk
// full, leaves no claim without a report, and the next to meet the finding reports it.
static int claim_and_report(struct harness *h, const uint8_t *data, size_t size,
                            const char *signature, const struct record *record,
                            struct fault *fault) {
    const char *out = h->settings->out;
    struct report report = report_of(h, data, size, out, record, finding_index(record, signature));
    char path[4096];
    if (out && report_write(&report, path, sizeof path, fault) < 0) {
        char why[sizeof fault->text];
        snprintf(why, sizeof why, "%s", fault->text);
        return fault_set(fault, "the report of %s could not be written: %s", signature, why);
    }
    int status = seen_claim(h->seen, signature, fault);
    if (status >= 0)
        stats_count(h->stats->signatures, STATS_NAMES, signature);
    return status;
}

// 1: it is new and ours; 0: it did not repeat, or somebody else claimed it meanwhile. Unless it did
// not repeat, `found` says which finding of which record it is.
static int judge_fresh(struct harness *h, const uint8_t *data, size_t size,
                       struct harness_finding *found, struct fault *fault) {
    const struct record *record;
    const char *first_seen = found->finding->signature;
    struct finding finding = *found->finding;
    found->finding = NULL;
    int status = believe(h, &finding, &record, fault);
    if (status > 0) {
        status = claim_and_report(h, data, size, finding.signature, record, fault);
        *found = (struct harness_finding){
            record, &record->findings[finding_index(record, finding.signature)], status > 0};
    } else if (status == 0) {
        h->stats->verdicts[VERDICT_INCONCLUSIVE]++;
        stats_count(h->stats->reasons, STATS_NAMES, "inconclusive: not_reproduced");
        keep_case(h->settings->out, "not-reproduced", first_seen, data, size, NULL);
    }
    return status;
}

// One finding of the first run: a repeat is counted, a new one judged.
static int meet(struct harness *h, const uint8_t *data, size_t size, const struct finding *finding,
                harness_told *told, void *context, struct fault *fault) {
    struct harness_finding found = {.record = &h->first, .finding = finding};
    int status = 0;
    if (is_new(h, finding->signature))
        status = judge_fresh(h, data, size, &found, fault);
    else
        stats_count(h->stats->signatures, STATS_NAMES, finding->signature);
    if (status >= 0 && found.finding)
        told(context, &found);
    return status;
}

int harness_run_all(struct harness *h, const uint8_t *data, size_t size, bool keep_going,
                    harness_told *told, void *context, struct fault *fault) {
    const struct wish wish = {.stop_at = is_new, .context = h, .goes_on = keep_going};
    int fresh = 0, status = first_run(h, data, size, &wish, fault);
    // Those first that are believed and reported as they stand: a confirmation replaces the files.
    for (int repeated = 0; repeated < 2; repeated++)
        for (size_t i = 0; status >= 0 && i < h->first.finding_count; i++) {
            const struct finding *finding = &h->first.findings[i];
            if (needs_no_repetition(finding) == repeated)
                continue;
            status = meet(h, data, size, finding, told, context, fault);
            fresh += status > 0;
        }
    stats_touch(h->stats);
    if (status < 0) {
        h->stats->harness_errors++;
        keep_case(h->settings->out, "harness-errors", "case", data, size, fault->text);
        return -1;
    }
    return fresh;
}

struct heard {
    char *signature;
    bool repeated;
};

static void hear(void *context, const struct harness_finding *found) {
    struct heard *heard = context;
    heard->repeated |= !found->fresh;
    if (found->fresh)
        snprintf(heard->signature, SIGNATURE_ROOM, "%s", found->finding->signature);
}

int harness_run(struct harness *h, const uint8_t *data, size_t size, char signature[SIGNATURE_ROOM],
                struct fault *fault) {
    struct heard heard = {.signature = signature};
    int fresh = harness_run_all(h, data, size, false, hear, &heard, fault);
    if (fresh)
        return fresh < 0 ? -1 : HARNESS_NEW;
    return heard.repeated ? HARNESS_REPEATED : HARNESS_NOTHING;
}

const struct record *harness_record(const struct harness *h) {
    return &h->first;
}

int harness_look(struct harness *h, const uint8_t *data, size_t size, const struct record **record,
                 struct fault *fault) {
    const struct wish wish = {.tells_all = true};
    h->third_always = true;
    h->cross_always = false;
    *record = &h->first;
    int status = first_run(h, data, size, &wish, fault);
    if (status || h->first.finding_count)
        return status;
    // A simplified case has other turns than the one that it was made of.
    h->cross_always = true;
    return first_run(h, data, size, &wish, fault);
}

int harness_count(struct harness *h, const uint8_t *data, size_t size, harness_counted *counted,
                  void *context, struct fault *fault) {
    h->chain.counted = counted;
    h->chain.counted_context = context;
    int status = first_run(h, data, size, &(struct wish){0}, fault);
    h->chain.counted = NULL;
    return status;
}

void harness_keep_files(struct harness *h) {
    h->keeps_files = true;
}

int harness_replay(struct harness *h, const uint8_t *data, size_t size, const char *sought,
                   const struct record **record, size_t *unconfirmed, struct fault *fault) {
    *unconfirmed = 0;
    h->third_always = h->cross_always = true;
    const struct wish wish = {.sought = sought, .tells_all = true};
    if (first_run(h, data, size, &wish, fault) ||
        (h->keeps_files && h->first.finding_count && workdir_keep_case(&h->workdir, fault)))
        return -1;
    size_t kept = 0;
    for (size_t i = 0; i < h->first.finding_count; i++) {
        const struct finding *finding = &h->first.findings[i];
        int repeats = needs_no_repetition(finding) ? 1 : confirm(h, finding, fault);
        if (repeats < 0)
            return -1;
        if (repeats)
            h->first.findings[kept++] = h->first.findings[i];
        else
            (*unconfirmed)++;
    }
    h->first.finding_count = kept;
    *record = &h->first;
    return 0;
}

int harness_shows(struct harness *h, const uint8_t *data, size_t size,
                  char signature[SIGNATURE_ROOM], struct fault *fault) {
    // Asking others takes as long as a tool, and only the rules about them need it.
    const struct oracle *oracle = oracle_of_signature(signature);
    h->third_always = !*signature || oracle == oracle_named("third_reader_divergence");
    h->cross_always = !*signature || (oracle && oracle->beside);
    const struct wish wish = {
        .stop_at = is_wanted, .context = signature, .sought = *signature ? signature : NULL};
    if (first_run(h, data, size, &wish, fault))
        return -1;
    for (size_t i = 0; i < h->first.finding_count; i++) {
        const struct finding *finding = &h->first.findings[i];
        if (!is_wanted(signature, finding->signature))
            continue;
        int repeats = needs_no_repetition(finding) ? 1 : confirm(h, finding, fault);
        if (repeats > 0)
            snprintf(signature, SIGNATURE_ROOM, "%s", finding->signature);
        return repeats;
    }
    return 0;
}

int harness_report(struct harness *h, const uint8_t *data, size_t size, size_t finding,
                   const char *out, bool replace, char *path, size_t room, struct fault *fault) {
    // Confirmations have replaced the files: build them once more, up to the finding. Its record
    // is the one that goes into the report, so that files and words belong together.
    const char *signature = h->first.findings[finding].signature;
    h->chain.stop_at = is_expected;
    h->chain.stop_context = (void *)(uintptr_t)signature;
    h->chain.sought = signature;
    h->chain.goes_on = h->chain.tells_all = h->chain.counting = false;
    h->chain.third_turn = true;
    h->chain.cross_turn = CROSS_ALL;
    if (chain_run(&h->chain, &h->testcase, &h->again, fault))
        return -1;
    if (!has_finding(&h->again, signature))
        return fault_set(fault, "it did not repeat while the report was written");
    struct report report =
        report_of(h, data, size, out, &h->again, finding_index(&h->again, signature));
    report.replace = replace;
    return report_write(&report, path, room, fault);
}
