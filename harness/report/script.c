// SPDX-License-Identifier: Apache-2.0
//
// reproduce.sh: unpacks the source image, types the finding's command lines and shows the
// difference, with nothing of this project in between. Outputs are compared by qemu-img.
#include "report/report.h"

#include <string.h>

static void put_command(const struct step_record *step, int side, struct buffer *out) {
    const struct oracle_side *from = side == SIDE_A ? &step->step.a : &step->step.b;
    if (!from->ran)
        return;
    const char *variable = side == SIDE_A ? "$A" : "$B";
    buffer_format(out, "run %s ", side == SIDE_A ? "a" : "b");
    struct buffer words = {0};
    tool_argv_words(&step->argv[side], NULL, &words);
    // The tool's own path comes from a variable, so that another build can be tried.
    const char *arguments = strchr(words.data, ' ');
    buffer_format(out, "\"%s\"%s\n", variable, arguments ? arguments : "");
    buffer_free(&words);
    if (step->fits[side][0])
        buffer_format(out, "echo \"the convert behind this measure wrote %llu bytes\"\n",
                      (unsigned long long)from->converted_size);
}

static void put_comparison(const struct step_record *step, struct buffer *out) {
    if (step->outputs[SIDE_A][0] && step->step.a.ran && step->step.b.ran)
        buffer_format(out,
                      "echo '--- guest content of both outputs (qemu-img compare)'\n"
                      "\"$QEMU_IMG\" compare -f %s -F %s %s %s\n",
                      image_driver(step->step.target)->name, image_driver(step->step.target)->name,
                      step->outputs[SIDE_A], step->outputs[SIDE_B]);
    buffer_text(out, "echo '--- answers (a: <, b: >)'\n"
                     "diff a.answer b.answer && echo 'the answers are equal'\n");
}

static const char *qemu_img_of(const struct record *record) {
    for (int side = SIDES - 1; side >= 0; side--)
        if (record->tools[side]->kind == TOOL_QEMU_IMG && record->tools[side]->available)
            return record->tools[side]->path;
    return "qemu-img";
}

void report_script(const struct report *report, struct buffer *out) {
    const struct record *record = report->record;
    const struct tool *a = record->tools[SIDE_A], *b = record->tools[SIDE_B];
    buffer_format(out,
                  "#!/bin/sh\n"
                  "# %s\n"
                  "# Repeats this finding with the two tools alone. Other builds: A=path B=path.\n"
                  "set -u\n"
                  ": \"${A:=%s}\" \"${B:=%s}\" \"${QEMU_IMG:=%s}\"\n"
                  "export TZ=UTC LC_ALL=C\n",
                  report->finding->signature, a->path, b->path, qemu_img_of(record));
    if (a->lies[0])
        buffer_format(out, "export STANDIN_LIE=%s\n", a->lies);
    buffer_text(out, "here=$(CDPATH= cd -- \"$(dirname -- \"$0\")\" && pwd)\n"
                     "work=$(mktemp -d) || exit 2\n"
                     "trap 'rm -rf \"$work\"' EXIT\n"
                     "trap 'exit 130' INT TERM\n"
                     "cd \"$work\" || exit 2\n");
    buffer_format(out, "tar -xzSf \"$here/images.tar.gz\" ./%s || exit 2\n", record->source_name);
    buffer_text(out, "run() {\n"
                     "    side=$1; shift\n"
                     "    echo \"--- $side\\$ $*\"\n"
                     "    timeout 60 \"$@\" >\"$side.answer\" 2>&1\n"
                     "    echo \"exit status $?\" >>\"$side.answer\"\n"
                     "    cat \"$side.answer\"\n"
                     "}\n");
    for (size_t i = 0; i <= report->finding->step; i++) {
        const struct step_record *step = &record->steps[i];
        if (!step->done)
            continue;
        // Steps that only read and are not the finding itself change nothing for it.
        if (i < report->finding->step && !operation_writes(step->step.op))
            continue;
        buffer_format(out, "echo '=== step %zu: %s'\n", i + 1, operation_names[step->step.op]);
        put_command(step, SIDE_A, out);
        put_command(step, SIDE_B, out);
        if (i == report->finding->step)
            put_comparison(step, out);
    }
    const struct judgement *judgement =
        &record->steps[report->finding->step].judgements.items[report->finding->judgement];
    buffer_text(out, "cat <<'END'\n=== what was found\n");
    buffer_format(out, "%s\nEND\n", judgement->text);
}
