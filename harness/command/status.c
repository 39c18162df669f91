// SPDX-License-Identifier: Apache-2.0
//
// status: the counters of a campaign, added up over its processes.
#include "command/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int status(const struct command *command, int argc, char **argv) {
    const char *folder = NULL, *form = "--words";
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--line") || !strcmp(argv[i], "--live") || !strcmp(argv[i], "--json"))
            form = argv[i];
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
    } else {
        stats_words(&sum, &out);
    }
    puts(out.data);
    buffer_free(&out);
    return 0;
}

const struct command command_status = {
    "status",
    "[--line | --live | --json] FOLDER",
    "add up the counters of a campaign (its INSTAR_FUZZ_OUT)",
    "  --line  one line for a terminal\n"
    "  --live  the line with comparisons, reasons and signatures below it, as `make fuzz` shows\n"
    "  --json  everything, for a program\n"
    "exit: 0; 2 bad use or unreadable folder\n",
    status,
};
