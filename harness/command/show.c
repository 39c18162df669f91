// SPDX-License-Identifier: Apache-2.0
//
// show: a case in words, or in its text form. It runs no tool.
#include "command/command.h"

#include <stdio.h>
#include <string.h>

static int show(const struct command *command, int argc, char **argv) {
    bool json = false, brief = false;
    int shown = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json")) {
            json = true;
            continue;
        }
        if (!strcmp(argv[i], "--brief")) {
            brief = true;
            continue;
        }
        if (argv[i][0] == '-')
            return command_complain(command, "unknown option %s", argv[i]);
        struct testcase testcase;
        struct fault fault = {0};
        if (command_load_case(&testcase, argv[i], &fault))
            return command_complain(command, "%s", fault.text);
        struct buffer out = {0};
        void (*form)(const struct testcase *, struct buffer *) = brief  ? case_to_json_brief
                                                                 : json ? case_to_json
                                                                        : case_describe;
        form(&testcase, &out);
        fputs(out.data, stdout);
        buffer_free(&out);
        shown++;
    }
    return shown ? 0 : command_complain(command, "no case given (see --help)");
}

const struct command command_show = {
    "show",
    "[--json [--brief]] CASE...",
    "print a case in words, or in its text form",
    "  --json   the text form, which `assemble` reads\n"
    "  --brief  no help in it, and nothing that has its default\n"
    "exit: 0; 2 bad use or unreadable case\n",
    show,
};
