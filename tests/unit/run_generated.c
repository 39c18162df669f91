// SPDX-License-Identifier: Apache-2.0
//
// Generated cases, built as the harness builds them: chains of files, snapshots, every layout that
// the encoding can ask for. Each is held against what the harness claims to know of it: our reader
// through the whole chain must give the content, `qemu-img check` must find the file clean,
// `qemu-img convert` must produce the content of the disk and of each snapshot, and `qemu-img
// measure` must count what the truth says is allocated. (Writers on their own, with options that no
// case asks for, are image_generated's.)
//
// run_generated [COUNT [FORMAT [INDEX]]]; or CASES_GENERATED=COUNT cases of each format and
// CASES_GENERATED_SEED=SEED. A case follows from seed, format and index alone. What qemu-img is
// known to do otherwise (docs/findings.md) is counted apart, never passed over in silence.
#include "tests/unit/image_helper.h"
#include "tests/unit/image_judge.h"

#include "base/bytes.h"
#include "image/compare.h"
#include "materialize.h"
#include "oracles/model.h"
#include "testcase/fields.h"

#include <math.h>

#define DEFAULT_COUNT 25
#define DEFAULT_SEED  1
#define MAX_WRITES    10

static unsigned long count = DEFAULT_COUNT, only_index;
static unsigned long long seed = DEFAULT_SEED;
static const char *only_format;
static bool only_one;

// --- what a case is made from --------------------------------------------------------------------

// A field keeps its default more often than not, so that features meet in pairs and not all at
// once.
static void choose_fields(struct random *random, enum case_record kind, void *record,
                          uint64_t keep) {
    for (size_t i = 0; i < case_field_count; i++)
        if (case_fields[i].record == kind && below(random, 100) >= keep)
            case_field_set(&case_fields[i], record,
                           case_field_value(&case_fields[i], (uint32_t)next_random(random)));
}

static void make_case(struct testcase *testcase, enum image_format format, unsigned long index) {
    struct random random = {seed * 1000003 + (uint64_t)format * 7919 + index * 104729};
    next_random(&random);
    case_decode(testcase, NULL, 0);
    choose_fields(&random, RECORD_HEADER, testcase, 60);
    testcase->format = format;
    testcase->write_count = (uint32_t)below(&random, MAX_WRITES + 1);
    for (uint32_t i = 0; i < testcase->write_count; i++) {
        case_record_defaults(RECORD_WRITE, &testcase->writes[i]);
        choose_fields(&random, RECORD_WRITE, &testcase->writes[i], 30);
    }
}

// --- the judges: 0, or -1 with the reason --------------------------------------------------------

struct subject {
    struct testcase testcase;
    struct material material;
    struct buffer text;
};

static int judge_own_reader(struct subject *subject, struct fault *fault) {
    const struct truth *truth = &subject->material.truth;
    struct image *image;
    if (image_open(&image, subject->material.name, truth->format, fault))
        return -1;
    int result =
        image->virtual_size == truth->declared_size
            ? 0
            : fault_set(fault, "declared %llu, read %llu", (unsigned long long)truth->declared_size,
                        (unsigned long long)image->virtual_size);
    if (result == 0 && image_open_backing(image, fault))
        result = -1;
    if (result == 0)
        result = judge_content(truth->content, image, true, fault);
    for (size_t i = 0; result == 0 && i < truth->snapshot_count; i++) {
        result = image_choose_snapshot(image, case_snapshot_id((uint32_t)i), fault);
        if (result == 0 && image->virtual_size != truth->snapshots[i].size)
            result = fault_set(fault, "snapshot %zu has %llu bytes", i + 1,
                               (unsigned long long)image->virtual_size);
        if (result == 0 && judge_content(&truth->snapshots[i], image, true, fault))
            result = fault_prefix(fault, "snapshot %zu: ", i + 1);
    }
    image_close(image);
    return result;
}

static int judge_check(struct subject *subject, struct fault *fault) {
    const struct truth *truth = &subject->material.truth;
    char *argv[] = {"qemu-img",
                    "check",
                    "-f",
                    (char *)image_driver(truth->format)->name,
                    subject->material.name,
                    NULL};
    int status = run_qemu_img(argv, &subject->text);
    // 63: raw, vpc and flat files have nothing to check.
    if (status != 0 && status != 63)
        return fault_set(fault, "qemu-img check: exit %d: %.300s", status, subject->text.data);
    return 0;
}

// One disk of the file: the active one (`id` NULL) or a snapshot.
static int judge_convert(struct subject *subject, const char *id, const struct content *content,
                         uint64_t shown_size, struct fault *fault) {
    const char *format = image_driver(subject->material.truth.format)->name;
    char *argv[12] = {"qemu-img", "convert", "-f", (char *)format, "-O", "raw"};
    size_t used = 6;
    if (id) {
        argv[used++] = "-l";
        argv[used++] = (char *)id;
    }
    argv[used++] = subject->material.name;
    argv[used++] = "converted.raw";
    int status = run_qemu_img(argv, &subject->text);
    if (status != 0)
        return fault_set(fault, "qemu-img convert: exit %d: %.300s", status, subject->text.data);
    struct image *image;
    if (image_open(&image, "converted.raw", IMAGE_RAW, fault) < 0)
        return -1;
    int result =
        image->virtual_size == shown_size
            ? judge_content(content, image, true, fault)
            : fault_set(fault, "%llu bytes instead of %llu",
                        (unsigned long long)image->virtual_size, (unsigned long long)shown_size);
    image_close(image);
    unlink("converted.raw");
    return result < 0 ? fault_prefix(fault, "qemu-img convert: ") : 0;
}

static int judge_converts(struct subject *subject, struct fault *fault) {
    const struct truth *truth = &subject->material.truth;
    if (judge_convert(subject, NULL, truth->content, truth->shown_size, fault))
        return -1;
    for (size_t i = 0; i < truth->snapshot_count; i++)
        // Of the active disk's size, whatever its own is (docs/findings.md).
        if (judge_convert(subject, case_snapshot_id((uint32_t)i), &truth->snapshots[i],
                          truth->shown_size, fault))
            return fault_prefix(fault, "snapshot %zu: ", i + 1);
    return 0;
}

// Only the number of clusters that hold data is asked for; the rest is the model's own test.
static int judge_measure(struct subject *subject, struct fault *fault) {
    const struct truth *truth = &subject->material.truth;
    char *argv[] = {"qemu-img",
                    "measure",
                    "--output=json",
                    "-f",
                    (char *)image_driver(truth->format)->name,
                    "-O",
                    "qcow2",
                    subject->material.name,
                    NULL};
    struct model_sizes sizes;
    struct target_options options = {0};
    uint64_t units = truth->format == IMAGE_VHDX ? div_up(truth->shown_size, 65536)
                                                 : model_units_touched(truth->allocation, 65536);
    int status = run_qemu_img(argv, &subject->text);
    if (status != 0)
        return fault_set(fault, "qemu-img measure: exit %d: %.300s", status, subject->text.data);
    if (!model_measure(IMAGE_QCOW2, &options, truth->shown_size, units, &sizes))
        return fault_set(fault, "the model has no answer");
    double required = json_number(&subject->text, "required");
    if (fabs(required - (double)sizes.required) > 0.5)
        return fault_set(fault, "qemu-img measures %.0f, the model %llu", required,
                         (unsigned long long)sizes.required);
    return 0;
}

static void remove_files(const struct material *material) {
    for (size_t i = 0; i < material->file_count; i++)
        unlink(material->files[i].name);
}

// --- one case, all cases -------------------------------------------------------------------------

static int judge(struct subject *subject, bool have_qemu, struct fault *fault) {
    int result = material_build(&subject->material, &subject->testcase, ".", fault);
    if (result == 0)
        result = judge_own_reader(subject, fault);
    if (result == 0 && have_qemu &&
        (judge_check(subject, fault) || judge_converts(subject, fault) ||
         judge_measure(subject, fault)))
        result = -1;
    if (only_one)
        print_message("the files are in %s\n", scratch_directory);
    else
        remove_files(&subject->material);
    return result;
}

static bool vhdx_takes_too_long(const struct testcase *testcase) {
    struct testcase layer;
    for (uint32_t i = 0; i < case_layers(testcase); i++) {
        case_layer(testcase, i, &layer);
        if (layer.format == IMAGE_VHDX && case_virtual_size(&layer) > 256u << 20)
            return true;
    }
    return false;
}

static void generated_cases_are_what_they_claim(void **state) {
    enum image_format format = *(enum image_format *)*state;
    const char *name = image_driver(format)->name;
    if (only_format && strcmp(only_format, name) != 0)
        skip();
    bool have_qemu = have_qemu_img();
    struct subject subject = {0};
    unsigned long good = 0, bad = 0, left_out = 0;
    for (unsigned long i = only_one ? only_index : 0; i < (only_one ? only_index + 1 : count);
         i++) {
        struct fault fault = {.text = ""};
        make_case(&subject.testcase, format, i);
        if (vhdx_takes_too_long(&subject.testcase)) {
            left_out++;
            continue;
        }
        int result = judge(&subject, have_qemu, &fault);
        good += result == 0;
        bad += result < 0;
        if (result < 0 || only_one) {
            struct buffer text = {0};
            case_describe(&subject.testcase, &text);
            print_message("%s seed %llu index %lu: %s\n%s", name, seed, i, fault.text, text.data);
            buffer_free(&text);
        }
    }
    print_message("%s: seed %llu, %lu good, %lu bad, %lu left out (vhdx of more than 256 MiB)%s\n",
                  name, seed, good, bad, left_out,
                  have_qemu ? "" : " (no qemu-img: own reader only)");
    material_free(&subject.material);
    buffer_free(&subject.text);
    assert_int_equal(bad, 0);
    if (!have_qemu)
        skip();
}

int main(int argc, char **argv) {
    static enum image_format formats[IMAGE_FORMATS] = {IMAGE_RAW, IMAGE_QCOW2, IMAGE_VPC,
                                                       IMAGE_VMDK, IMAGE_VHDX};
    const char *set = getenv("CASES_GENERATED");
    count = argc > 1 ? strtoul(argv[1], NULL, 10) : set ? strtoul(set, NULL, 10) : DEFAULT_COUNT;
    only_format = argc > 2 ? argv[2] : NULL;
    only_one = argc > 3;
    only_index = only_one ? strtoul(argv[3], NULL, 10) : 0;
    set = getenv("CASES_GENERATED_SEED");
    seed = set ? strtoull(set, NULL, 10) : DEFAULT_SEED;

#define OF_FORMAT(i)                                                                               \
    {                                                                                              \
        .name = "generated_cases_are_what_they_claim",                                             \
        .test_func = generated_cases_are_what_they_claim, .initial_state = &formats[i]             \
    }
    const struct CMUnitTest tests[] = {OF_FORMAT(0), OF_FORMAT(1), OF_FORMAT(2), OF_FORMAT(3),
                                       OF_FORMAT(4)};
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
