// SPDX-License-Identifier: Apache-2.0
//
// reproduce.sh: unpacks the source image, types the finding's command lines and shows the
// difference, with nothing of this project in between. Outputs are compared by qemu-img.
#include "report/report.h"

#include <string.h>

// A word for the shell, whatever is in it.
static void put_quoted(const char *text, struct buffer *out) {
    buffer_text(out, "'");
    for (; *text; text++)
        if (*text == '\'')
            buffer_text(out, "'\\''");
        else
            buffer_append(out, text, 1);
    buffer_text(out, "'");
}

// The answer is kept apart from that of the step, by which the two tools are compared.
static void put_beside(const struct step_record *step, int side, struct buffer *out) {
    const struct oracle_side *from = side == SIDE_A ? &step->step.a : &step->step.b;
    for (int check = 0; check < CROSS_CHECKS; check++) {
        const struct cross_record *record = &step->beside[side][check];
        struct buffer words = {0};
        if (!from->beside[check].result)
            continue;
        tool_argv_words(&record->argv, NULL, &words);
        const char *arguments = strchr(words.data, ' ');
        bool own = record->tool->role[0] && strcmp(record->tool->role, from->tool->role) == 0;
        buffer_format(out, "echo '--- %s'\nrun %c.beside \"$%s\"%s\n", cross_names[check],
                      'a' + side,
                      !own             ? "QEMU_IMG"
                      : side == SIDE_A ? "A"
                                       : "B",
                      arguments ? arguments : "");
        buffer_free(&words);
    }
}

static void put_run(const struct tool_argv *argv, int side, struct buffer *out) {
    struct buffer words = {0};
    // The tool's own path comes from a variable, so that another build can be tried.
    tool_argv_words(argv, NULL, &words);
    const char *arguments = strchr(words.data, ' ');
    buffer_format(out, "run %c \"$%c\"%s\n", 'a' + side, 'A' + side, arguments ? arguments : "");
    buffer_free(&words);
}

static void put_command(const struct step_record *step, int side, struct buffer *out) {
    const struct oracle_side *from = side == SIDE_A ? &step->step.a : &step->step.b;
    if (!from->ran)
        return;
    put_run(&step->argv[side], side, out);
    if (!step->fits[side][0])
        return;
    buffer_text(out,
                "echo '--- the convert behind this measure, and the size of what it writes'\n");
    put_run(&step->fit_argv[side], side, out);
    char extent[IMAGE_NAME_ROOM];
    bool has_extent = tool_output_extent(&step->calls[side], step->fits[side], extent);
    buffer_format(out, "stat -c '%%n: %%s bytes' %s%s%s\n", step->fits[side], has_extent ? " " : "",
                  has_extent ? extent : "");
}

// What the tools wrote, as qemu-img sees it.
static void put_outputs(const struct step_record *step, struct buffer *out) {
    const struct oracle_side *sides[] = {&step->step.a, &step->step.b};
    const char *format = image_driver(step->step.target)->name;
    for (int side = 0; side < SIDES; side++)
        if (sides[side]->ran && sides[side]->output_check.class != OUTCOME_CLASSES)
            buffer_format(out, "echo '--- qemu-img check of %s'\n\"$QEMU_IMG\" check -f %s %s\n",
                          step->outputs[side], format, step->outputs[side]);
    if (step->step.a.ran && step->step.b.ran)
        buffer_format(out,
                      "echo '--- virtual sizes, and guest content of both outputs (qemu-img)'\n"
                      "for output in %s %s; do\n"
                      "    \"$QEMU_IMG\" info -f %s \"$output\" | grep 'virtual size' | "
                      "sed \"s/^/$output: /\"\n"
                      "done\n"
                      "\"$QEMU_IMG\" compare -s -f %s -F %s %s %s\n",
                      step->outputs[SIDE_A], step->outputs[SIDE_B], format, format, format,
                      step->outputs[SIDE_A], step->outputs[SIDE_B]);
}

// What an option became is in the output's header.
static void put_headers(const struct step_record *step, struct buffer *out) {
    const struct oracle_side *sides[] = {&step->step.a, &step->step.b};
    for (int side = 0; side < SIDES; side++)
        if (sides[side]->ran && step->outputs[side][0])
            buffer_format(out, "\"$QEMU_IMG\" info -f %s %s\n",
                          image_driver(step->step.target)->name, step->outputs[side]);
}

// All files of the input as they are before the step: any of a chain may be what a tool changes.
static void put_copies(const struct step_record *step, struct buffer *out) {
    buffer_text(out, "mkdir original && cp --sparse=always");
    for (size_t i = 0; i < step->input_file_count; i++)
        buffer_format(out, " %s", step->input_files[i]);
    buffer_text(out, " original\n");
}

static void put_comparison(const struct step_record *step, struct buffer *out) {
    if (operation_writes(step->step.op))
        put_outputs(step, out);
    if (step->step.source_modified)
        buffer_text(out, "echo '--- is the input still what it was?'\n"
                         "changed=\n"
                         "for copy in original/*; do\n"
                         "    cmp \"${copy#original/}\" \"$copy\" || changed=1\n"
                         "done\n"
                         "[ -n \"$changed\" ] || echo 'it is'\n");
    bool both = step->step.a.ran && step->step.b.ran;
    if (both && !operation_writes(step->step.op) && !step->fits[SIDE_A][0])
        buffer_text(out, "echo '--- answers (a: <, b: >)'\n"
                         "diff a.answer b.answer && echo 'the answers are equal'\n");
}

static const char *qemu_img_of(const struct record *record) {
    for (int side = SIDES - 1; side >= 0; side--)
        if (record->tools[side]->kind == TOOL_QEMU_IMG && record->tools[side]->available)
            return record->tools[side]->path;
    return "qemu-img";
}

// The two tools and where to work.
static void put_beginning(const struct report *report, struct buffer *out) {
    const struct record *record = report->record;
    const struct tool *a = record->tools[SIDE_A], *b = record->tools[SIDE_B];
    buffer_format(
        out,
        "#!/bin/sh\n"
        "# %s\n"
        "# Repeats this finding with the two tools alone. Other builds: A=path B=path%s.\n"
        "set -u\n"
        "export TZ=UTC LC_ALL=C\n",
        report->finding->signature, a->guests[0] ? " INSTAR_BIN_DIR=folder" : "");
    const char *const paths[][2] = {{"A", a->path},
                                    {"B", b->path},
                                    {"QEMU_IMG", qemu_img_of(record)},
                                    {"INSTAR_BIN_DIR", a->guests}};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (!*paths[i][1])
            continue;
        buffer_format(out, "[ -n \"${%s:-}\" ] || %s=", paths[i][0], paths[i][0]);
        put_quoted(paths[i][1], out);
        buffer_text(out, "\n");
    }
    if (a->lies[0])
        buffer_format(out, "export STANDIN_LIE=%s\n", a->lies);
    if (a->guests[0])
        buffer_text(out, "export INSTAR_BIN_DIR\n");
    buffer_text(out, "here=$(CDPATH= cd -- \"$(dirname -- \"$0\")\" && pwd)\n"
                     "work=$(mktemp -d) || exit 2\n"
                     "trap 'rm -rf \"$work\"' EXIT\n"
                     "trap 'exit 130' INT TERM\n"
                     "cd \"$work\" || exit 2\n");
}

static const struct judgement *judgement_of(const struct report *report) {
    const struct finding *finding = report->finding;
    return &report->record->steps[finding->step].judgements.items[finding->judgement];
}

static void put_step(const struct report *report, size_t index, struct buffer *out) {
    const struct step_record *step = &report->record->steps[index];
    bool is_finding = index == report->finding->step;
    // Steps that only read and are not the finding itself change nothing for it.
    if (!step->done || (!is_finding && !operation_writes(step->step.op)))
        return;
    buffer_format(out, "echo '=== step %zu: %s'\n", index + 1, operation_names[step->step.op]);
    if (step->step.source_modified)
        put_copies(step, out);
    put_command(step, SIDE_A, out);
    put_command(step, SIDE_B, out);
    if (is_finding && judgement_of(report)->oracle->beside) {
        put_beside(step, SIDE_A, out);
        put_beside(step, SIDE_B, out);
    }
    if (is_finding)
        put_comparison(step, out);
    if (is_finding && strcmp(judgement_of(report)->oracle->type, "output_kind_divergence") == 0)
        put_headers(step, out);
}

void report_script(const struct report *report, struct buffer *out) {
    const struct record *record = report->record;
    put_beginning(report, out);
    buffer_text(out,
                "[ -e \"$here/images.tar.gz\" ] || {\n"
                "    echo 'The images were not packed; report.json says why. instar-fuzz replay "
                "--out FOLDER case.bin makes them.' >&2\n"
                "    exit 2\n"
                "}\n");
    buffer_text(out, "tar -xzSf \"$here/images.tar.gz\"");
    for (size_t i = 0; i < record->source_file_count; i++)
        buffer_format(out, " %s", record->source_files[i]);
    const struct step_record *found = &record->steps[report->finding->step];
    if (*found->other)
        buffer_format(out, " %s", found->other);
    for (int damage = 0; damage < IMAGE_DAMAGES; damage++)
        if (*found->damaged[damage])
            buffer_format(out, " %s", found->damaged[damage]);
    buffer_text(out, " || exit 2\n");
    buffer_text(out, "run() {\n"
                     "    side=$1; shift\n"
                     "    echo \"--- $side\\$ $*\"\n"
                     "    timeout 60 \"$@\" >\"$side.answer\" 2>&1\n"
                     "    echo \"exit status $?\" >>\"$side.answer\"\n"
                     "    cat \"$side.answer\"\n"
                     "}\n");
    for (size_t i = 0; i <= report->finding->step; i++)
        put_step(report, i, out);
    buffer_text(out, "cat <<'END'\n=== what was found\n");
    buffer_format(out, "%s\nEND\n", judgement_of(report)->text);
}
