// SPDX-License-Identifier: Apache-2.0
//
// One issue per signature. `run --create-issues` and `instar-fuzz issues` come this way, so that
// both know each other's issues. An issue is ours if its body begins with the marker of its
// signature, or if its title is the one that we give: people may change either.
//
// Below the marker stands the *seen* block: in how many runs, since when, with which tools. It is
// all that is ever rewritten of an issue; what people wrote around it stays.
#ifndef COMMAND_ISSUE_H
#define COMMAND_ISSUE_H

#include "command/gh.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#define ISSUE_LABEL    "security-audit" // as instar's own fuzzers label theirs
#define ISSUE_MOST_NEW 25               // created in one run

struct issue {
    const char *signature;
    const char *tools;   // as issue_tools says it
    const char *run_url; // or NULL
    const char
        *report;    // what was found: Markdown of ours, with issue_fenced around everything else
    uint64_t cases; // that showed it in this run
};

// What became of it. The words are in `issue_done_words`.
enum issue_done {
    ISSUE_CREATED,
    ISSUE_UPDATED,   // open: the seen block was rewritten
    ISSUE_COMMENTED, // open, and somebody removed that block
    ISSUE_REOPENED,  // closed, and seen again with other tools than before
    ISSUE_CLOSED,    // closed, and left so
    ISSUE_WAITS,     // new, but enough were created in this run
    ISSUE_FAILED,    // `fault` says why
    ISSUE_DONE
};
extern const char *const issue_done_words[ISSUE_DONE];

struct tracker {
    const char *label;
    uint64_t most_new, created;
    bool listed;
    cJSON *issues;         // of that label, open and closed: number, state, title, signature
    enum gh_status status; // GH_CLOSED: nothing more is asked, for the reason in `closed`
    struct fault closed;
};

// Files or updates the issue. `path` is where its body is kept, whatever becomes of it. `number`:
// of the issue, or 0.
enum issue_done tracker_file(struct tracker *tracker, const struct issue *issue, const char *path,
                             uint64_t *number, struct fault *fault);
void tracker_close(struct tracker *tracker);

// issue_text.c. How tools are named where issues are compared by them.
void issue_tools(const char *a_version, const char *b_version, struct buffer *words);
// Whether issues may be filed: an instar was compared, and no stand-in. -1 with the reason; `what`
// was to be filed, and `tools` were compared.
int issue_pair_is_instar(bool instar, bool standin, const char *what, const char *tools,
                         struct fault *fault);
// A signature is made of a-z, 0-9, _ and -; nothing else gets into titles and
// searches.
bool issue_signature_is_one(const char *text);
void issue_title(const char *signature, char title[257]);
void issue_body(const struct issue *issue, const char *seen, struct buffer *body);
// The seen block; `before` is the issue's body, or NULL.
void issue_seen(const struct issue *issue, const char *before, struct buffer *seen);
// Whether `body` has a seen block, and whether it was made with these tools.
bool issue_seen_find(const char *body, const char **begin, const char **end);
bool issue_seen_same_tools(const char *body, const char *tools);
// A code block that nothing in `text` can end: at most `most` bytes of it, in valid UTF-8, without
// control characters or those that turn text. `where` says what has the rest.
void issue_fenced(struct buffer *body, const char *language, const char *text, size_t most,
                  const char *where);

#endif
