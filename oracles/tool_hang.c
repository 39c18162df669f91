// SPDX-License-Identifier: Apache-2.0
//
// Time-outs. A deadline under load proves nothing, so the plain judgement only counts them; once
// the run loop has repeated the command alone with ten times the deadline, a slow instar is a
// finding (its own project calls that a bug), a slow qemu-img is not ours to report.
#include "oracles/rule.h"

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    bool late[ORACLE_SIDES];
    for (int i = 0; i < ORACLE_SIDES; i++)
        late[i] = oracle_class(oracle_side_at(step, i)) == OUTCOME_TIMEOUT;
    if (!late[0] && !late[1])
        return;
    if (late[0] && late[1]) {
        oracle_say(out, oracle, VERDICT_INCONCLUSIVE, "timeout_both");
        return;
    }
    const struct oracle_side *slow = oracle_side_at(step, late[1]);
    const struct oracle_side *other = oracle_side_at(step, !late[1]);
    // A tool that hangs waits or works all the time. One that worked for a part of it had to share
    // the machine with others, and might have ended on a quiet one: a hang is what every replay
    // shows.
    if (!step->deadline_is_final || slow->tool->kind != TOOL_INSTAR ||
        (slow->outcome && exec_outcome_starved(slow->outcome))) {
        oracle_say_role(out, oracle, VERDICT_INCONCLUSIVE, "timeout_", slow, "");
        return;
    }
    struct judgement *judgement = oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "", slow, "");
    const char *a = outcome_class_names[oracle_class(slow)];
    const char *b = other->tool && other->ran ? outcome_class_names[oracle_class(other)] : NULL;
    oracle_values(judgement, "outcome", late[0] ? a : b, late[0] ? b : a);
    if (slow->outcome && other->outcome && other->ran)
        oracle_text(judgement, "%s did not finish %s within %.1f s, running alone; %s took %.3f s.",
                    slow->tool->name, operation_names[step->op],
                    (double)slow->outcome->wall_us / 1e6, other->tool->name,
                    (double)other->outcome->wall_us / 1e6);
    else
        oracle_text(judgement, "%s did not finish %s, running alone with the long deadline.",
                    slow->tool->name, operation_names[step->op]);
}

const struct oracle oracle_tool_hang = {
    .type = "tool_hang",
    .rule = "instar does not finish a plain run, alone, with ten times the deadline, while the "
            "other tool does; not where it had to share its core",
    .ops = ORACLE_ALL_OPS,
    .judge = judge,
    .accuses = "The other tool ends, and this one had ten times the deadline.",
    .accuses_by = OPINION_BY_TOOL,
};
