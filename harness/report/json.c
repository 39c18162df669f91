// SPDX-License-Identifier: Apache-2.0
//
// report.json: the finding for programs. Sizes are written as numbers where a double holds them
// exactly and as strings beyond 2^53.
#include "oracles/predict.h"
#include "report/maps.h"
#include "report/story.h"
#include "report/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

// Tools may print any bytes; JSON needs UTF-8, so that what is not ASCII is shown as '?'.
static void add_text(cJSON *object, const char *name, const struct buffer *from) {
    char text[4097];
    size_t length = from->length < sizeof text - 1 ? from->length : sizeof text - 1;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)from->data[i];
        text[i] = c == '\n' || c == '\t' || (c >= ' ' && c < 127) ? (char)c : '?';
    }
    text[length] = 0;
    cJSON_AddStringToObject(object, name, text);
    if (length < from->length) {
        char cut[64];
        snprintf(cut, sizeof cut, "%s_cut_from_bytes", name);
        report_add_size(object, cut, from->length);
    }
}

static void add_argv(cJSON *json, const char *name, const struct tool_argv *from) {
    cJSON *argv = cJSON_AddArrayToObject(json, name);
    for (size_t i = 0; i < from->count; i++)
        cJSON_AddItemToArray(argv, cJSON_CreateString(from->items[i]));
}

// Cross-checks, in a list that is there only where some were asked.
static void add_beside(cJSON *json, const struct step_record *step, int side) {
    const struct oracle_side *from = side == SIDE_A ? &step->step.a : &step->step.b;
    cJSON *list = NULL;
    for (int check = 0; check < CROSS_CHECKS; check++) {
        const struct cross_record *record = &step->beside[side][check];
        if (!from->beside[check].result)
            continue;
        list = list ? list : cJSON_AddArrayToObject(json, "beside");
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "question", cross_names[check]);
        add_argv(item, "argv", &record->argv);
        cJSON_AddStringToObject(item, "class", outcome_class_names[record->result.class]);
        add_text(item, "stdout", &record->outcome.out);
        add_text(item, "stderr", &record->outcome.err);
        cJSON_AddItemToArray(list, item);
    }
}

static cJSON *side_json(const struct step_record *step, int side) {
    const struct oracle_side *from = side == SIDE_A ? &step->step.a : &step->step.b;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "role", from->tool->role);
    if (!from->ran) {
        cJSON_AddStringToObject(json, "not_run", from->why_not ? from->why_not : "");
        return json;
    }
    add_argv(json, "argv", &step->argv[side]);
    if (step->fits[side][0])
        add_argv(json, "converted_by", &step->fit_argv[side]);
    const struct exec_outcome *outcome = &step->outcomes[side];
    struct buffer words = {0};
    exec_outcome_words(outcome, &words);
    cJSON_AddStringToObject(json, "ended", words.data);
    buffer_free(&words);
    cJSON_AddStringToObject(json, "class", outcome_class_names[step->results[side].class]);
    add_text(json, "stdout", &outcome->out);
    add_text(json, "stderr", &outcome->err);
    report_add_size(json, "wall_us", outcome->wall_us);
    report_add_size(json, "max_resident_kib", outcome->max_resident_kib);
    if (step->outputs[side][0]) {
        cJSON_AddStringToObject(json, "output", step->outputs[side]);
        report_add_size(json, "output_file_size", from->output_file_size);
    }
    if (from->has_converted)
        report_add_size(json, "converted_size", from->converted_size);
    add_beside(json, step, side);
    return json;
}

static cJSON *judgements_json(const struct judgements *judgements) {
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < judgements->count; i++) {
        const struct judgement *from = &judgements->items[i];
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "oracle", from->oracle ? from->oracle->type : "");
        cJSON_AddStringToObject(json, "verdict", verdict_names[from->verdict]);
        const struct {
            const char *name, *text;
        } members[] = {{"reason", from->reason},   {"detail", from->detail},
                       {"text", from->text},       {"field", from->field},
                       {"a_value", from->a_value}, {"b_value", from->b_value},
                       {"known", from->known_id}};
        for (size_t m = 0; m < sizeof members / sizeof *members; m++)
            if (members[m].text[0])
                cJSON_AddStringToObject(json, members[m].name, members[m].text);
        cJSON_AddItemToArray(list, json);
    }
    return list;
}

static cJSON *steps_json(const struct report *report) {
    const struct record *record = report->record;
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < record->step_count; i++) {
        const struct step_record *step = &record->steps[i];
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "operation", operation_names[step->step.op]);
        if (step->step.options.size_only)
            report_add_size(json, "size", step->step.truth.asked_size);
        else
            cJSON_AddStringToObject(json, "input", step->step.input_name);
        if (step->step.options.snapshot)
            cJSON_AddStringToObject(json, "snapshot",
                                    case_snapshot_id(step->step.options.snapshot - 1));
        if (step->step.target < IMAGE_FORMATS)
            cJSON_AddStringToObject(json, "target", image_driver(step->step.target)->name);
        if (step->done) {
            cJSON_AddItemToObject(json, "a", side_json(step, SIDE_A));
            cJSON_AddItemToObject(json, "b", side_json(step, SIDE_B));
            if (report->directory) // whoever reads it elsewhere has stdout
                cJSON_AddItemToObject(json, "answers", report_answers_json(step));
            cJSON_AddItemToObject(json, "judgements", judgements_json(&step->judgements));
        } else {
            cJSON_AddStringToObject(json, "not_run", step->why);
        }
        cJSON_AddItemToArray(list, json);
    }
    return list;
}

static void add_environment(cJSON *json, const struct report *report) {
    struct utsname host;
    cJSON *environment = cJSON_AddObjectToObject(json, "environment");
    if (uname(&host) == 0) {
        cJSON_AddStringToObject(environment, "kernel", host.release);
        cJSON_AddStringToObject(environment, "machine", host.machine);
    }
    cJSON_AddBoolToObject(environment, "dev_kvm", access("/dev/kvm", R_OK | W_OK) == 0);
    cJSON_AddStringToObject(environment, "fence", report->fence);
    cJSON_AddNumberToObject(environment, "case_ms", report->case_ms);
    cJSON_AddNumberToObject(environment, "confirm", report->confirm);
}

// Who is probably wrong, as far as anybody but the two tools says.
static cJSON *opinion_json(const struct record *record, const struct finding *finding) {
    const struct opinion *opinion = &finding->opinion;
    const struct oracle_step *step = &record->steps[finding->step].step;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "wrong", opinion_wrong_names[opinion->wrong]);
    cJSON_AddStringToObject(json, "role", oracle_opinion_role(step, opinion));
    cJSON_AddStringToObject(json, "by", opinion_by_names[opinion->by]);
    cJSON_AddStringToObject(json, "reason", opinion->reason);
    return json;
}

// What a right answer to a measure is, as far as the model tells. NULL: of nothing.
static cJSON *model_json(const struct oracle_step *step) {
    static const char *const fields[] = {"required", "fully-allocated", "bitmaps"};
    char right[PREDICT_ROOM], also[PREDICT_ROOM];
    cJSON *json = NULL;
    for (size_t i = 0; step->op == OP_MEASURE && i < sizeof fields / sizeof *fields; i++) {
        if (!predict_right(step, fields[i], right, also))
            continue;
        json = json ? json : cJSON_CreateObject();
        report_add_size(json, fields[i], strtoull(right, NULL, 10));
    }
    return json;
}

static void add_finding(cJSON *json, const struct record *record, const struct finding *finding) {
    cJSON_AddStringToObject(json, "signature", finding->signature);
    cJSON_AddNumberToObject(json, "step", (double)finding->step + 1);
    cJSON_AddNumberToObject(json, "judgement", (double)finding->judgement + 1);
    cJSON_AddItemToObject(json, "opinion", opinion_json(record, finding));
}

// Of a replay, which is about a case.
static void add_findings(cJSON *json, const struct record *record) {
    cJSON *list = cJSON_AddArrayToObject(json, "findings");
    for (size_t i = 0; i < record->finding_count; i++) {
        cJSON *item = cJSON_CreateObject();
        add_finding(item, record, &record->findings[i]);
        cJSON_AddItemToArray(list, item);
    }
}

// Of a report, which is about one finding.
static void add_reported(cJSON *json, const struct report *report) {
    const struct finding *finding = report->finding;
    add_finding(json, report->record, finding);
    cJSON_AddBoolToObject(json, "confirmed", report->confirmed);
    cJSON_AddNumberToObject(json, "found", (double)time(NULL));
    cJSON *model = model_json(&report->record->steps[finding->step].step);
    if (model)
        cJSON_AddItemToObject(json, "model", model);
    cJSON_AddItemToObject(json, "maps", report_maps(report));
}

cJSON *report_json(const struct report *report) {
    const struct record *record = report->record;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "version", 1);
    cJSON_AddStringToObject(json, "harness", report_harness_version);
    if (report->finding)
        add_reported(json, report);
    else
        add_findings(json, record);
    cJSON *all = cJSON_AddArrayToObject(json, "signatures");
    for (size_t i = 0; i < record->finding_count; i++)
        cJSON_AddItemToArray(all, cJSON_CreateString(record->findings[i].signature));
    cJSON *tools = cJSON_AddObjectToObject(json, "tools");
    cJSON_AddItemToObject(tools, "a", tool_profile_json(record->tools[SIDE_A]));
    cJSON_AddItemToObject(tools, "b", tool_profile_json(record->tools[SIDE_B]));
    add_environment(json, report);
    cJSON *source = cJSON_AddObjectToObject(json, "source");
    cJSON_AddStringToObject(source, "name", record->source_name);
    report_add_size(source, "file_size", record->source.file_size);
    report_add_size(source, "virtual_size", record->source.declared_size);
    struct buffer text = {0};
    case_to_json(record->testcase, &text);
    cJSON_AddItemToObject(json, "case", cJSON_ParseWithLength(text.data, text.length));
    buffer_free(&text);
    cJSON_AddItemToObject(json, "steps", steps_json(report));
    return json;
}
