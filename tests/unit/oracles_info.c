// SPDX-License-Identifier: Apache-2.0
//
// info, member by member: what must be equal, what may differ and why.
#include "oracles_step.h"

#include "oracles/relax.h"

static const char v3[] =
    "{\"virtual-size\":1048576,\"filename\":\"src.qcow2\",\"cluster-size\":65536,"
    "\"format\":\"qcow2\",\"actual-size\":200704,\"format-specific\":{\"type\":\"qcow2\",\"data\":"
    "{\"compat\":\"1.1\",\"compression-type\":\"zlib\",\"lazy-refcounts\":false,"
    "\"refcount-bits\":16,\"corrupt\":false,\"extended-l2\":false}},\"dirty-flag\":false}";

static cJSON *tree(const char *text) {
    cJSON *json = tool_json_parse(text, strlen(text), NULL);
    assert_non_null(json);
    return json;
}

static void info_begin(struct bench *bench, const char *a, const char *b) {
    bench_begin(bench, OP_INFO);
    bench->step.source = IMAGE_QCOW2;
    bench->a_result.json = tree(a);
    bench->b_result.json = tree(b);
}

static cJSON *data_of(struct tool_result *result) {
    return cJSON_GetObjectItem(cJSON_GetObjectItem(result->json, "format-specific"), "data");
}

static void equal_output_agrees(void **state) {
    (void)state;
    struct bench bench;
    info_begin(&bench, v3, v3);
    bench_agrees(&bench, "info_output_divergence");
    bench_agrees(&bench, "truth_size_divergence");
    bench_end(&bench);
}

static void format_specific_data_is_compared(void **state) {
    (void)state;
    struct bench bench;
    info_begin(&bench, v3, v3);
    cJSON_ReplaceItemInObject(data_of(&bench.a_result), "refcount-bits", cJSON_CreateNumber(8));
    const struct judgement *judgement =
        bench_diverges(&bench, "info_output_divergence", "refcount_bits");
    assert_string_equal(judgement->field, "format-specific.data.refcount-bits");
    assert_string_equal(judgement->a_value, "8");
    assert_string_equal(judgement->b_value, "16");
    bench_end(&bench);
}

static void a_member_on_one_side_only_diverges(void **state) {
    (void)state;
    struct bench bench;
    info_begin(&bench, v3, v3);
    cJSON_DeleteItemFromObject(bench.a_result.json, "cluster-size");
    bench_diverges(&bench, "info_output_divergence", "cluster_size_missing_instar");
    bench_end(&bench);
    info_begin(&bench, v3, v3);
    cJSON_AddTrueToObject(data_of(&bench.a_result), "surprise");
    bench_diverges(&bench, "info_output_divergence", "surprise_missing_qemu_img");
    bench_end(&bench);
}

static void a_member_of_another_kind_diverges(void **state) {
    (void)state;
    struct bench bench;
    info_begin(&bench, v3, v3);
    cJSON_ReplaceItemInObject(bench.a_result.json, "dirty-flag", cJSON_CreateString("false"));
    bench_diverges(&bench, "info_output_divergence", "dirty_flag");
    bench_end(&bench);
    info_begin(&bench, v3, v3);
    cJSON_ReplaceItemInObject(bench.a_result.json, "format-specific", cJSON_CreateObject());
    bench_diverges(&bench, "info_output_divergence", "format_specific_type_missing_instar");
    bench_end(&bench);
}

static void lists_are_compared_item_by_item(void **state) {
    (void)state;
    struct bench bench;
    static const char one[] =
        "{\"virtual-size\":1048576,\"format-specific\":{\"type\":\"vmdk\","
        "\"data\":{\"extents\":[{\"format\":\"\",\"filename\":\"s.vmdk\"}]}}}";
    static const char two[] = "{\"virtual-size\":1048576,\"format-specific\":{\"type\":\"vmdk\","
                              "\"data\":{\"extents\":[{\"format\":\"\",\"filename\":\"s.vmdk\"},"
                              "{}]}}}";
    info_begin(&bench, one, two);
    bench.step.source = IMAGE_VMDK;
    bench_diverges(&bench, "info_output_divergence", "extents_missing_instar");
    bench_end(&bench);
}

static void large_sizes_are_compared_exactly(void **state) {
    (void)state;
    struct bench bench;
    info_begin(&bench, "{\"virtual-size\":9223372036854775807}",
               "{\"virtual-size\":9223372036854775806}");
    assert_string_equal(bench_diverges(&bench, "info_output_divergence", "virtual_size")->a_value,
                        "9223372036854775807");
    bench_end(&bench);
}

static void both_can_be_wrong_about_the_size(void **state) {
    (void)state;
    struct bench bench;
    info_begin(&bench, v3, v3);
    bench_size(&bench, 2 MIB);
    bench_diverges(&bench, "truth_size_divergence", "info_instar");
    bench_end(&bench);
}

static void no_json_at_all_diverges(void **state) {
    (void)state;
    struct bench bench;
    info_begin(&bench, v3, v3);
    cJSON_Delete(bench.a_result.json);
    bench.a_result.json = NULL;
    bench.a_result.json_failed = true;
    bench_diverges(&bench, "info_output_divergence", "unparsed_instar");
    bench_end(&bench);
}

// A case that needs it for each entry of the table: the two outputs differ there and agree all the
// same; in a place without an entry the same difference would be one (see above).
static const struct {
    const char *path, *a, *b;
    enum image_format source;
} member_cases[] = {
    {"filename", "{\"filename\":\"/run/x/src.raw\"}", "{\"filename\":\"src.raw\"}", IMAGE_RAW},
    {"full-backing-filename", "{\"full-backing-filename\":\"/run/x/base.raw\"}",
     "{\"full-backing-filename\":\"base.raw\"}", IMAGE_QCOW2},
    {"format-specific.data.extents[].filename",
     "{\"format-specific\":{\"data\":{\"extents\":[{\"filename\":\"/run/x/s.vmdk\"}]}}}",
     "{\"format-specific\":{\"data\":{\"extents\":[{\"filename\":\"s.vmdk\"}]}}}", IMAGE_VMDK},
    {"actual-size", "{\"actual-size\":4096}", "{\"actual-size\":8192}", IMAGE_RAW},
    {"children", "{\"format\":\"raw\"}", "{\"format\":\"raw\",\"children\":[{}]}", IMAGE_RAW},
    {"format-specific.data.encrypt", "{\"format-specific\":{\"data\":{}}}",
     "{\"format-specific\":{\"data\":{\"encrypt\":{\"format\":\"aes\"}}}}", IMAGE_QCOW2},
    {"format-specific.data.bitmaps", "{\"format-specific\":{\"data\":{}}}",
     "{\"format-specific\":{\"data\":{\"bitmaps\":[]}}}", IMAGE_QCOW2},
    {"snapshots", "{\"format\":\"qcow2\"}", "{\"format\":\"qcow2\",\"snapshots\":[{}]}",
     IMAGE_QCOW2},
    {"format-specific", "{\"format\":\"raw\"}",
     "{\"format\":\"raw\",\"format-specific\":{\"type\":\"file\"}}", IMAGE_RAW},
};

static void every_relaxed_member_has_a_case_that_needs_it(void **state) {
    (void)state;
    size_t count = 0;
    for (const struct relax_member *member = relax_members; member->path; member++, count++) {
        assert_true(strlen(member->reason) > 20);
        assert_string_equal(member->path, member_cases[count].path);
        struct bench bench;
        info_begin(&bench, member_cases[count].a, member_cases[count].b);
        assert_false(cJSON_Compare(bench.a_result.json, bench.b_result.json, true));
        bench.step.source = member_cases[count].source;
        bench_agrees(&bench, "info_output_divergence");
        bench_end(&bench);
    }
    assert_int_equal(count, sizeof member_cases / sizeof *member_cases);
}

static void a_relaxed_member_is_not_relaxed_for_everybody(void **state) {
    (void)state;
    struct bench bench;
    // qemu-img may not leave out what instar may, nor instar what it prints ...
    info_begin(&bench, "{\"snapshots\":[{}]}", "{}");
    bench_diverges(&bench, "info_output_divergence", "snapshots_missing_qemu_img");
    bench_end(&bench);
    info_begin(&bench, "{}", "{\"dirty-flag\":false}");
    bench_diverges(&bench, "info_output_divergence", "dirty_flag_missing_instar");
    bench_end(&bench);
    // ... a value that both print must be one ...
    info_begin(&bench, "{\"dirty-flag\":false}", "{\"dirty-flag\":true}");
    bench_diverges(&bench, "info_output_divergence", "dirty_flag");
    bench_end(&bench);
    // ... only raw has nothing of its own to show, and a base name must still be the same.
    info_begin(&bench, "{}", "{\"format-specific\":{\"type\":\"qcow2\"}}");
    bench_diverges(&bench, "info_output_divergence", "format_specific_missing_instar");
    bench_end(&bench);
    info_begin(&bench, "{\"filename\":\"/x/src.raw\"}", "{\"filename\":\"src.rax\"}");
    bench_diverges(&bench, "info_output_divergence", "filename");
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_output_agrees),
        cmocka_unit_test(format_specific_data_is_compared),
        cmocka_unit_test(a_member_on_one_side_only_diverges),
        cmocka_unit_test(a_member_of_another_kind_diverges),
        cmocka_unit_test(lists_are_compared_item_by_item),
        cmocka_unit_test(large_sizes_are_compared_exactly),
        cmocka_unit_test(both_can_be_wrong_about_the_size),
        cmocka_unit_test(no_json_at_all_diverges),
        cmocka_unit_test(every_relaxed_member_has_a_case_that_needs_it),
        cmocka_unit_test(a_relaxed_member_is_not_relaxed_for_everybody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
