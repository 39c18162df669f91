// SPDX-License-Identifier: Apache-2.0
//
// JSON with exact integers. cJSON keeps every number as a double, which is wrong from 2^53 on, and
// forgives much (leading zeros, control characters, whatever follows). So a tokenizer goes over the
// text first: it refuses what is not JSON and hands every number to cJSON as a string behind a byte
// that no UTF-8 text contains; a walk over the finished tree then turns each into the number or the
// kept string that it is. What it does not look at (the grammar between tokens) cJSON does.
#include "tool/adapter.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MARK  '\xff' // never in UTF-8
#define MAX_DEPTH    64
#define SHOWN_BEFORE 30 // bytes of the text around the place where it stops being JSON
#define SHOWN_BEHIND 10
#define EXACT_DIGITS 15 // every integer of so many digits is exact in a double

struct json_scan {
    const char *text;
    size_t length, at;
    unsigned depth;
    bool after_number; // and nothing but white space since
    struct buffer *out;
    struct fault *fault;
};

static size_t json_digits(const struct json_scan *scan, size_t at) {
    size_t start = at;
    while (at < scan->length && isdigit((unsigned char)scan->text[at]))
        at++;
    return at - start;
}

// The length of the number at scan->at, or 0 if it is not one of JSON's.
static size_t json_number_length(const struct json_scan *scan) {
    size_t at = scan->at + (scan->text[scan->at] == '-');
    size_t digits = json_digits(scan, at);
    if (!digits || (digits > 1 && scan->text[at] == '0'))
        return 0;
    at += digits;
    if (at < scan->length && scan->text[at] == '.') {
        digits = json_digits(scan, at + 1);
        if (!digits)
            return 0;
        at += 1 + digits;
    }
    if (at < scan->length && (scan->text[at] == 'e' || scan->text[at] == 'E')) {
        at++;
        at += at < scan->length && (scan->text[at] == '+' || scan->text[at] == '-');
        digits = json_digits(scan, at);
        if (!digits)
            return 0;
        at += digits;
    }
    return at - scan->at;
}

static int json_number(struct json_scan *scan) {
    size_t length = json_number_length(scan);
    if (!length)
        return fault_set(scan->fault, "malformed number at byte %zu", scan->at);
    const char mark[2] = {'"', NUMBER_MARK};
    buffer_append(scan->out, mark, sizeof mark);
    buffer_append(scan->out, scan->text + scan->at, length);
    buffer_append(scan->out, "\"", 1);
    scan->at += length;
    scan->after_number = true;
    return 0;
}

static int json_string(struct json_scan *scan) {
    size_t start = scan->at++;
    while (scan->at < scan->length) {
        unsigned char byte = (unsigned char)scan->text[scan->at];
        if (byte < 0x20)
            return fault_set(scan->fault, "control character 0x%02x in a string at byte %zu", byte,
                             scan->at);
        if (byte == (unsigned char)NUMBER_MARK)
            return fault_set(scan->fault, "not UTF-8 at byte %zu", scan->at);
        // It would cut the string that cJSON makes of it.
        if (scan->length - scan->at >= 6 && memcmp(scan->text + scan->at, "\\u0000", 6) == 0)
            return fault_set(scan->fault, "NUL in a string at byte %zu", scan->at);
        scan->at += byte == '\\' ? 2 : 1;
        if (byte == '"') {
            buffer_append(scan->out, scan->text + start, scan->at - start);
            return 0;
        }
    }
    return fault_set(scan->fault, "unterminated string at byte %zu", start);
}

static int json_structure(struct json_scan *scan) {
    char byte = scan->text[scan->at];
    if (byte == '{' || byte == '[') {
        if (++scan->depth > MAX_DEPTH)
            return fault_set(scan->fault, "nested deeper than %d levels", MAX_DEPTH);
    } else if (byte == '}' || byte == ']') {
        scan->depth -= scan->depth > 0;
    } else if (!strchr(" \t\r\n,:truefalsn", byte)) { // also the letters of true, false and null
        return fault_set(scan->fault, "not JSON from byte %zu: %.*s", scan->at,
                         (int)(scan->length - scan->at < 60 ? scan->length - scan->at : 60),
                         scan->text + scan->at);
    } else if (byte == ':' && scan->after_number) { // cJSON sees a string there
        return fault_set(scan->fault, "a number as a name at byte %zu", scan->at);
    }
    scan->after_number = scan->after_number && strchr(" \t\r\n", byte);
    buffer_append(scan->out, &byte, 1);
    scan->at++;
    return 0;
}

static int json_tokenize(struct json_scan *scan) {
    while (scan->at < scan->length) {
        unsigned char byte = (unsigned char)scan->text[scan->at];
        int failed = byte == '"'                    ? json_string(scan)
                     : byte == '-' || isdigit(byte) ? json_number(scan)
                                                    : json_structure(scan);
        if (failed)
            return -1;
    }
    return 0;
}

// A marked string becomes what its text says. No more than MAX_DEPTH levels of recursion.
static void json_restore(cJSON *item) {
    for (; item; item = item->next) {
        json_restore(item->child);
        if (!cJSON_IsString(item) || item->valuestring[0] != NUMBER_MARK)
            continue;
        char *text = item->valuestring + 1;
        bool whole = !strpbrk(text, ".eE");
        if (whole && strlen(text + (*text == '-')) > EXACT_DIGITS) {
            memmove(item->valuestring, text, strlen(text) + 1);
            item->type |= TOOL_JSON_KEPT;
            continue;
        }
        item->type = cJSON_Number | (whole ? 0 : TOOL_JSON_FRACTION);
        cJSON_SetNumberHelper(item, strtod(text, NULL));
        cJSON_free(item->valuestring);
        item->valuestring = NULL;
    }
}

// cJSON says where in the tokenizer's text it gave up; each number before that place is longer
// there by two quotes and the mark. Shown is the tool's own text, on one line.
static void json_refused(const struct json_scan *scan, size_t at) {
    size_t longer = 0;
    for (size_t i = 0; i < at; i++)
        longer += scan->out->data[i] == NUMBER_MARK ? 3 : 0;
    at = at > longer ? at - longer : 0;
    size_t end = at + SHOWN_BEHIND < scan->length ? at + SHOWN_BEHIND : scan->length;
    size_t used = 0;
    char near[SHOWN_BEFORE + SHOWN_BEHIND + 1];
    for (size_t i = at > SHOWN_BEFORE ? at - SHOWN_BEFORE : 0; i < end; i++) {
        char byte = strchr(" \t\r\n", scan->text[i]) ? ' ' : scan->text[i];
        if (byte != ' ' || (used && near[used - 1] != ' '))
            near[used++] = byte;
    }
    near[used] = 0;
    fault_set(scan->fault, "not JSON near: %s", near);
}

cJSON *tool_json_parse(const char *text, size_t length, struct fault *fault) {
    const char *nul = length ? memchr(text, 0, length) : NULL;
    if (nul) {
        fault_set(fault, "NUL byte at byte %zu", (size_t)(nul - text));
        return NULL;
    }
    struct buffer out = {0};
    struct json_scan scan = {.text = text, .length = length, .out = &out, .fault = fault};
    cJSON *tree = NULL;
    if (json_tokenize(&scan) == 0) {
        buffer_append(&out, "", 0);
        const char *end = NULL;
        tree = cJSON_ParseWithLengthOpts(out.data, out.length, &end, 0);
        size_t rest = end ? strspn(end, " \t\r\n") : 0;
        if (out.length == strspn(out.data, " \t\r\n")) {
            fault_set(fault, "nothing but white space");
        } else if (!tree) {
            json_refused(&scan, end ? (size_t)(end - out.data) : 0);
        } else if (end[rest]) {
            fault_set(fault, "text behind the JSON: %.40s", end + rest);
            cJSON_Delete(tree);
            tree = NULL;
        }
    }
    buffer_free(&out);
    json_restore(tree);
    return tree;
}

static bool json_kept_u64(const char *text, uint64_t *value) {
    if (*text == '-')
        return false;
    errno = 0;
    unsigned long long parsed = strtoull(text, NULL, 10);
    *value = parsed;
    return errno == 0;
}

bool tool_json_u64(const cJSON *item, uint64_t *value) {
    if (!item || item->type & TOOL_JSON_FRACTION)
        return false;
    if (cJSON_IsString(item))
        return item->type & TOOL_JSON_KEPT && json_kept_u64(item->valuestring, value);
    // Beyond 2^53 a double may stand for a neighbour; trees of other origin can hold one.
    if (!cJSON_IsNumber(item) || signbit(item->valuedouble) || !(item->valuedouble < 0x1p53) ||
        item->valuedouble != (double)(uint64_t)item->valuedouble)
        return false;
    *value = (uint64_t)item->valuedouble;
    return true;
}
