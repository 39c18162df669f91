// SPDX-License-Identifier: Apache-2.0
//
// The text form: nothing is lost on the way there and back, and a mistake is named.
#include "tests/unit/testcase_helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct testcase parsed;
static struct fault fault;

static void reads(const char *text) {
    if (case_from_json(&parsed, text, &fault))
        fail_msg("%s", fault.text);
}

static void fails(const char *text, const char *reason) {
    assert_int_equal(case_from_json(&parsed, text, &fault), -1);
    if (!strstr(fault.text, reason))
        fail_msg("\"%s\" does not say \"%s\"", fault.text, reason);
}

static void every_case_survives_the_text_form(void **state) {
    (void)state;
    uint64_t seed = 20;
    struct buffer text = {0}, again = {0};
    for (int round = 0; round < 1500; round++) {
        struct testcase testcase;
        helper_case(&seed, &testcase);
        buffer_clear(&text);
        case_to_json(&testcase, &text);
        reads(text.data);
        helper_assert_same(&parsed, &testcase);
        buffer_clear(&again);
        case_to_json(&parsed, &again);
        assert_string_equal(text.data, again.data);
    }
    buffer_free(&text);
    buffer_free(&again);
}

static void every_case_survives_the_brief_form(void **state) {
    (void)state;
    uint64_t seed = 21;
    struct buffer text = {0};
    for (int round = 0; round < 1500; round++) {
        struct testcase testcase;
        helper_case(&seed, &testcase);
        buffer_clear(&text);
        case_to_json_brief(&testcase, &text);
        reads(text.data);
        helper_assert_same(&parsed, &testcase);
        size_t lines = 0;
        for (const char *at = text.data; *at; at++)
            lines += *at == '\n';
        assert_int_equal(lines, 1 + testcase.write_count + testcase.operation_count);
    }
    buffer_free(&text);
}

static void the_brief_form_says_no_more_than_a_person_would(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{\"format\": \"raw\", \"virtual_size\": 512}\n",
        "{\"format\": \"qcow2\", \"virtual_size\": 65536, \"cluster_bits\": 12,\n"
        " \"writes\": [{\"offset_bytes\": 0, \"length_bytes\": 512, \"form\": \"zero\"},\n"
        "            {\"offset_bytes\": 4096, \"length_bytes\": 1}],\n"
        " \"operations\": [{\"op\": \"measure\", \"target\": \"raw\"},\n"
        "                {\"op\": \"info\"}]}\n",
    };
    struct buffer again = {0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        reads(texts[i]);
        buffer_clear(&again);
        case_to_json_brief(&parsed, &again);
        assert_string_equal(again.data, texts[i]);
    }
    buffer_free(&again);
}

static void an_empty_object_is_the_empty_case(void **state) {
    (void)state;
    struct testcase empty;
    case_decode(&empty, NULL, 0);
    reads("{}");
    helper_assert_same(&parsed, &empty);
}

static void comments_are_allowed_outside_of_strings(void **state) {
    (void)state;
    reads("// why\n{ // here\n\"format\": \"qcow2\", \"_note\": \"http://x\", // \"\n"
          "\"_quote\": \"\\\"//\", \"size_value\": 7 }//");
    assert_int_equal(parsed.format, IMAGE_QCOW2);
    assert_int_equal(parsed.size_value, 7);
}

static void a_virtual_size_in_bytes_finds_its_class(void **state) {
    (void)state;
    static const struct {
        const char *format;
        uint64_t size;
    } sizes[] = {
        {"raw", 0},
        {"raw", 1},
        {"raw", 512},
        {"raw", 1048575},
        {"qcow2", 1048576},
        {"raw", 16777216},
        {"qcow2", 16777216},
        {"vpc", 33554432},
        {"vhdx", 528482304},
        {"vmdk", 50331648},
        {"raw", 2199023255552},
        {"vpc", 2190433320960},
        {"qcow2", 1073742336},
        {"raw", 2147483136},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char text[128];
        snprintf(text, sizeof text, "{\"format\": \"%s\", %s \"virtual_size\": %llu}",
                 sizes[i].format, sizes[i].size == 50331648 ? "\"grain_bits\": 16," : "",
                 (unsigned long long)sizes[i].size);
        if (sizes[i].size == 50331648) { // 768 grains: not a size that any class can say
            fails(text, "virtual_size 50331648 cannot be expressed");
            continue;
        }
        reads(text);
        assert_int_equal(case_virtual_size(&parsed), sizes[i].size);
    }
    reads("{\"format\": \"vhdx\", \"block_bits\": 20, \"virtual_size\": 50331648}");
    assert_int_equal(case_virtual_size(&parsed), 50331648);
}

static void a_place_in_bytes_finds_its_anchor(void **state) {
    (void)state;
    static const uint64_t places[] = {0,          1,          65537,      1048576,
                                      4294967295, 4294967296, 8589933568, 8589934591};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct content_extent extents[CASE_MAX_WRITES];
        char text[200];
        snprintf(text, sizeof text,
                 "{\"writes\": [{\"offset_bytes\": %llu, \"length_bytes\": 1}], \"format\": "
                 "\"qcow2\", \"size_class\": \"edge\", \"size_value\": 15}",
                 (unsigned long long)places[i]);
        reads(text);
        case_write_extents(&parsed, extents);
        assert_int_equal(extents[0].offset, places[i]);
        assert_int_equal(extents[0].length, 1);
    }
    fails("{\"virtual_size\": 512, \"writes\": [{\"offset_bytes\": 512}]}",
          "writes[0].offset_bytes must lie below virtual_size");
}

static void lengths_in_bytes_find_their_scale(void **state) {
    (void)state;
    static const uint32_t lengths[] = {1, 65536, 65536 + 512, 1 << 20};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct content_extent extents[CASE_MAX_WRITES];
        char text[100];
        snprintf(text, sizeof text,
                 "{\"virtual_size\": 8388608, \"writes\": [{\"length_bytes\": "
                 "%u}]}",
                 lengths[i]);
        reads(text);
        case_write_extents(&parsed, extents);
        assert_int_equal(extents[0].length, lengths[i]);
    }
    fails("{\"writes\": [{\"length_bytes\": 0}]}", "writes[0].length_bytes must be 1..65536");
    fails("{\"writes\": [{\"length_bytes\": 65537}]}", "writes[0].length_bytes must be");
}

static void a_mistake_is_named(void **state) {
    (void)state;
    fails("[]", "object");
    fails("{\"format\": \"qcow\"}", "format must be one of \"raw\", \"qcow2\", \"vpc\"");
    fails("{\"format\": 1}", "format must be one of");
    fails("{\"cluster_bits\": 8}", "cluster_bits must be 9..21");
    fails("{\"cluster_bits\": 16.5}", "cluster_bits must be 9..21");
    fails("{\"cluster_bits\": 1e300}", "cluster_bits must be 9..21");
    fails("{\"vpc_fixed\": 1}", "vpc_fixed must be true or false");
    fails("{\"size_delta\": -129}", "size_delta must be -128..127");
    fails("{\"format\": \"raw\", \"format\": \"raw\"}", "format is there twice");
    fails("{\"virtual_size\": 512, \"size_value\": 0}", "virtual_size and size_value say the same");
    fails("{\"virtual_size\": -1}",
          "virtual_size must be a whole number of bytes, 0..2199023255552");
    fails("{\"virtual_size\": 99999999999999999999}",
          "virtual_size must be a whole number of bytes, 0..2199023255552");
    fails("{\"writes\": [{\"offset_bytes\": 0.5}]}",
          "writes[0].offset_bytes must be a whole number of bytes, 0..2199023255551");
    fails("{\"writes\": [{\"length_bytes\": 1e20}]}",
          "writes[0].length_bytes must be a whole number of bytes, 0..268435456");
    fails("{\"writes\": {}}", "writes must be a list");
    fails("{\"writes\": [{}, 5]}", "writes[1] must be an object");
    fails("{\"writes\": [{\"offset_bytes\": 0, \"anchor\": \"end\"}]}",
          "writes[0].offset_bytes and writes[0].anchor say the same");
    fails("{\"operations\": [{}, {\"cluster_bits\": 22}]}",
          "operations[1].cluster_bits must be 0 or 9..21");
    fails("{\"operations\": [{},{},{},{},{},{},{},{},{}]}", "operations: at most 8");
}

static void a_name_that_is_none_has_the_right_one_beside_it(void **state) {
    (void)state;
    fails("{\"fromat\": \"raw\"}", "fromat: there is no such member; is format meant?");
    fails("{\"virtul_size\": 512}", "is virtual_size meant?");
    fails("{\"write\": []}", "is writes meant?");
    fails("{\"writes\": [{\"ofset_bytes\": 0}]}",
          "writes[0].ofset_bytes: there is no such member; is offset_bytes meant?");
    fails("{\"operations\": [{\"targt\": \"raw\"}]}", "is target meant?");
    fails("{\"target\": \"raw\"}",
          "target: there is no such member here, but an operation has one");
    fails("{\"operations\": [{\"virtual_size\": 1}]}",
          "operations[0].virtual_size: there is no such member here, but the case itself has one");
    fails("{\"colour\": 1}", "colour: there is no such member, nor one of a name like it");
}

static void text_that_is_no_json_is_told_where_and_why(void **state) {
    (void)state;
    static const struct {
        const char *text, *reason;
    } texts[] = {
        {"", "line 1, column 1: not valid JSON: a value is expected here"},
        {" // only a comment\n", "line 2, column 1: not valid JSON: a value is expected here"},
        {"{\n\"format\": \n}", "line 3, column 1: not valid JSON: a value is expected here"},
        {"{\"format\": \"raw\"\n  \"size_value\": 3}",
         "line 1, column 17: not valid JSON: ',' or '}' is expected here"},
        {"{\"a\": [1 // one\n 2]}",
         "line 1, column 9: not valid JSON: ',' or ']' is expected here"},
        {"{\"a\": {}\n", "line 1, column 9: not valid JSON: ',' or '}' is expected here"},
        {"{\"a\": \"\u00e4\u00f6\" 1}", "line 1, column 11: not valid JSON: ','"},
        {"{\"a\" 1}", "line 1, column 5: not valid JSON: ':' is expected here"},
        {"{\"a\": 1,}", "line 1, column 9: not valid JSON: a member's name in quotes is expected"},
        {"{a: 1}",
         "line 1, column 2: not valid JSON: a member's name in quotes or '}' is expected"},
        {"{\"a\": [1,]}", "line 1, column 10: not valid JSON: a value is expected here"},
        {"{\"a\": tru}", "line 1, column 7: not valid JSON: a value is expected here"},
        {"{\"a\": 0x10}", "line 1, column 7: not valid JSON: a value is expected here"},
        {"{\"a\": \"b}", "line 1, column 7: not valid JSON: this text in quotes does not end"},
        {"{\"a\": \"\\q\"}", "line 1, column 7: not valid JSON: this text in quotes"},
        {"{} trailing", "line 1, column 4: not valid JSON: nothing more is expected here"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        fails(texts[i].text, texts[i].reason);
}

// Any text that the parser refuses gets an answer.
static void damaged_text_is_told_a_place(void **state) {
    (void)state;
    static const char sound[] = "{\"format\": \"qcow2\", \"writes\": [{\"seed\": 7}, {}], // end\n"
                                " \"_x\": [[1, -2.5e3, null], \"a\\\"b\", true]}";
    static const char marks[] = "{}[]:,\"\\x0 \n";
    char text[sizeof sound];
    for (size_t at = 0; at + 1 < sizeof sound; at++)
        for (size_t mark = 0; mark < sizeof marks; mark++) { // the last one cuts the text
            memcpy(text, sound, sizeof sound);
            text[at] = marks[mark];
            if (case_from_json(&parsed, text, &fault) && strstr(fault.text, "JSON"))
                assert_non_null(strstr(fault.text, " here") ? strstr(fault.text, "column ")
                                                            : strstr(fault.text, "quotes"));
        }
    static char deep[3000];
    memset(deep, '[', sizeof deep - 1);
    fails(deep, "not valid JSON");
}

static void a_missing_file_is_named(void **state) {
    (void)state;
    struct testcase testcase;
    assert_int_equal(case_load(&testcase, "no/such/case.json", &fault), -1);
    assert_string_equal(fault.text, "no/such/case.json: No such file or directory");
    assert_int_equal(case_load(&testcase, "/tmp", &fault), -1);
    assert_string_equal(fault.text, "/tmp: Is a directory");
}

static void write_file(const char *path, const void *data, size_t length) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void a_file_is_read_in_either_form(void **state) {
    (void)state;
    char folder[] = "/tmp/testcase_json.XXXXXX", bytes_path[64], text_path[64];
    const char text[] = " // a comment first\n{\"format\": \"vpc\"}";
    uint8_t bytes[CASE_MAX_BYTES];
    struct testcase first, second;

    assert_non_null(mkdtemp(folder));
    snprintf(bytes_path, sizeof bytes_path, "%s/case", folder);
    snprintf(text_path, sizeof text_path, "%s/case.json", folder);
    write_file(text_path, text, sizeof text - 1);
    assert_int_equal(case_load(&first, text_path, &fault), 0);
    assert_int_equal(first.format, IMAGE_VPC);
    write_file(bytes_path, bytes, case_encode(&first, bytes));
    assert_int_equal(case_load(&second, bytes_path, &fault), 0);
    helper_assert_same(&first, &second);
    write_file(text_path, "{\"format\": 3}", 13);
    assert_int_equal(case_load(&first, text_path, &fault), -1);
    assert_ptr_equal(strstr(fault.text, text_path), fault.text);
    unlink(bytes_path);
    unlink(text_path);
    rmdir(folder);
}

// What is no text form under a name that says so is no case of bytes either.
static void the_name_says_in_which_form(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"", ": line 1, column 1: not valid JSON: a value is expected here"},
        {"# hi\n", ": line 1, column 1: not valid JSON: a value is expected here"},
        {"// a comment alone", ": line 1, column 19: not valid JSON: a value is expected here"},
        {"[]", ": a case is a JSON object"},
    };
    char folder[] = "/tmp/testcase_json.XXXXXX", bytes_path[64], text_path[64];
    struct testcase testcase;

    assert_non_null(mkdtemp(folder));
    snprintf(bytes_path, sizeof bytes_path, "%s/case", folder);
    snprintf(text_path, sizeof text_path, "%s/case.json", folder);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_file(text_path, rows[i][0], strlen(rows[i][0]));
        assert_int_equal(case_load(&testcase, text_path, &fault), -1);
        assert_ptr_equal(strstr(fault.text, text_path), fault.text);
        assert_string_equal(fault.text + strlen(text_path), rows[i][1]);
        write_file(bytes_path, rows[i][0], strlen(rows[i][0]));
        assert_int_equal(case_load(&testcase, bytes_path, &fault), 0);
    }
    unlink(bytes_path);
    unlink(text_path);
    rmdir(folder);
}

static void a_case_is_told_in_words(void **state) {
    (void)state;
    struct buffer words = {0};
    reads("{\"format\": \"qcow2\", \"virtual_size\": 1048576,\n"
          "\"writes\": [{\"offset_bytes\": 131072, \"length_bytes\": 65536, \"form\": "
          "\"compressed\"}, {\"form\": \"zero\", \"length_bytes\": 512}],\n"
          "\"operations\": [{\"op\": \"measure\", \"target\": \"qcow2\", \"cluster_bits\": 12},\n"
          "{\"op\": \"info\", \"input\": \"a_output\"}]}");
    case_describe(&parsed, &words);
    assert_string_equal(
        words.data,
        "source: qcow2 version 3, 64 KiB clusters, 16-bit refcounts, virtual size 1 MiB (1048576 "
        "bytes)\n"
        "write 1: 64 KiB of noise at 128 KiB, compressed\n"
        "write 2: 512 bytes of explicit zeros at 0 bytes\n"
        "operation 1: measure the source for qcow2, cluster_size=4096\n"
        "operation 2: info of the latest output of tool A\n");
    buffer_free(&words);
}

static void the_text_form_leaves_defaults_of_records_out(void **state) {
    (void)state;
    struct buffer text = {0};
    reads("{\"writes\": [{\"seed\": 7}], \"operations\": [{\"op\": \"check\"}]}");
    case_to_json(&parsed, &text);
    const char *lists = strstr(text.data, "  \"writes\"");
    assert_non_null(lists);
    assert_string_equal(
        lists,
        "  \"writes\": [\n"
        "    {\"pattern\": \"noise\", \"seed\": 7, \"anchor\": \"start\", \"length_scale\": "
        "\"bytes\", \"offset\": 0, \"length\": 0, \"_extent\": [0, 1], \"_words\": \"1 byte of "
        "noise at 0 bytes, seed 7\"}\n"
        "  ],\n"
        "  \"operations\": [\n"
        "    {\"op\": \"check\", \"target\": \"raw\", \"_words\": \"check the source\"}\n"
        "  ]\n"
        "}\n");
    buffer_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_survives_the_text_form),
        cmocka_unit_test(every_case_survives_the_brief_form),
        cmocka_unit_test(the_brief_form_says_no_more_than_a_person_would),
        cmocka_unit_test(an_empty_object_is_the_empty_case),
        cmocka_unit_test(comments_are_allowed_outside_of_strings),
        cmocka_unit_test(a_virtual_size_in_bytes_finds_its_class),
        cmocka_unit_test(a_place_in_bytes_finds_its_anchor),
        cmocka_unit_test(lengths_in_bytes_find_their_scale),
        cmocka_unit_test(a_mistake_is_named),
        cmocka_unit_test(a_name_that_is_none_has_the_right_one_beside_it),
        cmocka_unit_test(text_that_is_no_json_is_told_where_and_why),
        cmocka_unit_test(damaged_text_is_told_a_place),
        cmocka_unit_test(the_text_form_leaves_defaults_of_records_out),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(a_file_is_read_in_either_form),
        cmocka_unit_test(the_name_says_in_which_form),
        cmocka_unit_test(a_case_is_told_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
