// SPDX-License-Identifier: Apache-2.0
//
// report: one page about a campaign, for those who look once a day.
#include "command/command.h"

#include "oracles/cause.h"
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

static int make_page(const struct command *command, const char *path,
                     const struct campaign *campaign) {
    struct registry *registry = NULL;
    struct fault fault = {0};
    struct buffer out = {0};
    char beside[PATH_MAX];
    bool to_stdout = !strcmp(path, "-");
    if (!to_stdout && !folder_of(path, beside))
        return command_complain(command, "%s: there is no such folder", path);
    if (load_registry(&registry, &fault))
        return command_complain(command, "%s", fault.text);
    struct page page = {campaign, registry, to_stdout ? NULL : beside};
    page_write(&page, &out);
    int status = write_page(command, path, &out);
    buffer_free(&out);
    registry_free(registry);
    return status;
}

// --- the list ------------------------------------------------------------------------------------

// The case of the one that stands for its group, and where those of the others are.
static void list_group(const struct campaign_finding *finding, const char *before,
                       struct buffer *out) {
    const char *name = strrchr(finding->path, '/');
    char text[4400];
    snprintf(text, sizeof text, "%s/case.bin", finding->path);
    buffer_format(out, "  %s", before);
    tool_word_quoted(text, out);
    buffer_text(out, "\n");
    if (finding->members == 1)
        return;
    snprintf(text, sizeof text, "%.*s", (int)(name - finding->path), finding->path);
    buffer_format(out, "    and %zu more, probably of the same cause: see ", finding->members - 1);
    tool_word_quoted(text, out);
    buffer_format(out, "/%.*s-*-%s\n", (int)strcspn(finding->signature, "-"), finding->signature,
                  cause_detail(finding->signature));
}

static void print_list(const struct campaign *campaign, const char *before) {
    struct buffer out = {0};
    if (!campaign->finding_count)
        buffer_text(&out, "No divergence was found.\n");
    else if (campaign->group_count == campaign->finding_count)
        buffer_text(&out, "Findings:\n");
    else {
        buffer_text(&out, "Findings: ");
        cause_count_words(campaign->finding_count, campaign->group_count, &out);
        buffer_text(&out, "\n");
    }
    for (size_t i = 0; i < campaign->finding_count; i++)
        if (campaign->findings[i].leads)
            list_group(&campaign->findings[i], before, &out);
    fputs(out.data, stdout);
    buffer_free(&out);
}

// --- the command ---------------------------------------------------------------------------------

static int make(const struct command *command, const char *path, const char *before,
                char *const *folders, size_t count) {
    static struct campaign campaign;
    struct fault fault = {0};
    if (campaign_read(&campaign, folders, count, &fault))
        return command_complain(command, "%s", fault.text);
    int status = path ? make_page(command, path, &campaign) : EXIT_NONE;
    if (before)
        print_list(&campaign, before);
    campaign_free(&campaign);
    return status;
}

static int report(const struct command *command, int argc, char **argv) {
    const char *path = NULL, *before = NULL;
    size_t count = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--html")) {
            if (!(path = command_value(command, argv, &i)))
                return EXIT_BAD_USE;
        } else if (!strcmp(argv[i], "--list")) {
            if (!(before = command_value(command, argv, &i)))
                return EXIT_BAD_USE;
        } else if (argv[i][0] == '-')
            return command_complain(command, "unknown argument %s", argv[i]);
        else
            argv[count++] = argv[i];
    }
    if (!path && !before)
        return command_complain(command, "--html FILE says where the page goes (-: stdout)");
    if (path && before && !strcmp(path, "-"))
        return command_complain(command, "--html - and --list cannot both go to stdout");
    if (!count)
        return command_complain(command, "no campaign folder given");
    return make(command, path, before, argv, count);
}

const struct command command_report = {
    "report",
    "[--html FILE|-] [--list COMMAND] FOLDER...",
    "one page about a campaign or several: findings with pictures, what was compared, what was not",
    "  --html FILE     where the page goes; it appears whole, in the place of an older one. -: "
    "stdout\n"
    "  --list COMMAND  prints the command with the case of each finding behind it; of those that\n"
    "                  probably have one cause, with the smallest case alone\n"
    "A folder is a campaign's (INSTAR_FUZZ_OUT, campaign/<time>) or what triage made. The page is "
    "one\n"
    "file that needs no network. docs/report.md says what is on it and what report.json holds.\n"
    "exit: 0; 2 bad use, a folder that is no campaign's, or a page that cannot be written\n",
    report,
};
