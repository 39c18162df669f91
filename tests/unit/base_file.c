// SPDX-License-Identifier: Apache-2.0
//
// Whole reads: what lies behind a file's end, a file that comes in pieces, a limit, an error. And
// files that are replaced as a whole.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int file_of(const char *text) {
    int fd = memfd_create("file", MFD_CLOEXEC);
    assert_int_equal(file_pwrite(fd, text, strlen(text), 0, NULL), 0);
    return fd;
}

static void behind_the_end_are_zeros(void **state) {
    (void)state;
    char bytes[8] = "xxxxxxx";
    int fd = file_of("abc");
    assert_int_equal(file_pread(fd, bytes, 6, 1, NULL), 0);
    assert_memory_equal(bytes, "bc\0\0\0\0x", 8);
    assert_int_equal(file_pread(fd, bytes, 2, 1u << 20, NULL), 0);
    assert_memory_equal(bytes, "\0\0\0\0", 4);
    close(fd);
}

static void what_cannot_be_done_is_said(void **state) {
    (void)state;
    struct fault fault = {0};
    struct buffer text = {0};
    char bytes[4] = {0};
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC),
        full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_int_equal(file_pread(fd, bytes, 4, 16, &fault), -1);
    assert_non_null(strstr(fault.text, "4 bytes at file offset 16"));
    assert_int_equal(file_pwrite(full, bytes, 4, 8, &fault), -1);
    assert_non_null(strstr(fault.text, "cannot write 4 bytes at file offset 8: No space"));
    errno = 0;
    assert_int_equal(file_read(fd, 10, &text), -1);
    assert_int_equal(errno, EBADF);
    assert_string_equal(text.data, "");
    buffer_free(&text);
    close(full);
    close(fd);
}

// A pipe gives what is in it at the moment.
static void a_file_that_comes_in_pieces_is_read_to_its_end(void **state) {
    (void)state;
    int ends[2];
    struct buffer text = {0};
    assert_int_equal(pipe(ends), 0);
    pid_t writer = fork();
    if (writer == 0) {
        for (int i = 0; i < 3; i++) {
            if (write(ends[1], "piece ", 6) != 6)
                _exit(1);
            usleep(20000);
        }
        _exit(0);
    }
    close(ends[1]);
    buffer_text(&text, "> ");
    assert_int_equal(file_read(ends[0], 100, &text), 0);
    assert_string_equal(text.data, "> piece piece piece ");
    assert_int_equal(text.length, 20);
    buffer_free(&text);
    close(ends[0]);
}

static void no_more_is_read_than_was_asked_for(void **state) {
    (void)state;
    struct buffer text = {0};
    int fd = file_of("0123456789");
    assert_int_equal(file_read(fd, 4, &text), 0);
    assert_int_equal(text.length, 4);
    assert_string_equal(text.data, "0123");
    assert_int_equal(file_read(fd, 4, &text), 0); // it holds that many
    assert_int_equal(text.length, 4);
    assert_int_equal(file_read(fd, 100, &text), 0); // goes on where it stopped
    assert_string_equal(text.data, "0123456789");
    buffer_free(&text);
    close(fd);
}

static void read_back(const char *path, const char *expected) {
    struct buffer text = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(file_read(fd, 100, &text), 0);
    assert_string_equal(text.data, expected);
    buffer_free(&text);
    close(fd);
}

// A limit stands for a full disk. What was there stays, and nothing else is left behind.
static void a_file_is_replaced_as_a_whole_or_not_at_all(void **state) {
    (void)state;
    char folder[] = "/tmp/base_file.XXXXXX", path[64];
    struct fault fault = {0};
    struct rlimit before, none;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
    assert_int_equal(file_replace(path, "first one", 9, &fault), 0);
    assert_int_equal(file_replace(path, "second", 6, &fault), 0);
    read_back(path, "second");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = (struct rlimit){0, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_int_equal(file_replace(path, "third", 5, &fault), -1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_non_null(strstr(fault.text, "File too large"));
    read_back(path, "second");
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(file_replace(path, "x", 1, NULL), -1);
}

static int empty_file(void) {
    return memfd_create("copy", MFD_CLOEXEC);
}

// Two pages with a hole of many between them and one behind.
static void a_copy_has_the_bytes_and_the_holes(void **state) {
    (void)state;
    struct fault fault = {0};
    struct stat original, copied;
    char bytes[8];
    int from = file_of("front"), to = empty_file();
    assert_int_equal(file_pwrite(from, "behind", 6, 3u << 20, NULL), 0);
    assert_int_equal(ftruncate(from, 8u << 20), 0);
    assert_int_equal(file_copy(from, to, UINT64_MAX, &fault), 0);
    assert_int_equal(fstat(from, &original), 0);
    assert_int_equal(fstat(to, &copied), 0);
    assert_int_equal(copied.st_size, 8u << 20);
    assert_int_equal(copied.st_blocks, original.st_blocks);
    assert_int_equal(file_pread(to, bytes, 6, 0, NULL), 0);
    assert_memory_equal(bytes, "front", 6);
    assert_int_equal(file_pread(to, bytes, 7, 3u << 20, NULL), 0);
    assert_memory_equal(bytes, "behind", 7);
    close(to);
    to = empty_file();
    assert_int_equal(file_copy(from, to, 4096, &fault), -1);
    assert_string_equal(fault.text, "too large to copy");
    close(to);
    close(from);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behind_the_end_are_zeros),
        cmocka_unit_test(what_cannot_be_done_is_said),
        cmocka_unit_test(a_file_that_comes_in_pieces_is_read_to_its_end),
        cmocka_unit_test(no_more_is_read_than_was_asked_for),
        cmocka_unit_test(a_file_is_replaced_as_a_whole_or_not_at_all),
        cmocka_unit_test(a_copy_has_the_bytes_and_the_holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
