// SPDX-License-Identifier: Apache-2.0
//
// What the rule files of this room share: questions about a side, and the ways to say something.
// Not for other rooms; they include oracle.h.
#ifndef ORACLES_RULE_H
#define ORACLES_RULE_H

#include "oracles/oracle.h"

#include <inttypes.h>

#define ORACLE_OP(op)  (1u << (op))
#define ORACLE_WRITES  (ORACLE_OP(OP_CONVERT) | ORACLE_OP(OP_CONVERT_COMPRESSED))
#define ORACLE_ALL_OPS ((1u << OPERATIONS) - 1)

// It ran and gave a result: ok, clean, leaks or corrupt.
bool oracle_gave(const struct oracle_side *side);
bool oracle_both_gave(const struct oracle_step *step);

// vmdk: the input file is a descriptor in text, and the disk lies in other files.
bool oracle_input_is_descriptor(const struct oracle_step *step);

// Can anybody make that target, as far as the format's own limits and the model tell?
bool oracle_target_exists(const struct oracle_step *step);

// Judgement whose detail (or reason) is "<before><role><after>".
struct judgement *oracle_say_tool(struct judgements *out, const struct oracle *oracle,
                                  enum verdict verdict, const char *before, const struct tool *tool,
                                  const char *after);
// The same of a side's tool.
struct judgement *oracle_say_role(struct judgements *out, const struct oracle *oracle,
                                  enum verdict verdict, const char *before,
                                  const struct oracle_side *side, const char *after);
// Makes of what a tool may have said one line of printable ASCII.
void oracle_clean(char *text);
void oracle_text(struct judgement *judgement, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Fills field, a_value and b_value; a NULL value is left empty.
void oracle_values(struct judgement *judgement, const char *field, const char *a, const char *b);
void oracle_numbers(struct judgement *judgement, const char *field, uint64_t a, uint64_t b);
// One side's number; the other side has no opinion.
void oracle_number_of(struct judgement *judgement, const char *field, int side, uint64_t value);
// Does the registry explain this divergence, or may it? Then it becomes VERDICT_KNOWN, or
// VERDICT_INCONCLUSIVE where the content is unknown, and the rule may go on.
bool oracle_explained(const struct oracle_step *step, struct judgements *out,
                      struct judgement *judgement);

// Has a check that ended with a verdict printed its JSON, and do its counts lead to that verdict?
// Otherwise judges that (`unparsed_`, `counts_`): false.
bool oracle_check_is_sound(const struct oracle *oracle, const struct oracle_step *step,
                           struct judgements *out, int side, const struct tool_result *check);
// The opinion on such a judgement; false: it is another one.
bool oracle_check_opinion(const struct oracle_step *step, const struct judgement *judgement,
                          struct opinion *opinion);

// Has one of the judgements from `from` on diverged, and is not known?
bool oracle_diverged(const struct judgements *out, size_t from);
// Does the registry explain one of this side's answers? Then how it deviates is told already, and
// what else follows from it is no finding of its own. Of the other side that says nothing.
bool oracle_known(const struct judgements *out, const struct oracle_side *side);
// The same for a rule that could judge the side: says that it leaves it out.
bool oracle_leaves_out_known(const struct oracle *oracle, struct judgements *out,
                             const struct oracle_side *side);
// The answer to a question beside the step, or NULL: it was not asked, or says nothing (which is
// judged then, a crash as a divergence).
const struct tool_result *oracle_beside(const struct oracle *oracle, struct judgements *out,
                                        const struct oracle_side *side, enum cross_check check);

// image_compare of two of the step's three contents: an output, the other output, the truth. Where
// all of them hold the same bytes, one walk has found that out for every rule of the step.
int oracle_compare(const struct oracle_step *step, struct judgements *out,
                   const struct image_source *a, const struct image_source *b,
                   struct image_difference *difference, struct fault *fault);

// Asks about one side after the other, until one diverges.
typedef void oracle_side_judge(const struct oracle *oracle, const struct oracle_step *step,
                               const struct oracle_side *side, int i, struct judgements *out);
void oracle_each_side(const struct oracle *oracle, const struct oracle_step *step,
                      struct judgements *out, oracle_side_judge *judge);

extern const struct oracle oracle_availability, oracle_tool_hang, oracle_tool_crash,
    oracle_exit_code, oracle_source_modified, oracle_measure_json, oracle_measure_numeric,
    oracle_measure_bitmaps_presence, oracle_measure_bitmaps_value, oracle_measure_below,
    oracle_measure_above, oracle_convert_content, oracle_truth_content, oracle_truth_size,
    oracle_info_output, oracle_check, oracle_third_reader, oracle_writer_size,
    oracle_measure_contract, oracle_measure_growth, oracle_map_truth, oracle_map_measure,
    oracle_tool_compare, oracle_check_damage, oracle_output_kind, oracle_must_refuse;

#endif
