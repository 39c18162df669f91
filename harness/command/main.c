// SPDX-License-Identifier: Apache-2.0
//
// instar-fuzz: the program for people and scripts. Engines have their own (harness/engine).
#include "command/command.h"

#include "base/file.h"
#include "report/version.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct command *const commands[] = {
    &command_run,    &command_replay,   &command_show,     &command_assemble, &command_minimize,
    &command_triage, &command_issues,   &command_report,   &command_known,    &command_doctor,
    &command_status, &command_coverage, &command_encoding,
};
#define COMMANDS (sizeof commands / sizeof *commands)

static void usage(FILE *to) {
    fprintf(to, "instar-fuzz: differential fuzzing of instar against qemu-img\n\nusage:\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  instar-fuzz %s%s%s\n      %s\n", commands[i]->name,
                *commands[i]->usage ? " " : "", commands[i]->usage, commands[i]->words);
    fprintf(to, "\n`instar-fuzz COMMAND --help` says more, `instar-fuzz --version` which build "
                "this is. Variables:\n");
    struct buffer words = {0};
    settings_words(NULL, &words);
    fputs(words.data, to);
    buffer_free(&words);
}

int command_complain(const struct command *command, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "instar-fuzz %s: ", command->name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return EXIT_BAD_USE;
}

const char *command_value(const struct command *command, char **argv, int *at) {
    const char *value = argv[*at + 1];
    if (!value || !*value) {
        command_complain(command, "%s needs a value", argv[*at]);
        return NULL;
    }
    ++*at;
    return value;
}

int command_number(const struct command *command, const char *name, const char *value,
                   unsigned most, unsigned *number) {
    if (!value)
        return EXIT_BAD_USE;
    char *end;
    unsigned long read = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || read < 1 || read > most)
        return command_complain(command, "%s %s: expected 1 to %u", name, value, most);
    *number = (unsigned)read;
    return 0;
}

void command_help(const struct command *command) {
    printf("usage: instar-fuzz %s%s%s\n%s.\n%s", command->name, *command->usage ? " " : "",
           command->usage, command->words, command->help);
}

int command_open(const struct command *command, struct settings *settings,
                 struct harness **harness) {
    struct fault fault = {0};
    if (settings_read(settings, &fault))
        return command_complain(command, "%s", fault.text);
    return command_open_with(command, settings, harness);
}

int command_open_with(const struct command *command, const struct settings *settings,
                      struct harness **harness) {
    struct fault fault = {0};
    bool unavailable = false;
    if (harness_open(harness, settings, &unavailable, &fault) == 0)
        return 0;
    command_complain(command, "%s", fault.text);
    return unavailable ? EXIT_UNAVAILABLE : EXIT_BAD_USE;
}

int command_read_file(const char *path, size_t limit, struct buffer *out, struct fault *fault) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_errno(fault, "%s", path);
    buffer_clear(out);
    int status = file_read(fd, limit + 1, out) ? fault_errno(fault, "%s", path) : 0;
    if (status == 0 && out->length > limit)
        status = fault_set(fault, "%s: longer than %zu bytes", path, limit);
    close(fd);
    return status;
}

// A pipe or a device: it is written to, and not replaced.
static int write_through(const char *path, const char *data, size_t size, struct fault *fault) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_errno(fault, "%s", path);
    ssize_t wrote = 0;
    for (size_t done = 0; done < size && wrote >= 0; done += (size_t)wrote)
        wrote = TEMP_FAILURE_RETRY(write(fd, data + done, size - done));
    int status = wrote < 0 ? fault_errno(fault, "%s", path) : 0;
    if (close(fd) && status == 0)
        status = fault_errno(fault, "%s", path);
    return status;
}

int command_write_file(const char *path, const void *data, size_t size, struct fault *fault) {
    char real[PATH_MAX], temporary[PATH_MAX + 8];
    struct stat info;
    bool there = stat(path, &info) == 0;
    if (there && !S_ISREG(info.st_mode))
        return write_through(path, data, size, fault);
    if (!there || !realpath(path, real)) // behind a link the file is replaced, and not the link
        snprintf(real, sizeof real, "%s", path);
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", real);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return fault_errno(fault, "%s", path);
    mode_t mask = umask(0);
    umask(mask);
    int status = file_pwrite(fd, data, size, 0, fault) ? fault_prefix(fault, "%s: ", path) : 0;
    if (status == 0 && fchmod(fd, there ? info.st_mode & 07777 : 0666 & ~mask))
        status = fault_errno(fault, "%s", path);
    if (close(fd) && status == 0)
        status = fault_errno(fault, "%s", path);
    if (status == 0 && rename(temporary, real))
        status = fault_errno(fault, "%s", path);
    if (status)
        unlink(temporary);
    return status;
}

static bool is_text_name(const char *path) {
    size_t length = strlen(path);
    return length >= 5 && !strcmp(path + length - 5, ".json");
}

static void note_bytes(const char *path) {
    struct buffer text = {0};
    if (command_read_file(path, CASE_MAX_BYTES, &text, NULL))
        fprintf(stderr, "NOTE: only the first %d bytes of %s count\n", CASE_MAX_BYTES, path);
    size_t blank = text.length ? strspn(text.data, " \t\r\n") : 0;
    if (text.length > blank + 1 && (text.data[blank] == '{' || !memcmp(text.data + blank, "//", 2)))
        fprintf(stderr, "NOTE: %s looks like the text form, but only *.json is read as text\n",
                path);
    buffer_free(&text);
}

void command_note_idle(const struct testcase *testcase, const char *path) {
    struct buffer before = {0}, notes = {0};
    buffer_format(&before, "NOTE: %s: ", path);
    case_tell_idle(testcase, before.data, &notes);
    if (notes.length)
        fputs(notes.data, stderr);
    buffer_free(&before);
    buffer_free(&notes);
}

int command_load_case(struct testcase *testcase, const char *path, struct fault *fault) {
    if (case_load(testcase, path, fault))
        return -1;
    if (is_text_name(path))
        command_note_idle(testcase, path);
    else
        note_bytes(path);
    return 0;
}

// What did not reach its reader must not end like what did. Who closed a pipe has read enough.
static int check_stdout(int status) {
    errno = 0;
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    if (!lost || errno == EPIPE)
        return status;
    fprintf(stderr, "instar-fuzz: stdout could not be written\n");
    return EXIT_BAD_USE;
}

int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        printf("instar-fuzz %s\n", report_harness_version);
        return check_stdout(EXIT_NONE);
    }
    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_BAD_USE : check_stdout(EXIT_NONE);
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i]->name, argv[1]) != 0)
            continue;
        for (int a = 2; a < argc; a++)
            if (!strcmp(argv[a], "--help") || !strcmp(argv[a], "-h")) {
                command_help(commands[i]);
                return check_stdout(EXIT_NONE);
            }
        return check_stdout(commands[i]->run(commands[i], argc - 1, argv + 1));
    }
    fprintf(stderr, "instar-fuzz: no command '%s' (see instar-fuzz --help)\n", argv[1]);
    return EXIT_BAD_USE;
}
