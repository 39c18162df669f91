// SPDX-License-Identifier: Apache-2.0
//
// The one place where text becomes markup.
#include "page/html.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" // U+FFFD

// Elements that begin a line, so that the page can be read and compared as text.
static bool begins_line(const char *element) {
    static const char *const names[] = {
        "html",   "head", "body",   "meta",       "title",   "style",   "script",
        "header", "main", "footer", "nav",        "section", "article", "div",
        "p",      "ul",   "ol",     "li",         "dl",      "dt",      "dd",
        "h1",     "h2",   "h3",     "h4",         "table",   "caption", "thead",
        "tbody",  "tr",   "figure", "figcaption", "details", "summary", "svg",
        "g",      "rect", "path",   "pre",        "defs",    "pattern"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], element) == 0)
            return true;
    return false;
}

static void end_tag(struct html *html) {
    if (html->in_tag)
        buffer_text(html->out, ">");
    html->in_tag = false;
}

void html_open(struct html *html, const char *element, const char *class) {
    end_tag(html);
    assert(html->depth < HTML_DEPTH);
    html->open[html->depth++] = element;
    buffer_format(html->out, "%s<%s", begins_line(element) ? "\n" : "", element);
    html->in_tag = true;
    if (class)
        html_attribute(html, "class", class);
}

void html_close(struct html *html) {
    end_tag(html);
    assert(html->depth > 0);
    buffer_format(html->out, "</%s>", html->open[--html->depth]);
}

void html_empty(struct html *html) {
    assert(html->depth > 0);
    html->depth--;
    end_tag(html);
}

// A character of UTF-8 at `text`: its code and its length in bytes; length 1 and code 0xfffd where
// it is none. Overlong forms and surrogates are none.
static size_t character(const unsigned char *text, size_t left, uint32_t *code) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = text[0] < 0x80             ? 1
                    : (text[0] & 0xe0) == 0xc0 ? 2
                    : (text[0] & 0xf0) == 0xe0 ? 3
                    : (text[0] & 0xf8) == 0xf0 ? 4
                                               : 0;
    *code = 0xfffd;
    if (length == 0 || length > left)
        return 1;
    uint32_t value = length == 1 ? text[0] : text[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 1;
        value = value << 6 | (text[i] & 0x3f);
    }
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return 1;
    *code = value;
    return length;
}

// What is no sign: controls, what turns the direction of the text around it, what has no width, and
// codes that are no characters.
static bool is_hidden(uint32_t code) {
    return (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7f && code < 0xa0) ||
           (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || code == 0x61c ||
           (code & 0xfffe) == 0xfffe || (code >= 0xfdd0 && code <= 0xfdef);
}

static void put_character(struct buffer *out, const unsigned char *text, size_t length,
                          uint32_t code) {
    switch (code) {
    case '<':
        buffer_text(out, "&lt;");
        return;
    case '>':
        buffer_text(out, "&gt;");
        return;
    case '&':
        buffer_text(out, "&amp;");
        return;
    case '"':
        buffer_text(out, "&quot;");
        return;
    case '\'':
        buffer_text(out, "&#39;");
        return;
    default:
        if (code == 0xfffd || is_hidden(code))
            buffer_text(out, REPLACEMENT);
        else
            buffer_append(out, text, length);
    }
}

static void put_escaped(struct buffer *out, const char *text, size_t length, size_t most) {
    const unsigned char *at = (const unsigned char *)text;
    bool cut = length > most;
    size_t left = cut ? most : length;
    while (left) {
        uint32_t code;
        size_t used = character(at, left, &code);
        // Half a character at the cut is left out.
        if (cut && left < 4 && code == 0xfffd && *at >= 0xc0)
            break;
        put_character(out, at, used, code);
        at += used;
        left -= used;
    }
    if (cut)
        buffer_text(out, "...");
}

void html_text_cut(struct html *html, const char *text, size_t most) {
    end_tag(html);
    put_escaped(html->out, text, strlen(text), most);
}

void html_text(struct html *html, const char *text) {
    html_text_cut(html, text, HTML_TEXT_MOST);
}

static void format_escaped(struct buffer *out, const char *format, va_list args) {
    char text[HTML_TEXT_MOST];
    vsnprintf(text, sizeof text, format, args);
    put_escaped(out, text, strlen(text), sizeof text);
}

void html_format(struct html *html, const char *format, ...) {
    va_list args;
    end_tag(html);
    va_start(args, format);
    format_escaped(html->out, format, args);
    va_end(args);
}

void html_prose(struct html *html, const char *text) {
    end_tag(html);
    for (bool code = false; *text; code = !code) {
        size_t length = strcspn(text, "`");
        buffer_text(html->out, code ? "<code>" : "");
        put_escaped(html->out, text, length, HTML_TEXT_MOST);
        buffer_text(html->out, code ? "</code>" : "");
        text += length + (text[length] == '`');
    }
}

void html_attribute(struct html *html, const char *name, const char *value) {
    assert(html->in_tag);
    buffer_format(html->out, " %s=\"", name);
    put_escaped(html->out, value, strlen(value), HTML_TEXT_MOST);
    buffer_text(html->out, "\"");
}

void html_attribute_format(struct html *html, const char *name, const char *format, ...) {
    va_list args;
    assert(html->in_tag);
    buffer_format(html->out, " %s=\"", name);
    va_start(args, format);
    format_escaped(html->out, format, args);
    va_end(args);
    buffer_text(html->out, "\"");
}

void html_attribute_path(struct html *html, const char *name, const char *path) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_.~/";
    assert(html->in_tag);
    buffer_format(html->out, " %s=\"", name);
    for (; *path; path++)
        if (strchr(plain, *path))
            buffer_append(html->out, path, 1);
        else
            buffer_format(html->out, "%%%02X", (unsigned char)*path);
    buffer_text(html->out, "\"");
}

void html_attribute_data(struct html *html, const char *name, const char *type, const void *data,
                         size_t length) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = data;
    assert(html->in_tag);
    buffer_format(html->out, " %s=\"data:%s;base64,", name, type);
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t three = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);
        char four[5] = {digits[three >> 18], digits[three >> 12 & 63],
                        left > 1 ? digits[three >> 6 & 63] : '=',
                        left > 2 ? digits[three & 63] : '='};
        buffer_text(html->out, four);
    }
    buffer_text(html->out, "\"");
}

void html_element(struct html *html, const char *element, const char *class, const char *text) {
    html_open(html, element, class);
    html_text(html, text);
    html_close(html);
}

void html_element_format(struct html *html, const char *element, const char *class,
                         const char *format, ...) {
    va_list args;
    html_open(html, element, class);
    end_tag(html);
    va_start(args, format);
    format_escaped(html->out, format, args);
    va_end(args);
    html_close(html);
}

void html_ours(struct html *html, const char *markup, size_t length) {
    end_tag(html);
    buffer_append(html->out, markup, length);
}

void html_join(struct html *html, const struct html *written) {
    assert(written->depth == 0);
    html_ours(html, written->out->data ? written->out->data : "", written->out->length);
}
