// SPDX-License-Identifier: Apache-2.0
//
// What map says of an input against what is known of it: the runs make up the whole disk; a run
// that reads as zero holds no other byte; a run is stored, or there at all, exactly where the
// file's tables (or the host's, of a raw file) have it; and where the tool says at which offset of
// the file it lies, the file has those bytes there. A run that is data and zero is stored space
// that reads as zeros, and no answer to whether the guest's bytes are stored.
#include "oracles/relax.h"
#include "oracles/rule.h"

#include "base/bytes.h"
#include "base/file.h"

#include <string.h>

#define STORED (1u << IMAGE_DATA | 1u << IMAGE_COMPRESSED)
#define THERE  (STORED | 1u << IMAGE_ZERO | 1u << IMAGE_ZERO_ALLOCATED)

// The first place in [from, to) whose state in the truth is one of `states` (wanted), or is none of
// them; `to`: there is no such place.
static uint64_t first_place(const struct image_map *map, uint64_t from, uint64_t to,
                            unsigned states, bool wanted) {
    for (size_t i = 0; i < map->count && from < to; i++) {
        const struct image_extent *extent = &map->extents[i];
        uint64_t end = extent->offset + extent->length;
        if (end <= from)
            continue;
        if (extent->offset > from && !wanted)
            return from; // a hole before it
        from = max_u64(from, extent->offset);
        if (from < to && (states >> extent->state & 1) == wanted)
            return from;
        from = end;
    }
    return wanted ? to : min_u64(from, to);
}

// Single files of these formats name what they hold in tables. In all others, and in a chain, bytes
// that are no data can be there just as well.
static bool tables_tell(const struct oracle_step *step) {
    const struct image_options *built = step->truth.options; // NULL: a tool wrote it
    if (step->truth.layers != 1)
        return false;
    if (step->source == IMAGE_VPC)
        return !built || !built->vpc_fixed;
    if (step->source == IMAGE_VMDK)
        return built && built->vmdk_subformat != VMDK_FLAT &&
               built->vmdk_subformat != VMDK_SPLIT_FLAT;
    return step->source == IMAGE_QCOW2;
}

struct claim {
    const char *detail; // "zero_"
    const char *words;
    uint64_t at; // guest offset
};

static bool says_too_much_zero(const struct oracle_step *step, const struct tool_extent *run,
                               uint64_t end) {
    return run->zero && step->truth.content &&
           !content_is_zero(step->truth.content, run->start, end - run->start);
}

// Is something wrong with the run, which ends at `end` as far as anything is known?
static bool refuted(const struct oracle_step *step, const struct tool *tool,
                    const struct tool_extent *run, uint64_t end, struct claim *claim) {
    const struct image_map *map = step->truth.allocation;
    const struct relax_query query = {step, .tool = tool};
    bool stored = run->data && !run->zero;
    *claim = (struct claim){"zero_", "zeros, where the disk has other bytes", run->start};
    if (says_too_much_zero(step, run, end))
        return true;
    *claim = (struct claim){"data_", "data, where nothing is stored", 0};
    if (stored && !relax_allows(RELAX_MAP_NO_BLOCK_STATUS, &query) &&
        !relax_allows(RELAX_MAP_INSTAR_RAW, &query)) {
        claim->at = first_place(map, run->start, end, STORED, false);
        if (claim->at < end)
            return true;
    }
    *claim = (struct claim){"data_", "no data, where some is stored", 0};
    if (!run->data) {
        claim->at = first_place(map, run->start, end, STORED, true);
        if (claim->at < end)
            return true;
    }
    if (!run->has_present)
        return false;
    *claim = (struct claim){
        "present_", run->present ? "present, where nothing is" : "not present, where something is",
        0};
    if (run->present && (!tables_tell(step) || relax_allows(RELAX_MAP_VPC_PRESENT, &query)))
        return false;
    claim->at = first_place(map, run->start, end, THERE, !run->present);
    return claim->at < end;
}

#define COMPARED 4096u // bytes, at both ends of what lies in one piece

static bool holds(const struct oracle_step *step, uint64_t at, uint64_t file_offset,
                  uint64_t length) {
    uint8_t expected[COMPARED], found[COMPARED];
    content_read(step->truth.content, at, expected, (size_t)length);
    return file_pread(step->input_file->fd, found, (size_t)length, file_offset, NULL) == 0 &&
           memcmp(expected, found, (size_t)length) == 0;
}

// Guest bytes [at, end), of which the tool says that they lie in the file as they are.
static bool lies_there(const struct oracle_step *step, uint64_t at, uint64_t end,
                       uint64_t file_offset) {
    uint64_t length = min_u64(end - at, COMPARED), last;
    return !__builtin_add_overflow(file_offset, end - at - length, &last) &&
           holds(step, at, file_offset, length) && holds(step, end - length, last, length);
}

// Does the run lie elsewhere in the file than it says? What is deflated lies nowhere as it is.
static bool is_elsewhere(const struct oracle_step *step, const struct tool *tool,
                         const struct tool_extent *run, uint64_t end, struct claim *claim) {
    const struct image_map *map = step->truth.allocation;
    const struct relax_query query = {step, .tool = tool};
    if (!run->has_offset || !run->data || run->zero || !step->input_file || !step->truth.content)
        return false;
    *claim = (struct claim){"offset_", "data elsewhere in the file than it lies", 0};
    for (size_t i = 0; i < map->count; i++) {
        const struct image_extent *extent = &map->extents[i];
        uint64_t from = max_u64(extent->offset, run->start), file_offset;
        uint64_t to = min_u64(extent->offset + extent->length, end);
        if (from >= to || !image_state_is_stored(extent->state) ||
            (extent->state == IMAGE_COMPRESSED &&
             relax_allows(RELAX_MAP_INSTAR_COMPRESSED, &query)))
            continue;
        claim->at = from;
        if (extent->state == IMAGE_COMPRESSED ||
            __builtin_add_overflow(run->offset, from - run->start, &file_offset) ||
            !lies_there(step, from, to, file_offset))
            return true;
    }
    return false;
}

static void judge_runs(const struct oracle *oracle, const struct oracle_step *step,
                       const struct oracle_side *side, const struct tool_result *result,
                       struct judgements *out) {
    uint64_t known = step->truth.declared_size; // the rest of a last sector is nobody's
    struct claim claim;
    for (size_t i = 0; i < result->map_count; i++) {
        const struct tool_extent *run = &result->map[i];
        uint64_t end = min_u64(run->start + run->length, known);
        if (run->start >= end || (!refuted(step, side->tool, run, end, &claim) &&
                                  !is_elsewhere(step, side->tool, run, end, &claim)))
            continue;
        struct judgement *judgement =
            oracle_say_role(out, oracle, VERDICT_DIVERGENCE, claim.detail, side, "");
        oracle_text(judgement,
                    "%s maps the %" PRIu64 " bytes from guest offset %" PRIu64 " as %s (at %" PRIu64
                    ").",
                    side->tool->name, run->length, run->start, claim.words, claim.at);
        oracle_explained(step, out, judgement);
        return;
    }
    oracle_say(out, oracle, VERDICT_AGREE, NULL);
}

static void judge_length(const struct oracle *oracle, const struct oracle_step *step,
                         const struct oracle_side *side, int i, uint64_t length,
                         struct judgements *out) {
    struct judgement *judgement =
        oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "length_", side, "");
    oracle_number_of(judgement, "length", i, length);
    oracle_text(judgement, "%s maps %" PRIu64 " bytes of a disk of %" PRIu64 ".", side->tool->name,
                length, step->truth.shown_size);
    oracle_explained(step, out, judgement);
}

// It measured the image a moment ago, so it can open it.
static void judge_refusal(const struct oracle *oracle, const struct oracle_step *step,
                          const struct oracle_side *side, struct judgements *out) {
    const struct relax_query query = {step, .tool = side->tool};
    if (relax_allows(RELAX_MAP_INSTAR_REFUSES, &query)) {
        oracle_say_role(out, oracle, VERDICT_UNSUPPORTED, "beside_refused_", side, "");
        return;
    }
    oracle_text(oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "refused_", side, ""),
                "%s measures the image, but refuses to map it.", side->tool->name);
}

static void judge_side(const struct oracle *oracle, const struct oracle_step *step,
                       const struct oracle_side *side, int i, struct judgements *out) {
    const struct cross_answer *answer = &side->beside[CROSS_MAP];
    if (oracle_gave(side) && answer->result && answer->result->class == OUTCOME_REFUSED) {
        judge_refusal(oracle, step, side, out);
        return;
    }
    const struct tool_result *result = oracle_beside(oracle, out, side, CROSS_MAP);
    if (!result)
        return;
    if (answer->outcome->out_cut) {
        oracle_say_role(out, oracle, VERDICT_INCONCLUSIVE, "beside_cut_off_", side, "");
        return;
    }
    if (result->json_failed) {
        oracle_text(oracle_say_role(out, oracle, VERDICT_DIVERGENCE, "unparsed_", side, ""),
                    "%s did not print map's JSON: %s.", side->tool->name, result->json_problem);
        return;
    }
    const struct tool_extent *last = result->map_count ? &result->map[result->map_count - 1] : NULL;
    uint64_t length = last ? last->start + last->length : 0;
    if (length == step->truth.shown_size) {
        if (step->truth.allocation)
            judge_runs(oracle, step, side, result, out);
        return;
    }
    // Who is known to take the image for another one in measure does so here.
    if (!oracle_leaves_out_known(oracle, out, side))
        judge_length(oracle, step, side, i, length, out);
}

static void judge(const struct oracle *oracle, const struct oracle_step *step,
                  struct judgements *out) {
    oracle_each_side(oracle, step, out, judge_side);
}

const struct oracle oracle_map_truth = {
    .type = "map_divergence",
    .rule = "map says of the whole disk what is stored, where, what is there and what is zero, as "
            "it was built",
    .ops = ORACLE_OP(OP_MEASURE),
    .no_answer = true,
    .beside = 1u << CROSS_MAP,
    .by_turn = true,
    .judge = judge,
    .accuses = "The image was built otherwise.",
    .accuses_by = OPINION_BY_TRUTH,
};
