// SPDX-License-Identifier: Apache-2.0
//
// doctor: what this machine has, which tools would be compared and what they can do.
#include "command/command.h"

#include "coverage.h"
#include "third.h"

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
    struct fault fault = {0};
    if (settings_read(&settings, &fault))
        return command_complain(command, "%s", fault.text);
    settings.guided = settings.tested_anew = true;
    int status = command_open_with(command, &settings, &harness);
    if (status)
        return status;
    struct buffer out = {0};
    if (json) {
        cJSON *tree = cJSON_CreateObject();
        cJSON_AddItemToObject(tree, "a", tool_profile_json(harness_tool(harness, SIDE_A)));
        cJSON_AddItemToObject(tree, "b", tool_profile_json(harness_tool(harness, SIDE_B)));
        cJSON_AddStringToObject(tree, "fence", harness_fence(harness));
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
        buffer_text(&out, "\nGuide\n");
        coverage_words(harness_coverage(harness), &out);
        buffer_text(&out, "\nThird reader\n  ");
        third_words(harness_third(harness), &out);
        buffer_format(&out, "\n\nMachine\n  /dev/kvm: %s\n  case directory: below %s (%s)\n",
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
