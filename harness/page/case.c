// SPDX-License-Identifier: Apache-2.0
//
// The case of a finding: in words, as text form, and as the commands that were typed.
#include "page/page.h"

#include "testcase/testcase.h"
#include "tool/tool.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINES_SHOWN 12 // of a case in words

static bool load(const char *folder, struct testcase *testcase) {
    struct buffer bytes = {0};
    struct fault fault;
    char path[4400];
    snprintf(path, sizeof path, "%s/case.bin", folder);
    bool loaded = read_file(path, 1u << 20, &bytes, &fault) == 0;
    if (loaded)
        case_decode(testcase, (const uint8_t *)bytes.data,
                    bytes.length > CASE_MAX_BYTES ? CASE_MAX_BYTES : bytes.length);
    buffer_free(&bytes);
    return loaded;
}

// A list item a line; returns what is left.
static const char *put_lines(const char *text, size_t most, struct html *html) {
    html_open(html, "ul", "case");
    for (; *text && most; most--) {
        size_t length = strcspn(text, "\n");
        html_element_format(html, "li", NULL, "%.*s", (int)length, text);
        text += length + (text[length] == '\n');
    }
    html_close(html);
    return text;
}

void page_case(const char *folder, struct html *html) {
    static struct testcase testcase;
    struct buffer words = {0};
    if (!load(folder, &testcase))
        return;
    case_describe(&testcase, &words);
    html_element(html, "h4", NULL, "What was built, and what was asked");
    const char *rest = put_lines(words.data, LINES_SHOWN, html);
    if (*rest) {
        html_open(html, "details", NULL);
        html_element(html, "summary", NULL, "The rest");
        put_lines(rest, SIZE_MAX, html);
        html_close(html);
    }
    buffer_free(&words);
}

// A text with a button that copies it, where scripts run.
static void copyable(struct html *html, const char *label, const char *text) {
    html_open(html, "div", "copy");
    html_element(html, "p", "label", label);
    html_open(html, "pre", NULL);
    html_attribute(html, "tabindex", "0");
    html_text(html, text);
    html_close(html);
    html_close(html);
}

void page_case_text(const char *folder, struct html *html) {
    static struct testcase testcase;
    struct buffer text = {0};
    if (!load(folder, &testcase))
        return;
    case_to_json_brief(&testcase, &text);
    html_open(html, "details", NULL);
    html_element(html, "summary", NULL, "The case as text");
    copyable(html, "For a file of the name case.json", text.data);
    html_close(html);
    buffer_free(&text);
}

// --- commands -----------------------------------------------------------------------------------

static void put_argv(const cJSON *argv, const cJSON *tool, struct buffer *out) {
    const cJSON *item;
    bool first = true;
    if (!cJSON_IsArray(argv))
        return;
    cJSON_ArrayForEach(item, argv) {
        const char *word = cJSON_IsString(item) ? item->valuestring : "";
        if (first && *json_text(tool, "path"))
            word = json_text(tool, "path");
        buffer_text(out, first ? "" : " ");
        tool_word_quoted(word, out);
        first = false;
    }
    buffer_text(out, "\n");
}

static const char *const sides[] = {"a", "b"};

static void put_side(const cJSON *report, const cJSON *step, int side, struct buffer *out) {
    const cJSON *ran = json_member(step, sides[side]);
    const cJSON *tool = json_member(json_member(report, "tools"), sides[side]);
    put_argv(json_member(ran, "argv"), tool, out);
    put_argv(json_member(ran, "converted_by"), tool, out);
}

// What wrote the input of step `index`, and what wrote that one's, first things first.
static void put_origin(const cJSON *report, uint64_t index, struct buffer *out) {
    const cJSON *steps = json_member(report, "steps");
    const char *input = json_text(json_at(steps, index), "input");
    for (uint64_t i = index; *input && i-- > 0;)
        for (int side = 0; side < 2; side++) {
            const cJSON *step = json_at(steps, i);
            if (strcmp(json_text(json_member(step, sides[side]), "output"), input) != 0)
                continue;
            put_origin(report, i, out);
            put_side(report, step, side, out);
            return;
        }
}

// What a tool was told by a variable: a member of its profile.
static void put_told(const cJSON *report, const char *before, const char *behind,
                     struct buffer *out) {
    static const char *const told[][2] = {{"lies", "STANDIN_LIE"}, {"guests", "INSTAR_BIN_DIR"}};
    const cJSON *tool;
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        cJSON_ArrayForEach(tool, json_member(report, "tools")) {
            if (!*json_text(tool, told[i][0]))
                continue;
            buffer_format(out, "%s%s=", before, told[i][1]);
            tool_word_quoted(json_text(tool, told[i][0]), out);
            buffer_text(out, behind);
            break;
        }
}

static void put_steps(const cJSON *report, struct buffer *out) {
    uint64_t index = json_number(report, "step") - 1;
    const cJSON *step = json_at(json_member(report, "steps"), index);
    put_told(report, "export ", "\n", out);
    if (!step)
        return;
    put_origin(report, index, out);
    put_side(report, step, 0, out);
    put_side(report, step, 1, out);
}

void page_variables(const cJSON *report, struct buffer *out) {
    const cJSON *tools = json_member(report, "tools"), *tool;
    const cJSON *a = json_member(tools, "a");
    if (!strcmp(json_text(a, "role"), "qemu_img_a"))
        buffer_text(out, "INSTAR_FUZZ_PAIR=qemu ");
    if (json_true(a, "is_standin"))
        buffer_text(out, "INSTAR_FUZZ_PAIR=standin ");
    put_told(report, "", " ", out);
    cJSON_ArrayForEach(tool, tools) {
        const char *path = json_text(tool, "path");
        bool is_instar = !strcmp(json_text(tool, "driven_as"), "instar");
        if (json_true(tool, "is_standin") || !*path || !strcmp(path, "/usr/bin/qemu-img"))
            continue;
        buffer_text(out, is_instar ? "INSTAR=" : "QEMU_IMG=");
        tool_word_quoted(path, out);
        buffer_text(out, " ");
        if (!is_instar)
            break; // two of a kind are one program
    }
}

// A page is moved with its folder, so what it says of files is as the folder was given; for who
// pastes it says where that counts from.
static void say_where(const char *folder, struct html *html) {
    char here[4096];
    if (*folder != '/' && getcwd(here, sizeof here))
        html_element_format(html, "p", "label", "Paths count from %s", here);
}

static void put_file(const char *folder, const char *name, struct buffer *out) {
    char path[4400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    tool_word_quoted(path, out);
}

void page_commands(const char *folder, const cJSON *report, struct html *html) {
    struct buffer text = {0};
    html_element(html, "h4", NULL, "Do it again");
    say_where(folder, html);
    page_variables(report, &text);
    buffer_text(&text, "make replay CASE=");
    put_file(folder, "case.bin", &text);
    copyable(html, "The story, from a build of this project", text.data);
    buffer_clear(&text);
    buffer_text(&text, "sh ");
    put_file(folder, "reproduce.sh", &text);
    copyable(html, "The tools alone, with the difference", text.data);
    buffer_clear(&text);
    buffer_text(&text, "work=$(mktemp -d) && tar -xzSf ");
    put_file(folder, "images.tar.gz", &text);
    buffer_text(&text, " -C \"$work\" && cd \"$work\"\n");
    put_steps(report, &text);
    copyable(html, "The command lines one by one", text.data);
    buffer_free(&text);
}
