// SPDX-License-Identifier: Apache-2.0
//
// The program's questions about lies, and its way to hang, end here.
#include "subject.h"

#include "exec/exec.h"
#include "standin/lies.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

// The names that the Makefile gives to the program's main, lie and pause.
int subject_main(int argc, char **argv);
bool subject_lie(enum lie which);
int subject_pause(void);

static volatile uint32_t *asked; // shared with the forks
static int in_force = SUBJECT_HONEST;

// The lies that are measured, in the order of enum lie. The others are none of the experiment's.
static const char *const measured[] = {
    [LIE_RAW_WITHOUT_SEEK_HOLE] = "raw-without-seek-hole",
    [LIE_QCOW2_ZERO_CLUSTERS_ALLOCATED] = "qcow2-zero-clusters-allocated",
    [LIE_VHD_CHS_SIZE] = "vhd-chs-size",
    [LIE_VMDK_64K_SECTORS] = "vmdk-64k-sectors",
    [LIE_VPC_64K_SECTORS] = "vpc-64k-sectors",
    [LIE_VHDX_BLOCKS_COUNTED] = "vhdx-blocks-counted",
    [LIE_UNITS_NOT_COUNTED] = "units-not-counted",
    [LIE_BITMAPS_OMITTED] = "bitmaps-omitted",
    [LIE_WRONG_BYTE_NEAR_END] = "wrong-byte-near-end",
    [LIE_SUCCESS_WHERE_QEMU_FAILS] = "success-where-qemu-fails",
    [LIE_MEASURE_TRAILING_COMMA] = "measure-trailing-comma",
    [LIE_HANG_ON_CLUSTER_SIZE] = "hang-on-cluster-size",
    [LIE_BACKING_IGNORED_BY_MEASURE] = "backing-ignored-by-measure",
    [LIE_PARENT_IGNORED] = "parent-ignored",
    [LIE_GRAIN_CUT_AT_CLUSTER] = "grain-cut-at-cluster",
    [LIE_FORMAT_IGNORED_BY_MEASURE] = "format-ignored-by-measure",
    [LIE_BITMAPS_ZERO] = "bitmaps-zero",
    [LIE_VMDK_EXTENTS_MISCOUNTED] = "vmdk-extents-miscounted",
    [LIE_SUBCLUSTERS_PAST_BACKING] = "subclusters-past-backing",
    [LIE_MIDDLE_ZEROS_FORGOTTEN] = "middle-zeros-forgotten",
    [LIE_ZSTD_BELOW_OTHER_CLUSTERS] = "zstd-below-other-clusters",
    [LIE_SHORT_SNAPSHOT_COMPRESSED] = "short-snapshot-compressed",
    [LIE_GRAIN_TABLES_STRADDLED] = "grain-tables-straddled",
    [LIE_EXTENTS_STRADDLED] = "extents-straddled",
    [LIE_METADATA_OF_SUBCLUSTERS] = "metadata-of-subclusters",
};
#define MEASURED ((int)(sizeof measured / sizeof *measured))

bool subject_lie(enum lie which) {
    if ((int)which >= MEASURED)
        return false;
    *asked |= 1u << which;
    return in_force == (int)which;
}

int subject_pause(void) {
    _exit(SUBJECT_HUNG);
}

int subject_lies(struct subject_lies *lies, struct fault *fault) {
    char path[4096], command[4200], line[512];
    if (exec_find_beside("standin/instar", path, sizeof path, fault))
        return -1;
    snprintf(command, sizeof command, "'%s' lies", path);
    FILE *pipe = popen(command, "re");
    lies->count = 0;
    while (pipe && fgets(line, sizeof line, pipe)) {
        const char *finding = strrchr(line, '[');
        char name[64];
        if (lies->count == MEASURED || sscanf(line, "%63s", name) != 1 ||
            strcmp(name, measured[lies->count]) != 0)
            continue;
        struct subject_lie *lie = &lies->items[lies->count];
        snprintf(lie->name, sizeof lie->name, "%s", name);
        if (finding && sscanf(finding, "[%63[^]]", lie->finding) == 1)
            lies->count++;
    }
    if (!pipe || pclose(pipe) || lies->count != MEASURED)
        return fault_set(fault, "%s lists %d of the %d lies that are measured", path, lies->count,
                         MEASURED);
    return 0;
}

static int open_capture(const char *name, struct fault *fault) {
    int fd = memfd_create(name, MFD_CLOEXEC);
    return fd < 0 ? fault_errno(fault, "no memory for what a command prints") : fd;
}

static int begin(int captures[2], struct fault *fault) {
    if (asked)
        return 0;
    void *page =
        mmap(NULL, sizeof *asked, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    captures[0] = open_capture("stdout", fault);
    captures[1] = open_capture("stderr", fault);
    if (page == MAP_FAILED || captures[0] < 0 || captures[1] < 0)
        return fault_errno(fault, "the stand-in cannot be run");
    asked = page;
    return 0;
}

static void run(const char *const *argv, const char *directory, const int captures[2]) {
    int argc = 0;
    while (argv[argc])
        argc++;
    if (chdir(directory) || dup2(captures[0], 1) < 0 || dup2(captures[1], 2) < 0)
        _exit(127);
    int status = subject_main(argc, (char **)(uintptr_t)argv);
    fflush(stdout);
    _exit(status);
}

static int collect(int fd, struct buffer *to, struct fault *fault) {
    off_t length = lseek(fd, 0, SEEK_END);
    buffer_clear(to);
    char *at = buffer_reserve(to, (size_t)length);
    if (length < 0 || pread(fd, at, (size_t)length, 0) != length)
        return fault_errno(fault, "what a command printed cannot be read");
    to->length = (size_t)length;
    at[length] = 0;
    return 0;
}

int subject_run(const char *const *argv, const char *directory, int lie,
                struct subject_answer *answer, struct fault *fault) {
    static int captures[2];
    int status;
    if (begin(captures, fault))
        return -1;
    for (int i = 0; i < 2; i++)
        if (ftruncate(captures[i], 0) || lseek(captures[i], 0, SEEK_SET))
            return fault_errno(fault, "what a command prints cannot be kept");
    *asked = 0;
    in_force = lie;
    pid_t pid = fork();
    if (pid == 0)
        run(argv, directory, captures);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid < 0)
        return fault_errno(fault, "the stand-in cannot be forked");
    if (!WIFEXITED(status))
        return fault_set(fault, "the stand-in died of signal %d", WTERMSIG(status));
    answer->status = WEXITSTATUS(status);
    answer->asked = *asked;
    return collect(captures[0], &answer->out, fault) || collect(captures[1], &answer->err, fault)
               ? -1
               : 0;
}

void subject_answer_free(struct subject_answer *answer) {
    buffer_free(&answer->out);
    buffer_free(&answer->err);
}
