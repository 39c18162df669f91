// SPDX-License-Identifier: Apache-2.0
//
// The rules that judge. An oracle sees one finished step of a chain (the input that both tools
// read, what the harness knows of it, both outcomes, both outputs) and says one or more
// judgements. One file a rule, one line in the table of oracle.c. Oracles run nothing, write
// nothing and know nothing of engines.
#ifndef ORACLES_ORACLE_H
#define ORACLES_ORACLE_H

#include "image/compare.h"
#include "image/content.h"
#include "image/image.h"
#include "oracles/cross.h"
#include "oracles/opinion.h"
#include "oracles/third.h"
#include "oracles/verdict.h"
#include "tool/tool.h"

#define ORACLE_MAX_JUDGEMENTS 48 // the most talkative step, a convert to qcow2, says some 20

struct registry; // oracles/registry.h

// What the harness knows of an input file.
struct truth {
    enum image_format format;
    const struct content *content;      // NULL: not known (an earlier step tainted this file)
    uint64_t asked_size;                // guest bytes that the case asked for, as far as the file
                                        // shows them: the size of `content`
    uint64_t declared_size;             // guest bytes as the file declares them
    uint64_t shown_size;                // as a tool of 512-byte sectors must show it
    uint64_t active_size;               // with options.snapshot: of the active disk, as shown
    uint64_t recorded_size;             // vpc: the footer's current size; else 0
    uint64_t file_size;                 // bytes of the file as built
    uint32_t unit;                      // allocation unit of the file
    bool extended_l2;                   // qcow2: it has such entries, whoever wrote it
    const char *create_type;            // vmdk: of its descriptor, whoever wrote it; "": unknown
    bool vmdk_footer;                   // vmdk: the directory's place stands in a footer
    const struct image_map *allocation; // in guest bytes; of the whole chain, as a tool asks for it
    const struct image_map *own_allocation; // of the file alone
    const struct image_options *options;    // of the file alone; NULL if a tool wrote it
    uint32_t layers;                        // files of the chain, at least 1
    const struct content *snapshots;        // internal snapshots, in order
    size_t snapshot_count;
};

// What our reader sees in the file that a conversion wrote, also where the content is read through
// qemu-img.
struct oracle_written {
    bool known; // false: our reader does not open it, or it is raw
    struct image_info info;
    uint32_t unit;
    // Looked for where it was asked for: is a unit compressed; the first guest byte below the
    // input's size that is not stored, UINT64_MAX if all are.
    bool compressed;
    uint64_t gap;
};

struct oracle_side {
    const struct tool *tool;
    bool ran;            // false: the tool does not support the call (why_not), or is unavailable
    const char *why_not; // short stable reason
    const struct exec_outcome *outcome;
    const struct tool_result *result;
    // Operations that write and succeeded: our reader on the output, or why it cannot be read.
    struct image *output;
    uint64_t output_file_size;
    char output_fault[256]; // "" and no output: nobody could say (output_undecided)
    // Neither a second opinion nor our reader could decide whether the output can be read, or only
    // our reader could: what it fails to read then accuses nobody.
    bool output_undecided;
    struct oracle_written written;
    bool reader_died; // qemu-img's conversion of the output to raw, asked for a second opinion
    struct tool_result output_check; // qemu-img's check of a convert output; class OUTCOME_CLASSES
                                     // if none was run
    // Of the output, and, where that is THIRD_OTHER, of an image of the same kind and content that
    // our own writer made of it.
    struct third_reading third, third_control;
    // The size of the file that this tool's own convert then wrote, of a measure to vmdk, vpc,
    // vhdx; where cross-checks are asked for, also to raw and qcow2.
    bool fit_costs_too_much; // that convert was not run: our own caps
    bool has_converted;
    uint64_t converted_size;
    enum outcome_class fit_class; // of that convert; OUTCOME_CLASSES if none was run
    const struct exec_outcome *fit_outcome;
    struct cross_answer beside[CROSS_CHECKS];
};

struct oracle_step {
    enum operation op;
    // IMAGE_FORMATS: none. A measure of a size alone (options.size_only) has no source.
    enum image_format source, target;
    struct target_options options;
    const char *input_name; // "src.qcow2", "a.out.vmdk"; "" without a source
    bool input_is_output;   // a chained input
    struct truth truth;
    // The bytes of the input's one file, where a map of it is judged; NULL: not asked, or several.
    struct image *input_file;
    bool source_modified; // size, mtime or content hash of the input differ after a tool read it
    char modified_by[24]; // role of the tool that did it
    struct oracle_side a, b;
    const struct tool *checker; // the qemu-img that checks and reads outputs; NULL: none is here
    uint64_t compare_budget;    // bytes that a content comparison may read from each side
    bool deadline_is_final; // a plain run, alone, with ten times the deadline: a time-out of it is
                            // a hang, not bad luck (tool_hang)
};

// Side 0 is a, side 1 is b.
static inline const struct oracle_side *oracle_side_at(const struct oracle_step *step, int index) {
    return index ? &step->b : &step->a;
}
#define ORACLE_SIDES 2
// Is there an input of which nobody knows what it holds? (A size without a file holds nothing.)
static inline bool oracle_is_tainted(const struct oracle_step *step) {
    return !step->truth.content && !step->options.size_only;
}
// Is the input a source of ours, as it was built?
static inline bool oracle_input_is_built(const struct oracle_step *step) {
    return step->truth.options && !step->input_is_output;
}

// OUTCOME_CLASSES if the side did not run.
enum outcome_class oracle_class(const struct oracle_side *side);

struct judgement {
    const struct oracle *oracle;
    enum verdict verdict;
    char reason[48]; // inconclusive/unsupported: stable short reason for counting ("timeout_both")
    char detail[64]; // divergence: last part of the signature ("required", "instar_refuses")
    char text[640];  // divergence: one or two sentences for a person
    const struct tool *about; // the tool that `detail` names, or NULL
    // Divergence of one value: which, and what each side said. Empty if it is not about one value.
    char field[64];
    char a_value[96], b_value[96];
    char known_id[64];             // VERDICT_KNOWN: the registry's entry
    const struct tool *known_tool; // and the tool that deviates as it says
};

// Whether the outputs and the truth hold the same bytes, for the rules that compare contents.
enum content_answer { CONTENT_NOT_ASKED, CONTENT_SAME, CONTENT_UNDECIDED };

struct judgements {
    struct judgement items[ORACLE_MAX_JUDGEMENTS];
    size_t count;
    struct judgement unkept;     // what found the list full
    enum content_answer content; // of the step that is being judged
    bool strict_bounds;          // INSTAR_FUZZ_STRICT=bounds: the literal lower bound
    // The rule whose divergence is to be shown again, or NULL. What another rule finds before it (a
    // confirmation asks more) does not keep it from being asked.
    const struct oracle *sought;
    // What a rule finds that is asked by turns keeps only those from being asked that look at the
    // same cross-check: a campaign may have met the others without it.
    bool past_turns;
    // Known divergences, or NULL; borrowed. With it, oracle_judge turns what an entry explains into
    // VERDICT_KNOWN at once and goes on: a known divergence must not hide the ones behind it.
    const struct registry *registry;
};

struct oracle {
    const char *type; // "measure_numeric_divergence", ...
    const char *rule; // one sentence, shown by --help and docs
    unsigned ops;     // bit set: 1u << enum operation
    bool no_answer;   // it looks at something else than what the tools answered (or at its form
                      // alone): its agreement does not make a step a comparison
    unsigned beside;  // cross-checks that it looks at, a bit each
    bool by_turn;     // asked in one case of so many, by a hash of its bytes (harness/turn.h): that
                      // it spoke says nothing of the answers, so no engine is told
    void (*judge)(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out);
    // Who is probably wrong (opinion.h). Without a function it is the tool that the judgement is
    // about, if `accuses` says why.
    void (*opinion)(const struct oracle_step *step, const struct judgement *judgement,
                    struct opinion *opinion);
    const char *accuses; // one sentence
    enum opinion_by accuses_by;
};

// Reason of an agreement in which both tools refused: no answers were compared.
#define ORACLE_BOTH_REFUSED "both_refused"

extern const struct oracle *const oracles[]; // NULL-terminated, in order of precedence

// NULL if no oracle has that type.
const struct oracle *oracle_named(const char *type);
// Whose signature is it? NULL: nobody's.
const struct oracle *oracle_of_signature(const char *signature);

// Runs every oracle that applies, in order. After the first divergence of a step the remaining
// oracles of that step are not asked (but for `sought` and `past_turns`): they would report the
// same cause under a second name.
// Exit-class, time-out and availability rules come first, and only where both sides gave a result
// are values compared.
void oracle_judge(const struct oracle_step *step, struct judgements *out);

// For oracle files: adds a judgement and returns it for the caller to fill further. When the list
// is full (no step comes near the maximum) a divergence takes the last place and anything else is
// not kept.
struct judgement *oracle_say(struct judgements *out, const struct oracle *oracle,
                             enum verdict verdict, const char *detail_or_reason);

// "<type>-<op>-<source>-<target>-<detail>"; inside a part '-' becomes '_'; a part that does not
// apply is "none". No numbers, no paths.
void oracle_signature(const struct oracle_step *step, const struct judgement *judgement, char *out,
                      size_t room);

#endif
