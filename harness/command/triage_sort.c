// SPDX-License-Identifier: Apache-2.0
//
// Every file into one row. A case may show several signatures, one a step; so that a thousand
// copies of one cannot bury another, each signature that any case shows is settled for itself, and
// a file is counted where it helps most: at the signature that its report names, else at its rarest
// one.
#include "command/triage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct triage_list_words triage_lists[LISTS] = {
    [LIST_DIVERGENCES] = {"divergences", "Divergences"},
    [LIST_KNOWN] = {"known", "Known divergences (the registry explains them, value included)"},
    [LIST_NOT_REPRODUCED] = {"not_reproduced", "Not reproduced: no divergence today"},
    [LIST_INCONCLUSIVE] = {"inconclusive", "Inconclusive: nothing could be decided"},
    [LIST_UNAVAILABLE] = {"unavailable",
                          "Unavailable: a tool that this needs is not compared today"},
    [LIST_ENGINE] = {"engine", "The engine's own findings: as cases they show no divergence"},
    [LIST_HARNESS_ERRORS] = {"harness_errors", "Harness errors: no verdict"},
    [LIST_HARNESS_CRASHES] = {"harness_crashes", "Crashes of the harness itself, twice each"},
    [LIST_UNREADABLE] = {"unreadable", "Unreadable or damaged"},
    [LIST_PENDING] = {"pending", "Not begun before the interruption"},
};

const char *triage_intern(struct triage *t, const char *text) {
    for (size_t i = 0; i < t->word_count; i++)
        if (strcmp(t->words[i], text) == 0)
            return t->words[i];
    t->words = array_room(t->words, &t->word_room, t->word_count + 1, sizeof *t->words);
    return t->words[t->word_count++] = must_strdup(text);
}

static const char *intern_some(struct triage *t, const char *text) {
    return *text ? triage_intern(t, text) : NULL;
}

static size_t signature_of(struct triage *t, const char *name) {
    size_t i = 0;
    while (i < t->signature_count && strcmp(t->signatures[i].name, name) != 0)
        i++;
    if (i < t->signature_count)
        return i;
    t->signatures = array_room(t->signatures, &t->signature_room, i + 1, sizeof *t->signatures);
    t->signatures[t->signature_count++] = (struct triage_signature){.name = triage_intern(t, name)};
    return i;
}

static bool shows(const struct triage_case *item, size_t signature) {
    for (size_t i = 0; i < item->shown_count; i++)
        if (item->shown[i] == signature)
            return true;
    return false;
}

void triage_note_look(struct triage *t, size_t index, const struct triage_looked *looked) {
    struct triage_case *item = &t->cases[index];
    item->state = CASE_LOOKED;
    for (size_t i = 0; i < looked->count; i++) {
        size_t signature = signature_of(t, looked->shown[i]);
        if (shows(item, signature))
            continue;
        item->shown[item->shown_count++] = signature;
        t->signatures[signature].shown_by++;
    }
    item->known_id = intern_some(t, looked->known_id);
    item->known_signature = intern_some(t, looked->known_signature);
    item->undecided = intern_some(t, looked->undecided);
    item->unavailable = intern_some(t, looked->unavailable);
}

static int by_size(const void *a, const void *b, void *context) {
    const struct triage *t = context;
    const struct triage_case *x = &t->cases[*(const size_t *)a], *y = &t->cases[*(const size_t *)b];
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return memcmp(x->bytes, y->bytes, x->size);
}

void triage_choose_candidates(struct triage *t) {
    for (size_t s = 0; s < t->signature_count; s++) {
        struct triage_signature *signature = &t->signatures[s];
        signature->candidates =
            must_realloc(NULL, (signature->shown_by + 1) * sizeof *signature->candidates);
        for (size_t i = 0; i < t->case_count; i++)
            if (shows(&t->cases[i], s))
                signature->candidates[signature->candidates_count++] = i;
        qsort_r(signature->candidates, signature->candidates_count, sizeof(size_t), by_size, t);
    }
}

// Shown, and confirmed or not yet looked at a second time.
static bool stands(const struct triage_signature *signature) {
    return signature->state == SETTLE_PENDING || signature->state == SETTLE_ALONE ||
           signature->state == SETTLE_CONFIRMED;
}

// The signature at which a file is counted; NULL: none that the case shows stands.
static struct triage_signature *counted_at(const struct triage *t, const struct triage_file *file) {
    const struct triage_case *item = &t->cases[file->item];
    struct triage_signature *best = NULL;
    for (size_t i = 0; i < item->shown_count; i++) {
        struct triage_signature *signature = &t->signatures[item->shown[i]];
        if (!stands(signature))
            continue;
        if (file->claimed && strcmp(signature->name, file->claimed) == 0)
            return signature;
        if (!best || signature->shown_by < best->shown_by)
            best = signature;
    }
    return best;
}

static const char *with_note(struct triage *t, const char *words, const struct triage_file *file) {
    char text[1024];
    if (!file->note || file->oversized)
        return words;
    snprintf(text, sizeof text, "%s; %s", words, file->note);
    return triage_intern(t, text);
}

struct place {
    enum triage_list list;
    const char *key, *signature;
    struct triage_signature *settled;
};

static struct place place_of_signature(struct triage_signature *signature) {
    enum triage_list list = signature->state == SETTLE_ERROR   ? LIST_HARNESS_ERRORS
                            : signature->state == SETTLE_CRASH ? LIST_HARNESS_CRASHES
                                                               : LIST_INCONCLUSIVE;
    if (stands(signature))
        return (struct place){LIST_DIVERGENCES, signature->name, NULL, signature};
    return (struct place){list, signature->why, signature->name, NULL};
}

// Of what does not stand: that it could not be tried weighs more than that it did not repeat.
static struct place place_of_trouble(const struct triage *t, const struct triage_case *item) {
    size_t worst = item->shown[0];
    for (size_t i = 0; i < item->shown_count; i++)
        if (t->signatures[item->shown[i]].state != SETTLE_REFUTED)
            worst = item->shown[i];
    return place_of_signature(&t->signatures[worst]);
}

static struct place place_of_read(struct triage *t, const struct triage_file *file) {
    const struct triage_case *item = &t->cases[file->item];
    const struct triage_origin_words *origin = &triage_origins[file->origin];
    struct triage_signature *signature = counted_at(t, file);
    if (signature)
        return place_of_signature(signature);
    if (item->shown_count)
        return place_of_trouble(t, item);
    if (file->foreign)
        return (struct place){LIST_UNAVAILABLE, file->note, NULL, NULL};
    if (item->unavailable)
        return (struct place){LIST_UNAVAILABLE, item->unavailable, NULL, NULL};
    if (item->undecided)
        return (struct place){LIST_INCONCLUSIVE, item->undecided, NULL, NULL};
    if (item->known_id)
        return (struct place){LIST_KNOWN, item->known_id, item->known_signature, NULL};
    if (file->oversized)
        return (struct place){LIST_UNREADABLE, file->note, NULL, NULL};
    return (struct place){origin->engine_own ? LIST_ENGINE : LIST_NOT_REPRODUCED,
                          with_note(t, origin->words, file), NULL, NULL};
}

static struct place place_of(struct triage *t, const struct triage_file *file) {
    if (file->item == SIZE_MAX)
        return (struct place){LIST_UNREADABLE, file->trouble, NULL, NULL};
    const struct triage_case *item = &t->cases[file->item];
    switch (item->state) {
    case CASE_PENDING:
        return (struct place){LIST_PENDING, "not replayed yet", NULL, NULL};
    case CASE_ERROR:
        return (struct place){LIST_HARNESS_ERRORS, item->trouble, NULL, NULL};
    case CASE_CRASH:
        return (struct place){LIST_HARNESS_CRASHES, item->trouble, NULL, NULL};
    default:
        return place_of_read(t, file);
    }
}

static struct triage_row *row_of(struct triage *t, const struct place *place) {
    for (size_t i = 0; i < t->row_count; i++)
        if (t->rows[i].list == place->list && t->rows[i].key == place->key &&
            t->rows[i].signature == place->signature)
            return &t->rows[i];
    t->rows = array_room(t->rows, &t->row_room, t->row_count + 1, sizeof *t->rows);
    struct triage_row *row = &t->rows[t->row_count++];
    *row = (struct triage_row){.list = place->list,
                               .key = place->key,
                               .signature = place->signature,
                               .first_s = INT64_MAX,
                               .settled = place->settled};
    return row;
}

static bool is_known(const struct triage_row *row) {
    return row->settled && row->settled->settled.known_id[0];
}

// By list; what is new before what is known; the most files first; by name.
static int by_weight(const void *a, const void *b) {
    const struct triage_row *x = a, *y = b;
    if (x->list != y->list)
        return x->list < y->list ? -1 : 1;
    if (is_known(x) != is_known(y))
        return is_known(x) ? 1 : -1;
    if (x->files != y->files)
        return x->files > y->files ? -1 : 1;
    int order = strcmp(x->key, y->key);
    return order ? order
                 : strcmp(x->signature ? x->signature : "", y->signature ? y->signature : "");
}

// A signature that is only met in files which are counted elsewhere has a row without files; the
// oldest of those files says since when.
static void add_rows_without_files(struct triage *t) {
    for (size_t s = 0; s < t->signature_count; s++) {
        struct place place = place_of_signature(&t->signatures[s]);
        struct triage_row *row = row_of(t, &place);
        for (size_t i = 0; i < t->file_count; i++) {
            size_t item = t->files[i].item;
            if (item != SIZE_MAX && shows(&t->cases[item], s) && t->files[i].seen_s < row->first_s)
                row->first_s = t->files[i].seen_s;
        }
    }
}

void triage_sort(struct triage *t) {
    for (size_t i = 0; i < t->file_count; i++) {
        struct place place = place_of(t, &t->files[i]);
        struct triage_row *row = row_of(t, &place);
        row->files++;
        if (t->files[i].seen_s < row->first_s)
            row->first_s = t->files[i].seen_s;
    }
    add_rows_without_files(t);
    if (t->row_count)
        qsort(t->rows, t->row_count, sizeof *t->rows, by_weight);
    triage_group_rows(t);
    for (size_t i = 0; i < t->file_count; i++) {
        struct place place = place_of(t, &t->files[i]);
        struct triage_row *row = row_of(t, &place);
        t->files[i].list = place.list;
        t->files[i].row = (size_t)(row - t->rows);
        if (row->example_count < sizeof row->examples / sizeof *row->examples)
            row->examples[row->example_count++] = i;
    }
}

size_t triage_count(const struct triage *t, enum triage_list list, bool rows) {
    size_t count = 0;
    for (size_t i = 0; i < t->row_count; i++)
        if (t->rows[i].list == list)
            count += rows ? 1 : t->rows[i].files;
    return count;
}
