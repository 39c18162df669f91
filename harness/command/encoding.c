// SPDX-License-Identifier: Apache-2.0
//
// encoding: what documentation and dictionary say is printed from the tables that the program uses.
#include "command/command.h"
#include "guide/features.h"
#include "oracles/reason.h"

#include <stdio.h>
#include <string.h>

static int encoding(const struct command *command, int argc, char **argv) {
    struct buffer out = {0};
    if (argc == 2 && !strcmp(argv[1], "--markdown"))
        case_encoding_markdown(&out);
    else if (argc == 2 && !strcmp(argv[1], "--dictionary"))
        case_dictionary(&out);
    else if (argc == 2 && !strcmp(argv[1], "--variables"))
        settings_markdown(&out);
    else if (argc == 2 && !strcmp(argv[1], "--guidance"))
        guide_markdown(&out);
    else if (argc == 2 && !strcmp(argv[1], "--reasons"))
        reason_markdown(&out);
    else
        return command_complain(
            command, "needs --markdown, --dictionary, --variables, --guidance or --reasons");
    fputs(out.data, stdout);
    buffer_free(&out);
    return 0;
}

const struct command command_encoding = {
    "encoding",
    "--markdown | --dictionary | --variables | --guidance | --reasons",
    "print what is generated from the project's tables",
    "  --markdown    the fields of a case, for docs/encoding.md\n"
    "  --dictionary  the dictionary for libFuzzer and AFL++\n"
    "  --variables   the variables, for README.md\n"
    "  --guidance    what an engine is told of a case, for docs/guidance.md\n"
    "  --reasons     why nothing was compared, for docs/oracles.md\n"
    "exit: 0; 2 bad use\n",
    encoding,
};
