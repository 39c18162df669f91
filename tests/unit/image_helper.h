// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the image room share: a random sequence that is the same everywhere, a scratch
// directory in memory, and qemu-img run without a shell. Each test is one program, so this header
// holds the code.
#ifndef TESTS_IMAGE_HELPER_H
#define TESTS_IMAGE_HELPER_H

#include "base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

extern char **environ;

struct random {
    uint64_t state;
};

static inline uint64_t next_random(struct random *random) {
    uint64_t x = random->state += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint64_t below(struct random *random, uint64_t limit) {
    return next_random(random) % limit;
}

static inline bool one_in(struct random *random, uint64_t n) {
    return below(random, n) == 0;
}

static char scratch_directory[64];

static inline const char *qemu_img(void) {
    const char *named = getenv("QEMU_IMG");
    return named && *named ? named : "qemu-img";
}

// Runs it with stdout and stderr in `text` and returns the exit status, -1 if it could not run.
static inline int run_program(const char *program, char *const argv[], struct buffer *text) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "qemu.txt", O_RDWR | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t child;
    int status = -1;
    int failed = posix_spawnp(&child, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    buffer_clear(text);
    if (failed)
        return -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    int fd = open("qemu.txt", O_RDONLY | O_CLOEXEC);
    for (ssize_t got = 1; fd >= 0 && got > 0;) {
        got = read(fd, buffer_reserve(text, 4096), 4096);
        text->length += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0)
        close(fd);
    buffer_append(text, "", 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline int run_qemu_img(char *const argv[], struct buffer *text) {
    return run_program(qemu_img(), argv, text);
}

static inline double json_number(const struct buffer *text, const char *name) {
    const char *start = strchr(text->data, '{'); // check's complaints come before it
    cJSON *json = cJSON_Parse(start ? start : "");
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
    double value = cJSON_IsNumber(item) ? item->valuedouble : 0;
    cJSON_Delete(json);
    return value;
}

static inline bool have_qemu_img(void) {
    static int known = -1;
    struct buffer text = {0};
    char *argv[] = {"qemu-img", "--version", NULL};
    if (known < 0)
        known = run_qemu_img(argv, &text) == 0;
    buffer_free(&text);
    const char *required = getenv("REQUIRE_QEMU_IMG");
    if (!known && required && strcmp(required, "1") == 0)
        fail_msg("qemu-img is required and cannot be run");
    return known;
}

static inline int enter_directory(void **state) {
    (void)state;
    snprintf(scratch_directory, sizeof scratch_directory, "%s/image-test-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    return mkdtemp(scratch_directory) && chdir(scratch_directory) == 0 ? 0 : -1;
}

static inline int leave_directory(void **state) {
    (void)state;
    unlink("qemu.txt");
    return chdir("/") == 0 && rmdir(scratch_directory) == 0 ? 0 : -1;
}

#endif
