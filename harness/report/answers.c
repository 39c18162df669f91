// SPDX-License-Identifier: Apache-2.0
//
// Two answers as one table. JSON is flattened to dotted names first, so that the tools' different
// order and spacing do not hide what is really different.
#include "report/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_ROWS 96
#define ANSWER_NAME 72
#define ANSWER_TEXT 512
#define ANSWER_WIDE 56 // columns of a text; a longer one is folded

struct row {
    char name[ANSWER_NAME];
    char text[SIDES][ANSWER_TEXT];
    bool present[SIDES];
};

struct table {
    struct row rows[ANSWER_ROWS];
    size_t count;
};

static void put(struct table *table, int side, const char *name, const char *text) {
    size_t i = 0;
    while (i < table->count && strcmp(table->rows[i].name, name) != 0)
        i++;
    if (i == ANSWER_ROWS)
        return;
    struct row *row = &table->rows[i];
    if (i == table->count) {
        memset(row, 0, sizeof *row);
        snprintf(row->name, sizeof row->name, "%s", name);
        table->count++;
    }
    row->present[side] = true;
    if (snprintf(row->text[side], sizeof row->text[side], "%s", text) >= ANSWER_TEXT)
        memcpy(row->text[side] + ANSWER_TEXT - 4, "...", 4); // report.json has more of it
    // A table is made of lines: what a tool says may contain anything.
    for (char *c = row->text[side]; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = ' ';
}

static void put_json(struct table *table, int side, const char *name, const cJSON *item) {
    char inner[ANSWER_NAME];
    if (cJSON_IsObject(item) || cJSON_IsArray(item)) {
        int index = 0;
        const cJSON *child;
        cJSON_ArrayForEach(child, item) {
            if (child->string)
                snprintf(inner, sizeof inner, "%s%s%s", name, *name ? "." : "", child->string);
            else
                snprintf(inner, sizeof inner, "%s[%d]", name, index++);
            put_json(table, side, inner, child);
        }
        return;
    }
    char *text = cJSON_IsString(item) ? NULL : cJSON_PrintUnformatted(item);
    put(table, side, name, cJSON_IsString(item) ? item->valuestring : text ? text : "?");
    free(text);
}

// What the third reader made of the output, and of the image that shows whether it can be believed.
static void put_third(struct table *table, int side, const struct oracle_step *step) {
    const struct oracle_side *from = oracle_side_at(step, side);
    bool any_control = step->a.third_control.state != THIRD_NOT_ASKED ||
                       step->b.third_control.state != THIRD_NOT_ASKED;
    bool control = from->third_control.state != THIRD_NOT_ASKED;
    if (from->third.state == THIRD_NOT_ASKED)
        return;
    put(table, side, "third reader", from->third.words);
    if (any_control)
        put(table, side, "third reader, of our copy of it",
            control ? from->third_control.words : "not asked");
}

static void put_output(struct table *table, int side, const struct oracle_step *step) {
    const struct oracle_side *from = oracle_side_at(step, side);
    char text[64];
    if (from->has_converted) {
        snprintf(text, sizeof text, "%llu", (unsigned long long)from->converted_size);
        put(table, side, "converted file", text);
    }
    if (!from->output_file_size)
        return;
    snprintf(text, sizeof text, "%llu", (unsigned long long)from->output_file_size);
    put(table, side, "output file", text);
    if (from->output_fault[0])
        put(table, side, "output", from->output_fault);
    put_third(table, side, step);
}

// What was asked beside the step, a row each.
static void put_beside(struct table *table, int side, const struct step_record *step) {
    const struct oracle_side *from = side == SIDE_A ? &step->step.a : &step->step.b;
    char text[96];
    for (int check = 0; check < CROSS_CHECKS; check++) {
        const struct tool_result *result = from->beside[check].result;
        if (!result)
            continue;
        uint64_t stored = 0;
        for (size_t i = 0; i < result->map_count; i++)
            stored += result->map[i].data && !result->map[i].zero ? result->map[i].length : 0;
        if (result->measure.has_required)
            snprintf(text, sizeof text, "required %llu",
                     (unsigned long long)result->measure.required);
        else if (check == CROSS_MAP && result->class == OUTCOME_OK)
            snprintf(text, sizeof text, "%zu runs, %llu bytes of data", result->map_count,
                     (unsigned long long)stored);
        else if (result->class == OUTCOME_OK && check < CROSS_CHECK_DAMAGED)
            snprintf(text, sizeof text, "identical");
        else
            snprintf(text, sizeof text, "%s", outcome_class_names[result->class]);
        put(table, side, cross_names[check], text);
    }
}

static void put_side(struct table *table, int side, const struct step_record *step) {
    const struct oracle_side *from = side == SIDE_A ? &step->step.a : &step->step.b;
    if (!from->ran) {
        put(table, side, "not run", from->why_not ? from->why_not : "");
        return;
    }
    struct buffer words = {0};
    exec_outcome_words(&step->outcomes[side], &words);
    buffer_format(&words, " (%s)", outcome_class_names[step->results[side].class]);
    put(table, side, "ended", words.data);
    buffer_free(&words);
    if (step->outcomes[side].err.length)
        put(table, side, "stderr", step->outcomes[side].err.data);
    if (step->results[side].json)
        put_json(table, side, "", step->results[side].json);
    else if (step->outcomes[side].out.length)
        put(table, side, "stdout", step->outcomes[side].out.data);
    put_output(table, side, &step->step);
    put_beside(table, side, step);
}

static bool same(const struct row *row) {
    return row->present[SIDE_A] == row->present[SIDE_B] &&
           strcmp(row->text[SIDE_A], row->text[SIDE_B]) == 0;
}

// Rows that a rule compares beside the one that its field names. What a rule about contents found
// is in no row: files of one disk may differ in everything that a row shows.
static const struct {
    const char *type, *row;
} compared[] = {
    {"measure_json_parse_failure", "stdout"},
    {"info_output_divergence", "stdout"},
    {"check_divergence", "stdout"},
    {"check_divergence", "check of the converted file"},
    {"convert_content_divergence", "output"},
    {"truth_content_divergence", "output"},
    {"measure_above_fully_allocated_bound", "converted file"},
    {"measure_below_required_bound", "converted file"},
    {"measure_contract_violation", "converted file"},
    {"map_divergence", "map"},
    {"map_measure_divergence", "map"},
    {"measure_growth_violation", "measure of the output"},
    {"compare_divergence", "compare of input and output"},
    {"compare_divergence", "compare with one byte changed"},
    {"third_reader_divergence", "third reader"},
};

// Of one of the damages [from, to).
static bool is_damage(const char *row, int from, int to) {
    for (; from < to; from++)
        if (strcmp(cross_names[cross_of_damage((enum image_damage)from)], row) == 0)
            return true;
    return false;
}

// The row is the field's, or of a part of it; a field has no indices: "children[].name".
static bool is_field(const char *row, const char *field) {
    for (; *field && *row == *field; row++, field++)
        if (*row == '[')
            row += strspn(row + 1, "0123456789");
    return !*field && (!*row || *row == '.' || *row == '[');
}

static bool is_about(const struct row *row, const struct judgement *judgement) {
    const char *field = judgement->field;
    if (*field && is_field(row->name, strcmp(field, "outcome") == 0 ? "ended" : field))
        return true;
    if (strcmp(judgement->oracle->type, "check_damage_divergence") == 0 &&
        is_damage(row->name, 0, IMAGE_FAULTS))
        return true;
    if (strcmp(judgement->oracle->type, "must_refuse_violation") == 0 &&
        is_damage(row->name, IMAGE_FAULTS, IMAGE_DAMAGES))
        return true;
    for (size_t i = 0; i < sizeof compared / sizeof *compared; i++)
        if (strcmp(compared[i].type, judgement->oracle->type) == 0 &&
            strcmp(compared[i].row, row->name) == 0)
            return true;
    return false;
}

// '*' is a row that a divergence is about, 'k' one that the registry explains, '~' a difference
// that a rule permits.
static char mark(const struct row *row, const struct step_record *step) {
    char how = '~';
    if (same(row))
        return ' ';
    for (size_t i = 0; i < step->judgements.count; i++) {
        const struct judgement *judgement = &step->judgements.items[i];
        if (judgement->verdict == VERDICT_DIVERGENCE && is_about(row, judgement))
            return '*';
        if (judgement->verdict == VERDICT_KNOWN && judgement->field[0] && is_about(row, judgement))
            how = 'k';
    }
    return how;
}

static void fill(struct table *table, const struct step_record *step) {
    table->count = 0;
    put_side(table, SIDE_A, step);
    put_side(table, SIDE_B, step);
}

// JSON is UTF-8, and a tool may say anything.
static void add_ascii(cJSON *object, const char *name, const char *text) {
    char ascii[ANSWER_TEXT];
    size_t i = 0;
    for (; text[i] && i + 1 < sizeof ascii; i++)
        ascii[i] = (char)((unsigned char)text[i] < 127 ? text[i] : '?');
    ascii[i] = 0;
    cJSON_AddStringToObject(object, name, ascii);
}

cJSON *report_answers_json(const struct step_record *step) {
    static const char *const side_names[SIDES] = {"a", "b"};
    static struct table table;
    cJSON *list = cJSON_CreateArray();
    fill(&table, step);
    for (size_t i = 0; i < table.count; i++) {
        const struct row *row = &table.rows[i];
        char how = mark(row, step);
        cJSON *json = cJSON_CreateObject();
        add_ascii(json, "name", row->name);
        for (int side = 0; side < SIDES; side++)
            if (row->present[side])
                add_ascii(json, side_names[side], row->text[side]);
        if (how != ' ')
            cJSON_AddStringToObject(json, "mark",
                                    how == '*'   ? "diverges"
                                    : how == 'k' ? "known"
                                                 : "permitted");
        cJSON_AddItemToArray(list, json);
    }
    return list;
}

// The bytes of `text` that the next line takes, at a blank where there is one in its second half.
static size_t fold(const char *text) {
    size_t length = strlen(text);
    if (length <= ANSWER_WIDE)
        return length;
    for (size_t i = ANSWER_WIDE; i > ANSWER_WIDE / 2; i--)
        if (text[i] == ' ')
            return i;
    return ANSWER_WIDE;
}

static const char *text_of(const struct row *row, int side) {
    return row->present[side] ? row->text[side] : "-";
}

static void put_row(const struct row *row, char how, int name_width, int text_width,
                    struct buffer *out) {
    const char *name = row->name, *a = text_of(row, SIDE_A), *b = text_of(row, SIDE_B);
    do {
        size_t a_length = fold(a), b_length = fold(b);
        buffer_format(out, "    %c %-*s  %-*.*s  %.*s\n", how, name_width, name, text_width,
                      (int)a_length, a, (int)b_length, b);
        a += a_length + (a[a_length] == ' ');
        b += b_length + (b[b_length] == ' ');
        name = "";
        how = ' ';
    } while (*a || *b);
}

void report_answers(const struct step_record *step, struct buffer *out) {
    static struct table table;
    fill(&table, step);
    size_t name_width = 10, text_width = 24;
    for (size_t i = 0; i < table.count; i++) {
        size_t name = strlen(table.rows[i].name), text = fold(text_of(&table.rows[i], SIDE_A));
        name_width = name > name_width ? name : name_width;
        text_width = text > text_width ? text : text_width;
    }
    buffer_format(out, "      %-*s  %-*s  %s\n", (int)name_width, "", (int)text_width,
                  report_tool_words(step->step.a.tool), report_tool_words(step->step.b.tool));
    for (size_t i = 0; i < table.count; i++)
        put_row(&table.rows[i], mark(&table.rows[i], step), (int)name_width, (int)text_width, out);
}
