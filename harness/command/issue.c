// SPDX-License-Identifier: Apache-2.0
//
// See issue.h. All issues with our label are listed once, which is exact and up to date; a search,
// whose index lags behind, is only asked before one is created, for an issue that lost its label.
// Without an answer to either nothing is created: it might be there already.
#include "command/issue.h"

#include "command/command.h"
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const issue_done_words[ISSUE_DONE] = {
    [ISSUE_CREATED] = "created",   [ISSUE_UPDATED] = "updated", [ISSUE_COMMENTED] = "commented",
    [ISSUE_REOPENED] = "reopened", [ISSUE_CLOSED] = "closed",   [ISSUE_WAITS] = "waits",
    [ISSUE_FAILED] = "failed",
};

// One line of JSON for each issue; a body of which only the marker is of use stays with gh.
#define ISSUE_FIELDS                                                                               \
    "select(has(\"pull_request\") | not) | {number, state, title, signature: "                     \
    "((.body // \"\") | (capture(\"^<!-- instar-fuzz-signature: (?<s>[a-z0-9_-]+) -->\") | .s) "   \
    "// \"\")}"

static const char *text_of(const cJSON *tree, const char *member) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, member));
    return text ? text : "";
}

// Lines of JSON objects, each with a number.
static cJSON *read_lines(const char *text, struct fault *fault) {
    cJSON *all = cJSON_CreateArray();
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, "\n");
        cJSON *item = length ? cJSON_ParseWithLength(at, length) : NULL;
        if (length && !cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(item, "number"))) {
            fault_set(fault, "gh gave no list of issues: %.200s", at);
            cJSON_Delete(item);
            cJSON_Delete(all);
            return NULL;
        }
        cJSON_AddItemToArray(all, item);
        at += length + (at[length] == '\n');
    }
    return all;
}

static enum gh_status ask(const char *endpoint, const char *jq, bool every_page, cJSON **issues,
                          struct fault *fault) {
    struct buffer out = {0};
    const char *argv[] = {"--method", "GET", endpoint, "--jq", jq, every_page ? "--paginate" : NULL,
                          NULL};
    enum gh_status status = gh_api(argv, &out, fault);
    if (status == GH_OK && !(*issues = read_lines(out.data, fault)))
        status = GH_FAILED;
    buffer_free(&out);
    return status;
}

static const cJSON *find_in(const cJSON *issues, const char *signature) {
    char title[257];
    issue_title(signature, title);
    const cJSON *found = NULL;
    for (const cJSON *issue = issues ? issues->child : NULL; issue; issue = issue->next) {
        if (strcmp(text_of(issue, "signature"), signature) != 0 &&
            strcmp(text_of(issue, "title"), title) != 0)
            continue;
        // An open one counts before a closed one.
        if (!found || strcmp(text_of(issue, "state"), "open") == 0)
            found = issue;
    }
    return found;
}

static enum gh_status list_issues(struct tracker *tracker, struct fault *fault) {
    char endpoint[256];
    if (tracker->listed)
        return GH_OK;
    snprintf(endpoint, sizeof endpoint,
             "repos/{owner}/{repo}/issues?labels=%s&state=all&per_page=100", tracker->label);
    enum gh_status status = ask(endpoint, ".[] | " ISSUE_FIELDS, true, &tracker->issues, fault);
    tracker->listed = status == GH_OK;
    return status;
}

// NULL in `found`: there is none.
static enum gh_status look(struct tracker *tracker, const char *signature, cJSON **found,
                           struct fault *fault) {
    char endpoint[SIGNATURE_ROOM + 128];
    cJSON *searched = NULL;
    enum gh_status status = list_issues(tracker, fault);
    if (status)
        return status;
    const cJSON *known = find_in(tracker->issues, signature);
    if (!known && tracker->created < tracker->most_new) {
        snprintf(
            endpoint, sizeof endpoint,
            "search/issues?per_page=100&q=repo:{owner}/{repo}+type:issue+in:title,body+%%22%s%%22",
            signature);
        status = ask(endpoint, ".items[] | " ISSUE_FIELDS, false, &searched, fault);
        known = find_in(searched, signature);
    }
    *found = known ? cJSON_Duplicate(known, true) : NULL;
    cJSON_Delete(searched);
    return status;
}

static int save(const char *path, const struct buffer *body, struct fault *fault) {
    return command_write_file(path, body->data, body->length, fault);
}

// Sends what is in a file as the body of an issue or a comment; `fields` are for -f, or NULL.
static enum gh_status send(const char *method, const char *endpoint, const char *path,
                           const char *first, const char *second, uint64_t *number,
                           struct fault *fault) {
    char body[8300];
    struct buffer out = {0};
    snprintf(body, sizeof body, "body=@%s", path);
    const char *argv[] = {"--method",
                          method,
                          endpoint,
                          "-F",
                          body,
                          "--jq",
                          ".number // .id",
                          first ? "-f" : NULL,
                          first,
                          second ? "-f" : NULL,
                          second,
                          NULL};
    enum gh_status status = gh_api(argv, &out, fault);
    if (number && status == GH_OK)
        *number = strtoull(out.data, NULL, 10);
    buffer_free(&out);
    return status;
}

// The same with a text that need not stay.
static enum gh_status send_text(const char *method, const char *endpoint, const char *beside,
                                const struct buffer *text, const char *field, struct fault *fault) {
    char name[8200];
    snprintf(name, sizeof name, "%s.sent", beside);
    enum gh_status status = save(name, text, fault)
                                ? GH_FAILED
                                : send(method, endpoint, name, field, NULL, NULL, fault);
    remove(name);
    return status;
}

static enum gh_status create(struct tracker *tracker, const struct issue *issue, const char *path,
                             uint64_t *number, struct fault *fault) {
    char title[257], field[272], label[128];
    issue_title(issue->signature, title);
    snprintf(field, sizeof field, "title=%s", title);
    snprintf(label, sizeof label, "labels[]=%s", tracker->label);
    enum gh_status status =
        send("POST", "repos/{owner}/{repo}/issues", path, field, label, number, fault);
    tracker->created += status == GH_OK;
    return status;
}

// What stands in the body and is not ours stays.
static void rewrite(const char *old, const char *seen, struct buffer *body) {
    const char *begin, *end;
    issue_seen_find(old, &begin, &end);
    buffer_append(body, old, (size_t)(begin - old));
    buffer_text(body, seen);
    buffer_text(body, end);
}

static enum gh_status read_issue(uint64_t number, cJSON **tree, struct fault *fault) {
    char endpoint[96];
    struct buffer out = {0};
    snprintf(endpoint, sizeof endpoint, "repos/{owner}/{repo}/issues/%llu",
             (unsigned long long)number);
    const char *argv[] = {
        "--method", "GET", endpoint, "--jq", "{number, state, state_reason, body}", NULL};
    enum gh_status status = gh_api(argv, &out, fault);
    *tree = status == GH_OK ? cJSON_Parse(out.data) : NULL;
    if (status == GH_OK && !cJSON_IsObject(*tree)) {
        fault_set(fault, "gh gave no issue: %.200s", out.data);
        cJSON_Delete(*tree);
        *tree = NULL;
        status = GH_FAILED;
    }
    buffer_free(&out);
    return status;
}

// Not planned, or a duplicate: somebody has decided. Otherwise it was fixed, but the tools of the
// last time cannot show that yet.
static bool stays_closed(const cJSON *now, const struct issue *issue) {
    const char *reason = text_of(now, "state_reason");
    return strcmp(reason, "not_planned") == 0 || strcmp(reason, "duplicate") == 0 ||
           issue_seen_same_tools(text_of(now, "body"), issue->tools);
}

static enum gh_status update(const struct issue *issue, const char *path, uint64_t number,
                             enum issue_done *done, struct fault *fault) {
    char endpoint[96], comments[112];
    const char *begin, *end;
    cJSON *now = NULL;
    struct buffer body = {0}, seen = {0};
    enum gh_status status = read_issue(number, &now, fault);
    if (status)
        return status;
    const char *old = text_of(now, "body");
    bool closed = strcmp(text_of(now, "state"), "closed") == 0;
    bool ours = issue_seen_find(old, &begin, &end);
    bool reopen = closed && ours && !stays_closed(now, issue);
    *done = reopen   ? ISSUE_REOPENED
            : closed ? ISSUE_CLOSED
            : ours   ? ISSUE_UPDATED
                     : ISSUE_COMMENTED;
    snprintf(endpoint, sizeof endpoint, "repos/{owner}/{repo}/issues/%llu",
             (unsigned long long)number);
    snprintf(comments, sizeof comments, "%s/comments", endpoint);
    issue_seen(issue, old, &seen);
    if (ours) {
        rewrite(old, seen.data, &body);
        status = send_text("PATCH", endpoint, path, &body, reopen ? "state=open" : NULL, fault);
    }
    if (status == GH_OK && (reopen || *done == ISSUE_COMMENTED))
        status = send_text("POST", comments, path, &seen, NULL, fault);
    buffer_free(&body);
    buffer_free(&seen);
    cJSON_Delete(now);
    return status;
}

static enum gh_status file(struct tracker *tracker, const struct issue *issue, const char *path,
                           uint64_t *number, enum issue_done *done, struct fault *fault) {
    cJSON *found = NULL;
    enum gh_status status = look(tracker, issue->signature, &found, fault);
    if (status == GH_OK && found) {
        *number = (uint64_t)cJSON_GetObjectItemCaseSensitive(found, "number")->valuedouble;
        status = update(issue, path, *number, done, fault);
    } else if (status == GH_OK) {
        bool waits = tracker->created >= tracker->most_new;
        *done = waits ? ISSUE_WAITS : ISSUE_CREATED;
        status = waits ? GH_OK : create(tracker, issue, path, number, fault);
    }
    cJSON_Delete(found);
    return status;
}

enum issue_done tracker_file(struct tracker *tracker, const struct issue *issue, const char *path,
                             uint64_t *number, struct fault *fault) {
    struct buffer body = {0}, seen = {0};
    enum issue_done done = ISSUE_FAILED;
    enum gh_status status = GH_FAILED;
    *number = 0;
    if (!issue_signature_is_one(issue->signature)) {
        fault_set(fault, "this is no signature");
        return ISSUE_FAILED;
    }
    issue_seen(issue, NULL, &seen);
    issue_body(issue, seen.data, &body);
    // Kept first: where gh fails, the text is still there.
    if (save(path, &body, fault) == 0) {
        if (tracker->status == GH_CLOSED)
            *fault = tracker->closed;
        status = tracker->status == GH_CLOSED ? GH_CLOSED
                                              : file(tracker, issue, path, number, &done, fault);
    }
    if (status == GH_CLOSED && tracker->status != GH_CLOSED) {
        tracker->status = GH_CLOSED;
        tracker->closed = *fault;
    }
    buffer_free(&body);
    buffer_free(&seen);
    return status == GH_OK ? done : ISSUE_FAILED;
}

void tracker_close(struct tracker *tracker) {
    cJSON_Delete(tracker->issues);
    tracker->issues = NULL;
}
