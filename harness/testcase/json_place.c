// SPDX-License-Identifier: Apache-2.0
//
// Text that is no JSON: where, and what is expected there. The parser tells the place at which it
// gave up, which after a forgotten comma is a line too late; what it had read before says the rest.
#include "testcase/json_place.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define DEEPEST 1000 // the parser refuses what is nested deeper

enum expected {
    AT_VALUE,        // the text's first, one behind ':', one behind ',' in a list
    AT_FIRST_ITEM,   // a value, or the end of an empty list
    AT_FIRST_MEMBER, // a name, or the end of an empty object
    AT_NAME,
    AT_COLON,
    BEHIND_ITEM,
    BEHIND_MEMBER,
    BEHIND_ALL,
};

static const char *const expected_words[] = {
    [AT_VALUE] = "a value is expected here",
    [AT_FIRST_ITEM] = "a value or ']' is expected here",
    [AT_FIRST_MEMBER] = "a member's name in quotes or '}' is expected here",
    [AT_NAME] = "a member's name in quotes is expected here",
    [AT_COLON] = "':' is expected here",
    [BEHIND_ITEM] = "',' or ']' is expected here",
    [BEHIND_MEMBER] = "',' or '}' is expected here",
    [BEHIND_ALL] = "nothing more is expected here",
};

struct reader {
    enum expected expected;
    bool is_list[DEEPEST + 1]; // by depth, from 1
    size_t depth;
};

static void value_ends(struct reader *reader) {
    reader->expected = !reader->depth                   ? BEHIND_ALL
                       : reader->is_list[reader->depth] ? BEHIND_ITEM
                                                        : BEHIND_MEMBER;
}

// The end of the token that begins at `at`: text in quotes, a sign, or a word.
static const char *token_end(const char *at) {
    if (*at == '"') {
        for (at++; *at && *at != '"'; at++)
            if (*at == '\\' && at[1])
                at++;
        return *at ? at + 1 : at;
    }
    size_t word = strcspn(at, " \t\r\n{}[]:,\"");
    return at + (word ? word : 1);
}

// May a token that begins so stand here? (Whether a word is a value is the parser's to say.)
static bool may_stand(const struct reader *reader, char first) {
    static const char *const only[] = {
        [AT_FIRST_MEMBER] = "\"}", [AT_NAME] = "\"",       [AT_COLON] = ":",
        [BEHIND_ITEM] = ",]",      [BEHIND_MEMBER] = ",}", [BEHIND_ALL] = "",
    };
    if (reader->expected == AT_FIRST_ITEM)
        return !strchr("},:", first);
    if (reader->expected == AT_VALUE)
        return !strchr("}],:", first);
    return strchr(only[reader->expected], first) != NULL;
}

// A token that may stand here.
static void take(struct reader *reader, char first) {
    bool is_name = reader->expected == AT_FIRST_MEMBER || reader->expected == AT_NAME;
    if ((first == '{' || first == '[') && reader->depth < DEEPEST) {
        reader->is_list[++reader->depth] = first == '[';
        reader->expected = first == '[' ? AT_FIRST_ITEM : AT_FIRST_MEMBER;
    } else if (first == '}' || first == ']') {
        reader->depth -= reader->depth > 0;
        value_ends(reader);
    } else if (first == ',') {
        reader->expected = reader->is_list[reader->depth] ? AT_VALUE : AT_NAME;
    } else if (first == ':') {
        reader->expected = AT_VALUE;
    } else if (is_name) {
        reader->expected = AT_COLON;
    } else {
        value_ends(reader);
    }
}

// Lines and columns count from 1, columns in characters.
static int say(const char *text, const char *at, const char *words, struct fault *fault) {
    size_t line = 1, column = 1;
    for (; text < at; text++) {
        bool continues = ((unsigned char)*text & 0xc0) == 0x80;
        column = *text == '\n' ? 1 : column + !continues;
        line += *text == '\n';
    }
    return fault_set(fault, "line %zu, column %zu: not valid JSON: %s", line, column, words);
}

int json_place(const char *text, const char *where, struct fault *fault) {
    struct reader reader = {.expected = AT_VALUE};
    const char *at = text, *behind = text;
    for (;;) {
        at += strspn(at, " \t\r\n");
        const char *end = token_end(at);
        if (!*at || at >= where || !may_stand(&reader, *at))
            break;
        if (end > where || (*at == '"' && (end == at + 1 || end[-1] != '"')))
            return say(text, at,
                       *at == '"' ? "this text in quotes does not end, or has a wrong "
                                    "character or escape in it"
                                  : expected_words[reader.expected],
                       fault);
        take(&reader, *at);
        at = behind = end;
    }
    // Where something is missing behind a value it is missing there, and not where the next begins.
    bool is_missing = reader.expected == AT_COLON || reader.expected == BEHIND_ITEM ||
                      reader.expected == BEHIND_MEMBER;
    return say(text, is_missing ? behind : at, expected_words[reader.expected], fault);
}
