// SPDX-License-Identifier: Apache-2.0
//
// The triage for a person, in at most 120 columns as long as paths allow: what diverges first, then
// a line for each reason why a file is not there. Nothing is cut in its middle; what would pass the
// margin gets a line of its own.
#include "command/triage.h"

#include "exec/clock.h"
#include "oracles/cause.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define MARGIN        120
#define FOLDED_INDENT 10

// The length of a valid UTF-8 sequence that is no control character, or 0.
static size_t sequence(const unsigned char *at) {
    static const struct {
        unsigned char mask, lead;
        size_t length;
        unsigned least;
    } kinds[] = {{0x80, 0, 1, 0x20},
                 {0xe0, 0xc0, 2, 0xa0},
                 {0xf0, 0xe0, 3, 0x800},
                 {0xf8, 0xf0, 4, 0x10000}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        if ((*at & kinds[k].mask) != kinds[k].lead)
            continue;
        unsigned value = *at & (unsigned char)~kinds[k].mask;
        for (size_t i = 1; i < kinds[k].length; i++) {
            if ((at[i] & 0xc0) != 0x80)
                return 0;
            value = value << 6 | (at[i] & 0x3f);
        }
        bool fine = value >= kinds[k].least && value != 0x7f && value <= 0x10ffff &&
                    (value < 0xd800 || value > 0xdfff);
        return fine ? kinds[k].length : 0;
    }
    return 0;
}

void triage_text(const char *text, struct buffer *out) {
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        size_t length = sequence(at);
        if (length)
            buffer_append(out, at, length);
        else
            buffer_format(out, "\\x%02x", *at);
        at += length ? length : 1;
    }
}

void triage_time(int64_t seconds, bool brief, char text[32]) {
    time_t when = (time_t)seconds;
    struct tm utc;
    if (seconds == INT64_MAX || !gmtime_r(&when, &utc))
        snprintf(text, 32, "%s", brief ? "-" : "");
    else
        strftime(text, 32, brief ? "%Y-%m-%d %H:%M" : "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static const char *plural(size_t count) {
    return count == 1 ? "" : "s";
}

// Words in lines of at most MARGIN columns, broken at blanks, all but the first indented.
static void wrap(const char *words, int indent, struct buffer *out) {
    size_t column = (size_t)indent;
    while (*words) {
        size_t length = strcspn(words, " ");
        if (column > (size_t)indent && column + 1 + length > MARGIN) {
            buffer_format(out, "\n%*s", indent, "");
            column = (size_t)indent;
        } else if (column > (size_t)indent) {
            buffer_text(out, " ");
            column++;
        }
        buffer_append(out, words, length);
        column += length;
        words += length + strspn(words + length, " ");
    }
    buffer_text(out, "\n");
}

// --- divergences ---------------------------------------------------------------------------------

static const char *wrong_of(const struct triage_row *row) {
    bool settled = row->settled && row->settled->state == SETTLE_CONFIRMED;
    return settled ? row->settled->settled.who : row->settled ? "(open)" : "-";
}

static const char *known_of(const struct triage_row *row) {
    if (row->list == LIST_KNOWN)
        return row->key;
    return row->settled->settled.known_id[0] ? row->settled->settled.known_id : "-";
}

static const char *signature_of(const struct triage_row *row) {
    return row->list == LIST_KNOWN ? row->signature : row->key;
}

static bool in_table(const struct triage_row *row) {
    return row->list == LIST_DIVERGENCES || row->list == LIST_KNOWN;
}

static int longest(const struct triage *t, const char *(*of)(const struct triage_row *),
                   int least) {
    for (size_t i = 0; i < t->row_count; i++)
        if (in_table(&t->rows[i]) && (int)strlen(of(&t->rows[i])) > least)
            least = (int)strlen(of(&t->rows[i]));
    return least;
}

// How wide the columns are; 0: there is none.
struct widths {
    int wrong, known, cases;
};

static void table_row(const struct triage_row *row, const struct widths *widths,
                      struct buffer *out) {
    char when[32], cases[24] = "-";
    size_t begin = out->length;
    triage_time(row->first_s, true, when);
    if (row->settled)
        snprintf(cases, sizeof cases, "%zu", row->settled->shown_by);
    buffer_format(out, "%6zu  ", row->files);
    if (widths->cases)
        buffer_format(out, "%*s  ", widths->cases, cases);
    buffer_format(out, "%-16s  %-*s", when, widths->wrong, wrong_of(row));
    if (widths->known)
        buffer_format(out, "  %-*s", widths->known, known_of(row));
    bool fits = out->length - begin + 2 + strlen(signature_of(row)) <= MARGIN;
    buffer_format(out, "%s%s\n", fits ? "  " : "\n        ", signature_of(row));
}

// The others of a group in one row, so that the files still add up: the pairs in which the same
// shows.
static void folded_row(const struct triage_row *leader, const struct widths *widths,
                       struct buffer *out) {
    size_t files = 0, others = leader->members - 1;
    int64_t first_s = INT64_MAX;
    char when[32];
    struct buffer pairs = {0};
    for (const struct triage_row *row = leader + 1; row <= leader + others; row++) {
        files += row->files;
        first_s = row->first_s < first_s ? row->first_s : first_s;
        buffer_text(&pairs, row == leader + 1 ? "" : " ");
        cause_between(row->key, &pairs);
    }
    triage_time(first_s, true, when);
    buffer_format(out, "%6zu  ", files);
    if (widths->cases)
        buffer_format(out, "%*s  ", widths->cases, "-");
    buffer_format(out, "%-16s  and %zu more, probably of the same cause:\n%*s", when, others,
                  FOLDED_INDENT, "");
    wrap(pairs.data, FOLDED_INDENT, out);
    buffer_free(&pairs);
}

static void table_head(const struct widths *widths, struct buffer *out) {
    buffer_format(out, "\n%6s  ", "files");
    if (widths->cases)
        buffer_format(out, "%*s  ", widths->cases, "cases");
    buffer_format(out, "%-16s  %-*s  ", "first seen (UTC)", widths->wrong, "wrong");
    if (widths->known)
        buffer_format(out, "%-*s  ", widths->known, "known");
    buffer_text(out, "signature\n");
}

static void divergences(const struct triage *t, struct buffer *out) {
    struct widths widths = {.wrong = longest(t, wrong_of, 5), .known = longest(t, known_of, 1)};
    size_t rows = triage_count(t, LIST_DIVERGENCES, true) + triage_count(t, LIST_KNOWN, true);
    if (!rows)
        return;
    widths.known = widths.known == 1 ? 0 : widths.known < 5 ? 5 : widths.known;
    for (size_t i = 0; i < t->row_count; i++)
        if (t->rows[i].settled && t->rows[i].settled->shown_by > t->rows[i].files)
            widths.cases = 5;
    table_head(&widths, out);
    for (size_t i = 0; i < t->row_count; i++) {
        const struct triage_row *row = &t->rows[i];
        if (!in_table(row) || (row->list == LIST_DIVERGENCES && !row->leads))
            continue;
        table_row(row, &widths, out);
        if (row->members > 1)
            folded_row(row, &widths, out);
    }
    if (t->group_count < triage_count(t, LIST_DIVERGENCES, true))
        buffer_text(out, "probably of the same cause: the same type, detail and accused tool, and "
                         "no more than that is known;\nthe one with the smallest case stands for "
                         "them.\n");
    if (widths.cases)
        buffer_text(out, "cases: distinct ones that show it; a file is counted at the rarest "
                         "signature that it shows.\n");
}

// --- the rest ------------------------------------------------------------------------------------

static void other_row(const struct triage *t, const struct triage_row *row, struct buffer *out) {
    char when[32];
    struct buffer key = {0};
    triage_time(row->first_s, true, when);
    triage_text(row->key, &key);
    if (row->list == LIST_INCONCLUSIVE && row->signature)
        buffer_format(&key, ": %s", row->signature);
    buffer_format(out, "%6zu  %-16s  ", row->files, when);
    wrap(key.data, 26, out);
    buffer_free(&key);
    for (size_t i = 0; i < row->example_count; i++) {
        buffer_text(out, "                          ");
        triage_text(t->files[row->examples[i]].path, out);
        buffer_text(out, "\n");
    }
    if (row->files > row->example_count)
        buffer_format(out, "                          ... %zu more\n",
                      row->files - row->example_count);
}

static void other_lists(const struct triage *t, struct buffer *out) {
    int list = LISTS;
    for (size_t i = 0; i < t->row_count; i++) {
        const struct triage_row *row = &t->rows[i];
        if (in_table(row))
            continue;
        if (list != (int)row->list)
            buffer_format(out, "\n%s\n", triage_lists[row->list].title);
        list = (int)row->list;
        other_row(t, row, out);
    }
}

// "2031 files: 2000 diverge (12 signatures), 5 known, ..."; the numbers add up.
static void sum(const struct triage *t, struct buffer *out) {
    static const char *const words[LISTS] = {
        [LIST_DIVERGENCES] = "diverge",           [LIST_KNOWN] = "known",
        [LIST_NOT_REPRODUCED] = "not reproduced", [LIST_INCONCLUSIVE] = "inconclusive",
        [LIST_UNAVAILABLE] = "unavailable",       [LIST_ENGINE] = "of the engine's own",
        [LIST_HARNESS_ERRORS] = "harness errors", [LIST_HARNESS_CRASHES] = "crashes of the harness",
        [LIST_UNREADABLE] = "unreadable",         [LIST_PENDING] = "not begun",
    };
    struct buffer text = {0};
    buffer_format(&text, "%zu file%s, %zu distinct case%s, %.1f s:", t->file_count,
                  plural(t->file_count), t->case_count, plural(t->case_count),
                  (double)(clock_us() - t->begun_us) / 1e6);
    for (int list = 0; list < LISTS; list++) {
        size_t files = triage_count(t, list, false), rows = triage_count(t, list, true);
        if (!files && list != LIST_DIVERGENCES)
            continue;
        buffer_format(&text, "%s %zu %s", list ? "," : "", files, words[list]);
        if (list != LIST_DIVERGENCES)
            continue;
        buffer_text(&text, " (");
        cause_count_words(rows, t->group_count, &text);
        buffer_text(&text, ")");
    }
    buffer_text(out, "\n");
    wrap(text.data, 0, out);
    buffer_free(&text);
}

void triage_table(const struct triage *t, struct buffer *out) {
    divergences(t, out);
    other_lists(t, out);
    sum(t, out);
    if (t->left_out)
        buffer_format(out, "%zu file%s of other names in the folders left out.\n", t->left_out,
                      plural(t->left_out));
    if (t->interrupted)
        buffer_text(out, "PARTIAL: interrupted. What is not begun, and signatures that are (open), "
                         "are not judged yet.\n");
}
