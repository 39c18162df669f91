// SPDX-License-Identifier: Apache-2.0
//
// Windows over tables in files.
#include "image/table_io.h"

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TABLE_WINDOW ((uint64_t)64 * 1024)

void table_in_begin(struct table_in *table, int fd, uint64_t start, uint64_t length) {
    *table = (struct table_in){.fd = fd, .start = start, .length = length};
}

void table_in_end(struct table_in *table) {
    free(table->window);
    *table = (struct table_in){0};
}

// Table offset up to which the file has no data from the window's start on.
static uint64_t table_in_find_hole(const struct table_in *table) {
    off_t at = (off_t)(table->start + table->window_offset);
    off_t data = lseek(table->fd, at, SEEK_DATA);
    if (data < at) // no data up to the end of the file, or a file system that cannot say
        return table->window_offset;
    return min_u64((uint64_t)data - table->start, table->length);
}

const uint8_t *table_in_at(struct table_in *table, uint64_t offset, struct fault *fault) {
    if (offset >= table->length) {
        fault_set(fault, "table entry at byte %llu lies outside its table of %llu bytes",
                  (unsigned long long)offset, (unsigned long long)table->length);
        return NULL;
    }
    if (!table->window)
        table->window = must_realloc(NULL, TABLE_WINDOW);
    if (offset - table->window_offset >= table->window_length || offset < table->window_offset) {
        table->window_offset = round_down(offset, TABLE_WINDOW);
        // A whole window also at the table's end: a cut entry is then completed by what follows.
        table->window_length = TABLE_WINDOW;
        if (file_pread(table->fd, table->window, TABLE_WINDOW, table->start + table->window_offset,
                       fault)) {
            table->window_length = 0;
            return NULL;
        }
        table->hole_end = table_in_find_hole(table);
    }
    return table->window + (offset - table->window_offset);
}

uint64_t table_in_hole(const struct table_in *table, uint64_t offset) {
    return table->hole_end > offset ? table->hole_end - offset : 0;
}

void table_out_begin(struct table_out *table, int fd, uint64_t start, uint64_t length,
                     uint8_t fill) {
    *table = (struct table_out){.fd = fd, .start = start, .length = length, .fill = fill};
    table->window = must_realloc(NULL, TABLE_WINDOW);
    memset(table->window, fill, TABLE_WINDOW);
}

// Writes the window at `next`, if there is anything in it, and all of fill up to `offset`.
static int table_out_advance(struct table_out *table, uint64_t offset, struct fault *fault) {
    while (table->next < offset) {
        uint64_t part = min_u64(TABLE_WINDOW, table->length - table->next);
        if ((table->dirty || table->fill) &&
            file_pwrite(table->fd, table->window, part, table->start + table->next, fault))
            return -1;
        if (table->dirty)
            memset(table->window, table->fill, TABLE_WINDOW);
        table->dirty = false;
        // Windows of nothing but holes are not visited one by one.
        table->next = table->fill ? table->next + part : offset;
    }
    return 0;
}

uint8_t *table_out_at(struct table_out *table, uint64_t offset, struct fault *fault) {
    uint64_t window = round_down(offset, TABLE_WINDOW);
    if (offset >= table->length || window < table->next) {
        fault_set(fault, "table entry at byte %llu is out of order", (unsigned long long)offset);
        return NULL;
    }
    if (table_out_advance(table, window, fault))
        return NULL;
    table->dirty = true;
    return table->window + (offset - window);
}

int table_out_end(struct table_out *table, bool failed, struct fault *fault) {
    int result = failed ? -1 : table_out_advance(table, table->length, fault);
    free(table->window);
    *table = (struct table_out){0};
    return result;
}
