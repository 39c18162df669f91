// SPDX-License-Identifier: Apache-2.0
//
// Which file is meant, and which tool is it? Both answers must end in one sentence that a person
// can act on, for "the tool is missing" is the first thing that a newcomer meets.
#include "tool/adapter.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int find_executable(const char *path, struct fault *fault) {
    struct stat status;
    if (stat(path, &status) != 0)
        return fault_errno(fault, "cannot run %s", path);
    if (!S_ISREG(status.st_mode))
        return fault_set(fault, "cannot run %s: it is not a regular file", path);
    if (access(path, X_OK) != 0)
        return fault_set(fault, "cannot run %s: it is not executable", path);
    return 0;
}

static int find_on_path(const char *name, char *absolute, size_t room, struct fault *fault) {
    const char *list = getenv("PATH");
    while (list && *list) {
        size_t length = strcspn(list, ":");
        int used = snprintf(absolute, room, "%.*s/%s", (int)length, list, name);
        // Relative entries are passed over: the answer must not depend on where we stand.
        if (*list == '/' && used > 0 && (size_t)used < room && find_executable(absolute, NULL) == 0)
            return 0;
        list += length + (list[length] == ':');
    }
    return fault_set(fault, "%s was not found on PATH", name);
}

int tool_find(const char *path, char *absolute, size_t room, struct fault *fault) {
    if (!strchr(path, '/'))
        return find_on_path(path, absolute, room, fault);
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    char here[4096] = "";
    if (*path != '/' && !getcwd(here, sizeof here))
        return fault_errno(fault, "cannot run %s: no current directory", path);
    int used = snprintf(absolute, room, "%s%s%s", here, *path == '/' ? "" : "/", path);
    if (used < 0 || (size_t)used >= room)
        return fault_set(fault, "cannot run %.80s...: its path is too long", path);
    return find_executable(absolute, fault);
}

int tool_look_at_file(const char *path, struct tool_file *file, struct fault *fault) {
    struct stat status;
    if (stat(path, &status))
        return fault_errno(fault, "cannot run %s", path);
    *file = (struct tool_file){status.st_dev, status.st_ino, status.st_size, status.st_mtim};
    return 0;
}

// major * 10000 + minor * 100 + micro of the first number in the text; 0 if there is none.
static uint32_t version_number(const char *text) {
    uint32_t parts[3] = {0};
    text += strcspn(text, "0123456789");
    for (int i = 0; i < 3 && isdigit((unsigned char)*text); i++) {
        parts[i] = (uint32_t)strtoul(text, (char **)&text, 10);
        text += *text == '.';
    }
    if (parts[0] > 9999 || parts[1] > 99 || parts[2] > 99)
        return 0;
    return parts[0] * 10000 + parts[1] * 100 + parts[2];
}

// The first row that fits counts. A number must follow, so that a program that merely names
// itself "instar" in an error is not taken for it.
static const struct {
    const char *prefix, *name;
    enum tool_kind kind;
    bool is_standin;
} answers[] = {
    {"qemu-img version ", "qemu-img", TOOL_QEMU_IMG, false},
    {"instar stand-in ", "stand-in for instar", TOOL_INSTAR, true},
    {"instar v", "instar", TOOL_INSTAR, false},
    {"instar ", "instar", TOOL_INSTAR, false},
};

// Behind a stand-in's own version: whose documented deviations it shows (STANDIN_LIE=as-instar).
#define PLAYING ", playing instar "

bool tool_recognise(struct tool *tool, const char *line) {
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        size_t length = strlen(answers[i].prefix);
        if (strncmp(line, answers[i].prefix, length) != 0 || !isdigit((unsigned char)line[length]))
            continue;
        tool->kind = answers[i].kind;
        tool->is_standin = answers[i].is_standin;
        snprintf(tool->name, sizeof tool->name, "%s", answers[i].name);
        snprintf(tool->version, sizeof tool->version, "%s", line);
        tool->version_number = version_number(line + length);
        const char *played = tool->is_standin ? strstr(line, PLAYING) : NULL;
        if (played)
            tool->played_version = version_number(played + strlen(PLAYING));
        return true;
    }
    return false;
}

// By instar's source (Cli in src/vmm/src/main.rs) there is no --version: what clap generates from
// it is known by its usage line and by the commands that every release has. Which build it is only
// its length tells.
bool tool_recognise_help(struct tool *tool, const struct buffer *help) {
    static const char *const lines[] = {"Usage: instar ", "  info ", "  check ", "  convert "};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!tool_line_begins(help, lines[i]))
            return false;
    if (tool_text_has(help, "stand-in"))
        return false;
    tool->kind = TOOL_INSTAR;
    tool->is_standin = false;
    tool->version_number = 0;
    snprintf(tool->name, sizeof tool->name, "instar");
    snprintf(tool->version, sizeof tool->version, "instar, which tells no version (%jd bytes)",
             (intmax_t)tool->file.size);
    return true;
}
