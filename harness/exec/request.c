// SPDX-License-Identifier: Apache-2.0
//
// Header first, strings behind it, each with its NUL.
#include "exec/request.h"

#include "exec/warm_protocol.h"

#include <string.h>

static uint32_t request_list(struct buffer *message, const char *const *list) {
    uint32_t count = 0;
    for (; list[count]; count++)
        buffer_append(message, list[count], strlen(list[count]) + 1);
    return count;
}

static struct launcher_request request_begin(struct buffer *message, uint64_t number,
                                             const struct exec_command *command) {
    struct launcher_request header = {
        .kind = LAUNCHER_RUN,
        .deadline_ms = command->deadline_ms,
        .number = number,
        .file_size_limit = command->file_size_limit,
        .cpu_seconds_limit = command->cpu_seconds_limit,
        .limits = command->limits,
    };
    buffer_clear(message);
    buffer_append(message, &header, sizeof header);
    return header;
}

static int request_end(struct buffer *message, const struct launcher_request *header,
                       const char *program, uint32_t most, struct fault *fault) {
    memcpy(message->data, header, sizeof *header);
    uint32_t strings = header->argument_count + header->environment_count + header->fence_count;
    if (message->length > LAUNCHER_MESSAGE_MAX || strings > most)
        return fault_set(fault,
                         "cannot run %s: arguments and environment are %zu bytes in %u strings, "
                         "more than %d in %u",
                         program, message->length, strings, LAUNCHER_MESSAGE_MAX, most);
    return 0;
}

int request_build(struct buffer *message, uint64_t number, const struct exec_command *command,
                  bool fenced, struct fault *fault) {
    struct launcher_request header = request_begin(message, number, command);
    buffer_append(message, command->program, strlen(command->program) + 1);
    buffer_append(message, command->directory, strlen(command->directory) + 1);
    header.argument_count = request_list(message, command->argv);
    header.environment_count = request_list(message, command->environment);
    if (command->fence && fenced)
        header.fence_count = request_list(message, command->fence);
    return request_end(message, &header, command->program, LAUNCHER_STRINGS_MAX, fault);
}

int request_build_warm(struct buffer *message, uint64_t number, const struct exec_command *command,
                       struct fault *fault) {
    struct launcher_request header = request_begin(message, number, command);
    header.argument_count = request_list(message, command->argv);
    return request_end(message, &header, command->program, WARM_ARGUMENTS - 1, fault);
}
