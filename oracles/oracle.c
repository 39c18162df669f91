// SPDX-License-Identifier: Apache-2.0
//
// The table of rules in order of precedence, the loop that asks them, and the signature that every
// report, file name and issue title is made from.
#include "oracles/oracle.h"

#include "oracles/rule.h"

#include <stdio.h>
#include <string.h>

const char *const verdict_names[VERDICTS] = {
    [VERDICT_AGREE] = "agree",
    [VERDICT_DIVERGENCE] = "divergence",
    [VERDICT_KNOWN] = "known",
    [VERDICT_INCONCLUSIVE] = "inconclusive",
    [VERDICT_UNSUPPORTED] = "unsupported",
    [VERDICT_UNAVAILABLE] = "unavailable",
};

// First who gave a result at all, then whether the tools agree with each other, then whether each
// agrees with the truth.
const struct oracle *const oracles[] = {
    &oracle_availability,
    &oracle_source_modified,
    &oracle_tool_hang,
    &oracle_tool_crash,
    &oracle_exit_code,
    &oracle_measure_json,
    &oracle_measure_numeric,
    &oracle_measure_bitmaps_presence,
    &oracle_measure_bitmaps_value,
    &oracle_measure_above,
    &oracle_measure_below,
    &oracle_measure_contract,
    &oracle_map_truth,
    &oracle_map_measure,
    &oracle_convert_content,
    &oracle_info_output,
    &oracle_truth_content,
    &oracle_truth_size,
    &oracle_output_kind,
    &oracle_check,
    &oracle_measure_growth,
    &oracle_tool_compare,
    &oracle_check_damage,
    &oracle_must_refuse,
    &oracle_third_reader,
    &oracle_writer_size,
    NULL,
};

const struct oracle *oracle_named(const char *type) {
    for (size_t i = 0; oracles[i]; i++)
        if (strcmp(oracles[i]->type, type) == 0)
            return oracles[i];
    return NULL;
}

const struct oracle *oracle_of_signature(const char *signature) {
    for (size_t i = 0; oracles[i]; i++) {
        size_t length = strlen(oracles[i]->type);
        if (strncmp(oracles[i]->type, signature, length) == 0 && signature[length] == '-')
            return oracles[i];
    }
    return NULL;
}

bool oracle_diverged(const struct judgements *out, size_t from) {
    for (size_t i = from; i < out->count; i++)
        if (out->items[i].verdict == VERDICT_DIVERGENCE)
            return true;
    return false;
}

// Does a divergence keep this rule from being asked?
static bool is_hidden(const struct judgements *out, const struct oracle *oracle) {
    for (size_t i = 0; i < out->count; i++) {
        const struct oracle *by = out->items[i].oracle;
        bool passed = out->past_turns && by->by_turn && !(by->beside & oracle->beside);
        if (out->items[i].verdict == VERDICT_DIVERGENCE && !passed)
            return true;
    }
    return false;
}

void oracle_judge(const struct oracle_step *step, struct judgements *out) {
    out->content = CONTENT_NOT_ASKED;
    bool sought = out->sought && out->sought->ops & ORACLE_OP(step->op);
    for (size_t i = 0; oracles[i]; i++) {
        if (!(oracles[i]->ops & ORACLE_OP(step->op)) || (!sought && is_hidden(out, oracles[i])))
            continue;
        oracles[i]->judge(oracles[i], step, out);
        for (size_t j = 0; j < out->count; j++)
            if (out->items[j].oracle == oracles[i] && out->items[j].verdict == VERDICT_DIVERGENCE)
                oracle_explained(step, out, &out->items[j]);
        sought = sought && oracles[i] != out->sought;
    }
}

struct judgement *oracle_say(struct judgements *out, const struct oracle *oracle,
                             enum verdict verdict, const char *detail_or_reason) {
    bool full = out->count == ORACLE_MAX_JUDGEMENTS;
    out->count += !full;
    struct judgement *judgement =
        full && verdict != VERDICT_DIVERGENCE ? &out->unkept : &out->items[out->count - 1];
    *judgement = (struct judgement){.oracle = oracle, .verdict = verdict};
    if (!detail_or_reason)
        return judgement;
    bool detail = verdict == VERDICT_DIVERGENCE || verdict == VERDICT_KNOWN;
    snprintf(detail ? judgement->detail : judgement->reason,
             detail ? sizeof judgement->detail : sizeof judgement->reason, "%s", detail_or_reason);
    return judgement;
}

// A part may hold letters of one case, digits and '_' only: whatever else a tool's member name
// brought along must not split a part or reach a shell, a path or an issue title.
static size_t signature_part(const char *part, char *out, size_t room, size_t used) {
    if (!*part)
        part = "none";
    for (; *part && used + 1 < room; part++) {
        char c = *part;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        out[used++] = plain ? c : '_';
    }
    return used;
}

static const char *format_part(enum image_format format) {
    return format < IMAGE_FORMATS ? image_driver(format)->name : "none";
}

void oracle_signature(const struct oracle_step *step, const struct judgement *judgement, char *out,
                      size_t room) {
    const char *parts[] = {
        judgement->oracle->type,   operation_names[step->op], format_part(step->source),
        format_part(step->target), judgement->detail,
    };
    size_t used = 0;
    if (!room)
        return;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (i && used + 1 < room)
            out[used++] = '-';
        used = signature_part(parts[i], out, room, used);
    }
    out[used] = 0;
}
