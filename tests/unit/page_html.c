// SPDX-License-Identifier: Apache-2.0
//
// Nothing that a tool says becomes markup: every byte, bad UTF-8, what hides or turns text, and
// what is cut in the middle of a character.
#include "page/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FFFD "\xef\xbf\xbd"

static char *as_text(const char *text) {
    struct buffer out = {0};
    struct html html = {.out = &out};
    buffer_text(&out, "");
    html_text(&html, text);
    return out.data;
}

static void expect_text(const char *text, const char *expected) {
    char *got = as_text(text);
    assert_string_equal(got, expected);
    free(got);
}

static void markup_is_text(void **state) {
    (void)state;
    expect_text("<b>&\"'", "&lt;b&gt;&amp;&quot;&#39;");
    expect_text("]]></script><!--", "]]&gt;&lt;/script&gt;&lt;!--");
    expect_text("gr\xc3\xbc\xc3\x9f \xf0\x9f\x92\xbe", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x92\xbe");
}

// Of all bytes alone: printable ASCII, tab and newline stay (escaped where they must be), nothing
// else does.
static void bytes(void **state) {
    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        char text[2] = {(char)byte, 0};
        char *got = as_text(text);
        bool plain = (byte >= ' ' && byte < 127) || byte == '\n' || byte == '\t';
        if (plain && strchr("<>&\"'", byte))
            assert_int_equal(got[0], '&');
        else
            assert_string_equal(got, plain ? text : FFFD);
        free(got);
    }
}

static void bad_utf8_is_replaced(void **state) {
    (void)state;
    expect_text("\xc3(", FFFD "(");                       // half a character
    expect_text("\xe2\x82", FFFD FFFD);                   // at the end
    expect_text("\xc0\xbcimg", FFFD FFFD "img");          // overlong '<'
    expect_text("\xe0\x80\xbc", FFFD FFFD FFFD);          // overlong '<'
    expect_text("\xed\xa0\x80", FFFD FFFD FFFD);          // a surrogate
    expect_text("\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD); // beyond the last code
    expect_text("\xf8\x88\x80\x80\x80", FFFD FFFD FFFD FFFD FFFD);
}

static void hidden_characters_are_shown(void **state) {
    (void)state;
    expect_text("a\xe2\x80\xae"
                "b",
                "a" FFFD "b"); // right-to-left override
    expect_text("a\xe2\x80\x8b"
                "b",
                "a" FFFD "b");         // zero width space
    expect_text("\xef\xbb\xbf", FFFD); // byte order mark
    expect_text("\xef\xbf\xbe", FFFD); // no character
    expect_text("\xc2\x85", FFFD);     // a control of Latin-1
}

static void a_cut_leaves_no_half_character(void **state) {
    (void)state;
    struct buffer out = {0};
    struct html html = {.out = &out};
    html_text_cut(&html, "ab\xe2\x82\xac", 4);
    assert_string_equal(out.data, "ab...");
    buffer_clear(&out);
    html_text_cut(&html, "ab\xe2\x82\xac", 5);
    assert_string_equal(out.data, "ab\xe2\x82\xac");
    buffer_clear(&out);
    html_text_cut(&html, "a&b", 2);
    assert_string_equal(out.data, "a&amp;...");
    buffer_free(&out);
}

static void elements_nest_and_attributes_are_quoted(void **state) {
    (void)state;
    struct buffer out = {0};
    struct html html = {.out = &out};
    html_open(&html, "a", "x");
    html_attribute(&html, "title", "\"><script>");
    html_attribute_path(&html, "href", "a b/\"c\"?#%\xc3\xbc");
    html_text(&html, "1 < 2");
    html_element(&html, "b", NULL, "&");
    html_close(&html);
    assert_string_equal(out.data, "<a class=\"x\" title=\"&quot;&gt;&lt;script&gt;\" "
                                  "href=\"a%20b/%22c%22%3F%23%25%C3%BC\">1 &lt; 2<b>&amp;</b></a>");
    assert_int_equal(html.depth, 0);
    buffer_free(&out);
}

static void prose_marks_code(void **state) {
    (void)state;
    struct buffer out = {0};
    struct html html = {.out = &out};
    html_prose(&html, "see `<x>` there");
    assert_string_equal(out.data, "see <code>&lt;x&gt;</code> there");
    buffer_clear(&out);
    html_prose(&html, "one ` alone");
    assert_string_equal(out.data, "one <code> alone</code>");
    buffer_free(&out);
}

// The vectors of RFC 4648.
static void data_is_base64(void **state) {
    (void)state;
    static const char *const vectors[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct buffer out = {0}, expected = {0};
        struct html html = {.out = &out};
        html_open(&html, "a", NULL);
        html_attribute_data(&html, "href", "x/y", vectors[i][0], strlen(vectors[i][0]));
        buffer_format(&expected, "<a href=\"data:x/y;base64,%s\"", vectors[i][1]);
        assert_string_equal(out.data, expected.data);
        buffer_free(&out);
        buffer_free(&expected);
    }
}

static void numbers_in_words(void **state) {
    (void)state;
    assert_string_equal(html_number(0), "0");
    assert_string_equal(html_number(999), "999");
    assert_string_equal(html_number(1234567), "1,234,567");
    assert_string_equal(html_number(UINT64_MAX), "18,446,744,073,709,551,615");
    assert_string_equal(html_size(1), "1 byte");
    assert_string_equal(html_size(65536), "64 KiB");
    assert_string_equal(html_size(65537), "65,537 bytes");
    assert_string_equal(html_size(2ull << 40), "2 TiB");
    assert_string_equal(html_time(0), "unknown");
    assert_string_equal(html_time(86399), "1970-01-01 23:59 UTC");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_is_text),
        cmocka_unit_test(bytes),
        cmocka_unit_test(bad_utf8_is_replaced),
        cmocka_unit_test(hidden_characters_are_shown),
        cmocka_unit_test(a_cut_leaves_no_half_character),
        cmocka_unit_test(elements_nest_and_attributes_are_quoted),
        cmocka_unit_test(prose_marks_code),
        cmocka_unit_test(data_is_base64),
        cmocka_unit_test(numbers_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
