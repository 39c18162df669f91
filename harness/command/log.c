// SPDX-License-Identifier: Apache-2.0
//
// Log lines to two places at once.
#include "command/log.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

int log_open(struct log *log, const char *folder, uint32_t seed, struct fault *fault) {
    snprintf(log->path, sizeof log->path, "%s/fuzz-%u.log", folder, seed);
    log->file = fopen(log->path, "ae");
    return log->file ? 0 : fault_errno(fault, "%s", log->path);
}

void log_close(struct log *log) {
    fclose(log->file);
    log->file = NULL;
}

void log_line(struct log *log, const char *level, const char *format, ...) {
    char stamp[32], text[2048];
    time_t now = time(NULL);
    struct tm local;
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", localtime_r(&now, &local));
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    // What a tool or gh said may be in it: one line stays one line.
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    fprintf(log->file, "%s %-8s %s\n", stamp, level, text);
    fflush(log->file);
    fprintf(stderr, "%s %-8s %s\n", stamp, level, text);
}
