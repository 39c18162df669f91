// SPDX-License-Identifier: Apache-2.0
//
// See compared.h. The name is a hash of what the file says, so that who comes second finds it
// there.
#include "compared.h"

#include "base/file.h"
#include "base/hash.h"
#include "coverage.h"
#include "harness_state.h"
#include "report/version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *compared_text(const struct harness *h) {
    struct buffer words = {0};
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "harness", report_harness_version);
    cJSON *tools = cJSON_AddObjectToObject(json, "tools");
    cJSON_AddItemToObject(tools, "a", tool_profile_json(&h->tools[SIDE_A]));
    cJSON_AddItemToObject(tools, "b", tool_profile_json(&h->tools[SIDE_B]));
    if (h->tools[SIDE_A].no_instar[0])
        cJSON_AddStringToObject(json, "no_instar", h->tools[SIDE_A].no_instar);
    cJSON_AddStringToObject(json, "fence", h->fence.data);
    cJSON_AddBoolToObject(json, "fenced", !h->settings->unfenced);
    cJSON_AddStringToObject(
        json, "guide", guide_choice_names[h->settings->guided ? h->settings->guide : GUIDE_OFF]);
    buffer_text(&words, "");
    coverage_announce(&h->coverage, h->tools, &words);
    cJSON_AddStringToObject(json, "instrumented", words.data);
    buffer_free(&words);
    cJSON_AddNumberToObject(json, "case_ms", h->settings->case_ms);
    cJSON_AddNumberToObject(json, "confirm", h->settings->confirm);
    char *text = cJSON_Print(json);
    cJSON_Delete(json);
    return text;
}

int compared_write(const struct harness *h, struct fault *fault) {
    char path[4096];
    if (!h->settings->out)
        return 0;
    snprintf(path, sizeof path, "%s/compared", h->settings->out);
    if (mkdir(path, 0777) && errno != EEXIST)
        return fault_errno(fault, "%s", path);
    char *text = compared_text(h);
    snprintf(path, sizeof path, "%s/compared/%016llx.json", h->settings->out,
             (unsigned long long)hash_text(text));
    // As a whole: a page that is made meanwhile must not read half of it.
    int status = access(path, F_OK) == 0 ? 0 : file_replace(path, text, strlen(text), fault);
    free(text);
    return status;
}
