// SPDX-License-Identifier: Apache-2.0
//
// Files that qemu-img wrote twice are the same but for their identities, in every format and layout
// that it converts to; and a file that is damaged anywhere else is another one. Where identities
// are is said here a second time, from the specifications, not taken from the code under test.
#include "tests/unit/image_helper.h"

#include "base/bytes.h"
#include "base/file.h"
#include "image/identity.h"

#include <sys/stat.h>
#include <time.h>

#define SOURCE_SIZE (1u << 20)
#define SAMPLES     30 // damages in each file where it is only sampled

static const struct writing {
    const char *name;
    const char *const arguments[5];
    enum image_format format;
    const char *beside; // of the file beside it
    enum image_format beside_format;
} writings[] = {
    {"raw", {"-O", "raw"}, IMAGE_RAW, NULL, 0},
    {"qcow2", {"-O", "qcow2"}, IMAGE_QCOW2, NULL, 0},
    {"compressed", {"-c", "-O", "qcow2"}, IMAGE_QCOW2, NULL, 0},
    {"small", {"-O", "qcow2", "-o", "cluster_size=512"}, IMAGE_QCOW2, NULL, 0},
    {"subclusters", {"-O", "qcow2", "-o", "extended_l2=on"}, IMAGE_QCOW2, NULL, 0},
    {"vpc", {"-O", "vpc"}, IMAGE_VPC, NULL, 0},
    {"vpc-fixed", {"-O", "vpc", "-o", "subformat=fixed"}, IMAGE_VPC, NULL, 0},
    {"vmdk", {"-O", "vmdk"}, IMAGE_VMDK, NULL, 0},
    {"stream", {"-c", "-O", "vmdk", "-o", "subformat=streamOptimized"}, IMAGE_VMDK, NULL, 0},
    {"flat",
     {"-O", "vmdk", "-o", "subformat=monolithicFlat"},
     IMAGE_VMDK,
     "out-flat.image",
     IMAGE_RAW},
    {"split",
     {"-O", "vmdk", "-o", "subformat=twoGbMaxExtentSparse"},
     IMAGE_VMDK,
     "out-s001.image",
     IMAGE_VMDK},
    {"vhdx", {"-O", "vhdx"}, IMAGE_VHDX, NULL, 0},
    {"vhdx-fixed", {"-O", "vhdx", "-o", "subformat=fixed"}, IMAGE_VHDX, NULL, 0},
    {"vhdx-small", {"-O", "vhdx", "-o", "block_size=1048576"}, IMAGE_VHDX, NULL, 0},
};
#define WRITINGS (sizeof writings / sizeof *writings)

static char where[128];
static struct fault fault;

static int same(const char *a, const char *b, enum image_format format) {
    memset(where, 'x', sizeof where);
    fault.text[0] = 0;
    return image_files_same(a, b, format, where, sizeof where, &fault);
}

static void make_file(const char *name, const void *bytes, size_t length, uint64_t size) {
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(file_pwrite(fd, bytes, length, 0, &fault), 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    close(fd);
}

// --- real files ----------------------------------------------------------------------------------

static void make_source(void) {
    static uint8_t bytes[SOURCE_SIZE];
    struct random random = {7};
    for (size_t i = 0; i < 3000; i++)
        bytes[i] = 'x';
    for (size_t i = 600000; i < 620000; i++)
        bytes[i] = (uint8_t)next_random(&random);
    make_file("source.raw", bytes, sizeof bytes, sizeof bytes);
}

static void write_once(const struct writing *writing, int run) {
    struct buffer text = {0};
    char name[64];
    char *argv[12] = {"qemu-img", "convert", "-f", "raw"};
    size_t used = 4;
    for (size_t i = 0; i < 5 && writing->arguments[i]; i++)
        argv[used++] = (char *)writing->arguments[i];
    argv[used++] = "source.raw";
    argv[used++] = "out.image";
    if (run_qemu_img(argv, &text))
        fail_msg("%s: %s", writing->name, text.data);
    snprintf(name, sizeof name, "%s.%d", writing->name, run);
    assert_int_equal(rename("out.image", name), 0);
    snprintf(name, sizeof name, "%s.%d.beside", writing->name, run);
    if (writing->beside)
        assert_int_equal(rename(writing->beside, name), 0);
    buffer_free(&text);
}

// vpc files have the second in which they were written.
static int write_twice(void **state) {
    if (enter_directory(state))
        return -1;
    if (!have_qemu_img())
        return 0;
    make_source();
    time_t began = time(NULL);
    for (size_t i = 0; i < WRITINGS; i++)
        write_once(&writings[i], 1);
    while (time(NULL) - began < 2)
        usleep(10000);
    for (size_t i = 0; i < WRITINGS; i++)
        write_once(&writings[i], 2);
    return 0;
}

static int remove_both(void **state) {
    static const char *const others[] = {"source.raw", "a", "b"};
    char name[64];
    for (size_t i = 0; i < 4 * WRITINGS; i++) {
        snprintf(name, sizeof name, "%s.%zu%s", writings[i / 4].name, i % 2 + 1,
                 i % 4 < 2 ? "" : ".beside");
        unlink(name);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        unlink(others[i]);
    return leave_directory(state);
}

static void what_is_written_twice_is_the_same(void **state) {
    (void)state;
    unsigned different = 0;
    if (!have_qemu_img())
        skip();
    for (size_t i = 0; i < WRITINGS; i++) {
        char one[64], two[64];
        snprintf(one, sizeof one, "%s.1", writings[i].name);
        snprintf(two, sizeof two, "%s.2", writings[i].name);
        if (same(one, two, writings[i].format) != 1)
            fail_msg("%s: %s%s", one, where, fault.text);
        assert_string_equal(where, "");
        // Without identities to pass over most are not.
        different += same(one, two, IMAGE_RAW) == 0;
        snprintf(one, sizeof one, "%s.1.beside", writings[i].name);
        snprintf(two, sizeof two, "%s.2.beside", writings[i].name);
        if (writings[i].beside && same(one, two, writings[i].beside_format) != 1)
            fail_msg("%s: %s%s", one, where, fault.text);
    }
    assert_int_equal(different, 9); // all of vpc, vmdk and vhdx
}

// --- damage --------------------------------------------------------------------------------------

struct file {
    uint8_t *bytes;
    size_t size;
    enum image_format format;
    uint8_t kind[1 << 16]; // of the bytes up to there, of vmdk: see below
    size_t page83;
};
enum { ORDINARY, DIGIT, LEFT_OVER };

static size_t find(const struct file *file, const void *what, size_t length) {
    const uint8_t *at = memmem(file->bytes, file->size, what, length);
    return at ? (size_t)(at - file->bytes) : file->size;
}

static void note_vmdk(struct file *file) {
    static const char *const keys[] = {"\nCID=", "\nparentCID="};
    size_t text = find(file, "# Disk DescriptorFile", 21), missing = 0;
    memset(file->kind, ORDINARY, sizeof file->kind);
    if (text == file->size)
        return;
    for (size_t i = 0; i < 2; i++) {
        size_t at = find(file, keys[i], strlen(keys[i])) + strlen(keys[i]), digits = 0;
        while (file->bytes[at + digits] != '\n')
            file->kind[at + digits++] = DIGIT;
        assert_in_range(digits, 1, 8);
        missing += 8 - digits;
    }
    memset(file->kind + text + strlen((char *)file->bytes + text), LEFT_OVER, missing);
}

static void note_vhdx(struct file *file) {
    static const uint8_t guid[16] = {0xab, 0x12, 0xca, 0xbe, 0xe6, 0xb2, 0x23, 0x45,
                                     0x93, 0xef, 0xc3, 0x09, 0xe0, 0x00, 0xc7, 0x46};
    size_t entry = find(file, guid, sizeof guid), region = entry - entry % (1 << 20);
    assert_memory_equal(file->bytes + region, "metadata", 8);
    file->page83 = region + get_le32(file->bytes + entry + 16);
}

static bool in(size_t at, size_t from, size_t length) {
    return at - from < length;
}

static bool is_identity(const struct file *file, size_t at) {
    size_t footer = file->size - 512;
    switch (file->format) {
    case IMAGE_VPC:
        if (!in(at, footer, 512) && !(file->bytes[footer + 63] == 3 && at < 512))
            return false;
        return in(at % 512, 24, 4) || in(at % 512, 64, 20);
    case IMAGE_VMDK:
        return at < sizeof file->kind && file->kind[at] != ORDINARY;
    case IMAGE_VHDX:
        return in(at, (64 << 10) + 4, 60) || in(at, (128 << 10) + 4, 60) ||
               in(at, 1 << 20, 1 << 20) || in(at, file->page83, 16);
    default:
        return false;
    }
}

static uint8_t damaged(const struct file *file, size_t at) {
    bool digit = file->format == IMAGE_VMDK && at < sizeof file->kind && file->kind[at] == DIGIT;
    return digit ? (file->bytes[at] == '0' ? '1' : '0') : file->bytes[at] ^ 0x81;
}

// The damage is in `two`, which is open as `fd`.
static void damage_one(const struct file *file, const char *one, const char *two, int fd,
                       size_t at) {
    uint8_t byte = damaged(file, at);
    int expected = is_identity(file, at);
    assert_int_equal(file_pwrite(fd, &byte, 1, at, &fault), 0);
    int found = same(two, one, file->format) == expected ? same(one, two, file->format) : -2;
    if (found != expected)
        fail_msg("%s damaged at %zu: %s%s", two, at, expected ? where : "not noticed", fault.text);
    unsigned long long said = strtoull(where + (*where ? strlen("byte ") : 0), NULL, 10);
    if (!expected && !strstr(where, "descriptor"))
        assert_int_equal(said, at);
    assert_int_equal(file_pwrite(fd, file->bytes + at, 1, at, &fault), 0);
}

// Every byte of what identities are in and near to, and some of all others.
static bool is_tried(const struct file *file, size_t at) {
    if (at % (file->size / SAMPLES) == 77)
        return true;
    switch (file->format) {
    case IMAGE_VPC:
        return at >= file->size - 512 || (at < 512 && file->bytes[0] == 'c');
    case IMAGE_VMDK:
        return in(at, 512, 80) || at < 80;
    case IMAGE_VHDX:
        return (at < (192 << 10) && at % (64 << 10) < 80) || in(at, file->page83 - 20, 56) ||
               in(at, (1 << 20) - 2, 4) || in(at, (2 << 20) - 2, 4);
    default:
        return false;
    }
}

// As instar writes one, in sectors of 64 KiB: the last footer begins the last of them.
static void a_padded_vpc_has_its_footer_where_the_padding_begins(void **state) {
    (void)state;
    static const char *const names[] = {"vpc.1", "vpc.2"};
    struct stat info;
    if (!have_qemu_img())
        skip();
    for (size_t i = 0; i < 2; i++) {
        int fd = open(names[i], O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0 && fstat(fd, &info) == 0);
        assert_int_equal(ftruncate(fd, info.st_size + 65536 - 512), 0);
        close(fd);
    }
    int answer = same(names[0], names[1], IMAGE_VPC);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(truncate(names[i], info.st_size), 0);
    if (answer != 1)
        fail_msg("%s%s", where, fault.text);
}

static void damage_everywhere(const char *name, enum image_format format) {
    static struct file file;
    char one[64], two[64];
    struct stat info;
    snprintf(one, sizeof one, "%s.1%s", name, strchr(name, '.') ? ".beside" : "");
    snprintf(two, sizeof two, "%s.2%s", name, strchr(name, '.') ? ".beside" : "");
    int fd = open(two, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    file = (struct file){.size = (size_t)info.st_size, .format = format};
    file.bytes = malloc(file.size);
    assert_int_equal(file_pread(fd, file.bytes, file.size, 0, &fault), 0);
    if (format == IMAGE_VMDK)
        note_vmdk(&file);
    if (format == IMAGE_VHDX)
        note_vhdx(&file);
    for (size_t at = 0; at < file.size; at++)
        if (is_tried(&file, at))
            damage_one(&file, one, two, fd, at);
    assert_int_equal(ftruncate(fd, (off_t)file.size + 1), 0);
    assert_int_equal(same(one, two, format), 0);
    close(fd);
    free(file.bytes);
}

static void damage_elsewhere_is_a_difference(void **state) {
    (void)state;
    if (!have_qemu_img())
        skip();
    for (size_t i = 0; i < WRITINGS; i++)
        damage_everywhere(writings[i].name, writings[i].format);
}

// --- files of our own making ---------------------------------------------------------------------

static void digits_may_be_fewer(void **state) {
    (void)state;
    static const char full[] =
        "# Disk DescriptorFile\nversion=1\nCID=1234abcd\nparentCID=ffffffff\nend\n";
    static const char few[] =
        "# Disk DescriptorFile\nversion=1\nCID=abcd\nparentCID=ffffffff\nend\n";
    static const char other[] =
        "# Disk DescriptorFile\nversion=1\nCID=abcd\nparentCID=ffffffff\nEnd\n";
    static const char rest[] =
        "# Disk DescriptorFile\nversion=1\nCID=abcd\nparentCID=ffffffff\nend\n\0nd\n";
    make_file("a", full, sizeof full - 1, sizeof full - 1);
    make_file("b", few, sizeof few - 1, sizeof few - 1);
    assert_int_equal(same("a", "b", IMAGE_VMDK), 1);
    assert_int_equal(same("a", "b", IMAGE_RAW), 0);
    make_file("b", rest, sizeof rest - 1, sizeof full - 1); // the tail of the longer one
    assert_int_equal(same("a", "b", IMAGE_VMDK), 1);
    make_file("b", few, sizeof few - 1, sizeof full + 4);
    assert_int_equal(same("a", "b", IMAGE_VMDK), 0);
    assert_string_equal(where, "68 bytes instead of 73");
    make_file("b", other, sizeof other - 1, sizeof other - 1);
    assert_int_equal(same("b", "a", IMAGE_VMDK), 0);
    assert_string_equal(where, "byte 64 of the descriptor: 0x45 instead of 0x65");
}

static void sparse_files_cost_what_they_store(void **state) {
    (void)state;
    static const uint8_t zeros[100000], byte = 0x5a;
    const uint64_t size = UINT64_C(1) << 38;
    make_file("a", zeros, sizeof zeros, size);
    make_file("b", &byte, 0, size);
    assert_int_equal(same("a", "b", IMAGE_RAW), 1); // stored zeros and a hole
    int fd = open("b", O_RDWR | O_CLOEXEC);
    assert_int_equal(file_pwrite(fd, &byte, 1, size - 3, &fault), 0);
    close(fd);
    assert_int_equal(same("a", "b", IMAGE_RAW), 0);
    assert_string_equal(where, "byte 274877906941: 0x00 instead of 0x5a");
    make_file("b", zeros, 1, size / 2);
    assert_int_equal(same("b", "a", IMAGE_QCOW2), 0);
    assert_string_equal(where, "137438953472 bytes instead of 274877906944");
}

// A guest's bytes are no footer and no descriptor.
static void guest_bytes_are_no_identity(void **state) {
    (void)state;
    static uint8_t disk[4096];
    memcpy(disk, "conectix", 8);
    memcpy(disk + 3584, "conectix", 8);
    put_be32(disk + 3584 + 60, 2); // a fixed disk
    make_file("a", disk, sizeof disk, sizeof disk);
    disk[70] = 1; // where a dynamic disk has its unique id
    make_file("b", disk, sizeof disk, sizeof disk);
    assert_int_equal(same("a", "b", IMAGE_VPC), 0);
    assert_string_equal(where, "byte 70: 0x00 instead of 0x01");
    assert_int_equal(same("a", "b", IMAGE_VHDX), 0);
}

static void a_file_that_cannot_be_read_is_named(void **state) {
    (void)state;
    make_file("a", "a", 1, 1);
    assert_int_equal(same("a", "missing", IMAGE_RAW), -1);
    assert_non_null(strstr(fault.text, "missing: "));
    assert_int_equal(same(".", "a", IMAGE_RAW), -1);
    assert_string_equal(fault.text, ".: not a regular file");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_padded_vpc_has_its_footer_where_the_padding_begins),
        cmocka_unit_test(what_is_written_twice_is_the_same),
        cmocka_unit_test(damage_elsewhere_is_a_difference),
        cmocka_unit_test(digits_may_be_fewer),
        cmocka_unit_test(sparse_files_cost_what_they_store),
        cmocka_unit_test(guest_bytes_are_no_identity),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
    };
    return cmocka_run_group_tests_name("image_identity", tests, write_twice, remove_both);
}
