// SPDX-License-Identifier: Apache-2.0
//
// show, assemble and encoding: a case between bytes, text and words. They run no tool.
#include "command/command.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int show(const struct command *command, int argc, char **argv) {
    bool json = false;
    int shown = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json")) {
            json = true;
            continue;
        }
        if (argv[i][0] == '-')
            return command_complain(command, "unknown option %s", argv[i]);
        struct testcase testcase;
        struct fault fault = {0};
        if (case_load(&testcase, argv[i], &fault))
            return command_complain(command, "%s", fault.text);
        struct buffer out = {0};
        if (!json)
            case_describe(&testcase, &out);
        else
            case_to_json(&testcase, &out);
        fputs(out.data, stdout);
        buffer_free(&out);
        shown++;
    }
    return shown ? 0 : command_complain(command, "no case given (see --help)");
}

const struct command command_show = {
    "show",
    "[--json] CASE...",
    "print a case in words, or in its text form",
    "  --json  the text form, which `assemble` reads\n"
    "exit: 0; 2 bad use or unreadable case\n",
    show,
};

// The output appears whole or not at all.
static int write_whole(const char *path, const uint8_t *data, size_t size, struct fault *fault) {
    char temporary[4096];
    snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return fault_errno(fault, "%s", path);
    int status = image_pwrite(fd, data, size, 0, fault);
    if (close(fd) && status == 0)
        status = fault_errno(fault, "%s", path);
    if (status == 0 && rename(temporary, path))
        status = fault_errno(fault, "%s", path);
    if (status)
        unlink(temporary);
    return status;
}

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
    if (write_whole(argv[2], bytes, case_encode(&testcase, bytes), &fault))
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

static int encoding(const struct command *command, int argc, char **argv) {
    struct buffer out = {0};
    if (argc == 2 && !strcmp(argv[1], "--markdown"))
        case_encoding_markdown(&out);
    else if (argc == 2 && !strcmp(argv[1], "--dictionary"))
        case_dictionary(&out);
    else if (argc == 2 && !strcmp(argv[1], "--variables"))
        settings_markdown(&out);
    else
        return command_complain(command, "needs --markdown, --dictionary or --variables");
    fputs(out.data, stdout);
    buffer_free(&out);
    return 0;
}

const struct command command_encoding = {
    "encoding",
    "--markdown | --dictionary | --variables",
    "print what is generated from the project's tables",
    "  --markdown    the fields of a case, for docs/encoding.md\n"
    "  --dictionary  the dictionary for libFuzzer and AFL++\n"
    "  --variables   the variables, for README.md\n"
    "exit: 0; 2 bad use\n",
    encoding,
};
