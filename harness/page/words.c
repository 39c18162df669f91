// SPDX-License-Identifier: Apache-2.0
//
// Numbers, sizes and times as a page says them.
#include "page/html.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define WORDS_ROOM 40

// Texts of a sentence live side by side.
static char *next_words(void) {
    static char rooms[8][WORDS_ROOM];
    static size_t next;
    return rooms[next++ % 8];
}

const char *html_number(uint64_t value) {
    char digits[24], *words = next_words(), *to = words;
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = 0;
    return words;
}

const char *html_size(uint64_t bytes) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    char *words = next_words();
    uint64_t value = bytes;
    while (value >= 1024 && value % 1024 == 0 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    const char *number = html_number(unit ? value : bytes);
    snprintf(words, WORDS_ROOM, "%s %s", number, value == 1 && !unit ? "byte" : units[unit]);
    return words;
}

const char *html_time(uint64_t seconds) {
    struct tm utc;
    time_t time = (time_t)seconds;
    char *words = next_words();
    if (!seconds || !gmtime_r(&time, &utc) ||
        !strftime(words, WORDS_ROOM, "%Y-%m-%d %H:%M UTC", &utc))
        snprintf(words, WORDS_ROOM, "unknown");
    return words;
}

const char *html_span(uint64_t seconds) {
    static const struct {
        uint64_t seconds;
        const char *one, *many;
    } units[] = {
        {86400, "day", "days"}, {3600, "hour", "hours"}, {60, "min", "min"}, {1, "s", "s"}};
    char *words = next_words();
    size_t i = 0, used;
    while (i < 3 && seconds < units[i].seconds)
        i++;
    uint64_t count = seconds / units[i].seconds, rest = seconds % units[i].seconds;
    used = (size_t)snprintf(words, WORDS_ROOM, "%llu %s", (unsigned long long)count,
                            count == 1 ? units[i].one : units[i].many);
    if (i < 3 && (rest /= units[i + 1].seconds))
        snprintf(words + used, WORDS_ROOM - used, " %llu %s", (unsigned long long)rest,
                 rest == 1 ? units[i + 1].one : units[i + 1].many);
    return words;
}
