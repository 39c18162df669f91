// SPDX-License-Identifier: Apache-2.0
//
// Known divergences: what makes one known, what must stay new, and what the file may not say.
#include "oracles_step.h"

#include "oracles/model.h"
#include "oracles/predict.h"
#include "oracles/registry.h"

static struct registry *load(const char *text) {
    struct registry *registry = NULL;
    struct fault fault = {{0}};
    if (registry_load_text(&registry, text, strlen(text), "known.json", &fault) < 0)
        fail_msg("%s", fault.text);
    return registry;
}

#define ENTRY(id, tool, other, predict)                                                            \
    ENTRY_PROVED(id, tool, other, predict, "raw-without-seek-hole", "{\"format\":\"raw\"}")
#define ENTRY_PROVED(id, tool, other, predict, lie, proof)                                         \
    "{\"id\":\"" id "\",\"type\":\"measure_numeric_divergence\",\"op\":\"measure\","               \
    "\"source\":[\"raw\"],\"target\":[\"raw\",\"qcow2\"],\"when\":[\"holes\"],\"tool\":" tool      \
    ",\"other\":" other ",\"field\":\"required\",\"predict\":" predict                             \
    ",\"reason\":\"because\",\"link\":\"\",\"date\":\"2026-02-28\","                               \
    "\"lie\":\"" lie "\",\"case\":" proof "}"
#define FILE_OF(entries) "{\"version\":1,\"entries\":[" entries "]}"
#define INSTAR           "{\"name\":\"instar\",\"versions\":\"any\"}"
#define QEMU_IMG         "{\"name\":\"qemu_img\",\"versions\":\">=7.0 <11\"}"
#define GOOD             ENTRY("raw-holes", INSTAR, QEMU_IMG, "\"instar_raw_measure\"")

// instar counts all 16 clusters of an empty raw file of 1 MiB, qemu-img none.
static void holes_begin(struct bench *bench, const struct registry *registry) {
    bench_begin(bench, OP_MEASURE);
    bench_measure(&bench->a_result, 1376256, 1376256);
    bench_measure(&bench->b_result, 327680, 1376256);
    bench->said.registry = registry;
}

static void the_predicted_value_is_known(void **state) {
    (void)state;
    struct registry *registry = load(FILE_OF(GOOD));
    struct bench bench;
    holes_begin(&bench, registry);
    bench_judge(&bench);
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    const struct judgement *known = bench_find(&bench, "measure_numeric_divergence", VERDICT_KNOWN);
    assert_non_null(known);
    assert_string_equal(known->known_id, "raw-holes");
    // It did not hide what comes after it.
    assert_non_null(bench_find(&bench, "measure_bitmaps_presence_divergence", VERDICT_AGREE));
    bench_end(&bench);
    registry_free(registry);
}

static void any_other_value_in_the_same_place_is_new(void **state) {
    (void)state;
    struct registry *registry = load(FILE_OF(GOOD));
    struct bench bench;
    holes_begin(&bench, registry);
    bench.a_result.measure.required = 1376256 - 65536;
    bench_diverges(&bench, "measure_numeric_divergence", "required");
    // The predicted value against an answer that is wrong itself is new as well.
    bench.a_result.measure.required = 1376256;
    bench.b_result.measure.required = 327680 + 65536;
    bench_diverges(&bench, "measure_numeric_divergence", "required");
    // A second number that differs behind the known one is not swallowed.
    bench.b_result.measure.required = 327680;
    bench.b_result.measure.fully = 1;
    bench_diverges(&bench, "measure_numeric_divergence", "fully_allocated");
    bench_end(&bench);
    registry_free(registry);
}

static void a_right_answer_is_never_the_known_deviation(void **state) {
    (void)state;
    struct registry *registry = load(FILE_OF(GOOD));
    struct bench bench;
    holes_begin(&bench, registry);
    // All clusters are touched, but not full: counting all of them is right.
    for (uint64_t at = 0; at < 1 MIB; at += 65536)
        image_map_add(&bench.map, at, 4096, IMAGE_DATA);
    bench_diverges(&bench, "measure_numeric_divergence", "required");
    bench_end(&bench);
    registry_free(registry);
}

static void the_case_must_match(void **state) {
    (void)state;
    struct registry *registry = load(FILE_OF(GOOD));
    struct bench bench;
    holes_begin(&bench, registry);
    bench.step.source = IMAGE_VMDK;
    bench_diverges(&bench, "measure_numeric_divergence", "required");
    bench.step.source = IMAGE_RAW;
    image_map_add(&bench.map, 0, 1 MIB, IMAGE_DATA); // no holes
    bench_diverges(&bench, "measure_numeric_divergence", "required");
    bench_end(&bench);
    registry_free(registry);
}

static void the_tools_must_match(void **state) {
    (void)state;
    struct registry *registry = load(FILE_OF(GOOD));
    struct bench bench;
    holes_begin(&bench, registry);
    bench.instar.is_standin = true; // a lying stand-in is never excused as instar
    bench_diverges(&bench, "measure_numeric_divergence", "required");
    bench.instar.played_version = 300; // unless it says that it plays instar
    expect_known(&bench, "raw-holes");
    bench.instar.is_standin = false;
    bench.qemu_img.version_number = 110000;
    bench_diverges(&bench, "measure_numeric_divergence", "required");
    bench.qemu_img.version_number = 0; // unknown
    bench_diverges(&bench, "measure_numeric_divergence", "required");
    bench.qemu_img.version_number = 69999;
    bench_diverges(&bench, "measure_numeric_divergence", "required");
    bench.qemu_img.version_number = 70000;
    bench_judge(&bench);
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    bench_end(&bench);
    registry_free(registry);
}

static void the_sides_may_be_exchanged(void **state) {
    (void)state;
    struct registry *registry = load(FILE_OF(GOOD));
    struct bench bench;
    holes_begin(&bench, registry);
    struct oracle_side a = bench.step.a;
    bench.step.a = bench.step.b;
    bench.step.b = a;
    bench_judge(&bench);
    assert_int_equal(bench_count(&bench, VERDICT_KNOWN), 1);
    bench_end(&bench);
    registry_free(registry);
}

static void an_unexplained_entry_makes_nothing_known(void **state) {
    (void)state;
    struct registry *registry =
        load(FILE_OF(ENTRY_PROVED("open", INSTAR, QEMU_IMG, "null", "", "null")));
    struct bench bench;
    holes_begin(&bench, registry);
    bench_diverges(&bench, "measure_numeric_divergence", "required");
    struct buffer list = {0};
    registry_list(registry, &list);
    assert_non_null(strstr(list.data, "UNEXPLAINED"));
    buffer_free(&list);
    bench_end(&bench);
    registry_free(registry);
}

static const struct {
    const char *text, *says;
} bad_files[] = {
    {"{", "is not JSON"},
    {FILE_OF("") " x", "is not JSON"},
    {"{\"version\":2,\"entries\":[]}", "\"version\" must be 1"},
    {"{\"version\":1}", "\"entries\" is missing"},
    {"{\"version\":1,\"entries\":[],\"more\":1}", "\"more\""},
    {"{\"version\":1,\"entries\":[],\"entries\":[]}", "\"entries\" is unknown, of a wrong kind or"},
    {"{\"version\":1,\"version\":1,\"entries\":[]}", "\"version\" is unknown, of a wrong kind or"},
    {FILE_OF("1"), "entry \"#1\" is no object"},
    {FILE_OF("{}"), "entry \"#1\": member \"id\": is missing"},
    {FILE_OF("{\"id\":\"x\"}"), "entry \"x\": member \"type\": is missing"},
    {FILE_OF("{\"id\":\"x\",\"colour\":1}"), "entry \"x\": member \"colour\": is unknown"},
    {FILE_OF("{\"id\":\"x\",\"id\":\"x\"}"), "entry \"x\": member \"id\": occurs twice"},
    {FILE_OF("{\"id\":\"\"}"), "must not be empty"},
    {FILE_OF("{\"id\":\"x\",\"type\":\"no_such\"}"), "member \"type\": is no oracle type"},
    {FILE_OF("{\"id\":\"x\",\"op\":\"fly\"}"), "member \"op\": has an unknown name"},
    {FILE_OF("{\"id\":\"x\",\"source\":[]}"), "member \"source\": is an empty list"},
    {FILE_OF("{\"id\":\"x\",\"target\":[\"any\"]}"), "member \"target\": has an unknown name"},
    {FILE_OF("{\"id\":\"x\",\"when\":[\"moon\"]}"), "member \"when\": has an unknown feature"},
    {FILE_OF("{\"id\":\"x\",\"predict\":\"luck\"}"), "member \"predict\": is no predictor"},
    {FILE_OF("{\"id\":\"x\",\"case\":\"raw\"}"), "member \"case\": must be the text form"},
    {FILE_OF("{\"id\":\"x\",\"case\":{\"format\":\"vdi\"}}"), "member \"case\": format must be"},
    {FILE_OF("{\"id\":\"x\",\"date\":\"2026-02-29\"}"), "member \"date\": must be a date"},
    {FILE_OF("{\"id\":\"x\",\"date\":\"26-2-1\"}"), "member \"date\": must be a date"},
    {FILE_OF("{\"id\":\"x\",\"date\":\"2026-13-01\"}"), "member \"date\": must be a date"},
    {FILE_OF("{\"id\":\"x\",\"tool\":{\"name\":\"instar\"}}"), "needs \"name\" and \"versions\""},
    {FILE_OF("{\"id\":\"x\",\"tool\":{\"name\":\"ed\",\"versions\":\"any\"}}"), "name must be"},
    {FILE_OF("{\"id\":\"x\",\"tool\":{\"name\":\"any\",\"versions\":\"7\"}}"), "versions must be"},
    {FILE_OF("{\"id\":\"x\",\"tool\":{\"name\":\"any\",\"versions\":\">=7.x\"}}"),
     "versions must be"},
    {FILE_OF("{\"id\":\"x\",\"tool\":{\"name\":\"any\",\"versions\":\"\"}}"), "versions must be"},
    {FILE_OF(ENTRY_PROVED("x", INSTAR, QEMU_IMG, "null", "", "{}")),
     "member \"case\": must be null"},
    {FILE_OF(ENTRY_PROVED("x", INSTAR, QEMU_IMG, "\"refused\"", "y", "null")),
     "\"case\": may be null"},
    {FILE_OF(ENTRY_PROVED("x", QEMU_IMG, INSTAR, "\"refused\"", "y", "{}")), "\"lie\": is for a"},
    {FILE_OF(ENTRY_PROVED("x", INSTAR, QEMU_IMG, "\"refused\"", "", "{}")), "\"lie\": must name"},
    {FILE_OF(GOOD "," GOOD), "entry \"raw-holes\": member \"id\": occurs twice"},
};

static void a_bad_entry_is_an_error_that_names_the_place(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
        struct registry *registry = NULL;
        struct fault fault = {{0}};
        const char *text = bad_files[i].text;
        assert_int_equal(registry_load_text(&registry, text, strlen(text), "k.json", &fault), -1);
        assert_null(registry);
        if (strncmp(fault.text, "k.json: ", 8) != 0 || !strstr(fault.text, bad_files[i].says))
            fail_msg("\"%s\" does not say \"%s\"", fault.text, bad_files[i].says);
    }
}

static void a_missing_file_is_an_error(void **state) {
    (void)state;
    struct registry *registry = NULL;
    struct fault fault = {{0}};
    assert_int_equal(registry_load(&registry, "/nonexistent/known.json", &fault), -1);
    assert_non_null(strstr(fault.text, "/nonexistent/known.json"));
}

static void the_file_of_the_repository_is_good(void **state) {
    (void)state;
    struct registry *registry = built_in();
    struct buffer list = {0};
    assert_true(registry_count(registry) > 10);
    registry_list(registry, &list);
    assert_non_null(strstr(list.data, "qemu-img-vmdk-empty-flat-aborts"));
    buffer_free(&list);
    registry_free(registry);
}

static uint64_t required_of(const struct bench *bench, uint64_t size, uint64_t units) {
    struct model_sizes sizes = {0};
    model_measure(bench->step.target, &bench->step.options, size, units, &sizes);
    return sizes.required;
}

static void a_raw_length_is_predicted_for_each_operation(void **state) {
    (void)state;
    struct registry *registry = built_in();
    struct bench bench;
    holes_begin(&bench, registry);
    bench.step.target = IMAGE_RAW;
    bench_size(&bench, 1000000);
    bench.step.truth.shown_size = 1000448;
    image_map_add(&bench.map, 0, 1000000, IMAGE_DATA);
    bench_measure(&bench.a_result, 1 MIB, 1 MIB);
    bench_measure(&bench.b_result, 1000448, 1000448);
    expect_known(&bench, "instar-raw-length-required");
    expect_known(&bench, "instar-raw-length-fully");
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    bench_end(&bench);
    registry_free(registry);
}

static void zero_clusters_and_block_scans_are_predicted(void **state) {
    (void)state;
    struct registry *registry = built_in();
    struct bench bench;
    holes_begin(&bench, registry);
    bench.step.source = IMAGE_QCOW2;
    image_map_add(&bench.map, 0, 65536, IMAGE_DATA);
    image_map_add(&bench.map, 131072, 131072, IMAGE_ZERO);
    bench.b_result.measure.required = required_of(&bench, 1 MIB, 1);
    bench.a_result.measure.required = required_of(&bench, 1 MIB, 3);
    expect_known(&bench, "instar-qcow2-zero-flag-counted");

    // One subcluster of 2 KiB in each of three clusters: added up, they are one cluster.
    bench.built.extended_l2 = true;
    bench.step.truth.extended_l2 = true;
    bench.step.truth.unit = 65536;
    image_map_clear(&bench.map);
    image_map_add(&bench.map, 2048, 2048, IMAGE_DATA);
    image_map_add(&bench.map, 65536, 2048, IMAGE_DATA);
    image_map_add(&bench.map, 67584, 2048, IMAGE_ZERO_ALLOCATED); // not counted there
    image_map_add(&bench.map, 262144, 2048, IMAGE_DATA);
    bench.b_result.measure.required = required_of(&bench, 1 MIB, 3);
    bench.a_result.measure.required = required_of(&bench, 1 MIB, 1);
    expect_known(&bench, "instar-qcow2-subclusters-required");
    bench.a_result.measure.required = required_of(&bench, 1 MIB, 2);
    bench_diverges(&bench, "measure_numeric_divergence", "required");
    bench.built.extended_l2 = false;
    bench.step.truth.extended_l2 = false;

    // Two grains in two clusters of 2 MiB count as 128 KiB: one cluster.
    bench.step.source = IMAGE_VMDK;
    bench.step.truth.unit = 65536;
    bench.step.options.cluster_bits = 21;
    bench_size(&bench, 64 MIB);
    image_map_clear(&bench.map);
    image_map_add(&bench.map, 0, 65536, IMAGE_DATA);
    image_map_add(&bench.map, 32 MIB, 65536, IMAGE_DATA);
    bench_measure(&bench.a_result, required_of(&bench, 64 MIB, 1), 0);
    bench_measure(&bench.b_result, required_of(&bench, 64 MIB, 2), 0);
    expect_known(&bench, "instar-block-scan-required");
    bench_end(&bench);
    registry_free(registry);
}

// instar's scan looks at the top file alone: what the file below holds is not counted.
static void files_below_are_predicted_to_be_overlooked(void **state) {
    (void)state;
    struct registry *registry = built_in();
    struct bench bench;
    holes_begin(&bench, registry);
    bench.step.source = IMAGE_QCOW2;
    bench.step.truth.layers = 2;
    bench.step.truth.own_allocation = &bench.own;
    image_map_add(&bench.own, 0, 65536, IMAGE_DATA);
    image_map_add(&bench.map, 0, 65536, IMAGE_DATA);
    image_map_add(&bench.map, 131072, 262144, IMAGE_DATA);
    bench.b_result.measure.required = required_of(&bench, 1 MIB, 5);
    bench.a_result.measure.required = required_of(&bench, 1 MIB, 1);
    expect_known(&bench, "instar-backing-required");
    bench.a_result.measure.required = required_of(&bench, 1 MIB, 2);
    bench_diverges(&bench, "measure_numeric_divergence", "required");
    bench_end(&bench);
    registry_free(registry);
}

static void a_recorded_size_is_predicted_to_count(void **state) {
    (void)state;
    struct registry *registry = built_in();
    struct bench bench;
    holes_begin(&bench, registry);
    bench.step.source = IMAGE_VPC;
    bench.step.target = IMAGE_RAW;
    bench.step.truth.unit = 2 MIB;
    bench.step.truth.recorded_size = 2 MIB;
    bench_measure(&bench.a_result, 2 MIB, 2 MIB);
    bench_measure(&bench.b_result, 1 MIB, 1 MIB);
    expect_known(&bench, "instar-vpc-current-size-required");
    expect_known(&bench, "instar-vpc-current-size-fully");
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    bench_measure(&bench.a_result, 3 MIB, 3 MIB);
    bench_diverges(&bench, "measure_numeric_divergence", "required");
    bench_end(&bench);
    registry_free(registry);
}

// Where qemu-img has no number, the truth finds what is documented.
static void deviations_that_the_truth_alone_finds_are_predicted(void **state) {
    (void)state;
    struct registry *registry = built_in();
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.said.registry = registry;
    bench.step.b.ran = false;
    bench.step.b.why_not = "no_target";
    bench.step.source = IMAGE_VMDK;
    bench.step.target = IMAGE_VHDX;
    bench.step.options.block_bits = 20;
    bench.step.truth.unit = 65536;
    bench_size(&bench, 64 MIB);
    for (uint64_t at = 0; at < 64 MIB; at += 4 MIB) {
        bench_write(&bench, at, 65536, PATTERN_NOISE);
        image_map_add(&bench.map, at, 65536, IMAGE_DATA);
    }
    bench_measure(&bench.a_result, 5242880, 71303168);
    expect_known(&bench, "instar-block-scan-truth");
    bench.a_result.measure.required = 6291456;
    bench_diverges(&bench, "measure_numeric_divergence", "required_instar");

    bench.step.source = IMAGE_QCOW2; // one cluster of its own, the other in the file below
    bench.step.truth.layers = 2;
    bench.step.truth.own_allocation = &bench.own;
    image_map_add(&bench.own, 0, 65536, IMAGE_DATA);
    bench.a_result.measure.required = 5242880;
    expect_known(&bench, "instar-backing-truth");
    bench_end(&bench);

    bench_begin(&bench, OP_MEASURE); // a size alone
    bench.said.registry = registry;
    bench.step.source = IMAGE_FORMATS;
    bench.step.target = IMAGE_VMDK;
    bench.step.b.ran = false;
    bench.step.b.why_not = "no_target";
    bench.step.options = (struct target_options){.size_only = 1, .vmdk_subformat = SUBFORMAT_FLAT};
    bench.step.truth.content = NULL;
    bench.step.truth.asked_size = bench.step.truth.declared_size = 1 MIB - 511;
    bench_measure(&bench.a_result, 1 MIB + 1, 1 MIB + 1);
    expect_known(&bench, "instar-size-not-rounded-required");
    bench_end(&bench);
    registry_free(registry);
}

static void bitmaps_are_predicted_to_be_zero(void **state) {
    (void)state;
    struct registry *registry = built_in();
    struct bench bench;
    holes_begin(&bench, registry);
    struct image_bitmap bitmap = {.name = "one", .granularity_bits = 16};
    bench.step.source = bench.step.truth.format = IMAGE_QCOW2;
    bench.built.bitmaps = &bitmap;
    bench.built.bitmap_count = 1;
    bench_measure(&bench.a_result, 1376256, 1376256);
    bench_measure(&bench.b_result, 1376256, 1376256);
    bench.a_result.measure.has_bitmaps = bench.b_result.measure.has_bitmaps = true;
    bench.b_result.measure.bitmaps = 3 * 65536; // its bits, its table, the directory
    expect_known(&bench, "instar-bitmaps-zero");
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    bench.step.b.ran = false; // instar alone
    bench.step.b.tool = NULL;
    expect_known(&bench, "instar-bitmaps-zero");
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    bench.step.b.tool = &bench.qemu_img;
    bench.step.b.ran = true;
    bench.a_result.measure.bitmaps = 65536;
    bench_diverges(&bench, "measure_bitmaps_value_divergence", "bitmaps");
    bench_end(&bench);
    registry_free(registry);
}

static void refusals_are_predicted(void **state) {
    (void)state;
    struct registry *registry = built_in();
    struct bench bench;
    bench_begin(&bench, OP_CONVERT);
    bench.said.registry = registry;
    bench.a_result.class = OUTCOME_REFUSED;
    bench.step.options.cluster_bits = 21;
    bench_write(&bench, 0, 1, PATTERN_NOISE); // one byte needs 12582912 > 11544821 bytes
    expect_known(&bench, "instar-output-capacity");
    bench.step.options.cluster_bits = 20;
    bench_diverges(&bench, "exit_code_divergence", "instar_refuses");
    bench_end(&bench);
    registry_free(registry);
}

// Behind a new divergence nobody knows a file's content: what an entry can only say of the content
// is no finding then, and a tool that the entry is not about is excused by none.
static void an_entry_that_needs_an_unknown_content_decides_nothing(void **state) {
    (void)state;
    struct registry *registry = built_in();
    struct bench bench;
    bench_begin(&bench, OP_MEASURE);
    bench.said.registry = registry;
    bench.step.target = IMAGE_VMDK;
    bench.step.options.grain_bits = 12;
    bench.step.truth.content = NULL;
    bench.step.b.ran = false;
    bench.step.b.why_not = "no_target";
    struct model_sizes sizes;
    assert_true(model_measure(IMAGE_VMDK, &bench.step.options, 1 MIB, 256, &sizes));
    bench_measure(&bench.a_result, sizes.required, sizes.fully);
    bench.step.a.has_converted = true;
    bench.step.a.converted_size = 16973824; // each grain of 4 KiB in 64 KiB
    bench_judge(&bench);
    assert_int_equal(bench_count(&bench, VERDICT_DIVERGENCE), 0);
    const struct judgement *judgement =
        bench_find(&bench, "measure_above_fully_allocated_bound", VERDICT_INCONCLUSIVE);
    assert_non_null(judgement);
    assert_string_equal(judgement->reason, "truth_unknown");
    bench.instar.is_standin = true;
    bench_diverges(&bench, "measure_above_fully_allocated_bound", "instar");
    bench_end(&bench);

    bench_begin(&bench, OP_CONVERT);
    bench.said.registry = registry;
    bench.a_result.class = OUTCOME_REFUSED;
    bench.step.options.cluster_bits = 21;
    bench.step.truth.content = NULL;
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "truth_unknown");
    bench_end(&bench);

    bench_begin(&bench, OP_MEASURE); // does the raw file begin like another format?
    bench.said.registry = registry;
    bench.a_result.class = OUTCOME_REFUSED;
    bench.step.truth.content = NULL;
    bench_reason(&bench, VERDICT_INCONCLUSIVE, "truth_unknown");
    bench.step.source = IMAGE_VHDX;
    bench_diverges(&bench, "exit_code_divergence", "instar_refuses");
    bench_end(&bench);
    registry_free(registry);
}

// Sizes of section "worked vectors" of instar's writers.
static void sizes_of_padded_outputs_are_predicted(void **state) {
    (void)state;
    static const struct {
        enum image_format target;
        struct target_options options;
        uint64_t size, zero, one, full;
    } vectors[] = {
        {IMAGE_QCOW2, {0}, 1 MIB, 262144, 393216, 1376256},
        {IMAGE_QCOW2, {.cluster_bits = 9}, 1 MIB, 2048, 3072, 1071104},
        {IMAGE_QCOW2, {.cluster_bits = 21}, 1 MIB, 8388608, 12582912, 12582912},
        {IMAGE_QCOW2, {.extended_l2 = 1}, 1 MIB, 262144, 393216, 1376256},
        {IMAGE_VMDK, {0}, 1 MIB, 131072, 262144, 1245184},
        {IMAGE_VMDK, {.grain_bits = 12}, 1 MIB, 131072, 262144, 16973824},
        {IMAGE_VMDK, {0}, 64 MIB, 131072, 262144, 67371008},
        {IMAGE_VPC, {0}, 1 MIB, 262144, 2424832, 2424832},
        {IMAGE_VPC, {.block_bits = 19}, 64 MIB, 262144, 851968, 75759616},
        {IMAGE_VHDX, {0}, 1 MIB, 3276800, 37748736, 37748736},
        {IMAGE_VHDX, {0}, 64 MIB, 3276800, 37748736, 71303168},
    };
    const struct predictor *predictor = predictor_find("instar_padded_output");
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const uint64_t expected[] = {vectors[i].zero, vectors[i].one, vectors[i].full};
        const uint64_t written[] = {0, 1, vectors[i].size};
        for (int j = 0; j < 3; j++) {
            struct bench bench;
            char text[PREDICT_ROOM], wanted[PREDICT_ROOM];
            bench_begin(&bench, OP_MEASURE);
            bench.step.target = vectors[i].target;
            bench.step.options = vectors[i].options;
            bench_size(&bench, vectors[i].size);
            bench_write(&bench, 0, written[j], PATTERN_CONSTANT);
            assert_true(predictor->value(&bench.step, "converted-size", text));
            predict_number(expected[j], wanted);
            assert_string_equal(text, wanted);
            bench_end(&bench);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_predicted_value_is_known),
        cmocka_unit_test(any_other_value_in_the_same_place_is_new),
        cmocka_unit_test(a_right_answer_is_never_the_known_deviation),
        cmocka_unit_test(the_case_must_match),
        cmocka_unit_test(the_tools_must_match),
        cmocka_unit_test(the_sides_may_be_exchanged),
        cmocka_unit_test(an_unexplained_entry_makes_nothing_known),
        cmocka_unit_test(a_bad_entry_is_an_error_that_names_the_place),
        cmocka_unit_test(a_missing_file_is_an_error),
        cmocka_unit_test(the_file_of_the_repository_is_good),
        cmocka_unit_test(a_raw_length_is_predicted_for_each_operation),
        cmocka_unit_test(zero_clusters_and_block_scans_are_predicted),
        cmocka_unit_test(files_below_are_predicted_to_be_overlooked),
        cmocka_unit_test(a_recorded_size_is_predicted_to_count),
        cmocka_unit_test(deviations_that_the_truth_alone_finds_are_predicted),
        cmocka_unit_test(bitmaps_are_predicted_to_be_zero),
        cmocka_unit_test(refusals_are_predicted),
        cmocka_unit_test(an_entry_that_needs_an_unknown_content_decides_nothing),
        cmocka_unit_test(sizes_of_padded_outputs_are_predicted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
