// SPDX-License-Identifier: Apache-2.0
//
// From the raw data of the ablation to what docs/ablation.md shows of them.
//
//   report FOLDER            Markdown
//   report --svg FOLDER      the plot
#include "table.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    struct fault fault = {0};
    struct buffer out = {0};
    struct rows rows;
    bool svg = argc == 3 && strcmp(argv[1], "--svg") == 0;
    if (argc != 2 + svg) {
        fprintf(stderr, "usage: report [--svg] FOLDER\n");
        return 2;
    }
    if (rows_read(&rows, argv[argc - 1], &fault)) {
        fprintf(stderr, "report: %s\n", fault.text);
        return 2;
    }
    (svg ? plot_svg : table_words)(&rows, &out);
    fputs(out.data, stdout);
    buffer_free(&out);
    rows_free(&rows);
    return 0;
}
