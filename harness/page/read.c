// SPDX-License-Identifier: Apache-2.0
//
// See read.h.
#include "page/read.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int read_file(const char *path, size_t most, struct buffer *to, struct fault *fault) {
    struct stat info;
    // A pipe in the place of a file must not make us wait.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    buffer_clear(to);
    if (fd < 0)
        return fault_errno(fault, "%s", path);
    int status = 0;
    if (fstat(fd, &info) || !S_ISREG(info.st_mode))
        status = fault_set(fault, "%s: not a file", path);
    else if (file_read(fd, most + 1, to))
        status = fault_errno(fault, "%s", path);
    close(fd);
    if (status == 0 && to->length > most)
        status = fault_set(fault, "%s: longer than %zu bytes", path, most);
    return status;
}

cJSON *read_json(const char *path, size_t most, struct fault *fault) {
    struct buffer text = {0};
    cJSON *json = NULL;
    if (read_file(path, most, &text, fault) == 0) {
        json = cJSON_ParseWithLength(text.data, text.length);
        if (!cJSON_IsObject(json)) {
            fault_set(fault, "%s: not a JSON object", path);
            cJSON_Delete(json);
            json = NULL;
        }
    }
    buffer_free(&text);
    return json;
}

const cJSON *json_member(const cJSON *object, const char *name) {
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

const cJSON *json_at(const cJSON *array, size_t index) {
    return cJSON_IsArray(array) && index < 1u << 20 ? cJSON_GetArrayItem(array, (int)index) : NULL;
}

const char *json_text(const cJSON *object, const char *name) {
    const cJSON *item = json_member(object, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

bool json_true(const cJSON *object, const char *name) {
    return cJSON_IsTrue(json_member(object, name));
}

bool json_u64(const cJSON *item, uint64_t *value) {
    if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 9007199254740992.0) {
        *value = (uint64_t)item->valuedouble;
        return true;
    }
    if (!cJSON_IsString(item) || !*item->valuestring ||
        item->valuestring[strspn(item->valuestring, "0123456789")])
        return false;
    errno = 0;
    *value = strtoull(item->valuestring, NULL, 10);
    return errno == 0;
}

uint64_t json_number(const cJSON *object, const char *name) {
    uint64_t value = 0;
    return json_u64(json_member(object, name), &value) ? value : 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t read_names(const char *folder, size_t most, char ***names) {
    size_t count = 0, capacity = 0;
    DIR *open_folder = opendir(folder);
    *names = NULL;
    for (struct dirent *entry; open_folder && count < most && (entry = readdir(open_folder));)
        if (entry->d_name[0] != '.') {
            *names = array_room(*names, &capacity, count + 1, sizeof **names);
            (*names)[count++] = must_strdup(entry->d_name);
        }
    if (open_folder)
        closedir(open_folder);
    if (count)
        qsort(*names, count, sizeof **names, by_name);
    return count;
}

void read_names_free(char **names, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

uint64_t read_time(const char *path) {
    struct stat info;
    return stat(path, &info) || info.st_mtime < 0 ? 0 : (uint64_t)info.st_mtime;
}
