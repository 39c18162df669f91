// SPDX-License-Identifier: Apache-2.0
//
// See cause.h.
#include "oracles/cause.h"

#include <stdlib.h>
#include <string.h>

#define PARTS 5 // of a signature

bool cause_is_signature(const char *text) {
    size_t parts = 1;
    for (const char *at = text; *at; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '_';
        if (!plain && *at != '-')
            return false;
        parts += *at == '-';
    }
    return parts == PARTS;
}

const char *cause_detail(const char *signature) {
    const char *last = strrchr(signature, '-');
    return last ? last + 1 : "";
}

static size_t type_length(const char *signature) {
    return strcspn(signature, "-");
}

void cause_between(const char *signature, struct buffer *out) {
    const char *from = signature + type_length(signature), *to = strrchr(signature, '-');
    if (to > from)
        buffer_append(out, from + 1, (size_t)(to - from) - 1);
}

void cause_count_words(size_t signatures, size_t groups, struct buffer *out) {
    buffer_format(out, "%zu signature%s", signatures, signatures == 1 ? "" : "s");
    if (groups < signatures)
        buffer_format(out, " in %zu group%s", groups, groups == 1 ? "" : "s");
}

static bool may_share(const char *signature, const char *accused) {
    return *accused && strcmp(accused, "unknown") != 0 && cause_is_signature(signature);
}

bool cause_name(const char *signature, const char *accused, struct buffer *out) {
    if (!may_share(signature, accused))
        return false;
    buffer_format(out, "%.*s-%s-%s", (int)type_length(signature), signature,
                  cause_detail(signature), accused);
    return true;
}

// By type, detail and accused tool; 0: the two share them.
static int by_key(const struct cause *a, const struct cause *b) {
    bool shares = may_share(a->signature, a->accused);
    if (shares != may_share(b->signature, b->accused))
        return shares ? -1 : 1;
    if (!shares)
        return a->rank < b->rank ? -1 : a->rank > b->rank;
    size_t length = type_length(a->signature);
    int order = strncmp(a->signature, b->signature, length + 1); // with the '-' behind it
    if (order == 0)
        order = strcmp(cause_detail(a->signature), cause_detail(b->signature));
    return order ? order : strcmp(a->accused, b->accused);
}

// The members of a group together, the most telling first.
static int by_group(const void *left, const void *right) {
    const struct cause *a = left, *b = right;
    int order = by_key(a, b);
    if (order)
        return order;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? -1 : 1;
    order = strcmp(a->signature, b->signature);
    return order ? order : (a->rank > b->rank) - (a->rank < b->rank);
}

struct placed {
    struct cause cause;
    size_t place; // rank of the member that came first
};

static int by_place(const void *left, const void *right) {
    const struct placed *a = left, *b = right;
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    if (a->cause.leads != b->cause.leads)
        return a->cause.leads ? -1 : 1;
    return (a->cause.rank > b->cause.rank) - (a->cause.rank < b->cause.rank);
}

// One group: `count` neighbours of a list that is sorted by group.
static void place_group(const struct cause *group, size_t count, struct placed *placed) {
    size_t place = group->rank;
    for (size_t i = 1; i < count; i++)
        place = group[i].rank < place ? group[i].rank : place;
    for (size_t i = 0; i < count; i++) {
        placed[i] = (struct placed){group[i], place};
        placed[i].cause.members = count;
        placed[i].cause.leads = i == 0;
    }
}

size_t cause_group(struct cause *list, size_t count) {
    size_t groups = 0;
    if (!count)
        return 0;
    struct placed *placed = must_realloc(NULL, count * sizeof *placed);
    for (size_t i = 0; i < count; i++)
        list[i].rank = i;
    qsort(list, count, sizeof *list, by_group);
    for (size_t from = 0, to; from < count; from = to, groups++) {
        for (to = from + 1; to < count && by_key(&list[from], &list[to]) == 0;)
            to++;
        place_group(&list[from], to - from, &placed[from]);
    }
    qsort(placed, count, sizeof *placed, by_place);
    for (size_t i = 0; i < count; i++)
        list[i] = placed[i].cause;
    free(placed);
    return groups;
}
