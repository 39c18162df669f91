// SPDX-License-Identifier: Apache-2.0
//
// doctor: what this machine has, which tools would be compared and what they can do. known: the
// registry of divergences. status: the counters of a campaign.
#include "command/command.h"

#include "oracles/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int doctor(const struct command *command, int argc, char **argv) {
    bool json = argc == 2 && !strcmp(argv[1], "--json");
    if (argc > 1 && !json)
        return command_complain(command, "unknown argument %s", argv[1]);
    struct settings settings;
    struct harness *harness;
    int status = command_open(command, &settings, &harness);
    if (status)
        return status;
    struct buffer out = {0};
    if (json) {
        cJSON *tree = cJSON_CreateObject();
        cJSON_AddItemToObject(tree, "a", tool_profile_json(harness_tool(harness, SIDE_A)));
        cJSON_AddItemToObject(tree, "b", tool_profile_json(harness_tool(harness, SIDE_B)));
        char *text = cJSON_Print(tree);
        buffer_text(&out, text);
        free(text);
        cJSON_Delete(tree);
    } else {
        harness_announce(harness, &out);
        for (int side = 0; side < SIDES; side++) {
            buffer_format(&out, "\nTool %c\n", 'A' + side);
            tool_profile_words(harness_tool(harness, side), &out);
        }
        buffer_format(&out, "\nMachine\n  /dev/kvm: %s\n  case directory: below %s (%s)\n",
                      access("/dev/kvm", R_OK | W_OK) ? "not usable" : "usable",
                      harness_workdir(harness)->path,
                      harness_workdir(harness)->on_tmpfs ? "tmpfs" : "no tmpfs: slower");
        buffer_text(&out, "\nVariables\n");
        settings_words(&settings, &out);
    }
    puts(out.data);
    buffer_free(&out);
    harness_close(harness);
    return 0;
}

const struct command command_doctor = {
    "doctor",
    "[--json]",
    "say what would be compared here, and what each tool can do",
    "exit: 0; 2 bad use; 3 a tool that is needed cannot run\n",
    doctor,
};

static int known(const struct command *command, int argc, char **argv) {
    struct settings settings;
    struct fault fault = {0};
    struct registry *registry;
    if (argc > 1)
        return command_complain(command, "unknown argument %s", argv[1]);
    if (settings_read(&settings, &fault))
        return command_complain(command, "%s", fault.text);
    int status = settings.known ? registry_load(&registry, settings.known, &fault)
                                : registry_load_built_in(&registry, &fault);
    if (status)
        return command_complain(command, "%s", fault.text);
    struct buffer out = {0};
    registry_list(registry, &out);
    fputs(out.data, stdout);
    buffer_free(&out);
    registry_free(registry);
    return 0;
}

const struct command command_known = {
    "known",
    "",
    "list the registry of known divergences",
    "exit: 0; 2 bad use, or a registry with a bad entry\n",
    known,
};

static int status(const struct command *command, int argc, char **argv) {
    const char *folder = NULL, *form = "--words";
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--line") || !strcmp(argv[i], "--json"))
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
    "[--line | --json] FOLDER",
    "add up the counters of a campaign (its INSTAR_FUZZ_OUT)",
    "  --line  one line for a terminal\n"
    "  --json  everything, for a program\n"
    "exit: 0; 2 bad use or unreadable folder\n",
    status,
};
