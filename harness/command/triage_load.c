// SPDX-License-Identifier: Apache-2.0
//
// What a file says, in whichever of the forms that a case is kept in. Any bytes are a valid case,
// so a file is called unreadable only for what it is: empty, a folder, without permission, a text
// that is no case. Files that mean the same become one case, which is replayed once.
#include "command/triage.h"

#include "base/file.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOAD_MOST_TEXT (16u << 20) // the log of a divergence holds both tools' answers
#define BUCKETS        65536

static bool is_text_name(const char *path) {
    size_t length = strlen(path);
    return length > 5 && strcmp(path + length - 5, ".json") == 0;
}

// It may hold anything, so what is said of the others is not all.
static int unread(struct triage_file *file, struct fault *fault) {
    file->unread = true;
    return fault_set(fault, "%s", strerror(errno));
}

// At most `limit` bytes of a regular file; a pipe is not waited for.
static int read_start(struct triage_file *file, size_t limit, struct buffer *out,
                      struct fault *fault) {
    struct stat info;
    int fd = open(file->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return unread(file, fault);
    int status = 0;
    if (fstat(fd, &info))
        status = unread(file, fault);
    else if (!S_ISREG(info.st_mode))
        status = fault_set(fault, S_ISDIR(info.st_mode) ? "a folder" : "not a regular file");
    else if (file_read(fd, limit, out))
        status = unread(file, fault);
    close(fd);
    if (status)
        return status;
    file->size = (uint64_t)info.st_size;
    file->seen_s = info.st_mtime;
    return out->length ? 0 : fault_set(fault, "empty");
}

// report.json and a run's log hold the case as a member.
static cJSON *member_case(const cJSON *tree) {
    cJSON *attributes = cJSON_GetObjectItemCaseSensitive(tree, "attributes");
    cJSON *held = cJSON_GetObjectItemCaseSensitive(attributes ? attributes : tree, "case");
    return cJSON_IsObject(held) ? held : NULL;
}

static int from_member(struct triage *t, struct triage_file *file, const cJSON *tree,
                       struct testcase *testcase, struct fault *fault) {
    const cJSON *divergence = cJSON_GetObjectItemCaseSensitive(tree, "divergence");
    const cJSON *pair = cJSON_GetObjectItemCaseSensitive(divergence, "tools");
    const cJSON *claimed =
        cJSON_GetObjectItemCaseSensitive(divergence ? divergence : tree, "signature");
    if (cJSON_IsString(pair))
        file->pair = triage_intern(t, pair->valuestring);
    if (cJSON_IsString(claimed))
        file->claimed = triage_intern(t, claimed->valuestring);
    char *text = cJSON_PrintUnformatted(member_case(tree));
    int status = case_from_json(testcase, text, fault);
    free(text);
    return status;
}

static int from_text(struct triage *t, struct triage_file *file, const struct buffer *text,
                     struct testcase *testcase, struct fault *fault) {
    cJSON *tree = cJSON_ParseWithLength(text->data, text->length);
    int status;
    if (member_case(tree))
        status = from_member(t, file, tree, testcase, fault);
    else if (file->origin == ORIGIN_RUN_LOG)
        status = fault_set(fault, tree ? "it holds no case" : "its JSON is damaged");
    else
        status = case_load(testcase, file->path, fault);
    cJSON_Delete(tree);
    return status ? fault_prefix(fault, "not a case: ") : 0;
}

static int from_file(struct triage *t, struct triage_file *file, struct buffer *content,
                     struct testcase *testcase, struct fault *fault) {
    bool text = is_text_name(file->path);
    buffer_clear(content);
    if (read_start(file, text ? LOAD_MOST_TEXT : CASE_MAX_BYTES + 1, content, fault))
        return -1;
    if (text)
        return from_text(t, file, content, testcase, fault);
    if (content->length > CASE_MAX_BYTES) {
        file->oversized = true;
        file->note = triage_intern(t, "larger than 4096 bytes: the rest is ignored");
        content->length = CASE_MAX_BYTES;
    }
    case_decode(testcase, (const uint8_t *)content->data, content->length);
    return 0;
}

static uint8_t *copy(const void *data, size_t size) {
    return memcpy(must_realloc(NULL, size + 1), data, size);
}

static size_t case_of(struct triage *t, const uint8_t *bytes, size_t size, const void *raw,
                      size_t raw_size) {
    uint64_t hash = hash_bytes(bytes, size);
    size_t *bucket = &t->buckets[hash % BUCKETS];
    for (size_t i = *bucket; i != SIZE_MAX; i = t->cases[i].next)
        if (t->cases[i].hash == hash && t->cases[i].size == size &&
            memcmp(t->cases[i].bytes, bytes, size) == 0)
            return i;
    t->cases = array_room(t->cases, &t->case_room, t->case_count + 1, sizeof *t->cases);
    t->cases[t->case_count] = (struct triage_case){.bytes = copy(bytes, size),
                                                   .raw = copy(raw, raw_size),
                                                   .size = size,
                                                   .raw_size = raw_size,
                                                   .hash = hash,
                                                   .next = *bucket};
    return *bucket = t->case_count++;
}

static void load(struct triage *t, struct triage_file *file, struct buffer *content) {
    struct testcase testcase;
    struct fault fault = {0};
    struct stat info;
    uint8_t bytes[CASE_MAX_BYTES];
    if (lstat(file->path, &info) == 0)
        file->seen_s = info.st_mtime;
    if (from_file(t, file, content, &testcase, &fault)) {
        file->trouble = triage_intern(t, fault.text);
        return;
    }
    size_t size = case_encode(&testcase, bytes);
    bool text = is_text_name(file->path);
    file->item = text ? case_of(t, bytes, size, bytes, size)
                      : case_of(t, bytes, size, content->data, content->length);
    if (file->origin == ORIGIN_FINDING)
        triage_read_tools(t, file);
}

void triage_load(struct triage *t) {
    struct buffer content = {0};
    t->buckets = must_realloc(NULL, BUCKETS * sizeof *t->buckets);
    for (size_t i = 0; i < BUCKETS; i++)
        t->buckets[i] = SIZE_MAX;
    for (size_t i = 0; i < t->file_count; i++)
        load(t, &t->files[i], &content);
    buffer_free(&content);
}
