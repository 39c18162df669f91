// SPDX-License-Identifier: Apache-2.0
//
// Two tools disagree: which of them is probably wrong, and who says so? An opinion is made of what
// the harness knows (the truth of what it built, the model, a third reader, a tool's own promises)
// once a divergence has become a finding. It changes no verdict and no signature; where nothing is
// known it says that, instead of taking a side.
#ifndef ORACLES_OPINION_H
#define ORACLES_OPINION_H

struct oracle_step;
struct judgement;

enum opinion_wrong {
    OPINION_UNKNOWN,
    OPINION_A,
    OPINION_B,
    OPINION_BOTH,
    OPINION_NOBODY, // both answers are right: a rule that accuses here is the fault
    OPINION_WRONGS
};

enum opinion_by {
    OPINION_BY_NONE,
    OPINION_BY_TRUTH,        // what the image was built with
    OPINION_BY_MODEL,        // oracles/model.h
    OPINION_BY_THIRD_READER, // libyal
    OPINION_BY_CONTRACT,     // what the tool's own documentation or its other answer promises
    OPINION_BY_TOOL,         // a tool's own behaviour (a signal, a hang), or qemu-img's check
    OPINION_BYS
};

// As report.json writes them: "unknown", "a", ...; "none", "truth", ...
extern const char *const opinion_wrong_names[OPINION_WRONGS];
extern const char *const opinion_by_names[OPINION_BYS];

struct opinion {
    enum opinion_wrong wrong;
    enum opinion_by by;
    char reason[400]; // one sentence or two, printable ASCII
};

// Of a judgement of this step that diverges or is known. Outputs may be open: where contents
// differ, each is held against the truth, within the step's compare budget.
void oracle_opinion(const struct oracle_step *step, const struct judgement *judgement,
                    struct opinion *opinion);
// The role of the tool that is probably wrong, "both", "nobody" or "unknown".
const char *oracle_opinion_role(const struct oracle_step *step, const struct opinion *opinion);

// --- for rule files: the ways to an opinion ------------------------------------------------------

// The tool that the judgement is about is wrong.
void opinion_accuse(const struct oracle_step *step, const struct judgement *judgement,
                    struct opinion *opinion, enum opinion_by by, const char *why);
// Each side's value against the one that is right (predict_right).
void opinion_of_values(const struct oracle_step *step, const struct judgement *judgement,
                       struct opinion *opinion);
// Both outputs against the content that the input was built with.
void opinion_of_contents(const struct oracle_step *step, struct opinion *opinion);
void opinion_say(struct opinion *opinion, enum opinion_wrong wrong, enum opinion_by by,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
