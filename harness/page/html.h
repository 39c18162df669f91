// SPDX-License-Identifier: Apache-2.0
//
// Writing HTML in such a way that escaping cannot be forgotten. Names of elements and attributes
// are literals of ours; everything else goes through html_text or html_attribute, which let no
// markup, no control character and no byte that is not UTF-8 pass. A tool's words may hold
// anything.
#ifndef PAGE_HTML_H
#define PAGE_HTML_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

#define HTML_DEPTH     48
#define HTML_TEXT_MOST 16384 // bytes of one text; what is longer is cut, and ends with "..."

struct html {
    struct buffer *out;
    const char *open[HTML_DEPTH]; // elements that were not closed yet
    size_t depth;
    bool in_tag; // attributes may follow
};

// Opens an element; `class` NULL: none. Attributes follow until the first text or element.
void html_open(struct html *html, const char *element, const char *class);
void html_attribute(struct html *html, const char *name, const char *value);
void html_attribute_format(struct html *html, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// The address of a file: its characters are percent-encoded where an address may not hold them.
void html_attribute_path(struct html *html, const char *name, const char *path);
// Attribute of a "data:" address that carries bytes.
void html_attribute_data(struct html *html, const char *name, const char *type, const void *data,
                         size_t length);
void html_close(struct html *html); // the innermost element
void html_text(struct html *html, const char *text);
// Cut to `most` bytes.
void html_text_cut(struct html *html, const char *text, size_t most);
void html_format(struct html *html, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Text in which `words between backquotes` become <code>.
void html_prose(struct html *html, const char *text);
// An element with nothing but text.
void html_element(struct html *html, const char *element, const char *class, const char *text);
void html_element_format(struct html *html, const char *element, const char *class,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));
// An element that has neither content nor end: meta, rect, ...
void html_empty(struct html *html);

// Markup of ours, as it is: a literal by construction.
#define html_markup(html, literal) html_ours((html), "" literal, sizeof literal - 1)
void html_ours(struct html *html, const char *markup, size_t length);

// Whole elements that were written into another buffer.
void html_join(struct html *html, const struct html *written);

// Numbers as people read them: 1,234,567. The text lives until the eighth call after this one.
const char *html_number(uint64_t value);
// "64 KiB", or the number where no unit says it exactly.
const char *html_size(uint64_t bytes);
// "2026-01-31 23:59 UTC"; "unknown" for 0.
const char *html_time(uint64_t seconds);
// "2 days 3 hours", "12 min", "5 min 4 s": the two largest units.
const char *html_span(uint64_t seconds);

#endif
