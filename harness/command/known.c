// SPDX-License-Identifier: Apache-2.0
//
// known: the registry of known divergences, as it would be applied; one entry with all that is
// known of it; and whether entries still hold (known_test.c).
#include "command/known.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct known {
    const struct command *command;
    struct settings settings;
    struct registry *registry;
    bool json, test;
};

static int load(struct known *known) {
    struct fault fault = {0};
    if (settings_read(&known->settings, &fault))
        return command_complain(known->command, "%s", fault.text);
    int status = known->settings.known
                     ? registry_load(&known->registry, known->settings.known, &fault)
                     : registry_load_built_in(&known->registry, &fault);
    return status ? command_complain(known->command, "%s", fault.text) : 0;
}

static void print_json(const struct known *known) {
    cJSON *list = registry_json(known->registry);
    char *text = cJSON_Print(list);
    puts(text);
    free(text);
    cJSON_Delete(list);
}

// Every name is looked up before anything is said or run.
static int indices_of(const struct known *known, char **names, size_t count, size_t *indices) {
    for (size_t i = 0; i < count; i++) {
        indices[i] = registry_find(known->registry, names[i]);
        if (indices[i] == registry_count(known->registry))
            return command_complain(known->command, "no entry is called %s", names[i]);
    }
    return 0;
}

static int tell(const struct known *known, const size_t *indices, size_t count) {
    struct buffer out = {0};
    for (size_t i = 0; i < count; i++) {
        buffer_text(&out, i ? "\n" : "");
        registry_tell(known->registry, indices[i], &out);
    }
    if (!count)
        registry_list(known->registry, &out);
    fputs(out.data, stdout);
    buffer_free(&out);
    return 0;
}

static int answer(struct known *known, char **names, size_t count) {
    size_t all = registry_count(known->registry);
    size_t *indices = must_realloc(NULL, (count + all + 1) * sizeof *indices);
    int status = indices_of(known, names, count, indices);
    if (!status && known->json)
        print_json(known);
    else if (!status && !known->test)
        status = tell(known, indices, count);
    else if (!status) {
        for (size_t i = 0; !count && i < all; i++)
            indices[i] = i;
        status = known_test(known->command, &known->settings, known->registry, indices,
                            count ? count : all);
    }
    free(indices);
    return status;
}

static int known(const struct command *command, int argc, char **argv) {
    struct known known = {.command = command};
    int first = 1;
    for (; first < argc && argv[first][0] == '-'; first++) {
        if (!strcmp(argv[first], "--json"))
            known.json = true;
        else if (!strcmp(argv[first], "--test"))
            known.test = true;
        else
            return command_complain(command, "unknown option %s", argv[first]);
    }
    if (known.json && (known.test || first < argc))
        return command_complain(command, "--json prints all entries and takes nothing else");
    int status = load(&known);
    if (status)
        return status;
    status = answer(&known, argv + first, (size_t)(argc - first));
    registry_free(known.registry);
    return status;
}

const struct command command_known = {
    "known",
    "[--json | [--test] [ID...]]",
    "list, explain or test the registry of known divergences",
    "  --json   the entries for a program\n"
    "  ID...    all that is known of these entries\n"
    "  --test   run the case of each entry (of these entries), about instar against the stand-in\n"
    "           that plays it: does it come out as known, under this entry, with its value?\n"
    "           With INSTAR=path against that instar: what is stale there, it does not do\n"
    "exit: 0; 1 an entry is stale; 2 bad use, a registry with a bad entry, or a harness error;\n"
    "      3 one was not tried for want of a tool, or none was tried\n",
    known,
};
