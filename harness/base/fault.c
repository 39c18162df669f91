// SPDX-License-Identifier: Apache-2.0
//
// The one place that formats failure reasons.
#include "base/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fault_set(struct fault *fault, const char *format, ...) {
    if (!fault)
        return -1;
    va_list args;
    va_start(args, format);
    vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    return -1;
}

int fault_errno(struct fault *fault, const char *format, ...) {
    int saved = errno;
    if (!fault)
        return -1;
    va_list args;
    va_start(args, format);
    vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    size_t used = strlen(fault->text);
    snprintf(fault->text + used, sizeof fault->text - used, ": %s", strerror(saved));
    errno = saved;
    return -1;
}

int fault_prefix(struct fault *fault, const char *format, ...) {
    if (!fault)
        return -1;
    char text[sizeof fault->text];
    va_list args;
    va_start(args, format);
    int used = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (used < 0 || (size_t)used >= sizeof text)
        used = (int)sizeof text - 1;
    snprintf(text + used, sizeof text - (size_t)used, "%.*s", (int)(sizeof text - (size_t)used - 1),
             fault->text);
    memcpy(fault->text, text, sizeof text);
    return -1;
}
