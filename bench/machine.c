// SPDX-License-Identifier: Apache-2.0
//
// The machine that a figure was measured on: without it no two can be compared.
#include "bench.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void add_processor(cJSON *json) {
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && fgets(line, sizeof line, file)) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !value)
            continue;
        value[strcspn(value, "\n")] = 0;
        cJSON_AddStringToObject(json, "processor", value + strspn(value, ": "));
        break;
    }
    if (file)
        fclose(file);
}

// Those that this process, and with it every tool, may run on.
static void add_cores(cJSON *json) {
    cpu_set_t set;
    cJSON_AddNumberToObject(json, "cores", (double)sysconf(_SC_NPROCESSORS_ONLN));
    cJSON *used = cJSON_AddArrayToObject(json, "cores_used");
    if (sched_getaffinity(0, sizeof set, &set))
        return;
    for (int core = 0; core < CPU_SETSIZE; core++)
        if (CPU_ISSET(core, &set))
            cJSON_AddItemToArray(used, cJSON_CreateNumber(core));
}

cJSON *machine_json(void) {
    cJSON *json = cJSON_CreateObject();
    struct utsname system;
    char when[32];
    time_t now = time(NULL);
    struct tm parts;
    double load[3];
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
    cJSON_AddStringToObject(json, "time", when);
    if (uname(&system) == 0) {
        cJSON_AddStringToObject(json, "kernel", system.release);
        cJSON_AddStringToObject(json, "architecture", system.machine);
    }
    add_processor(json);
    add_cores(json);
    if (getloadavg(load, 3) == 3)
        cJSON_AddItemToObject(json, "load", cJSON_CreateDoubleArray(load, 3));
    return json;
}

void facts_of(struct bench *bench, const struct contender *contender) {
    const struct harness *harness = contender->harness;
    cJSON *tools = cJSON_GetObjectItem(bench->facts, "tools");
    if (!tools)
        tools = cJSON_AddObjectToObject(bench->facts, "tools");
    for (int side = 0; side < SIDES; side++) {
        const struct tool *tool = harness_tool(harness, side);
        if (!cJSON_GetObjectItem(tools, tool->name))
            cJSON_AddStringToObject(tools, tool->name, tool->version);
    }
    if (cJSON_GetObjectItem(bench->facts, "fence"))
        return;
    cJSON_AddStringToObject(bench->facts, "fence", harness_fence(harness));
    cJSON_AddBoolToObject(bench->facts, "tmpfs", harness_workdir(harness)->on_tmpfs);
    printf("Fence: %s. Case directory on %s.\n", harness_fence(harness),
           harness_workdir(harness)->on_tmpfs ? "tmpfs" : "disk");
}
