// SPDX-License-Identifier: Apache-2.0
//
// Reading a journal.
#include "journal.h"

int journal_next(FILE *file, struct journal_entry *entry) {
    if (fread(&entry->head, sizeof entry->head, 1, file) != 1)
        return 0;
    if (entry->head.magic != JOURNAL_MAGIC || entry->head.size > sizeof entry->data)
        return -1;
    return fread(entry->data, 1, entry->head.size, file) == entry->head.size;
}
