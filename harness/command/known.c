// SPDX-License-Identifier: Apache-2.0
//
// known: the registry of known divergences, as it would be applied.
#include "command/command.h"

#include "oracles/registry.h"

#include <stdio.h>

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
