// SPDX-License-Identifier: Apache-2.0
//
// How much of qemu-img does a corpus reach? Every file of it is run once more, with the
// instrumented qemu-img, and the edges that were hit are counted: the same measure for a campaign
// that felt them and for one that did not. `instar-fuzz coverage` says which edges; here the number
// is enough, whoever built the program.
//
//   QEMU_IMG_COV=path edges FOLDER      prints "<edges> <cases>"
#include "exec/coverage_map.h"
#include "harness.h"
#include "testcase/testcase.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint8_t hit[COVERAGE_COUNTERS];
static size_t known;

static void counted(void *context, const uint8_t *counters, size_t count) {
    (void)context;
    known = count;
    for (size_t i = 0; i < count; i++)
        hit[i] |= counters[i];
}

static int run_file(struct harness *harness, int folder, const char *name, struct fault *fault) {
    uint8_t data[CASE_MAX_BYTES];
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, data, sizeof data);
    if (fd >= 0)
        close(fd);
    if (size < 0)
        return fault_errno(fault, "%s", name);
    return harness_count(harness, data, (size_t)size, counted, NULL, fault);
}

static int run_all(struct harness *harness, const char *path, size_t *cases, struct fault *fault) {
    DIR *folder = opendir(path);
    int status = folder ? 0 : fault_errno(fault, "%s", path);
    for (struct dirent *entry; status == 0 && (entry = readdir(folder));)
        if (entry->d_type == DT_REG && entry->d_name[0] != '.') {
            status = run_file(harness, dirfd(folder), entry->d_name, fault);
            ++*cases;
        }
    if (folder)
        closedir(folder);
    return status;
}

int main(int argc, char **argv) {
    struct settings settings;
    struct harness *harness = NULL;
    struct fault fault = {0};
    bool unavailable;
    size_t cases = 0, edges = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: QEMU_IMG_COV=path edges FOLDER\n");
        return EXIT_BAD_USE;
    }
    int failed = settings_read(&settings, &fault);
    settings.guided = true;
    if (failed || harness_open(&harness, &settings, &unavailable, &fault)) {
        fprintf(stderr, "edges: %s\n", fault.text);
        return EXIT_BAD_USE;
    }
    int status = run_all(harness, argv[1], &cases, &fault);
    if (status == 0 && !known)
        status = fault_set(&fault, "no counters of an instrumented qemu-img (QEMU_IMG_COV=path)");
    for (size_t i = 0; i < known; i++)
        edges += hit[i] != 0;
    if (status == 0)
        printf("%zu %zu\n", edges, cases);
    else
        fprintf(stderr, "edges: %s\n", fault.text);
    harness_close(harness);
    return status ? EXIT_BAD_USE : EXIT_NONE;
}
