// SPDX-License-Identifier: Apache-2.0
//
// The fence changes no answer. Real commands of every kind run with it and without it, one after
// the other on the same files: status, stdout, stderr and the output's bytes are the same. And what
// an image names outside is not reached, though the tool would reach it.
#include "tests/unit/tool_room.h"

#include <sys/stat.h>

static struct tool qemu_img, standin;
static struct exec_outcome fenced, plain;

static const char *in_case(const char *name) {
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", workdir.case_path, name);
    return path;
}

static void run_line(const struct tool *tool, const char *line, bool unfenced,
                     struct exec_outcome *outcome) {
    struct tool_argv argv;
    struct fault fault = {0};
    char words[512];
    snprintf(words, sizeof words, "%s", line);
    tool_argv_begin(&argv);
    tool_argv_add(&argv, tool->kind == TOOL_INSTAR ? "instar" : "qemu-img");
    for (char *save, *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
        tool_argv_add(&argv, word);
    struct tool_room here = room;
    here.unfenced = unfenced;
    here.deadline_ms = 20000;
    if (tool_run_argv(tool, &argv, &here, outcome, &fault) != 0)
        fail_msg("%s: %s", line, fault.text);
}

static size_t load(const char *name, char **bytes) {
    struct stat status;
    *bytes = NULL;
    FILE *file = fopen(in_case(name), "r");
    if (!file)
        return 0;
    assert_int_equal(fstat(fileno(file), &status), 0);
    *bytes = malloc((size_t)status.st_size + 1);
    size_t length = fread(*bytes, 1, (size_t)status.st_size, file);
    fclose(file);
    unlink(in_case(name));
    return length;
}

// `output` may be NULL. Whether the bytes can be compared: those of vmdk and vhdx hold a random
// number, so there the sizes must do.
static void same_answer(const struct tool *tool, const char *line, const char *output, bool bytes) {
    char *with = NULL, *without = NULL;
    size_t sizes[2] = {0};
    run_line(tool, line, false, &fenced);
    sizes[0] = output ? load(output, &with) : 0;
    run_line(tool, line, true, &plain);
    sizes[1] = output ? load(output, &without) : 0;
    bool same = fenced.end == plain.end && fenced.value == plain.value &&
                strcmp(fenced.out.data, plain.out.data) == 0 &&
                strcmp(fenced.err.data, plain.err.data) == 0 && sizes[0] == sizes[1] &&
                (!bytes || !sizes[0] || memcmp(with, without, sizes[0]) == 0);
    if (!same)
        fail_msg("%s %s\nfenced %d: %s%s(%zu)\nwithout %d: %s%s(%zu)", tool->name, line,
                 fenced.value, fenced.out.data, fenced.err.data, sizes[0], plain.value,
                 plain.out.data, plain.err.data, sizes[1]);
    free(with);
    free(without);
}

static void make(const char *line) {
    run_line(&qemu_img, line, true, &plain);
    if (plain.end != EXEC_EXITED || plain.value != 0)
        fail_msg("%s: %s", line, plain.err.data);
}

// Sources of all formats, and qcow2 files with files below and beside them.
static const char *const sources[] = {
    "probe.raw",   "probe.qcow2",     "probe.vpc",     "probe.vmdk", "probe.vhdx",
    "chain.qcow2", "snapshots.qcow2", "outside.qcow2", "flat.vmdk",  "nowhere.raw",
};

static int begin_images(void **state) {
    struct fault fault = {0};
    if (begin(state))
        return -1;
    char path[512];
    if (tool_probe(&qemu_img, "qemu-img", TOOL_QEMU_IMG, &room, &fault) != 0 ||
        exec_find_beside("standin/instar", path, sizeof path, &fault) != 0 ||
        tool_probe(&standin, path, TOOL_INSTAR, &room, &fault) != 0) {
        print_error("%s\n", fault.text);
        return -1;
    }
    if (!qemu_img.available)
        return 0;
    if (tool_samples(workdir.case_path, &fault) != 0)
        return -1;
    make("create -q -f qcow2 -b probe.vmdk -F vmdk middle.qcow2 2M");
    make("create -q -f qcow2 -b middle.qcow2 -F qcow2 chain.qcow2 3M");
    make("convert -O qcow2 probe.raw snapshots.qcow2");
    make("snapshot -c one snapshots.qcow2");
    make("convert -O qcow2 -o data_file=outside.data,data_file_raw=on probe.raw outside.qcow2");
    make("convert -O vmdk -o subformat=monolithicFlat probe.raw flat.vmdk");
    return 0;
}

static void requires_qemu_img(void) {
    if (!qemu_img.available)
        skip();
}

static void answers_do_not_depend_on_the_fence(void **state) {
    (void)state;
    requires_qemu_img();
    static const char *const asks[] = {
        "info --output=json",
        "info",
        "check --output=json",
        "measure --output=json -O qcow2",
        "measure --output=json -O raw",
        "info --backing-chain --output=json",
        "map --output=json",
        "convert --no-such-option",
    };
    static const struct {
        const char *line, *output;
        bool bytes;
    } converts[] = {
        {"convert -O raw", "out", true},          {"convert -O qcow2", "out", true},
        {"convert -c -O qcow2", "out", true},     {"convert -O vmdk", "out", false},
        {"convert -O vhdx", "out", false},        {"convert -O vpc", "out", false},
        {"convert -O raw", "probe.raw/no", true},
    };
    char line[256];
    for (size_t s = 0; s < sizeof sources / sizeof *sources; s++) {
        for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
            snprintf(line, sizeof line, "%s %s", asks[i], sources[s]);
            same_answer(&qemu_img, line, NULL, false);
        }
        for (size_t i = 0; i < sizeof converts / sizeof *converts; i++) {
            snprintf(line, sizeof line, "%s %s %s", converts[i].line, sources[s],
                     converts[i].output);
            same_answer(&qemu_img, line, "out", converts[i].bytes);
        }
        snprintf(line, sizeof line, "info --output json %s", sources[s]);
        same_answer(&standin, line, NULL, false);
        snprintf(line, sizeof line, "check --output json %s", sources[s]);
        same_answer(&standin, line, NULL, false);
        snprintf(line, sizeof line, "measure --output json -O qcow2 %s", sources[s]);
        same_answer(&standin, line, NULL, false);
        snprintf(line, sizeof line, "convert -O qcow2 %s out", sources[s]);
        same_answer(&standin, line, "out", true);
    }
}

// Names that an image may give to the file below it, @ for the folder of the case directory. None
// is there for a fenced tool. `reached`: a tool without a fence opens it, which shows that the name
// is a danger.
static const struct {
    const char *name;
    bool reached;
} names[] = {
    {"/etc/passwd", true},
    {"../secret", true},
    {"@/secret", true},
    {"/proc/self/environ", true},
    {"/proc/self/cmdline", true},
    {"/proc/1/cmdline", true},
    {"/dev/mem", false},
    {"nbd://127.0.0.1:9/x", false},
    {"nbd:unix:/tmp/nowhere", false},
    {"http://127.0.0.1:9/x", false},
    {"ssh://127.0.0.1:9/x", false},
    {"json:{\"driver\":\"raw\",\"file.filename\":\"/etc/passwd\"}", true},
    {"json:{\"driver\":\"raw\",\"file\":{\"driver\":\"file\",\"filename\":\"../secret\"}}", true},
    {"fat:/etc/skel", true},
};

static void what_images_name_is_not_reached(void **state) {
    (void)state;
    requires_qemu_img();
    char path[400], line[512];
    snprintf(path, sizeof path, "%s/secret", workdir.path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 4096; i++)
        fputs("SECRET, ", file);
    fclose(file);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[400];
        snprintf(name, sizeof name, "%s%s", *names[i].name == '@' ? workdir.path : "",
                 names[i].name + (*names[i].name == '@'));
        snprintf(line, sizeof line, "create -q -u -f qcow2 -F raw -b %s names.qcow2 64k", name);
        make(line);
        run_line(&qemu_img, "convert -O raw names.qcow2 out", false, &fenced);
        unlink(in_case("out"));
        assert_int_equal(fenced.end, EXEC_EXITED);
        if (fenced.value != 1)
            fail_msg("%s was reached", name);
        if (!names[i].reached)
            continue;
        if (!strstr(fenced.err.data, "Permission denied") &&
            !strstr(fenced.err.data, "Could not read directory"))
            fail_msg("%s: %s", name, fenced.err.data);
        run_line(&qemu_img, "convert -O raw names.qcow2 out", true, &plain);
        unlink(in_case("out"));
        if (plain.value != 0)
            fail_msg("%s is no danger: %s", name, plain.err.data);
    }
}

// A tool that the fence stops is told from one that cannot run: with its own words.
static void a_tool_in_need_of_more_is_named(void **state) {
    (void)state;
    requires_qemu_img();
    char path[400], own[300];
    struct fault fault = {0};
    struct tool tool;
    snprintf(own, sizeof own, "%s", standin.path);
    snprintf(path, sizeof path, "%s/needy", workdir.path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\nread -r x <%s/hidden || exit 1\nexec %s \"$@\"\n", "/sys/kernel",
            own);
    fclose(file);
    assert_int_equal(chmod(path, 0755), 0);
    // Neither works with what is never there.
    assert_int_equal(tool_probe(&tool, path, TOOL_INSTAR, &room, &fault), 0);
    assert_false(tool.available);
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\nread -r x </etc/passwd || exit 1\nexec %s \"$@\"\n", own);
    fclose(file);
    assert_int_equal(tool_probe(&tool, path, TOOL_INSTAR, &room, &fault), -1);
    assert_non_null(strstr(fault.text, "without the fence it works"));
    assert_non_null(strstr(fault.text, "/etc/passwd"));
    assert_non_null(strstr(fault.text, "INSTAR_FUZZ_FENCE"));
    // With the two files that it names it does.
    char readable[400];
    snprintf(readable, sizeof readable, "/etc/passwd,%s", own);
    room.readable = readable;
    assert_int_equal(tool_probe(&tool, path, TOOL_INSTAR, &room, &fault), 0);
    assert_true(tool.available);
    room.readable = NULL;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_do_not_depend_on_the_fence),
        cmocka_unit_test(what_images_name_is_not_reached),
        cmocka_unit_test(a_tool_in_need_of_more_is_named),
    };
    int failed = cmocka_run_group_tests(tests, begin_images, end);
    exec_outcome_free(&fenced);
    exec_outcome_free(&plain);
    return failed;
}
