// SPDX-License-Identifier: Apache-2.0
//
// The files of the memory of self-tests, one for each key and back end: the key, the back end, what
// the self-test said, and a hash of all that. The name is a hash of the key, so that engines of one
// campaign, whose keys differ, do not write over each other's.
#include "tool/self_test.h"

#include "base/file.h"
#include "base/hash.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_MOST 262144 // bytes of a file; a key has some thousands
#define MEMORY_HASH 17     // sixteen digits and a newline, at its end

static void memory_path(const char *folder, const struct buffer *key, enum exec_backend backend,
                        char path[4096]) {
    snprintf(path, 4096, "%s/%016llx.%s", folder,
             (unsigned long long)hash_bytes(key->data, key->length), exec_backend_names[backend]);
}

// All but the hash.
static void memory_text(const struct buffer *key, enum exec_backend backend, const char *words,
                        struct buffer *text) {
    buffer_append(text, key->data, key->length);
    buffer_format(text, "back end %s\n%s\n", exec_backend_names[backend], words);
}

static void memory_seal(struct buffer *text) {
    buffer_format(text, "%016llx\n", (unsigned long long)hash_bytes(text->data, text->length));
}

static int memory_load(const char *path, struct buffer *text) {
    // A pipe in its place would be waited for.
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int status = file_read(fd, MEMORY_MOST, text);
    close(fd);
    return status;
}

// What stands between the key and the hash becomes the words; written again with these, it must be
// the same.
static bool memory_take(const struct buffer *text, const struct buffer *key,
                        enum exec_backend backend, char *words, size_t room) {
    struct buffer again = {0};
    memory_text(key, backend, "", &again);
    size_t head = again.length - 1; // without the newline behind the words
    if (text->length <= head + 1 + MEMORY_HASH)
        return buffer_free(&again), false;
    snprintf(words, room, "%.*s", (int)(text->length - head - 1 - MEMORY_HASH), text->data + head);
    buffer_clear(&again);
    memory_text(key, backend, words, &again);
    memory_seal(&again);
    bool same = again.length == text->length && !memcmp(again.data, text->data, again.length);
    buffer_free(&again);
    return same;
}

bool self_test_read(const char *folder, const struct buffer *key, enum exec_backend backend,
                    char *words, size_t room) {
    char path[4096];
    struct buffer text = {0};
    memory_path(folder, key, backend, path);
    bool known = memory_load(path, &text) == 0 && memory_take(&text, key, backend, words, room);
    buffer_free(&text);
    return known;
}

void self_test_write(const char *folder, const struct buffer *key, enum exec_backend backend,
                     const char *words) {
    char path[4096];
    struct buffer text = {0};
    mkdir(folder, 0777);
    memory_path(folder, key, backend, path);
    memory_text(key, backend, words, &text);
    memory_seal(&text);
    file_replace(path, text.data, text.length, NULL);
    buffer_free(&text);
}

void tool_forget_self_tests(const char *folder) {
    DIR *open = folder ? opendir(folder) : NULL;
    for (struct dirent *entry; open && (entry = readdir(open));)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(open), entry->d_name, 0);
    if (open)
        closedir(open);
}
