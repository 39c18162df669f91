// SPDX-License-Identifier: Apache-2.0
//
// The triage as SARIF 2.1.0, for code scanning of a forge. A signature is a rule and a fingerprint,
// so that the same divergence is one alert from day to day. A new one is an error, a known one a
// note. Members beyond the format's minimum are those without which GitHub refuses a file, or shows
// an alert without words.
#include "command/triage.h"

#include "base/hash.h"
#include "report/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SARIF_SCHEMA      "https://json.schemastore.org/sarif-2.1.0.json"
#define SARIF_VERSION     "2.1.0"
#define SARIF_TEXT        1000  // characters of a description; GitHub takes 1024
#define SARIF_MOST        25000 // results (and rules) of a run
#define SARIF_INFORMATION "https://github.com/shakenfist/instar"

static cJSON *text_of(const char *text) {
    struct buffer clean = {0};
    cJSON *json = cJSON_CreateObject();
    triage_text(text, &clean);
    size_t cut = SARIF_TEXT - 3;
    while (clean.length > SARIF_TEXT && (clean.data[cut] & 0xc0) == 0x80)
        cut--; // not inside of a character
    if (clean.length > SARIF_TEXT)
        snprintf(clean.data + cut, 4, "...");
    cJSON_AddStringToObject(json, "text", clean.data);
    buffer_free(&clean);
    return json;
}

static const char *signature_of(const struct triage_row *row) {
    return row->list == LIST_KNOWN ? row->signature : row->key;
}

static const char *known_of(const struct triage_row *row) {
    if (row->list == LIST_KNOWN)
        return row->key;
    return row->settled->settled.known_id[0] ? row->settled->settled.known_id : NULL;
}

static const struct oracle *oracle_of(const char *signature) {
    char type[128];
    snprintf(type, sizeof type, "%.*s", (int)strcspn(signature, "-"), signature);
    return oracle_named(type);
}

static cJSON *rule(const struct triage_row *row) {
    const char *signature = signature_of(row);
    const struct oracle *oracle = oracle_of(signature);
    struct buffer help = {0};
    buffer_format(&help,
                  "A divergence between two disk-image tools. The rule is broken where %s. The "
                  "parts of the signature are its type, the operation, the format of the source, "
                  "the target format and what differs. The finding's folder has the story, the "
                  "images and a script that repeats it with the tools alone.",
                  oracle ? oracle->rule : "the tools disagree");
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "id", signature);
    cJSON_AddStringToObject(json, "name", oracle ? oracle->type : "divergence");
    cJSON_AddItemToObject(json, "shortDescription", text_of(signature));
    cJSON_AddItemToObject(json, "fullDescription", text_of(oracle ? oracle->rule : signature));
    cJSON_AddItemToObject(json, "help", text_of(help.data));
    cJSON *level = cJSON_AddObjectToObject(json, "defaultConfiguration");
    cJSON_AddStringToObject(level, "level", known_of(row) ? "note" : "error");
    cJSON *properties = cJSON_AddObjectToObject(json, "properties");
    cJSON *tags = cJSON_AddArrayToObject(properties, "tags");
    cJSON_AddItemToArray(tags, cJSON_CreateString("differential-fuzzing"));
    cJSON_AddItemToArray(tags, cJSON_CreateString(oracle ? oracle->type : "divergence"));
    buffer_free(&help);
    return json;
}

// The first sentence stands for the alert, the rest below it.
static cJSON *message(const struct triage_row *row) {
    struct buffer words = {0};
    const char *known = known_of(row);
    if (row->settled && row->settled->settled.words[0])
        buffer_text(&words, row->settled->settled.words);
    else
        buffer_format(&words, "The tools disagree: %s.", signature_of(row));
    if (known)
        buffer_format(&words, " Known as %s.", known);
    if (row->settled)
        buffer_format(&words, " Probably wrong: %s. %s", row->settled->settled.who,
                      row->settled->settled.reason);
    buffer_format(&words, " %zu file%s.", row->files, row->files == 1 ? "" : "s");
    cJSON *json = text_of(words.data);
    buffer_free(&words);
    return json;
}

static void add_location(const struct triage *t, const struct triage_row *row, cJSON *to) {
    struct buffer uri = {0};
    triage_out_uri(t, row, &uri);
    cJSON *locations = cJSON_AddArrayToObject(to, "locations"), *location = cJSON_CreateObject();
    cJSON_AddItemToArray(locations, location);
    cJSON *physical = cJSON_AddObjectToObject(location, "physicalLocation");
    cJSON *artifact = cJSON_AddObjectToObject(physical, "artifactLocation");
    cJSON_AddStringToObject(artifact, "uri", uri.data);
    cJSON *region = cJSON_AddObjectToObject(physical, "region");
    static const char *const members[] = {"startLine", "startColumn", "endLine", "endColumn"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        cJSON_AddNumberToObject(region, members[i], 1);
    buffer_free(&uri);
}

// GitHub tells alerts apart by the member that it fills in itself from a line of source where it is
// missing; of the signature, it is the same wherever the case lies.
static void add_fingerprints(const char *signature, cJSON *to) {
    char line[32];
    snprintf(line, sizeof line, "%016llx:1", (unsigned long long)hash_text(signature));
    cJSON *prints = cJSON_AddObjectToObject(to, "partialFingerprints");
    cJSON_AddStringToObject(prints, "instarFuzzSignature/v1", signature);
    cJSON_AddStringToObject(prints, "primaryLocationLineHash", line);
}

static cJSON *result(const struct triage *t, const struct triage_row *row, size_t rule_index) {
    char when[32];
    const char *known = known_of(row);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "ruleId", signature_of(row));
    cJSON_AddNumberToObject(json, "ruleIndex", (double)rule_index);
    cJSON_AddStringToObject(json, "level", known ? "note" : "error");
    cJSON_AddItemToObject(json, "message", message(row));
    add_location(t, row, json);
    add_fingerprints(signature_of(row), json);
    cJSON *properties = cJSON_AddObjectToObject(json, "properties");
    triage_time(row->first_s, false, when);
    cJSON_AddNumberToObject(properties, "files", (double)row->files);
    cJSON_AddStringToObject(properties, "firstSeen", when);
    if (known)
        cJSON_AddStringToObject(properties, "known", known);
    if (row->settled)
        cJSON_AddStringToObject(properties, "wrong", row->settled->settled.who);
    struct buffer group = {0};
    if (triage_group_name(row, &group))
        cJSON_AddStringToObject(properties, "group", group.data);
    buffer_free(&group);
    return json;
}

// What is not confirmed (the triage was interrupted) is no result.
static bool is_result(const struct triage_row *row) {
    return row->list == LIST_KNOWN ||
           (row->list == LIST_DIVERGENCES && row->settled->state == SETTLE_CONFIRMED);
}

static size_t rule_index(cJSON *rules, const struct triage_row *row) {
    size_t index = 0;
    for (const cJSON *at = rules->child; at; at = at->next, index++)
        if (strcmp(cJSON_GetObjectItemCaseSensitive(at, "id")->valuestring, signature_of(row)) == 0)
            return index;
    cJSON_AddItemToArray(rules, rule(row));
    return index;
}

cJSON *triage_sarif(const struct triage *t) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "$schema", SARIF_SCHEMA);
    cJSON_AddStringToObject(json, "version", SARIF_VERSION);
    cJSON *runs = cJSON_AddArrayToObject(json, "runs"), *run = cJSON_CreateObject();
    cJSON_AddItemToArray(runs, run);
    cJSON *tool = cJSON_AddObjectToObject(run, "tool");
    cJSON *driver = cJSON_AddObjectToObject(tool, "driver");
    cJSON_AddStringToObject(driver, "name", "instar-fuzz");
    cJSON_AddStringToObject(driver, "version", report_harness_version);
    cJSON_AddStringToObject(driver, "informationUri", SARIF_INFORMATION);
    cJSON *rules = cJSON_AddArrayToObject(driver, "rules");
    cJSON *details = cJSON_AddObjectToObject(run, "automationDetails");
    cJSON_AddStringToObject(details, "id", "instar-fuzz/triage/");
    cJSON *invocations = cJSON_AddArrayToObject(run, "invocations");
    cJSON *invocation = cJSON_CreateObject();
    cJSON_AddBoolToObject(invocation, "executionSuccessful", !t->interrupted);
    cJSON_AddItemToArray(invocations, invocation);
    cJSON_AddStringToObject(run, "columnKind", "unicodeCodePoints");
    cJSON *results = cJSON_AddArrayToObject(run, "results");
    int count = 0;
    for (size_t i = 0; i < t->row_count && count < SARIF_MOST; i++)
        if (is_result(&t->rows[i])) {
            cJSON_AddItemToArray(results, result(t, &t->rows[i], rule_index(rules, &t->rows[i])));
            count++;
        }
    return json;
}
