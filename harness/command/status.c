// SPDX-License-Identifier: Apache-2.0
//
// status: the counters of a campaign, added up over its processes.
#include "cells.h"
#include "command/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const forms[] = {"--line", "--live", "--json", "--cells", "--empty"};

static const char *form_of(const char *argument) {
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(forms[i], argument) == 0)
            return forms[i];
    return NULL;
}

static int status(const struct command *command, int argc, char **argv) {
    const char *folder = NULL, *form = "--words";
    for (int i = 1; i < argc; i++) {
        if (form_of(argv[i]))
            form = form_of(argv[i]);
        else if (argv[i][0] == '-' || folder)
            return command_complain(command, "unknown argument %s", argv[i]);
        else
            folder = argv[i];
    }
    if (!folder)
        return command_complain(command, "no campaign folder given");
    static struct stats sum;
    struct fault fault = {0};
    if (stats_sum(folder, &sum, &fault))
        return command_complain(command, "%s", fault.text);
    struct buffer out = {0};
    struct cells_sum cells = cells_sum(&sum);
    bool only_empty = !strcmp(form, "--empty");
    if (only_empty && !cells.reachable)
        return command_complain(command, "%s: nothing was run there", folder);
    if (!strcmp(form, "--line")) {
        stats_line(&sum, &out);
    } else if (!strcmp(form, "--live")) {
        stats_live(&sum, &out);
    } else if (!strcmp(form, "--json")) {
        cJSON *tree = stats_json(&sum);
        char *text = cJSON_Print(tree);
        buffer_text(&out, text);
        free(text);
        cJSON_Delete(tree);
    } else if (only_empty || !strcmp(form, "--cells")) {
        cells_words(&sum, only_empty, &out);
    } else {
        struct buffer empty = {0};
        tool_path_quoted("/proc/self/exe", &empty);
        buffer_text(&empty, " status --empty ");
        tool_path_quoted(folder, &empty);
        stats_words(&sum, empty.data, &out);
        buffer_free(&empty);
    }
    puts(out.data);
    buffer_free(&out);
    return only_empty && cells.compared < cells.reachable ? EXIT_FOUND : EXIT_NONE;
}

const struct command command_status = {
    "status",
    "[--line | --live | --json | --cells | --empty] FOLDER",
    "add up the counters of a campaign (its INSTAR_FUZZ_OUT)",
    "  --line   one line for a terminal\n"
    "  --live   the same in two lines with cells, reasons and the newest signatures below, as\n"
    "           `make fuzz` shows\n"
    "  --json   everything, for a program\n"
    "  --cells  what was compared, by operation, source with its features, target and option\n"
    "  --empty  the cells among these that can be reached and were never compared\n"
    "exit: 0; --empty: 1 if there are any; 2 bad use or unreadable folder\n",
    status,
};
