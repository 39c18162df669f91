// SPDX-License-Identifier: Apache-2.0
//
// assemble: the text form of a case becomes the bytes that an engine reads. It runs no tool.
#include "command/command.h"

static int assemble(const struct command *command, int argc, char **argv) {
    if (argc != 3)
        return command_complain(command, "needs the text and the file to write (see --help)");
    struct testcase testcase;
    struct fault fault = {0};
    struct buffer text = {0};
    uint8_t bytes[CASE_MAX_BYTES];
    if (command_read_file(argv[1], 1 << 20, &text, &fault) ||
        case_from_json(&testcase, text.data, &fault)) {
        buffer_free(&text);
        return command_complain(command, "%s: %s", argv[1], fault.text);
    }
    buffer_free(&text);
    command_note_idle(&testcase, argv[1]);
    if (command_write_file(argv[2], bytes, case_encode(&testcase, bytes), &fault))
        return command_complain(command, "%s", fault.text);
    return 0;
}

const struct command command_assemble = {
    "assemble",
    "TEXT FILE",
    "turn the text form of a case into the bytes an engine reads",
    "exit: 0; 2 bad use, unreadable text (the member is named), or FILE cannot be written\n",
    assemble,
};
