// SPDX-License-Identifier: Apache-2.0
//
// What minimize leaves: the case in both its forms, and the story of how it got simpler.
#include "command/minimize.h"
#include "command/triage.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

static void brief(const struct minimized *made, struct buffer *text) {
    struct testcase testcase;
    case_decode(&testcase, made->after.bytes, made->after.size);
    case_to_json_brief(&testcase, text);
}

static unsigned lines(const struct buffer *text) {
    unsigned count = 0;
    for (size_t i = 0; i < text->length; i++)
        count += text->data[i] == '\n';
    return count;
}

int minimize_write(const struct minimized *made, struct fault *fault) {
    struct buffer text = {0};
    buffer_format(&text, "// %s\n", made->signature);
    brief(made, &text);
    int status = command_write_file(made->paths->bytes, made->after.bytes, made->after.size, fault);
    if (status == 0)
        status = command_write_file(made->paths->text, text.data, text.length, fault);
    buffer_free(&text);
    return status;
}

static const char *plural(uint32_t count) {
    return count == 1 ? "" : "s";
}

static void count_words(const char *when, size_t file_size, const uint8_t *bytes, size_t size,
                        struct buffer *out) {
    struct testcase testcase;
    case_decode(&testcase, bytes, size);
    buffer_format(out, "  %-7s %5zu bytes, %2u write%s, %u operation%s, a disk of %llu bytes\n",
                  when, file_size, testcase.write_count, plural(testcase.write_count),
                  testcase.operation_count, plural(testcase.operation_count),
                  (unsigned long long)case_virtual_size(&testcase));
}

void minimize_words(const struct minimized *made, struct buffer *out) {
    static const char *const ends[] = {
        [MINIMIZE_DONE] = "no step makes it simpler",
        [MINIMIZE_TIME] = "time was up before all was tried",
        [MINIMIZE_INTERRUPTED] = "interrupted: the simplest so far",
        [MINIMIZE_ERROR] = "a harness error ended it: the simplest so far",
    };
    struct testcase testcase;
    struct buffer text = {0};
    brief(made, &text);
    case_decode(&testcase, made->after.bytes, made->after.size);
    buffer_format(out, "Case %s: %s\n", made->path, made->signature);
    count_words("before", made->file_size, made->before.bytes, made->before.size, out);
    count_words("after", made->after.size, made->after.bytes, made->after.size, out);
    buffer_format(out, "  %u runs in %.1f s, %u of them kept; %s\n", made->runs, made->us / 1e6,
                  made->kept, ends[made->end]);
    buffer_format(out, "Written: %s and, %u line%s in text form, %s\n\n%s\n", made->paths->bytes,
                  lines(&text), plural(lines(&text)), made->paths->text, text.data);
    case_describe(&testcase, out);
    buffer_free(&text);
}

static void add_count(cJSON *json, const char *name, size_t file_size, const uint8_t *bytes,
                      size_t size) {
    struct testcase testcase;
    case_decode(&testcase, bytes, size);
    cJSON *count = cJSON_AddObjectToObject(json, name);
    cJSON_AddNumberToObject(count, "bytes", (double)file_size);
    cJSON_AddNumberToObject(count, "writes", testcase.write_count);
    cJSON_AddNumberToObject(count, "operations", testcase.operation_count);
}

void minimize_json(const struct minimized *made, struct buffer *out) {
    static const char *const ends[] = {
        [MINIMIZE_DONE] = "done",
        [MINIMIZE_TIME] = "time",
        [MINIMIZE_INTERRUPTED] = "interrupted",
        [MINIMIZE_ERROR] = "error",
    };
    struct buffer text = {0};
    brief(made, &text);
    cJSON *json = cJSON_CreateObject();
    triage_add_text(json, "file", made->path);
    cJSON_AddStringToObject(json, "signature", made->signature);
    add_count(json, "before", made->file_size, made->before.bytes, made->before.size);
    add_count(json, "after", made->after.size, made->after.bytes, made->after.size);
    cJSON_AddNumberToObject(json, "lines", lines(&text));
    cJSON_AddNumberToObject(json, "runs", made->runs);
    cJSON_AddNumberToObject(json, "kept", made->kept);
    cJSON_AddNumberToObject(json, "seconds", (double)(made->us / 1000) / 1000);
    cJSON_AddStringToObject(json, "end", ends[made->end]);
    triage_add_text(json, "bytes_file", made->paths->bytes);
    triage_add_text(json, "text_file", made->paths->text);
    cJSON_AddItemToObject(json, "case", cJSON_ParseWithLength(text.data, text.length));
    char *printed = cJSON_Print(json);
    buffer_format(out, "%s\n", printed);
    free(printed);
    cJSON_Delete(json);
    buffer_free(&text);
}
