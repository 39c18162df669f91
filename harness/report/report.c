// SPDX-License-Identifier: Apache-2.0
//
// Writing a finding's directory: everything goes into a folder with a temporary name that is
// renamed at the end, so that a full disk or a killed process never leaves half a report under a
// signature's name.
#include "report/report.h"

#include "base/file.h"
#include "report/story.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TAR_DEADLINE_MS 5000 // an engine's time-out is running
#define STALE_S         600

static int write_file(const char *folder, const char *name, const void *data, size_t length,
                      mode_t mode, struct fault *fault) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return fault_errno(fault, "%s", path);
    int status = file_pwrite(fd, data, length, 0, fault) ? fault_prefix(fault, "%s: ", path) : 0;
    if (close(fd) && status == 0)
        status = fault_errno(fault, "%s", path);
    return status;
}

static int write_text(const char *folder, const char *name, struct buffer *text, mode_t mode,
                      struct fault *fault) {
    int status = write_file(folder, name, text->data, text->length, mode, fault);
    buffer_free(text);
    return status;
}

#define PACK_MOST (RECORD_MAX_FILES + CASE_MAX_OPERATIONS * SIDES * 2 * 5)

static bool is_source_file(const struct report *report, const char *name) {
    for (size_t i = 0; i < report->record->source_file_count; i++)
        if (strcmp(report->record->source_files[i], name) == 0)
            return true;
    return false;
}

// What a tool wrote in a step, one file of several perhaps: "a.out1.vmdk", "a.out1-flat.vmdk",
// "b.fit2.vpc", or what we made for them to compare with or to check ("c.other1.raw",
// "c.damage1-leak.qcow2"), but not what qemu-img made of it for our reading ("a.out1.vmdk.raw").
static bool is_tool_file(const char *name) {
    if (strncmp(name + 1, ".out", 4) != 0 && strncmp(name + 1, ".fit", 4) != 0 &&
        strncmp(name + 1, ".other", 6) != 0 && strncmp(name + 1, ".damage", 7) != 0)
        return false;
    const char *dot = strchr(name + 2, '.');
    return dot && !strchr(dot + 1, '.');
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// The files of the case directory that belong into the archive. The caller frees the names.
static size_t list_files(const struct report *report, char *names[PACK_MOST]) {
    size_t count = 0;
    DIR *folder = opendir(report->directory);
    for (struct dirent *entry; folder && count < PACK_MOST && (entry = readdir(folder));)
        if (is_source_file(report, entry->d_name) ||
            (strlen(entry->d_name) > 5 && is_tool_file(entry->d_name)))
            names[count++] = must_strdup(entry->d_name);
    if (folder)
        closedir(folder);
    qsort(names, count, sizeof *names, by_name);
    return count;
}

// Packs the source and what the tools wrote, by name and never the folder itself, whose mode would
// go wherever somebody unpacks it. tar keeps holes, gzip the size; a person can overwrite all of
// it.
static int pack_images(const struct report *report, const char *folder, struct fault *fault) {
    char archive[4200];
    snprintf(archive, sizeof archive, "%s/images.tar.gz", folder);
    const char *argv[5 + PACK_MOST] = {"tar", "-czSf", archive, "--mode=u=rw,go=r"};
    char *names[PACK_MOST];
    size_t count = list_files(report, names);
    for (size_t i = 0; i < count; i++)
        argv[4 + i] = names[i];
    argv[4 + count] = NULL;
    const char *environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", NULL};
    struct exec_outcome outcome = {0};
    struct exec_command command = {
        .program = access("/usr/bin/tar", X_OK) ? "/bin/tar" : "/usr/bin/tar",
        .argv = argv,
        .environment = environment,
        .directory = report->directory,
        .deadline_ms = TAR_DEADLINE_MS,
        .capture_limit = 4096,
    };
    int status = exec_run(report->exec, &command, &outcome, fault);
    if (status == 0 && (outcome.end != EXEC_EXITED || outcome.value != 0)) {
        struct buffer words = {0};
        exec_outcome_words(&outcome, &words);
        status = fault_set(fault, "tar could not pack the images (%s): %.200s", words.data,
                           outcome.err.data);
        buffer_free(&words);
    }
    if (status)
        unlink(archive); // what there is of it
    exec_outcome_free(&outcome);
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    return status;
}

static uint64_t usage_of_findings(const char *out) {
    char path[4096];
    snprintf(path, sizeof path, "%s/findings", out);
    return report_usage(path);
}

// The images alone may be missing: a report without them is still worth having, and says why.
static bool add_images(const struct report *report, const char *folder, cJSON *json) {
    struct fault fault = {0};
    int status;
    if (usage_of_findings(report->out) > REPORT_TOTAL_LIMIT)
        status = fault_set(&fault, "left out: %s/findings holds more than %llu MiB already",
                           report->out, REPORT_TOTAL_LIMIT >> 20);
    else
        status = pack_images(report, folder, &fault);
    cJSON_AddStringToObject(json, "images", status ? fault.text : "images.tar.gz");
    return status == 0;
}

static int fill(const struct report *report, const char *folder, struct fault *fault) {
    struct buffer story = {0}, script = {0}, text = {0};
    cJSON *json = report_json(report);
    bool packed = add_images(report, folder, json);
    char *printed = cJSON_Print(json);
    cJSON_Delete(json);
    report_story(report->record, packed, &story);
    report_script(report, &script);
    case_to_json(report->record->testcase, &text);
    int status = write_file(folder, "report.json", printed, strlen(printed), 0644, fault);
    free(printed);
    // Every buffer is freed by its writer, so none is skipped after a failure.
    status |= write_text(folder, "story.txt", &story, 0644, fault);
    status |= write_text(folder, "reproduce.sh", &script, 0755, fault);
    status |= write_text(folder, "case.json", &text, 0644, fault);
    status |= write_file(folder, "case.bin", report->bytes, report->size, 0644, fault);
    return status ? -1 : 0;
}

static int make_folder(const char *path, struct fault *fault) {
    return mkdir(path, 0777) && errno != EEXIST ? fault_errno(fault, "%s", path) : 0;
}

// What a process that was killed while it prepared a report left behind: nobody works that long.
static void sweep(const char *findings) {
    DIR *folder = opendir(findings);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char path[4096];
        struct stat info;
        if (entry->d_name[0] != '.' || !strchr(entry->d_name, '-'))
            continue;
        snprintf(path, sizeof path, "%s/%s", findings, entry->d_name);
        if (lstat(path, &info) == 0 && info.st_mtime + STALE_S < time(NULL))
            workdir_remove_tree(path, NULL);
    }
    if (folder)
        closedir(folder);
}

static int prepare(const struct report *report, char *prepared, size_t room, struct fault *fault) {
    char findings[3072], folder[4096];
    prepared[0] = 0;
    snprintf(findings, sizeof findings, "%s/findings", report->out);
    snprintf(folder, sizeof folder, "%s/.%s.%ld", findings, report->finding->signature,
             (long)getpid());
    if (make_folder(report->out, fault) || make_folder(findings, fault))
        return -1;
    sweep(findings);
    if (make_folder(folder, fault))
        return -1;
    char absolute[PATH_MAX];
    if (!realpath(folder, absolute))
        return fault_errno(fault, "%s", folder);
    snprintf(prepared, room, "%s", absolute);
    if (fill(report, absolute, fault) == 0)
        return 0;
    workdir_remove_tree(prepared, NULL);
    return -1;
}

// In the place of the report that stands there, which is gone afterwards.
static int replace(const char *prepared, const char *path, struct fault *fault) {
    if (renameat2(AT_FDCWD, prepared, AT_FDCWD, path, RENAME_EXCHANGE) == 0)
        return workdir_remove_tree(prepared, fault);
    if (errno != EINVAL)
        return fault_errno(fault, "%s", path);
    // A file system that cannot exchange: for a moment there is none.
    char old[PATH_MAX + 8];
    snprintf(old, sizeof old, "%s.old", prepared);
    if (rename(path, old))
        return fault_errno(fault, "%s", path);
    if (rename(prepared, path)) {
        fault_errno(fault, "%s", path);
        rename(old, path);
        return -1;
    }
    return workdir_remove_tree(old, fault);
}

int report_write(const struct report *report, char *path, size_t room, struct fault *fault) {
    char prepared[PATH_MAX];
    if (prepare(report, prepared, sizeof prepared, fault))
        return -1;
    snprintf(path, room, "%s/findings/%s", report->out, report->finding->signature);
    if (rename(prepared, path) == 0)
        return 1;
    bool stands = errno == ENOTEMPTY || errno == EEXIST;
    int status = !stands           ? fault_errno(fault, "%s", path)
                 : report->replace ? replace(prepared, path, fault)
                                   : 0;
    if (status || !report->replace)
        workdir_remove_tree(prepared, NULL);
    return status ? -1 : report->replace;
}
