// SPDX-License-Identifier: Apache-2.0
//
// What a tool sees of the world (its environment, the one program on its PATH) and what reports see
// of a tool.
#include "tests/unit/tool_room.h"

static const char *item_of(const char *const *items, const char *name) {
    size_t length = strlen(name);
    for (; *items; items++)
        if (strncmp(*items, name, length) == 0 && (*items)[length] == '=')
            return *items + length + 1;
    return NULL;
}

static size_t count_of(const char *const *items) {
    size_t count = 0;
    while (items[count])
        count++;
    return count;
}

static void the_environment_is_built_from_nothing(void **state) {
    (void)state;
    struct tool tool = {.kind = TOOL_QEMU_IMG, .lies = "only the stand-in is told"};
    setenv("STANDIN_LIE", "from-outside", 1);
    setenv("INSTAR_BIN_DIR", "/from/outside", 1);
    const char *const *items = tool_environment(&tool, &room);
    assert_int_equal(count_of(items), 5);
    assert_string_equal(item_of(items, "HOME"), workdir.home_path);
    assert_string_equal(item_of(items, "XDG_CONFIG_HOME"), workdir.home_path);
    assert_string_equal(item_of(items, "PATH"), workdir.bin_path);
    assert_string_equal(item_of(items, "TZ"), "UTC");
    assert_string_equal(item_of(items, "LC_ALL"), "C");
    tool.kind = TOOL_INSTAR;
    snprintf(tool.guests, sizeof tool.guests, "/opt/guests");
    items = tool_environment(&tool, &room);
    assert_int_equal(count_of(items), 7);
    assert_string_equal(item_of(items, "INSTAR_BIN_DIR"), "/opt/guests");
    // Its measure --size makes a file there, and the fence lets it write nowhere else.
    assert_string_equal(item_of(items, "TMPDIR"), workdir.case_path);
    tool.is_standin = true;
    tool.lies[0] = tool.guests[0] = 0;
    assert_int_equal(count_of(tool_environment(&tool, &room)), 6);
    // What the profile says is in force, not what the environment says by now.
    snprintf(tool.lies, sizeof tool.lies, "one,two");
    items = tool_environment(&tool, &room);
    assert_int_equal(count_of(items), 7);
    assert_string_equal(item_of(items, "STANDIN_LIE"), "one,two");
    unsetenv("STANDIN_LIE");
    unsetenv("INSTAR_BIN_DIR");
}

static void one_program_can_be_found_by_name(void **state) {
    (void)state;
    char link[400], target[400];
    struct fault fault;
    snprintf(link, sizeof link, "%s/qemu-img", workdir.bin_path);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tool_link_qemu_img(&workdir, "/usr/bin/qemu-img", &fault), 0);
        ssize_t length = readlink(link, target, sizeof target - 1);
        assert_true(length > 0);
        target[length] = 0;
        assert_string_equal(target, "/usr/bin/qemu-img");
    }
    assert_int_equal(tool_link_qemu_img(&workdir, NULL, &fault), 0);
    assert_int_equal(readlink(link, target, sizeof target - 1), -1);
}

static void the_profile_names_everything(void **state) {
    (void)state;
    struct tool tool = {.kind = TOOL_INSTAR, .available = true, .is_standin = true};
    snprintf(tool.role, sizeof tool.role, "instar");
    snprintf(tool.name, sizeof tool.name, "stand-in for instar");
    snprintf(tool.path, sizeof tool.path, "/p/instar");
    snprintf(tool.version, sizeof tool.version, "instar stand-in 0.1");
    snprintf(tool.qemu_version, sizeof tool.qemu_version, "7.2.22");
    snprintf(tool.lies, sizeof tool.lies, "one");
    snprintf(tool.guests, sizeof tool.guests, "/opt/guests");
    tool.version_number = 100;
    tool.backend = EXEC_LINKED;
    snprintf(tool.backend_why, sizeof tool.backend_why, "two words");
    tool.qemu_version_option = true;
    tool.ops[OP_INFO] = tool.ops[OP_CONVERT_COMPRESSED] = true;
    tool.reads[IMAGE_RAW] = tool.reads[IMAGE_VHDX] = tool.writes[IMAGE_VPC] = true;
    tool.lacks_option[OP_MEASURE][TOOL_OPTION_GRAIN] = true;
    struct buffer words = {0};
    tool_profile_words(&tool, &words);
    assert_string_equal(words.data, "instar: stand-in for instar (/p/instar)\n"
                                    "  version     instar stand-in 0.1\n"
                                    "  driven as   instar\n"
                                    "  operations  info convert_compressed\n"
                                    "  reads       raw vhdx\n"
                                    "  writes      vpc\n"
                                    "  measures    nothing\n"
                                    "  lacks       grain_size of measure\n"
                                    "  imitates    qemu-img 7.2.22\n"
                                    "  runs        linked: two words\n"
                                    "  guests      /opt/guests (INSTAR_BIN_DIR)\n"
                                    "  lies        one\n");
    buffer_free(&words);
    cJSON *profile = tool_profile_json(&tool);
    char *text = cJSON_PrintUnformatted(profile);
    assert_string_equal(
        text, "{\"role\":\"instar\",\"name\":\"stand-in for instar\",\"driven_as\":\"instar\","
              "\"path\":\"/p/instar\",\"version\":\"instar stand-in 0.1\",\"version_number\":100,"
              "\"available\":true,\"why_not\":\"\",\"is_standin\":true,\"played_version\":0,"
              "\"operations\":[\"info\",\"convert_compressed\"],\"reads\":[\"raw\",\"vhdx\"],"
              "\"writes\":[\"vpc\"],\"measures\":[],\"lacks_options\":[\"measure:grain_size\"],"
              "\"qemu_version_option\":true,\"map_version_option\":false,\"qemu_version\":\"7.2."
              "22\",\"lies\":\"one\","
              "\"guests\":\"/opt/guests\",\"backend\":\"linked\","
              "\"backend_why\":\"two words\"}");
    cJSON_free(text);
    cJSON_Delete(profile);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_is_built_from_nothing),
        cmocka_unit_test(one_program_can_be_found_by_name),
        cmocka_unit_test(the_profile_names_everything),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
