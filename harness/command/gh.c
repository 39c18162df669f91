// SPDX-License-Identifier: Apache-2.0
//
// See gh.h.
#include "command/gh.h"

#include "command/spawn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define GH_DEADLINE_MS 60000 // a listing is several requests

// What gh says where nothing more can come of this run. The first that fits is taken: a rate limit
// is an HTTP 403, too.
static const struct {
    const char *says, *means;
} closed[] = {
    {"rate limit", "GitHub's rate limit is used up"},
    {"HTTP 429", "GitHub's rate limit is used up"},
    {"HTTP 401", "GitHub does not take the token: it has expired or is not one"},
    {"Bad credentials", "GitHub does not take the token: it has expired or is not one"},
    {"gh auth login", "gh has no token (GH_TOKEN)"},
    {"GH_TOKEN", "gh has no token (GH_TOKEN)"},
    {"HTTP 403", "the token may not do that (it needs issues: write)"},
    {"HTTP 404", "there is no such repository, or the token may not see it"},
    {"HTTP 410", "the repository has no issues"},
    {"error connecting", "GitHub cannot be reached"},
    {"dial tcp", "GitHub cannot be reached"},
    {"no git remotes", "gh does not know which repository is meant (GH_REPO)"},
    {"not a git repository", "gh does not know which repository is meant (GH_REPO)"},
};

static enum gh_status gh_failed(const struct spawn_outcome *outcome, struct fault *fault) {
    const char *said = outcome->err.length ? outcome->err.data : "";
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        if (strcasestr(said, closed[i].says)) {
            fault_set(fault, "%s: gh ended with %d: %.200s", closed[i].means, outcome->exit_status,
                      said);
            return GH_CLOSED;
        }
    fault_set(fault, "gh ended with %d: %.300s", outcome->exit_status, said);
    return GH_FAILED;
}

static unsigned gh_deadline_ms(void) {
    // For tests of a gh that does not answer.
    const char *text = getenv("GH_DEADLINE_MS");
    unsigned long value = text ? strtoul(text, NULL, 10) : 0;
    return value > 0 && value < 600000 ? (unsigned)value : GH_DEADLINE_MS;
}

enum gh_status gh_api(const char *const *argv, struct buffer *out, struct fault *fault) {
    const char *all[GH_ARGUMENTS + 3] = {"gh", "api"};
    struct spawn_outcome outcome = {0};
    enum gh_status status = GH_OK;
    for (size_t i = 0; i < GH_ARGUMENTS && argv[i]; i++)
        all[i + 2] = argv[i];
    // A terminal may be ours, but nobody sits before it.
    setenv("GH_PROMPT_DISABLED", "1", 1);
    setenv("GH_NO_UPDATE_NOTIFIER", "1", 1);
    if (spawn_run(all, gh_deadline_ms(), &outcome, fault))
        status = GH_CLOSED; // not there, or it does not answer: nor will it the next time
    else if (outcome.exit_status)
        status = gh_failed(&outcome, fault);
    buffer_clear(out);
    buffer_text(out, outcome.out.data ? outcome.out.data : "");
    // One line, whatever was said.
    for (char *at = fault->text; status && *at; at++)
        if (*at == '\n' || *at == '\r')
            *at = at[1] ? ' ' : 0;
    spawn_free(&outcome);
    return status;
}
