// SPDX-License-Identifier: Apache-2.0
//
// Files of a campaign folder, read without trusting them: bounded, and JSON whose members may be
// missing or of any type. What is not there reads as nothing.
#ifndef PAGE_READ_H
#define PAGE_READ_H

#include "base/buffer.h"
#include "base/fault.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#define READ_JSON_MOST   (8u << 20)   // bytes of one file
#define READ_TRIAGE_MOST (256u << 20) // of triage.json, in which a file takes some 300

// A regular file of at most `most` bytes. -1: the reason.
int read_file(const char *path, size_t most, struct buffer *to, struct fault *fault);
// An object, or NULL; the caller frees it.
cJSON *read_json(const char *path, size_t most, struct fault *fault);

const cJSON *json_member(const cJSON *object, const char *name); // NULL is fine everywhere
const cJSON *json_at(const cJSON *array, size_t index);
const char *json_text(const cJSON *object, const char *name); // "" if it is no string
bool json_true(const cJSON *object, const char *name);
// A number, or a string of digits. false: it is neither, or does not fit.
bool json_u64(const cJSON *item, uint64_t *value);
uint64_t json_number(const cJSON *object, const char *name); // 0 if it is none

// Names of a folder in order, none that begins with a dot; at most `most`. The caller frees each
// and the list. 0 where there is no such folder.
size_t read_names(const char *folder, size_t most, char ***names);
void read_names_free(char **names, size_t count);
// Seconds since the epoch at which a file was last written; 0: there is none.
uint64_t read_time(const char *path);

#endif
