// SPDX-License-Identifier: Apache-2.0
//
// Images that attack: every way in which one names another file, with every kind of name, given to
// qemu-img behind the fence. No secret is in any answer, no listener hears of anybody, nothing
// outside changes, no FIFO holds it up. Each name is also given to qemu-img without the fence,
// where it must be what it is said to be: a leak, a call, a wait.
#include "tests/unit/tool_room.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define SECRET    "S3CRET, S3CRET, "
#define PLENTY_MS 10000

static struct tool qemu_img;
static struct exec_outcome outcome;
static int tcp = -1, local = -1;
static char tcp_port[8], outside[300]; // a folder beside the case directory

static void run_line(const char *line, bool unfenced, uint32_t deadline_ms) {
    struct tool_argv argv;
    struct fault fault = {0};
    static char words[1024];
    struct tool_room here = room;
    here.unfenced = unfenced;
    here.deadline_ms = deadline_ms;
    snprintf(words, sizeof words, "%s", line);
    tool_argv_begin(&argv);
    tool_argv_add(&argv, "qemu-img");
    for (char *at = strtok(words, " "); at; at = strtok(NULL, " "))
        tool_argv_add(&argv, at);
    if (tool_run_argv(&qemu_img, &argv, &here, &outcome, &fault) != 0)
        fail_msg("%s: %s", line, fault.text);
}

static void must(const char *line) {
    run_line(line, true, PLENTY_MS);
    if (outcome.end != EXEC_EXITED || outcome.value != 0)
        fail_msg("%s: %s", line, outcome.err.data);
}

static void put_file(const char *folder, const char *name, const char *text, int times) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    while (times--)
        fputs(text, file);
    fclose(file);
}

static bool file_has_secret(const char *name) {
    static char bytes[1 << 17];
    char path[400];
    snprintf(path, sizeof path, "%s/%s", workdir.case_path, name);
    FILE *file = fopen(path, "r");
    size_t length = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file)
        fclose(file);
    return memmem(bytes, length, SECRET, strlen(SECRET)) != NULL;
}

static bool somebody_called(int listener) {
    bool called = false;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; called = true)
        close(fd);
    return called;
}

// --- the ways: an image x.* that names `name`; false if it cannot be made ------------------------

static bool name_below_qcow2(const char *name) {
    char line[600];
    snprintf(line, sizeof line, "create -q -u -f qcow2 -F raw -b %s x.img 64k", name);
    must(line);
    return true;
}

// The option that sets a name cannot hold one with a comma.
static bool name_beside_qcow2(const char *name) {
    char line[600];
    if (strchr(name, ','))
        return false;
    must("create -q -f qcow2 -o data_file=x.data,data_file_raw=on x.img 64k");
    snprintf(line, sizeof line, "amend -q -f qcow2 -o data_file=%s x.img", name);
    must(line);
    return true;
}

static bool describe(const char *parent, const char *extent) {
    char text[1200];
    snprintf(text, sizeof text,
             "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=%s\n"
             "createType=\"monolithicFlat\"\n%s%s%s%s\n"
             "ddb.virtualHWVersion = \"4\"\nddb.geometry.cylinders = \"1\"\n"
             "ddb.geometry.heads = \"16\"\nddb.geometry.sectors = \"63\"\n"
             "ddb.adapterType = \"ide\"\n",
             parent ? "ffffff00" : "ffffffff", parent ? "parentFileNameHint=\"" : "",
             parent ? parent : "", parent ? "\"\n" : "", extent);
    put_file(workdir.case_path, "x.img", text, 1);
    return true;
}

static bool name_in_vmdk_extent(const char *name) {
    char extent[600];
    if (strchr(name, '"'))
        return false;
    snprintf(extent, sizeof extent, "RW 128 FLAT \"%s\" 0", name);
    return describe(NULL, extent);
}

static bool name_below_vmdk(const char *name) {
    if (strchr(name, '"'))
        return false;
    put_file(workdir.case_path, "x.data", "-", 65536);
    return describe(name, "RW 128 FLAT \"x.data\" 0");
}

static const struct way {
    const char *what;
    bool (*make)(const char *name);
    bool leaks; // content of a plain file appears in a convert (else it must be an image itself)
    bool calls; // a name may be a host's (else it is a path, whatever it looks like)
} ways[] = {
    {"qcow2 backing file", name_below_qcow2, true, true},
    {"qcow2 data file", name_beside_qcow2, true, false},
    {"vmdk extent", name_in_vmdk_extent, true, false},
    {"vmdk parent", name_below_vmdk, false, true},
};

// --- the names: @ is the folder outside, # the port of the listener ------------------------------

enum danger { LEAK, CALL_TCP, CALL_LOCAL, WAIT, NONE };

static const struct {
    const char *name;
    enum danger danger;
} names[] = {
    {"@/secret", LEAK},
    {"../outside/secret", LEAK},
    {"../../../../../../../..@/secret", LEAK},
    {"json:{\"driver\":\"raw\",\"file.filename\":\"@/secret\"}", LEAK},
    {"/proc/self/cwd/../outside/secret", LEAK},
    {"/proc/self/environ", NONE},
    {"/dev/kmsg", NONE},
    {"/dev/mem", NONE},
    {"@/fifo", WAIT},
    {"nbd://127.0.0.1:#/x", CALL_TCP},
    {"nbd:127.0.0.1:#", CALL_TCP},
    {"nbd:unix:@/socket", CALL_LOCAL},
    {"json:{\"driver\":\"raw\",\"file.driver\":\"nbd\",\"file.host\":\"127.0.0.1\",\"file.port\":"
     "\"#\"}",
     CALL_TCP},
    {"http://127.0.0.1:#/x", NONE}, // where the driver is installed, a call
};

static void name_in_full(const char *pattern, char name[400]) {
    size_t used = 0;
    for (; *pattern && used < 399; pattern++) {
        const char *put = *pattern == '@' ? outside : *pattern == '#' ? tcp_port : NULL;
        if (!put)
            name[used++] = *pattern;
        else
            used += (size_t)snprintf(name + used, 400 - used, "%s", put);
    }
    name[used] = 0;
}

static void nothing_is_reached(const struct way *way, const char *name) {
    static const char *const asks[] = {"convert -O raw x.img out", "info --backing-chain x.img",
                                       "check x.img", "measure -O qcow2 x.img", "map x.img"};
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        run_line(asks[i], false, PLENTY_MS);
        if (outcome.end != EXEC_EXITED)
            fail_msg("%s %s: %s did not end by itself: %s", way->what, name, asks[i],
                     outcome.err.data);
        if (strstr(outcome.out.data, "S3CRET") || strstr(outcome.err.data, "S3CRET") ||
            file_has_secret("out"))
            fail_msg("%s %s: %s leaks", way->what, name, asks[i]);
        if (somebody_called(tcp) || somebody_called(local))
            fail_msg("%s %s: %s calls", way->what, name, asks[i]);
    }
}

static bool reaches(const struct way *way, enum danger danger, uint32_t deadline_ms) {
    run_line("convert -O raw x.img out", true, deadline_ms);
    bool called = somebody_called(tcp), called_here = somebody_called(local);
    bool denied = strstr(outcome.err.data, "denied") != NULL;
    switch (danger) {
    case LEAK:
        return way->leaks ? file_has_secret("out") : !denied;
    case CALL_TCP:
        return called || !way->calls;
    case CALL_LOCAL:
        return called_here || !way->calls;
    case WAIT: // an open that waits, or one that finds what is no file
        return outcome.end == EXEC_DEADLINE || !denied;
    case NONE:
        break;
    }
    return true;
}

// Who waits or calls never ends by itself, so it is given little time first; a busy machine may
// need more.
static void is_a_danger(const struct way *way, const char *name, enum danger danger) {
    if (!reaches(way, danger, 200) && !reaches(way, danger, PLENTY_MS / 5))
        fail_msg("%s %s is no danger: %s", way->what, name, outcome.err.data);
}

static void attack(enum danger danger) {
    if (!qemu_img.available)
        skip();
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++)
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            char name[400];
            if (names[n].danger != danger)
                continue;
            name_in_full(names[n].name, name);
            if (!ways[w].make(name))
                continue;
            nothing_is_reached(&ways[w], name);
            is_a_danger(&ways[w], name, danger);
            assert_int_equal(workdir_clear_case(&workdir, NULL), 0);
        }
}

static void files_outside_are_not_read(void **state) {
    (void)state;
    attack(LEAK);
    attack(NONE);
}
static void a_fifo_holds_nobody_up(void **state) {
    (void)state;
    attack(WAIT);
}
static void no_host_is_called(void **state) {
    (void)state;
    attack(CALL_TCP);
    attack(CALL_LOCAL);
}

// One inside the case directory may be opened: then the deadline ends it.
static void a_fifo_inside_meets_the_deadline(void **state) {
    (void)state;
    char path[400];
    if (!qemu_img.available)
        skip();
    snprintf(path, sizeof path, "%s/fifo", workdir.case_path);
    assert_int_equal(mkfifo(path, 0600), 0);
    run_line("convert -f raw -O raw fifo out", false, 200);
    assert_true(outcome.wall_us < PLENTY_MS * 1000);
    assert_int_not_equal(outcome.end == EXEC_EXITED ? outcome.value : 1, 0);
    assert_int_equal(workdir_clear_case(&workdir, NULL), 0);
}

static void nothing_outside_is_written(void **state) {
    (void)state;
    if (!qemu_img.available)
        skip();
    char path[400], bytes[64] = {0};
    snprintf(path, sizeof path, "%s/victim", outside);
    put_file(outside, "victim", SECRET, 4096);
    put_file(workdir.case_path, "zeros", "-", 65536);
    for (int unfenced = 0; unfenced < 2; unfenced++) {
        must("create -q -u -f qcow2 -F raw -b ../outside/victim x.img 64k");
        must("convert -n -f raw -O qcow2 zeros x.img");
        run_line("commit -q x.img", unfenced, PLENTY_MS);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        assert_int_equal(fread(bytes, 1, strlen(SECRET), file), strlen(SECRET));
        fclose(file);
        bool unchanged = !strcmp(bytes, SECRET);
        assert_int_equal(unchanged, !unfenced);
    }
}

static int listen_at(int family, const void *address, socklen_t length) {
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 || bind(fd, address, length) || listen(fd, 64) ? -1 : fd;
}

static int begin_attacks(void **state) {
    struct fault fault = {0};
    struct sockaddr_in port = {.sin_family = AF_INET};
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    socklen_t length = sizeof port;
    char fifo[400];
    if (begin(state) || tool_probe(&qemu_img, "qemu-img", TOOL_QEMU_IMG, &room, &fault) != 0)
        return -1;
    snprintf(outside, sizeof outside, "%s/outside", workdir.path);
    if (mkdir(outside, 0700))
        return -1;
    put_file(outside, "secret", SECRET, 4096);
    snprintf(fifo, sizeof fifo, "%s/fifo", outside);
    snprintf(path.sun_path, sizeof path.sun_path, "%.90s/socket", outside);
    port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    tcp = listen_at(AF_INET, &port, sizeof port);
    local = listen_at(AF_UNIX, &path, sizeof path);
    if (tcp < 0 || local < 0 || mkfifo(fifo, 0600) ||
        getsockname(tcp, (struct sockaddr *)&port, &length))
        return -1;
    snprintf(tcp_port, sizeof tcp_port, "%d", ntohs(port.sin_port));
    struct buffer words = {0};
    exec_fence_words(room.exec, &words);
    bool fenced = strstr(words.data, "no network, files (Landlock") != NULL;
    buffer_free(&words);
    if (!fenced)
        qemu_img.available = false; // nothing to hold here
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_outside_are_not_read),
        cmocka_unit_test(a_fifo_holds_nobody_up),
        cmocka_unit_test(no_host_is_called),
        cmocka_unit_test(a_fifo_inside_meets_the_deadline),
        cmocka_unit_test(nothing_outside_is_written),
    };
    int failed = cmocka_run_group_tests(tests, begin_attacks, end);
    exec_outcome_free(&outcome);
    return failed;
}
