// SPDX-License-Identifier: Apache-2.0
//
// A finished case told to a person: the image in words, each command line ready to paste, both
// answers side by side, the verdict.
#ifndef REPORT_STORY_H
#define REPORT_STORY_H

#include "report/record.h"

// `packed`: images.tar.gz with the files of the command lines lies beside the story.
void report_story(const struct record *record, bool packed, struct buffer *out);
// Both answers of one step as rows "name, A, B"; '*' marks the row that a divergence is about, 'k'
// one that the registry explains, '~' a difference that a rule permits.
void report_answers(const struct step_record *step, struct buffer *out);
// The same rows for report.json: {"name", "a", "b", "mark": "diverges", "known" or
// "permitted"}.
cJSON *report_answers_json(const struct step_record *step);
// What a tool is called in a column or sentence; two of a kind are told apart.
const char *report_tool_words(const struct tool *tool);
// "stand-in for instar 0.1 against qemu-img version 7.2.22 ..."; says so when one side is only a
// stand-in, or cannot run.
void report_pair_words(const struct tool *a, const struct tool *b, struct buffer *out);

#endif
