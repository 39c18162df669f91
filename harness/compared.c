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
#include <fcntl.h>
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

// Under a temporary name first: a page that is made meanwhile must not read half of it.
static int write_whole(const char *path, const char *text, struct fault *fault) {
    char temporary[4200];
    snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return fault_errno(fault, "%s", temporary);
    int status =
        file_pwrite(fd, text, strlen(text), 0, fault) ? fault_prefix(fault, "%s: ", temporary) : 0;
    if (close(fd) && status == 0)
        status = fault_errno(fault, "%s", temporary);
    if (status == 0 && rename(temporary, path))
        status = fault_errno(fault, "%s", path);
    if (status)
        unlink(temporary);
    return status;
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
    int status = access(path, F_OK) == 0 ? 0 : write_whole(path, text, fault);
    free(text);
    return status;
}
