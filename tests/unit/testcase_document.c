// SPDX-License-Identifier: Apache-2.0
//
// What is generated from the encoding table: docs/encoding.md must hold exactly the table that the
// program has, and the dictionary must be one that engines accept. Runs from the repository's root;
// UPDATE=1 rewrites the generated part of the document instead of failing.
#include "tests/unit/testcase_helper.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define DOCUMENT "docs/encoding.md"
static const char begin_mark[] = "<!-- generated: begin -->\n";
static const char end_mark[] = "\n<!-- generated: end -->";

static void read_document(struct buffer *out) {
    FILE *file = fopen(DOCUMENT, "r");
    size_t got;
    if (!file)
        fail_msg("cannot read " DOCUMENT " (tests run from the repository's root)");
    while ((got = fread(buffer_reserve(out, 4096), 1, 4096, file)) > 0)
        out->length += got;
    fclose(file);
    buffer_append(out, "", 1);
}

static void the_document_holds_the_table(void **state) {
    (void)state;
    struct buffer document = {0}, wanted = {0};
    read_document(&document);
    char *from = strstr(document.data, begin_mark), *to = strstr(document.data, end_mark);
    assert_non_null(from);
    assert_non_null(to);
    from += strlen(begin_mark);
    assert_true(from <= to);
    case_encoding_markdown(&wanted);
    bool same = (size_t)(to - from) == wanted.length && !memcmp(from, wanted.data, wanted.length);
    if (!same && getenv("UPDATE")) {
        FILE *file = fopen(DOCUMENT, "w");
        assert_non_null(file);
        fprintf(file, "%.*s%s%s", (int)(from - document.data), document.data, wanted.data, to);
        assert_int_equal(fclose(file), 0);
    } else if (!same) {
        fail_msg(DOCUMENT " is out of date: run `UPDATE=1 build/tests/testcase_document`");
    }
    buffer_free(&document);
    buffer_free(&wanted);
}

// name="\x00\x01..." with at most 64 bytes, which is what libFuzzer takes; returns their number.
static size_t entry_bytes(const char *line) {
    size_t count = 0;
    while (isalnum((unsigned char)*line) || *line == '_')
        line++;
    assert_memory_equal(line, "=\"", 2);
    for (line += 2; *line == '\\'; line += 4, count++)
        assert_true(line[1] == 'x' && isxdigit((unsigned char)line[2]) &&
                    isxdigit((unsigned char)line[3]));
    assert_memory_equal(line, "\"", 2);
    return count;
}

static void the_dictionary_is_one_that_engines_take(void **state) {
    (void)state;
    struct buffer dictionary = {0};
    size_t records = 0, headers = 0;
    case_dictionary(&dictionary);
    for (char *line = strtok(dictionary.data, "\n"); line; line = strtok(NULL, "\n")) {
        if (*line == '#')
            continue;
        size_t bytes = entry_bytes(line);
        assert_in_range(bytes, 4, 64);
        headers += bytes == CASE_HEADER_BYTES;
        records += bytes == CASE_RECORD_BYTES;
    }
    assert_int_equal(headers, IMAGE_FORMATS);
    assert_int_equal(records, CONTENT_PLAIN_PATTERNS * CONTENT_FORMS + 2 * (2 + 3 * IMAGE_FORMATS));
    buffer_free(&dictionary);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_holds_the_table),
        cmocka_unit_test(the_dictionary_is_one_that_engines_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
