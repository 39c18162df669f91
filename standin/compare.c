// SPDX-License-Identifier: Apache-2.0
//
// `instar compare`: do two images show the guest the same bytes? Both are opened by what their
// bytes say, with the files below them; a longer one may go on with zeros, unless --strict. Exit 0
// for identical, 1 for different and for every error, as instar has it.
#include "image/compare.h"
#include "base/bytes.h"
#include "standin/lies.h"
#include "standin/standin.h"

#include <inttypes.h>
#include <string.h>

static const struct option_spec option_table[] = {
    {OPT_STRICT, "strict", 's', KIND_FLAG, NULL},
    {OPT_QUIET, "quiet", 'q', KIND_FLAG, NULL},
    {OPT_OUTPUT, "output", 0, KIND_CHOICE, "human|json"},
    {OPT_SECTOR_SIZE, "sector-size", 0, KIND_NUMBER, NULL},
    {OPT_QCOW2_PASSWORD, "qcow2-password", 0, KIND_TEXT, NULL},
    {OPT_QCOW2_PASSWORD_FILE, "qcow2-password-file", 0, KIND_TEXT, NULL},
    {OPT_LUKS_PASSPHRASE, "luks-passphrase", 0, KIND_TEXT, NULL},
    {OPT_LUKS_PASSPHRASE_FILE, "luks-passphrase-file", 0, KIND_TEXT, NULL},
};

enum { EXIT_IDENTICAL = 0, EXIT_DIFFERENT = 1 };

static void print_json(const struct image_difference *found, bool identical) {
    printf("{\n    \"identical\": %s,\n    \"first-mismatch-offset\": ",
           identical ? "true" : "false");
    if (identical)
        fputs("null", stdout);
    else
        printf("%" PRIu64, found->first_offset);
    printf(",\n    \"total-bytes-compared\": %" PRIu64 ",\n    \"size-mismatch\": %s\n}\n",
           min_u64(found->a_size, found->b_size),
           found->a_size == found->b_size ? "false" : "true");
}

static void print_human(const struct image_difference *found, bool identical, bool strict) {
    bool sizes_differ = found->a_size != found->b_size;
    if (strict && sizes_differ) {
        puts("Strict mode: Image size mismatch!");
        return;
    }
    if (sizes_differ)
        puts("Warning: Image size mismatch!");
    if (identical)
        puts("Images are identical.");
    else
        printf("Content mismatch at offset %" PRIu64 "!\n", found->first_offset);
}

static int compare(const struct arguments *arguments, const struct source *a,
                   const struct source *b) {
    struct image_source first = a->content, second = b->content;
    struct image_difference found;
    struct fault fault = {""};
    const char *output = arguments->text[OPT_OUTPUT];
    bool strict = arguments->text[OPT_STRICT];
    if (lie(LIE_COMPARE_FIRST_CLUSTER_ONLY)) {
        first.size = min_u64(first.size, 65536);
        second.size = min_u64(second.size, 65536);
    }
    if (image_compare(&first, &second, UINT64_MAX, &found, &fault) < 0)
        return refuse("compare failed: %s", fault.text);
    found.a_size = a->size;
    found.b_size = b->size;
    bool identical = found.prefix_equal && found.tail_zero && !(strict && a->size != b->size);
    if (output && !strcmp(output, "json"))
        print_json(&found, identical);
    else
        print_human(&found, identical, strict);
    return identical ? EXIT_IDENTICAL : EXIT_DIFFERENT;
}

static int open_both(const struct arguments *arguments, struct source sources[2]) {
    for (int i = 0; i < 2; i++) {
        if (source_open(&sources[i], arguments->operands[i], NULL, false))
            return 1;
        if (source_open_below(&sources[i], true))
            return 1;
    }
    return 0;
}

static int run(const struct arguments *arguments) {
    static const enum option_id absent[] = {OPT_QCOW2_PASSWORD, OPT_QCOW2_PASSWORD_FILE,
                                            OPT_LUKS_PASSPHRASE, OPT_LUKS_PASSPHRASE_FILE};
    struct source sources[2] = {{0}, {0}};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        if (arguments->text[absent[i]])
            return refuse("compare: passwords are not in this stand-in");
    if (check_sector_size(arguments))
        return 1;
    int status = open_both(arguments, sources) ? 1 : compare(arguments, &sources[0], &sources[1]);
    for (int i = 0; i < 2; i++)
        source_close(&sources[i]);
    return status;
}

const struct command command_compare = {
    .name = "compare",
    .summary = "Compare the guest content of two images",
    .usage = "[-s] [-q] [--output human|json] <IMAGE1> <IMAGE2>",
    .options = option_table,
    .option_count = sizeof option_table / sizeof *option_table,
    .operands_min = 2,
    .operands_max = 2,
    .run = run,
};
