// SPDX-License-Identifier: Apache-2.0
//
// The size of the guest disk against what the input was built with: as a converted file declares
// it, and as info prints it. Exact, but for named roundings.
#include "oracles/relax.h"
#include "oracles/rule.h"

static bool size_fits(const struct oracle_step *step, uint64_t size) {
    const struct relax_query query = {step, .expected = step->truth.declared_size, .found = size};
    return size == step->truth.declared_size || relax_allows(RELAX_TRUTH_SECTOR, &query) ||
           relax_allows(RELAX_TRUTH_VPC_CYLINDERS, &query) ||
           relax_allows(RELAX_TRUTH_ACTIVE_SIZE, &query);
}

static bool size_of(const struct oracle_step *step, const struct oracle_side *side,
                    uint64_t *size) {
    if (!oracle_gave(side))
        return false;
    if (step->op != OP_INFO) {
        if (side->output)
            *size = side->output->virtual_size;
        return side->output != NULL;
    }
    return side->result->json &&
           tool_json_u64(cJSON_GetObjectItemCaseSensitive(side->result->json, "virtual-size"),
                         size);
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    for (int i = 0; i < ORACLE_SIDES; i++) {
        const struct oracle_side *side = oracle_side_at(step, i);
        uint64_t size;
        if (!size_of(step, side, &size))
            continue;
        if (!step->truth.content) {
            oracle_say(out, oracle, VERDICT_INCONCLUSIVE, "truth_unknown");
            return;
        }
        if (size_fits(step, size)) {
            oracle_say(out, oracle, VERDICT_AGREE, NULL);
            continue;
        }
        struct judgement *judgement = oracle_say_role(out, oracle, VERDICT_DIVERGENCE,
                                                      step->op == OP_INFO ? "info_" : "", side, "");
        oracle_number_of(judgement, "virtual-size", i, size);
        oracle_text(judgement, "%s %s a disk of %" PRIu64 " bytes; the input has %" PRIu64 ".",
                    side->tool->name, step->op == OP_INFO ? "shows" : "wrote", size,
                    step->truth.shown_size);
        if (!oracle_explained(step, out, judgement))
            return;
    }
}

const struct oracle oracle_truth_size = {
    .type = "truth_size_divergence",
    .rule = "the disk is as large as it was built, but for named roundings",
    .ops = ORACLE_WRITES | ORACLE_OP(OP_INFO),
    .judge = judge,
    .accuses = "The disk is not as large as the input was built.",
    .accuses_by = OPINION_BY_TRUTH,
};
