// SPDX-License-Identifier: Apache-2.0
//
// The table of reasons. A `<part>` of a name stands for any text; the first row that fits counts.
#include "oracles/reason.h"

#include <stdbool.h>
#include <string.h>

struct reason {
    const char *names; // a blank between
    const char *verdict;
    const char *meaning; // `code` is marked as in Markdown
};

static const struct reason reasons[] = {
    {"no_operation no_source no_target no_option", "unsupported",
     "the probe found that a tool lacks the operation, the format, or the option"},
    {"no_checks", "unsupported", "the format has no checks in a tool (exit 63)"},
    {"convert_behind_measure_refused", "unsupported",
     "the tool measures a conversion that it then refuses; its bounds are not judged"},
    {"input_was_modified", "unsupported",
     "the first tool changed the input; the second is not run on it"},
    {"format_by_content", "unsupported",
     "instar learns the format from the content, and this raw file begins like another format"},
    {"unavailable_<role> unavailable", "unavailable",
     "the tool cannot run here or is not in the pair"},
    {"timeout_<role> timeout_both", "inconclusive",
     "the deadline of one command, a twentieth of `INSTAR_FUZZ_CASE_MS`"},
    {"limit_<role>", "inconclusive",
     "a limit ended it (file size, CPU time, memory, processes, no space left), or its warm "
     "process "
     "was lost"},
    {"convert_behind_measure_cost_cap", "inconclusive",
     "the conversion would cost more than a case may; the bounds are not judged"},
    {"convert_behind_measure_cut_off output_check_cut_off_<role>", "inconclusive",
     "the deadline or a limit ended a command that belongs to the step"},
    {"beside_cut_off_<role>", "inconclusive",
     "a cross-check that did not end in time, met a limit, or printed more than is kept"},
    {"beside_refused_<role>", "unsupported", "a cross-check that the tool refuses, as it may"},
    {"input_misjudged_<role>", "inconclusive",
     "the input of a conversion was measured below what it needs: no measure of growth"},
    {"known_value_<role>", "inconclusive",
     "the registry explains an answer of that tool; what follows from it is not judged"},
    {"unread_<role>", "inconclusive",
     "our reader fails on an output and qemu-img could not say whether it is readable"},
    {"third_without_control", "inconclusive",
     "the third reader reads another disk, but has not read every other image of that kind "
     "rightly"},
    {"third_timeout third_failed third_lost third_ranges", "inconclusive",
     "the third reader did not end in time; crashed; left no reading; more than a hundred parts to "
     "read"},
    {"third_<limit>", "unsupported",
     "the third reader is not asked about such an output; docs/oracles.md has each limit"},
    {"size_not_predicted", "inconclusive",
     "instar wrote a file of another size than its documented layout leads to; nobody is accused"},
    {"refused_alone", "inconclusive", "one tool alone refuses; nobody else can say whether it may"},
    {"complains_alone", "inconclusive",
     "one tool alone checks such files and does not find clean what an earlier step tainted"},
    {"truth_unknown", "inconclusive", "an earlier step of the case tainted the input"},
    {"compare_budget", "inconclusive", "more bytes than one comparison may read"},
    {"budget", "inconclusive", "the case's time was used up before the step"},
    {"cost_cap", "inconclusive",
     "disk and target together would cost too much (harness/testcase/caps.h)"},
    {"not_reproduced", "inconclusive",
     "a divergence that did not repeat on fresh files; kept under `not-reproduced/`"},
    {"both_refused", "agree", "both tools refuse; counted apart, `r` in the matrix"},
    {"nothing_asked", "none", "the case has no operation"},
    {"filtered", "none", "left out by `INSTAR_FUZZ_OPS` or `INSTAR_FUZZ_TARGETS`"},
    {"not_needed", "none", "a confirmation leaves out steps that the finding does not need"},
};
#define REASONS (sizeof reasons / sizeof *reasons)

static bool fits(const char *pattern, size_t length, const char *name) {
    const char *part = memchr(pattern, '<', length);
    if (part)
        return strncmp(pattern, name, (size_t)(part - pattern)) == 0;
    return strlen(name) == length && strncmp(pattern, name, length) == 0;
}

const char *reason_meaning(const char *name) {
    const char *behind = strstr(name, ": ");
    name = behind ? behind + 2 : name;
    for (size_t i = 0; i < REASONS; i++)
        for (const char *at = reasons[i].names; *at;) {
            size_t length = strcspn(at, " ");
            if (fits(at, length, name))
                return reasons[i].meaning;
            at += length + (at[length] == ' ');
        }
    return NULL;
}

void reason_markdown(struct buffer *out) {
    buffer_text(out, "| reason | verdict | meaning |\n|---|---|---|\n");
    for (size_t i = 0; i < REASONS; i++) {
        buffer_text(out, "| `");
        for (const char *c = reasons[i].names; *c; c++)
            if (*c == ' ')
                buffer_text(out, "`, `");
            else
                buffer_append(out, c, 1);
        buffer_format(out, "` | %s | %s |\n", reasons[i].verdict, reasons[i].meaning);
    }
}
