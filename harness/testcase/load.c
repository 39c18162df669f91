// SPDX-License-Identifier: Apache-2.0
//
// A case from a file, in either of its two forms, so that every command takes both: what an engine
// saved and what a person wrote.
#include "testcase/testcase.h"

#include "base/file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

// Text is longer than what it encodes; a case that uses everything has about 20 KiB.
#define MAX_TEXT (1u << 20)

static int read_file(const char *path, struct buffer *out, struct fault *fault) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return fault_errno(fault, "%s", path);
    int status = file_read(fd, MAX_TEXT, out) ? fault_errno(fault, "%s", path) : 0;
    close(fd);
    return status;
}

// The name alone decides: a text that is damaged must not be taken for bytes that mean another
// case.
static bool is_text_form(const char *path) {
    size_t length = strlen(path);
    return length >= 5 && strcmp(path + length - 5, ".json") == 0;
}

int case_load(struct testcase *testcase, const char *path, struct fault *fault) {
    struct buffer file = {0};
    int result = read_file(path, &file, fault);

    if (!result && !is_text_form(path))
        case_decode(testcase, (const uint8_t *)file.data, file.length);
    else if (!result && file.length >= MAX_TEXT)
        result = fault_set(fault, "%s: the text form has at most %u bytes", path, MAX_TEXT);
    else if (!result && case_from_json(testcase, file.data, fault))
        result = fault_prefix(fault, "%s: ", path);
    buffer_free(&file);
    return result;
}
