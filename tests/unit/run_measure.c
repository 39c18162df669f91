// SPDX-License-Identifier: Apache-2.0
//
// The same number from three places that share no arithmetic: `required` of images with
// subclusters, by qemu-img, by the stand-in and by the model from what the writer says it wrote. A
// writer that misstates its allocation by one subcluster shows here.
//
// RUN_MEASURE=COUNT images.
#include "tests/unit/image_helper.h"

#include "base/bytes.h"
#include "exec/exec.h"
#include "image/content.h"
#include "oracles/model.h"

#define FILE_NAME "source.qcow2"

static char standin[512];

struct measured {
    double required, fully;
};

static bool measured_by(const char *program, char *const argv[], struct measured *sizes) {
    struct buffer text = {0};
    int status = run_program(program, argv, &text);
    if (status != 0)
        print_error("%s: exit %d: %s\n", program, status, text.data);
    sizes->required = json_number(&text, "required");
    sizes->fully = json_number(&text, "fully-allocated");
    buffer_free(&text);
    return status == 0;
}

static bool measured_by_qemu_img(const struct target_options *options, struct measured *sizes) {
    char given[64];
    snprintf(given, sizeof given, "cluster_size=%u%s", 1u << options->cluster_bits,
             options->extended_l2 ? ",extended_l2=on" : "");
    char *argv[] = {"qemu-img", "measure", "--output=json", "-f",      "qcow2", "-O",
                    "qcow2",    "-o",      given,           FILE_NAME, NULL};
    return measured_by(qemu_img(), argv, sizes);
}

static bool measured_by_standin(const struct target_options *options, struct measured *sizes) {
    char cluster[16];
    snprintf(cluster, sizeof cluster, "%u", 1u << options->cluster_bits);
    char *argv[] = {"instar",         "measure", "--output", "json", "-O", "qcow2",
                    "--cluster-size", cluster,   FILE_NAME,  NULL,   NULL};
    if (options->extended_l2)
        argv[9] = "--extended-l2";
    return measured_by(standin, argv, sizes);
}

static void same(const char *who, unsigned long index, const struct target_options *options,
                 const struct model_sizes *model, const struct measured *found) {
    if ((double)model->required != found->required || (double)model->fully != found->fully)
        fail_msg("image %lu, clusters of 2^%u, extended %u: model %llu %llu, %s %.0f %.0f", index,
                 options->cluster_bits, options->extended_l2, (unsigned long long)model->required,
                 (unsigned long long)model->fully, who, found->required, found->fully);
}

static void judge(unsigned long index, const struct image_written *written,
                  const struct target_options *options) {
    struct model_sizes model;
    struct measured found;
    uint64_t unit = model_target_unit(IMAGE_QCOW2, options);
    assert_true(model_measure(IMAGE_QCOW2, options, written->virtual_size,
                              model_units_touched(&written->map, unit), &model));
    assert_true(measured_by_qemu_img(options, &found));
    same("qemu-img", index, options, &model, &found);
    if (*standin) {
        assert_true(measured_by_standin(options, &found));
        same("the stand-in", index, options, &model, &found);
    }
}

// Mostly single subclusters, in all forms; every other image has a compressed cluster or two.
static void scatter(struct random *random, struct content *content, uint64_t unit) {
    uint64_t part = unit / 32, parts = content->size / part + 1;
    for (uint64_t left = 1 + below(random, 24); left > 0; left--) {
        struct content_extent write = {
            .offset = below(random, parts) * part + below(random, 2) * below(random, part),
            .length = 1 + below(random, (1 + below(random, 3)) * part),
            .pattern = (enum content_pattern)below(random, CONTENT_PATTERNS),
            .form =
                one_in(random, 2) ? FORM_NORMAL : (enum content_form)below(random, CONTENT_FORMS),
            .seed = (uint8_t)left,
        };
        if (write.offset < content->size)
            content_write(content, &write);
    }
}

static void subclusters_measure_alike_in_three_ways(void **state) {
    (void)state;
    if (!have_qemu_img())
        skip();
    const char *set = getenv("RUN_MEASURE");
    unsigned long count = set ? strtoul(set, NULL, 10) : 30;
    struct content content = {0};
    struct image_written written = {0};
    struct image_source source;
    struct fault fault = {.text = ""};
    for (unsigned long index = 0; index < count; index++) {
        struct random random = {.state = index};
        struct image_options options = {.cluster_bits = 14 + (uint32_t)below(&random, 8),
                                        .extended_l2 = true,
                                        .compression = (enum qcow2_compression)below(&random, 2)};
        options.stale_subclusters = one_in(&random, 2);
        uint64_t unit = 1ull << options.cluster_bits;
        // Small, or more than one L2 table: what an entry's width changes.
        uint64_t clusters = one_in(&random, 2) ? 12 : 5000;
        content_begin(&content, below(&random, clusters * unit));
        scatter(&random, &content, unit);
        content_as_source(&content, &source);
        if (image_write(FILE_NAME, IMAGE_QCOW2, &options, &source, &written, &fault))
            fail_msg("%s", fault.text);
        struct target_options target = {.cluster_bits = 9 + (uint32_t)below(&random, 13)};
        judge(index, &written, &target);
        target = (struct target_options){.cluster_bits = options.cluster_bits, .extended_l2 = 1};
        judge(index, &written, &target);
        unlink(FILE_NAME);
    }
    content_free(&content);
    image_written_free(&written);
}

int main(void) {
    struct fault fault;
    if (exec_find_beside("standin/instar", standin, sizeof standin, &fault) != 0)
        *standin = 0;
    if (!*standin)
        print_message("without the stand-in: %s\n", fault.text);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subclusters_measure_alike_in_three_ways),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
