// SPDX-License-Identifier: Apache-2.0
//
// Every option that measure takes for raw and qcow2, of files and of sizes alone: qemu-img, the
// stand-in and the model say the same two numbers, or all three refuse. The command lines are the
// adapters' own.
//
// RUN_MEASURE=COUNT calls.
#include "tests/unit/image_helper.h"

#include "base/bytes.h"
#include "exec/exec.h"
#include "image/content.h"
#include "oracles/model.h"
#include "tool/tool.h"

static char standin[512];

static const char *const file_names[IMAGE_FORMATS] = {"src.raw", "src.qcow2", "src.vpc",
                                                      "src.vmdk"};

struct answer {
    bool refused;
    double required, fully;
};

static void ask(enum tool_kind kind, const char *program, const struct tool_call *call,
                struct answer *answer) {
    const struct tool tool = {.kind = kind};
    struct tool_argv argv;
    struct buffer text = {0};
    tool_argv_build(&tool, call, &argv);
    int status = run_program(program, (char *const *)argv.items, &text);
    if (status != 0 && status != 1)
        fail_msg("%s: exit %d: %s", program, status, text.data);
    answer->refused = status != 0;
    answer->required = json_number(&text, "required");
    answer->fully = json_number(&text, "fully-allocated");
    if (!answer->refused && answer->fully == 0)
        fail_msg("%s: no sizes in: %s", program, text.data);
    buffer_free(&text);
}

static void same(enum tool_kind kind, const char *program, unsigned long index,
                 const struct tool_call *call, const struct answer *expected) {
    struct answer found;
    ask(kind, program, call, &found);
    if (found.refused == expected->refused &&
        (found.refused || (found.required == expected->required && found.fully == expected->fully)))
        return;
    const struct tool tool = {.kind = kind};
    struct tool_argv argv;
    struct buffer words = {0};
    tool_argv_build(&tool, call, &argv);
    tool_argv_words(&argv, program, &words);
    fail_msg("call %lu, %s: %s%.0f %.0f, model: %s%.0f %.0f", index, words.data,
             found.refused ? "refused " : "", found.required, found.fully,
             expected->refused ? "refused " : "", expected->required, expected->fully);
}

static void choose_options(struct random *random, struct tool_call *call) {
    struct target_options *options = &call->options;
    call->target = one_in(random, 4) ? IMAGE_RAW : IMAGE_QCOW2;
    if (call->target == IMAGE_RAW)
        return;
    if (one_in(random, 2))
        options->cluster_bits = 9 + (uint32_t)below(random, 13);
    if (one_in(random, 3))
        options->refcount_bits = 1u << below(random, 7);
    options->extended_l2 = one_in(random, 3);
    options->lazy_refcounts = one_in(random, 3);
    options->preallocation = (uint32_t)below(random, PREALLOCATIONS);
    options->compat = (uint32_t)below(random, 3);
    options->compression = (uint32_t)below(random, 3);
}

// Also at the edge of the largest L1 table: 2^22 entries. Below 2^53, which a double holds exactly.
static uint64_t choose_size(struct random *random, const struct tool_call *call) {
    uint32_t bits = call->options.cluster_bits ? call->options.cluster_bits : 16;
    uint64_t edge = UINT64_C(1) << (22 + 2 * bits - (call->options.extended_l2 ? 4 : 3));
    switch (below(random, 4)) {
    case 0:
        return 1 + below(random, 1 << 20);
    case 1:
        return (UINT64_C(1) << (9 + below(random, 33))) + below(random, 3) * 511;
    case 2:
        return min_u64(edge, UINT64_C(1) << 52) + below(random, 1026) - 513;
    default:
        return 1 + below(random, UINT64_C(1) << 41);
    }
}

// A file with a few writes; gives what a tool must see of it.
static void make_file(struct random *random, struct tool_call *call,
                      struct image_written *written) {
    struct content content = {0};
    struct image_source source;
    struct fault fault = {.text = ""};
    const struct image_options options = {.cluster_bits = 9 + (uint32_t)below(random, 8)};
    call->input_format = (enum image_format)below(random, IMAGE_VMDK + 1);
    call->input = file_names[call->input_format];
    uint64_t size = 512 * (1 + below(random, 20000));
    content_begin(&content, size);
    for (uint64_t left = below(random, 6); left > 0; left--) {
        struct content_extent write = {.offset = below(random, size / 512) * 512,
                                       .length = 1 + below(random, 100000),
                                       .pattern = PATTERN_NOISE,
                                       .seed = (uint8_t)left};
        content_write(&content, &write);
    }
    content_as_source(&content, &source);
    if (image_write(call->input, call->input_format, &options, &source, written, &fault))
        fail_msg("%s", fault.text);
    content_free(&content);
}

static void options_measure_alike_in_three_ways(void **state) {
    (void)state;
    if (!have_qemu_img())
        skip();
    const char *set = getenv("RUN_MEASURE");
    unsigned long count = set ? strtoul(set, NULL, 10) : 60, refused = 0;
    struct image_written written = {0};
    for (unsigned long index = 0; index < count; index++) {
        struct random random = {.state = index};
        struct tool_call call = {.op = OP_MEASURE, .input = "", .input_format = IMAGE_FORMATS};
        struct model_sizes sizes = {0};
        choose_options(&random, &call);
        uint64_t unit = model_target_unit(call.target, &call.options), units = 0;
        uint64_t size;
        call.options.size_only = one_in(&random, 2);
        if (call.options.size_only) {
            size = call.size = choose_size(&random, &call);
        } else {
            make_file(&random, &call, &written);
            size = written.virtual_size;
            units = model_units_touched(&written.map, unit);
        }
        struct answer expected = {
            .refused = !model_measure(call.target, &call.options, size, units, &sizes)};
        expected.required = (double)sizes.required;
        expected.fully = (double)sizes.fully;
        refused += expected.refused;
        same(TOOL_QEMU_IMG, qemu_img(), index, &call, &expected);
        if (*standin)
            same(TOOL_INSTAR, standin, index, &call, &expected);
        if (*call.input)
            unlink(call.input);
    }
    image_written_free(&written);
    print_message("%lu calls, %lu refused\n", count, refused);
    assert_true(count < 60 || (refused > 0 && refused < count / 2));
}

int main(void) {
    struct fault fault;
    if (exec_find_beside("standin/instar", standin, sizeof standin, &fault) != 0)
        *standin = 0;
    if (!*standin)
        print_message("without the stand-in: %s\n", fault.text);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_measure_alike_in_three_ways),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
