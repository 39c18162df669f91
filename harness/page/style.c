// SPDX-License-Identifier: Apache-2.0
//
// The beginning and the end of the document: style, patterns and script are inside it, so that the
// page is one file. The policy lets nothing be fetched and no script run but the one that is here:
// its hash is in the policy, and a test holds it against page.js.
#include "page/page.h"
#include "page/picture.h"

// The Makefile makes this object depend on both files.
__asm__(".section .rodata\n"
        "page_css_text:\n"
        ".incbin \"harness/page/page.css\"\n"
        "page_css_end:\n"
        "page_js_text:\n"
        ".incbin \"harness/page/page.js\"\n"
        "page_js_end:\n"
        ".previous\n");
extern const char page_css_text[], page_css_end[], page_js_text[], page_js_end[];

void page_style(const char *title, struct html *html) {
    html_markup(html, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                      "style-src 'unsafe-inline'; script-src "
                      "'sha256-cZx9c88NvcjwrV9UKtuf5TK/g4cFZPjOV1mk81cGjFg='\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<meta name=\"color-scheme\" content=\"light dark\">\n"
                      "<meta name=\"referrer\" content=\"no-referrer\">");
    html_element(html, "title", NULL, title);
    html_markup(html, "\n<style>\n");
    html_ours(html, page_css_text, (size_t)(page_css_end - page_css_text));
    html_markup(html, "</style>\n</head>");
}

void page_script(struct html *html) {
    html_markup(html, "\n<script>");
    html_ours(html, page_js_text, (size_t)(page_js_end - page_js_text));
    html_markup(html, "</script>");
}

// Colour comes from the style sheet, so that one set serves light and dark.
void picture_patterns(struct html *html) {
    html_markup(
        html,
        "\n<svg class=\"patterns\" aria-hidden=\"true\"><defs>\n"
        "<pattern id=\"p-compressed\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
        "<rect class=\"f-data\" width=\"6\" height=\"6\"/>"
        "<path class=\"f-data-line\" d=\"M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2\"/></pattern>\n"
        "<pattern id=\"p-zero\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">"
        "<rect class=\"f-zero\" width=\"5\" height=\"5\"/>"
        "<circle class=\"f-zero-dot\" cx=\"2.5\" cy=\"2.5\" r=\"0.9\"/></pattern>\n"
        "<pattern id=\"p-kept\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">"
        "<rect class=\"f-kept\" width=\"5\" height=\"5\"/>"
        "<circle class=\"f-zero-dot\" cx=\"2.5\" cy=\"2.5\" r=\"0.9\"/></pattern>\n"
        "<pattern id=\"p-differs\" width=\"4\" height=\"4\" patternUnits=\"userSpaceOnUse\">"
        "<path class=\"f-mark\" d=\"M-1,-1 l6,6 M-1,5 l6,-6\"/></pattern>\n"
        "<pattern id=\"p-b\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
        "<rect class=\"f-b\" width=\"6\" height=\"6\"/>"
        "<path class=\"f-b-line\" d=\"M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2\"/></pattern>\n"
        "<pattern id=\"p-gap\" width=\"12\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
        "<rect class=\"f-paper\" width=\"12\" height=\"8\"/>"
        "<path class=\"f-gap\" d=\"M4,0 l4,4 l-4,4\"/></pattern>\n"
        "</defs></svg>");
}
