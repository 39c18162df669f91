// SPDX-License-Identifier: Apache-2.0
//
// The real third reader over images of our writers: it must read rightly whatever third_support.c
// does not except, and each exception must still be needed. And programs in its place that hang,
// crash or read wrongly: nothing of that is a harness error.
//
// RUN_THIRD=COUNT images of each kind.
#include "tests/unit/tool_room.h"

#include "base/bytes.h"
#include "base/file.h"
#include "output.h"
#include "third.h"
#include "turn.h"

#include <fcntl.h>
#include <sys/stat.h>

static struct third third;
static struct chain chain = {.third = &third, .third_turn = true};
static struct step_record step;
static struct content content;

static int begin_third(void **state) {
    struct fault fault = {0};
    if (begin(state) || workdir_clear_case(&workdir, &fault) || third_find(&third, &room, &fault))
        return -1;
    chain.room = room;
    return 0;
}

static int end_third(void **state) {
    content_free(&content);
    return end(state);
}

static void require_third(void) {
    if (third.available)
        return;
    print_message("%s\n", third.why_not);
    skip();
}

static const char *in_case(const char *name) {
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", workdir.case_path, name);
    return path;
}

struct kind {
    const char *words;
    enum image_format format;
    struct image_options options;
    uint64_t size;
    enum content_form form; // of all writes
    const char *reason;     // third_unsupported, or NULL
};

#define MIB (1ull << 20)

static const struct kind kinds[] = {
    {"plain", IMAGE_QCOW2, {0}, 3 * MIB, FORM_NORMAL, NULL},
    {"old", IMAGE_QCOW2, {.qcow2_version = 2}, 3 * MIB, FORM_NORMAL, NULL},
    {"small clusters", IMAGE_QCOW2, {.cluster_bits = 9}, 2 * MIB, FORM_NORMAL, NULL},
    {"large clusters", IMAGE_QCOW2, {.cluster_bits = 21}, 9 * MIB, FORM_NORMAL, NULL},
    {"refcounts", IMAGE_QCOW2, {.refcount_bits = 64}, 3 * MIB, FORM_NORMAL, NULL},
    {"lazy", IMAGE_QCOW2, {.lazy_refcounts = true}, 3 * MIB, FORM_NORMAL, NULL},
    {"deflated", IMAGE_QCOW2, {.compress = true}, 3 * MIB, FORM_COMPRESSED, NULL},
    {"odd size", IMAGE_QCOW2, {0}, 3 * MIB + 77, FORM_NORMAL, NULL},
    {"large", IMAGE_QCOW2, {0}, 1ull << 40, FORM_NORMAL, NULL},
    {"empty", IMAGE_QCOW2, {0}, 0, FORM_NORMAL, "third_empty"},
    {"subclusters", IMAGE_QCOW2, {.extended_l2 = true}, 3 * MIB, FORM_NORMAL, "third_extended_l2"},
    {"zstd", IMAGE_QCOW2, {.compression = QCOW2_ZSTD}, 3 * MIB, FORM_COMPRESSED, "third_zstd"},
    {"zero", IMAGE_QCOW2, {.cluster_bits = 12}, 3 * MIB, FORM_ZERO, "third_zero_clusters"},
    {"sparse", IMAGE_VMDK, {0}, 3 * MIB, FORM_NORMAL, NULL},
    {"8 KiB grains", IMAGE_VMDK, {.grain_bits = 13}, 3 * MIB, FORM_NORMAL, NULL},
    {"padded", IMAGE_VMDK, {.output_sector = 65536}, 3 * MIB, FORM_NORMAL, NULL},
    {"stream",
     IMAGE_VMDK,
     {.vmdk_subformat = VMDK_STREAM, .compress = true},
     3 * MIB,
     FORM_NORMAL,
     NULL},
    {"large", IMAGE_VMDK, {0}, 8ull << 30, FORM_NORMAL, NULL},
    {"4 KiB grains", IMAGE_VMDK, {.grain_bits = 12}, 3 * MIB, FORM_NORMAL, "third_small_grains"},
    {"zero", IMAGE_VMDK, {.grain_bits = 13}, 3 * MIB, FORM_ZERO, "third_zero_grains"},
    {"dynamic", IMAGE_VPC, {0}, 9 * MIB, FORM_NORMAL, NULL},
    {"exact", IMAGE_VPC, {.vpc_creator = VPC_CREATOR_QEM2}, 9 * MIB, FORM_NORMAL, NULL},
    {"fixed", IMAGE_VPC, {.vpc_fixed = true}, 9 * MIB, FORM_NORMAL, NULL},
    {"small blocks", IMAGE_VPC, {.block_bits = 19}, 9 * MIB, FORM_NORMAL, NULL},
    {"large", IMAGE_VPC, {0}, 40ull << 30, FORM_NORMAL, NULL},
    {"dynamic", IMAGE_VHDX, {.block_bits = 20}, 9 * MIB, FORM_NORMAL, NULL},
    {"default blocks", IMAGE_VHDX, {0}, 40 * MIB, FORM_NORMAL, NULL},
    {"large", IMAGE_VHDX, {0}, 1ull << 40, FORM_NORMAL, NULL},
    {"empty", IMAGE_VHDX, {0}, 0, FORM_NORMAL, "third_empty"},
    {"empty", IMAGE_VPC, {0}, 0, FORM_NORMAL, "third_empty"},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static uint64_t next(uint64_t *state) {
    uint64_t x = *state += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    return x ^ (x >> 31);
}

// The first unit and the last bytes always hold something.
static void fill(const struct kind *kind, uint64_t seed) {
    content_begin(&content, kind->size);
    for (int i = 0; i < 6 && kind->size; i++) {
        uint64_t place = next(&seed) % kind->size;
        struct content_extent write = {
            .offset = i == 0   ? 0
                      : i == 1 ? kind->size - 300
                               : place,
            .length = i == 0 ? 70000 : 1 + next(&seed) % 200000,
            .pattern = (enum content_pattern)(1 + next(&seed) % 3),
            .form = kind->form,
            .seed = (uint8_t)i,
        };
        content_write(&content, &write);
    }
}

// Builds the image as a tool's output of the step.
static void build(const struct kind *kind, uint64_t seed) {
    struct image_source source;
    struct image_written written = {0};
    struct fault fault = {0};
    assert_int_equal(workdir_clear_case(&workdir, &fault), 0);
    fill(kind, seed);
    content_as_source(&content, &source);
    memset(&step, 0, sizeof step);
    step.step.target = kind->format;
    step.step.truth.content = &content;
    step.step.compare_budget = 256 * MIB;
    snprintf(step.outputs[SIDE_A], sizeof step.outputs[SIDE_A], "a.out1.%s",
             image_driver(kind->format)->name);
    if (image_write(in_case(step.outputs[SIDE_A]), kind->format, &kind->options, &source, &written,
                    &fault))
        fail_msg("%s %s: %s", image_driver(kind->format)->name, kind->words, fault.text);
    image_written_free(&written);
}

static const struct third_reading *ask(void) {
    struct fault fault = {0};
    step.step.a.third = step.step.a.third_control = (struct third_reading){0};
    if (third_ask(&step, &chain, SIDE_A, 0, &fault))
        fail_msg("%s", fault.text);
    return &step.step.a.third;
}

static void expect(const struct kind *kind, enum third_state state, const char *reason) {
    const struct third_reading *reading = ask();
    if (reading->state != state || strcmp(reading->reason, reason) != 0)
        fail_msg("%s %s: state %d, %s: %s", image_driver(kind->format)->name, kind->words,
                 (int)reading->state, reading->reason, reading->words);
}

static void every_kind_is_read_rightly_or_excepted(void **state) {
    (void)state;
    require_third();
    const char *set = getenv("RUN_THIRD");
    unsigned long count = set ? strtoul(set, NULL, 10) : 3;
    for (size_t i = 0; i < KINDS; i++)
        for (unsigned long seed = 0; seed < count; seed++) {
            build(&kinds[i], seed * KINDS + i);
            expect(&kinds[i], kinds[i].reason ? THIRD_UNSUPPORTED : THIRD_SAME,
                   kinds[i].reason ? kinds[i].reason : "");
        }
}

// Asks the program itself, whatever the table says.
static bool reads_rightly(const struct kind *kind) {
    const char *const argv[] = {"third-reader", image_driver(kind->format)->name,
                                step.outputs[SIDE_A], "raw", NULL};
    const char *const environment[] = {NULL};
    const struct exec_command command = {
        .program = third.path,
        .argv = argv,
        .environment = environment,
        .directory = workdir.case_path,
        .deadline_ms = 5000,
        .capture_limit = 1000,
    };
    struct exec_outcome outcome = {0};
    struct fault fault = {0};
    struct third_reading reading = {0};
    struct image_source truth;
    struct image *raw;
    assert_int_equal(exec_run(room.exec, &command, &outcome, &fault), 0);
    bool read = outcome.end == EXEC_EXITED && outcome.value == 0;
    exec_outcome_free(&outcome);
    if (!read)
        return false;
    content_as_source(&content, &truth);
    const struct third_expected expected = {&truth, content.size, 256 * MIB};
    assert_int_equal(image_open(&raw, in_case("raw"), IMAGE_RAW, &fault), 0);
    third_compare(&reading, raw, &expected);
    image_close(raw);
    return reading.state == THIRD_SAME;
}

static void every_exception_is_needed(void **state) {
    (void)state;
    require_third();
    for (size_t i = 0; i < KINDS; i++) {
        if (!kinds[i].reason)
            continue;
        build(&kinds[i], i);
        if (reads_rightly(&kinds[i]))
            fail_msg("%s %s is read rightly now: %s is no longer needed",
                     image_driver(kinds[i].format)->name, kinds[i].words, kinds[i].reason);
    }
}

static void a_damaged_output_is_another_disk_and_our_own_is_read(void **state) {
    (void)state;
    require_third();
    struct fault fault = {0};
    build(&kinds[0], 1);
    int fd = open(in_case(step.outputs[SIDE_A]), O_RDWR | O_CLOEXEC);
    // A compatible feature bit that nobody knows: every reader may ignore it, libqcow does not.
    assert_int_equal(file_pwrite(fd, "\x80", 1, 87, &fault), 0);
    close(fd);
    expect(&kinds[0], THIRD_OTHER, "unreadable");
    assert_int_equal(step.step.a.third_control.state, THIRD_SAME);
    assert_int_not_equal(access(in_case("own.qcow2"), F_OK), 0);
    assert_int_not_equal(access(in_case("a.out1.qcow2.third"), F_OK), 0);
}

// --- hostile images, and programs that are no third reader -------------------------------------

static void hostile_images_end_in_time(void **state) {
    (void)state;
    require_third();
    struct fault fault = {0};
    for (size_t i = 0; i < KINDS; i++) {
        uint64_t random = i;
        for (int round = 0; round < 6; round++) {
            build(&kinds[i], i);
            int fd = open(in_case(step.outputs[SIDE_A]), O_RDWR | O_CLOEXEC);
            for (int bytes = 0; bytes < 40; bytes++) {
                uint8_t byte = (uint8_t)next(&random);
                file_pwrite(fd, &byte, 1, next(&random) % (round < 3 ? 600 : 200000), &fault);
            }
            close(fd);
            if (kinds[i].size < 64 * MIB)
                reads_rightly(&kinds[i]); // whatever it says
            ask();
        }
    }
}

static void impostor(const char *script) {
    FILE *file = fopen(in_case("../impostor"), "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", script);
    fclose(file);
    assert_int_equal(chmod(in_case("../impostor"), 0755), 0);
    snprintf(third.path, sizeof third.path, "%s", in_case("../impostor"));
    third.backend = EXEC_PLAIN; // a script cannot be warm
    third.available = true;
}

static void whatever_the_program_does_is_no_harness_error(void **state) {
    (void)state;
    static const struct {
        const char *script, *reason;
        enum third_state state;
    } rows[] = {
        {"while :; do :; done", "third_timeout", THIRD_UNDECIDED},
        {"kill -SEGV $$", "third_failed", THIRD_UNDECIDED},
        {"exit 127", "third_failed", THIRD_UNDECIDED},
        {"exit 0", "third_lost", THIRD_UNDECIDED}, // wrote nothing
        {"echo no; exit 1", "unreadable", THIRD_OTHER},
        {": > $3", "content", THIRD_OTHER}, // sees nothing
    };
    struct third saved = third;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        chain.room.deadline_ms = i ? room.deadline_ms : 300;
        build(&kinds[0], 1);
        impostor(rows[i].script);
        expect(&kinds[0], rows[i].state, rows[i].reason);
        assert_int_not_equal(step.step.a.third_control.state, THIRD_SAME);
    }
    third = saved;
    chain.room.deadline_ms = room.deadline_ms;
}

static void it_is_not_asked_out_of_turn(void **state) {
    (void)state;
    build(&kinds[0], 1);
    chain.third_turn = false;
    expect(&kinds[0], THIRD_NOT_ASKED, "");
    chain.third_turn = true;
    step.step.truth.content = NULL; // tainted
    expect(&kinds[0], THIRD_NOT_ASKED, "");
    uint8_t bytes[4] = {0};
    unsigned turns = 0;
    for (unsigned i = 0; i < 8000; i++) {
        memcpy(bytes, &i, sizeof bytes);
        turns += turn_of(bytes, sizeof bytes, THIRD_SHARE);
        assert_int_equal(turn_of(bytes, sizeof bytes, THIRD_SHARE),
                         turn_of(bytes, sizeof bytes, THIRD_SHARE));
    }
    print_message("%u of 8000 cases\n", turns);
    assert_in_range(turns, 8000 / THIRD_SHARE - 150, 8000 / THIRD_SHARE + 150);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_read_rightly_or_excepted),
        cmocka_unit_test(every_exception_is_needed),
        cmocka_unit_test(a_damaged_output_is_another_disk_and_our_own_is_read),
        cmocka_unit_test(hostile_images_end_in_time),
        cmocka_unit_test(whatever_the_program_does_is_no_harness_error),
        cmocka_unit_test(it_is_not_asked_out_of_turn),
    };
    return cmocka_run_group_tests(tests, begin_third, end_third);
}
