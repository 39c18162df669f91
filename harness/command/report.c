// SPDX-License-Identifier: Apache-2.0
//
// report: one page about a campaign, for those who look once a day.
#include "command/command.h"

#include "oracles/registry.h"
#include "page/page.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The folder that the page will lie in; false: there is none.
static bool folder_of(const char *path, char folder[PATH_MAX]) {
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", path);
    char *slash = strrchr(copy, '/');
    if (slash)
        slash[slash == copy] = 0;
    return realpath(slash ? copy : ".", folder) != NULL;
}

static int write_page(const struct command *command, const char *path, const struct buffer *page) {
    struct fault fault = {0};
    if (!strcmp(path, "-")) {
        bool failed = fwrite(page->data, 1, page->length, stdout) != page->length;
        if (fflush(stdout) || failed)
            return command_complain(command, "the page could not be written to stdout");
        return EXIT_NONE;
    }
    if (command_write_file(path, page->data, page->length, &fault))
        return command_complain(command, "%s", fault.text);
    return EXIT_NONE;
}

static int load_registry(struct registry **registry, struct fault *fault) {
    struct settings settings;
    if (settings_read(&settings, fault))
        return -1;
    return settings.known ? registry_load(registry, settings.known, fault)
                          : registry_load_built_in(registry, fault);
}

static int make(const struct command *command, const char *path, char *const *folders,
                size_t count) {
    static struct campaign campaign;
    struct registry *registry = NULL;
    struct fault fault = {0};
    struct buffer out = {0};
    char beside[PATH_MAX];
    bool to_stdout = !strcmp(path, "-");
    if (!to_stdout && !folder_of(path, beside))
        return command_complain(command, "%s: there is no such folder", path);
    if (load_registry(&registry, &fault) || campaign_read(&campaign, folders, count, &fault)) {
        registry_free(registry);
        return command_complain(command, "%s", fault.text);
    }
    struct page page = {&campaign, registry, to_stdout ? NULL : beside};
    page_write(&page, &out);
    int status = write_page(command, path, &out);
    buffer_free(&out);
    campaign_free(&campaign);
    registry_free(registry);
    return status;
}

static int report(const struct command *command, int argc, char **argv) {
    const char *path = NULL;
    size_t count = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--html")) {
            if (!(path = command_value(command, argv, &i)))
                return EXIT_BAD_USE;
        } else if (argv[i][0] == '-')
            return command_complain(command, "unknown argument %s", argv[i]);
        else
            argv[count++] = argv[i];
    }
    if (!path)
        return command_complain(command, "--html FILE says where the page goes (-: stdout)");
    if (!count)
        return command_complain(command, "no campaign folder given");
    return make(command, path, argv, count);
}

const struct command command_report = {
    "report",
    "--html FILE|- FOLDER...",
    "one page about a campaign or several: findings with pictures, what was compared, what was not",
    "  --html FILE  where the page goes; it appears whole, in the place of an older one. -: "
    "stdout\n"
    "A folder is a campaign's (INSTAR_FUZZ_OUT, campaign/<time>) or what triage made. The page is "
    "one\n"
    "file that needs no network. docs/report.md says what is on it and what report.json holds.\n"
    "exit: 0; 2 bad use, a folder that is no campaign's, or a page that cannot be written\n",
    report,
};
