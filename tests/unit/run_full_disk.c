// SPDX-License-Identifier: Apache-2.0
//
// Who finds a disk full says which file it was. A limit of file sizes stands in for the disk: a
// write beyond it fails in the same place.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "report/report.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void a_copy_that_has_no_room_is_named(void **state) {
    (void)state;
    char root[] = "/tmp/instar-fuzz-full.XXXXXX", from[64], to[64], original[80], copy[80];
    static const char bytes[16384] = "x";
    struct rlimit before, small;
    struct fault fault = {0};
    assert_non_null(mkdtemp(root));
    snprintf(from, sizeof from, "%s/from", root);
    snprintf(to, sizeof to, "%s/to", root);
    snprintf(original, sizeof original, "%s/src.raw", from);
    snprintf(copy, sizeof copy, "%s/src.raw", to);
    assert_int_equal(mkdir(from, 0700), 0);
    assert_int_equal(mkdir(to, 0700), 0);
    int fd = open(original, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(file_pwrite(fd, bytes, sizeof bytes, 0, NULL), 0);
    close(fd);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 4096;
    setrlimit(RLIMIT_FSIZE, &small);
    int status = report_copy_files(from, to, &fault);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(status, -1);
    if (strncmp(fault.text, copy, strlen(copy)) != 0)
        fail_msg("%s does not name %s", fault.text, copy);
    unlink(original);
    unlink(copy);
    rmdir(from);
    rmdir(to);
    rmdir(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_copy_that_has_no_room_is_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
