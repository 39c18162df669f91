// SPDX-License-Identifier: Apache-2.0
//
// The order in which a person wants to hear it: what was built, what was typed, what each tool
// answered, who is right as far as the harness knows.
#include "report/story.h"

#include "oracles/reason.h"
#include "report/version.h"

#include <string.h>

const char *report_tool_words(const struct tool *tool) {
    const char *suffix = strrchr(tool->role, '_');
    bool one_of_two = suffix && (!strcmp(suffix, "_a") || !strcmp(suffix, "_b"));
    return one_of_two ? tool->role : tool->name;
}

void report_pair_words(const struct tool *a, const struct tool *b, struct buffer *out) {
    buffer_format(out, "%s (%s) against %s (%s)", a->name, a->available ? a->version : a->why_not,
                  b->name, b->available ? b->version : b->why_not);
    if (a->is_standin || b->is_standin)
        buffer_text(out, "\nNOTE: the stand-in is not instar. A finding against it alone is a "
                         "statement about the stand-in (or about qemu-img), never about instar.");
    if (a->played_version || b->played_version)
        buffer_text(out,
                    "\nNOTE: the stand-in plays the documented instar: entries of the registry "
                    "about instar count for it.");
    const struct tool *liar = a->lies[0] ? a : b;
    if (liar->lies[0])
        buffer_format(out, "\nNOTE: the stand-in was told to lie: STANDIN_LIE=%s", liar->lies);
}

static void tell_words(const struct tool *tool, const struct tool_argv *argv, struct buffer *out) {
    buffer_text(out, "    $ ");
    if (tool->lies[0])
        buffer_format(out, "STANDIN_LIE=%s ", tool->lies);
    if (tool->guests[0]) {
        buffer_text(out, "INSTAR_BIN_DIR=");
        tool_word_quoted(tool->guests, out);
        buffer_text(out, " ");
    }
    tool_argv_words(argv, tool->path, out);
    buffer_text(out, "\n");
}

static void tell_command(const struct step_record *step, int side, struct buffer *out) {
    const struct oracle_side *from = side == SIDE_A ? &step->step.a : &step->step.b;
    if (!from->ran)
        return;
    tell_words(from->tool, &step->argv[side], out);
    if (step->fits[side][0])
        tell_words(from->tool, &step->fit_argv[side], out);
    for (int check = 0; check < CROSS_CHECKS; check++)
        if (from->beside[check].result)
            tell_words(step->beside[side][check].tool, &step->beside[side][check].argv, out);
}

// "agree: exit_code, truth_content (2)": each rule once, its type without the word for its failure.
static void tell_agreement(const struct judgements *judgements, struct buffer *out) {
    bool any = false;
    for (size_t i = 0; i < judgements->count; i++) {
        const struct judgement *j = &judgements->items[i];
        size_t times = 0, first = judgements->count;
        for (size_t k = 0; k < judgements->count; k++)
            if (judgements->items[k].verdict == VERDICT_AGREE &&
                judgements->items[k].oracle == j->oracle) {
                first = k < first ? k : first;
                times++;
            }
        if (j->verdict != VERDICT_AGREE || first != i)
            continue;
        const char *cut = strstr(j->oracle->type, "_divergence");
        cut = cut ? cut : strstr(j->oracle->type, "_violation");
        int length = cut ? (int)(cut - j->oracle->type) : (int)strlen(j->oracle->type);
        buffer_format(out, "%s%.*s", any ? ", " : "    agree: ", length, j->oracle->type);
        if (times > 1)
            buffer_format(out, " (%zu)", times);
        any = true;
    }
    if (any)
        buffer_text(out, "\n");
}

static void tell_judgements(const struct step_record *step, struct buffer *out) {
    tell_agreement(&step->judgements, out);
    for (size_t i = 0; i < step->judgements.count; i++) {
        const struct judgement *j = &step->judgements.items[i];
        if (j->verdict == VERDICT_AGREE)
            continue;
        buffer_format(out, "    %s: %s", verdict_names[j->verdict], j->oracle->type);
        if (j->reason[0])
            buffer_format(out, " (%s)", j->reason);
        if (j->known_id[0])
            buffer_format(out, " [%s]", j->known_id);
        buffer_format(out, "%s%s\n", j->text[0] ? ": " : "", j->text);
    }
}

static void tell_step(const struct step_record *step, size_t index, struct buffer *out) {
    const struct oracle_step *s = &step->step;
    buffer_format(out, "\nStep %zu: %s ", index + 1, operation_names[s->op]);
    if (s->options.size_only)
        buffer_format(out, "%llu bytes, no file,", (unsigned long long)s->truth.asked_size);
    else if (s->options.snapshot)
        buffer_format(out, "snapshot %s of %s", case_snapshot_id(s->options.snapshot - 1),
                      s->input_name);
    else
        buffer_text(out, s->input_name);
    if (s->target < IMAGE_FORMATS)
        buffer_format(out, " to %s", image_driver(s->target)->name);
    buffer_text(out, "\n");
    if (!step->done) {
        buffer_format(out, "    not run: %s\n", step->why);
        return;
    }
    tell_command(step, SIDE_A, out);
    tell_command(step, SIDE_B, out);
    report_answers(step, out);
    tell_judgements(step, out);
}

static size_t count_inconclusive(const struct record *record) {
    size_t count = 0;
    for (size_t i = 0; i < record->step_count; i++) {
        const struct judgements *judgements = &record->steps[i].judgements;
        for (size_t j = 0; record->steps[i].done && j < judgements->count; j++)
            count += judgements->items[j].verdict == VERDICT_INCONCLUSIVE;
    }
    return count;
}

static void tell_opinion(const struct record *record, const struct finding *finding,
                         struct buffer *out) {
    const struct oracle_step *step = &record->steps[finding->step].step;
    const struct opinion *opinion = &finding->opinion;
    if (opinion->wrong == OPINION_UNKNOWN) {
        buffer_format(out, "    Who is wrong is open: %s\n", opinion->reason);
        return;
    }
    bool one = opinion->wrong == OPINION_A || opinion->wrong == OPINION_B;
    buffer_format(out, "    Probably wrong: %s. %s\n",
                  one ? report_tool_words(oracle_side_at(step, opinion->wrong == OPINION_B)->tool)
                      : oracle_opinion_role(step, opinion),
                  opinion->reason);
}

#define KNOWN_MOST 32

// The entries of the registry that the case shows, each once.
static size_t list_known(const struct record *record, const char *ids[KNOWN_MOST]) {
    size_t count = 0;
    for (size_t i = 0; i < record->step_count; i++) {
        const struct judgements *judgements = &record->steps[i].judgements;
        for (size_t j = 0; record->steps[i].done && j < judgements->count; j++) {
            const struct judgement *judgement = &judgements->items[j];
            size_t k = 0;
            while (k < count && strcmp(ids[k], judgement->known_id) != 0)
                k++;
            if (judgement->verdict == VERDICT_KNOWN && k == count && count < KNOWN_MOST)
                ids[count++] = judgement->known_id;
        }
    }
    return count;
}

static bool shows_divergence(const struct record *record) {
    for (size_t i = 0; i < record->step_count; i++) {
        const struct judgements *judgements = &record->steps[i].judgements;
        for (size_t j = 0; record->steps[i].done && j < judgements->count; j++)
            if (judgements->items[j].verdict == VERDICT_DIVERGENCE)
                return true;
    }
    return false;
}

static void put_no_finding(const struct record *record, struct buffer *out) {
    const char *undecided = record_undecided(record), *ids[KNOWN_MOST];
    size_t inconclusive = count_inconclusive(record), known = list_known(record, ids);
    if (shows_divergence(record)) // and it is no finding
        buffer_text(out, "inconclusive (a divergence that did not repeat)");
    else if (undecided)
        buffer_format(out, "inconclusive (%s)", undecided);
    else
        buffer_text(out, known ? "no new divergence" : "no divergence");
    if (known)
        buffer_format(out, "; %zu known", known);
    for (size_t i = 0; i < known; i++)
        buffer_format(out, "%s%s%s", i ? ", " : " (", ids[i], i + 1 == known ? ")" : "");
    if (inconclusive)
        buffer_format(out, ", %zu judgement%s inconclusive", inconclusive,
                      inconclusive > 1 ? "s" : "");
    buffer_text(out, " (the images were not kept)\n");
}

// The line that is the first and the last of a story: nobody reads ninety others for it.
static void put_verdict(const struct record *record, struct buffer *out) {
    buffer_text(out, "Verdict: ");
    if (record->finding_count)
        buffer_format(out, "%zu divergence%s\n", record->finding_count,
                      record->finding_count > 1 ? "s" : "");
    else
        put_no_finding(record, out);
}

static void tell_verdict(const struct record *record, struct buffer *out) {
    const char *undecided = record->finding_count ? NULL : record_undecided(record);
    buffer_text(out, "\n");
    put_verdict(record, out);
    if (undecided && reason_meaning(undecided))
        buffer_format(out, "  %s: %s\n", undecided, reason_meaning(undecided));
    for (size_t i = 0; i < record->finding_count; i++) {
        const struct finding *finding = &record->findings[i];
        const struct judgement *judgement =
            &record->steps[finding->step].judgements.items[finding->judgement];
        buffer_format(out, "  %s\n    step %zu: %s\n", finding->signature, finding->step + 1,
                      judgement->text);
        tell_opinion(record, finding, out);
    }
}

void report_story(const struct record *record, bool packed, struct buffer *out) {
    put_verdict(record, out);
    case_describe(record->testcase, out);
    buffer_text(out, "\nTools: ");
    report_pair_words(record->tools[SIDE_A], record->tools[SIDE_B], out);
    buffer_format(out, "\nJudged by: instar-fuzz %s", report_harness_version);
    buffer_format(out, "\nSource: %s, %llu bytes, virtual size %llu\n", record->source_name,
                  (unsigned long long)record->source.file_size,
                  (unsigned long long)record->source.declared_size);
    if (packed) // a report is moved, so that its own folder has no name
        buffer_text(out, "To paste the commands, begin in the folder of this file: mkdir -p images "
                         "&& tar -xzSf images.tar.gz -C images && cd images\n");
    for (size_t i = 0; i < record->step_count; i++)
        tell_step(&record->steps[i], i, out);
    tell_verdict(record, out);
}
