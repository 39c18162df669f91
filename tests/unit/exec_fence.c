// SPDX-License-Identifier: Apache-2.0
//
// The fence holds. Each attack is made twice: without the fence it must succeed, so that the attack
// is one, and with it it must be refused with an error that a program can meet.
#include "tests/unit/exec_helper.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

static struct exec *exec;
static struct exec_outcome outcome;
static struct fault fault;
static char scratch[PATH_MAX], inside[PATH_MAX + 16];
static char rule_inside[PATH_MAX + 24], rule_self[PATH_MAX + 4];

// --- the attacks: 0, or -1 with errno -----------------------------------------------------------

static int close_or_fail(int fd) {
    return fd < 0 ? -1 : close(fd);
}

static int attack_read(const char *path) {
    return close_or_fail(open(path, O_RDONLY));
}
static int attack_list(const char *path) {
    return close_or_fail(open(path, O_RDONLY | O_DIRECTORY));
}
static int attack_write(const char *path) {
    return close_or_fail(open(path, O_WRONLY));
}
static int attack_create(const char *path) {
    return close_or_fail(open(path, O_WRONLY | O_CREAT, 0600));
}
static int attack_truncate(const char *path) {
    return truncate(path, 1);
}
static int attack_fifo(const char *path) {
    return mkfifo(path, 0600);
}
static int attack_link(const char *path) {
    return symlink("/etc/shadow", path);
}
static int attack_rename_out(const char *path) {
    return close_or_fail(open("mine", O_WRONLY | O_CREAT, 0600)) ? -1 : rename("mine", path);
}
static int attack_remove(const char *path) {
    return unlink(path);
}
static int attack_run(const char *path) {
    pid_t child = fork();
    int status = 1;
    if (!child) {
        execl(path, path, NULL);
        _exit(errno);
    }
    waitpid(child, &status, 0);
    errno = WEXITSTATUS(status);
    return status ? -1 : 0;
}

static int attack_by_child(const char *path) {
    pid_t child = fork();
    int status = 1;
    if (!child)
        _exit(attack_read(path) ? errno : 0);
    waitpid(child, &status, 0);
    errno = WEXITSTATUS(status);
    return status ? -1 : 0;
}

static int attack_tcp(const char *port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&to, sizeof to);
}

// "@name" is an abstract one.
static int attack_unix(const char *name) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    memcpy(to.sun_path, name, length);
    if (*name == '@')
        to.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return fd < 0 ? -1
                  : connect(fd, (struct sockaddr *)&to,
                            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
}

static int attack_udp(const char *unused) {
    (void)unused;
    return close_or_fail(socket(AF_INET6, SOCK_DGRAM, 0));
}
static int attack_netlink(const char *unused) {
    (void)unused;
    return close_or_fail(socket(AF_NETLINK, SOCK_RAW, 0));
}
static int attack_uring(const char *unused) {
    (void)unused;
    char parameters[120] = {0}; // struct io_uring_params
    return close_or_fail((int)syscall(425, 1, parameters));
}
static int attack_signal(const char *pid) {
    return kill(atoi(pid), 0);
}

static const struct attack {
    const char *name;
    int (*make)(const char *);
} attacks[] = {
    {"read", attack_read},     {"list", attack_list},         {"write", attack_write},
    {"create", attack_create}, {"truncate", attack_truncate}, {"fifo", attack_fifo},
    {"link", attack_link},     {"rename", attack_rename_out}, {"remove", attack_remove},
    {"run", attack_run},       {"child", attack_by_child},    {"tcp", attack_tcp},
    {"unix", attack_unix},     {"udp", attack_udp},           {"netlink", attack_netlink},
    {"uring", attack_uring},   {"signal", attack_signal},
};

static _Noreturn void attack_main(char **argv) {
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++)
        if (!strcmp(attacks[i].name, argv[0]))
            _exit(attacks[i].make(argv[1]) ? errno : 0);
    _exit(250);
}

// --- the tests ----------------------------------------------------------------------------------

static void make_file(const char *name) {
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    helper_write_file(path, "secret");
}

static int start(void **state) {
    (void)state;
    snprintf(scratch, sizeof scratch, "/tmp/exec_fence.XXXXXX");
    if (!mkdtemp(scratch))
        return -1;
    snprintf(inside, sizeof inside, "%s/inside", scratch);
    snprintf(rule_inside, sizeof rule_inside, "w%s", inside);
    snprintf(rule_self, sizeof rule_self, "x%s", helper_self());
    return mkdir(inside, 0700) || exec_start(&exec, helper_launcher(), NULL, &fault);
}

static int stop(void **state) {
    (void)state;
    exec_stop(exec);
    exec_outcome_free(&outcome);
    return workdir_remove_tree(scratch, NULL);
}

// The exit status of an attack: 0 or its errno. The sanitizers of this binary need /proc.
static int attack(const char *name, const char *what, bool fenced) {
    const char *argv[] = {"tool", "attack", name, what, NULL};
    const char *fence[] = {
        rule_inside, rule_self,           "x/lib",      "x/lib64",          "x/usr/lib",
        "r/proc",    "r/etc/ld.so.cache", "d/dev/null", "r/nowhere/at/all", NULL};
    struct exec_command command = HELPER("");
    command.argv = argv;
    command.directory = inside;
    command.fence = fenced ? fence : NULL;
    if (exec_run(exec, &command, &outcome, &fault))
        fail_msg("%s", fault.text);
    if (outcome.end != EXEC_EXITED)
        fail_msg("%s %s: ended by %d: %s", name, what, outcome.value, outcome.err.data);
    return outcome.value;
}

static void refused(const char *name, const char *what) {
    int fenced = attack(name, what, true), plain = attack(name, what, false);
    if (plain)
        fail_msg("%s %s is no attack: %s", name, what, strerror(plain));
    if (fenced != EACCES && fenced != EPERM && fenced != ENOSYS && fenced != EXDEV)
        fail_msg("%s %s was not refused: %s", name, what, strerror(fenced));
}

static void outside(const char *name, const char *file) {
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", scratch, file);
    refused(name, path);
}

static void requires_landlock(int abi) {
    if (exec->plain.fence.landlock < abi) {
        print_message("Landlock ABI %d is needed, there is %d\n", abi, exec->plain.fence.landlock);
        skip();
    }
}

static void requires_seccomp(void) {
    if (!exec->plain.fence.seccomp)
        skip();
}

static void files_outside_are_out_of_reach(void **state) {
    (void)state;
    requires_landlock(3);
    make_file("secret");
    outside("read", "secret");
    outside("child", "secret");
    outside("write", "secret");
    outside("truncate", "secret");
    outside("list", "");
    outside("create", "made");
    outside("fifo", "fifo");
    outside("link", "link");
    outside("rename", "moved");
    outside("remove", "secret");
    refused("read", "../moved");
    refused("read", "/etc/passwd");
    refused("list", "/sys");
    refused("run", "/bin/true");
}

static void the_case_directory_holds_plain_files_only(void **state) {
    (void)state;
    requires_landlock(1);
    assert_int_equal(attack("create", "image", true), 0);
    assert_int_equal(attack("read", "image", true), 0);
    assert_int_equal(attack("write", "image", true), 0);
    assert_int_equal(attack("truncate", "image", true), 0);
    assert_int_equal(attack("remove", "image", true), 0);
    refused("fifo", "fifo");
    refused("link", "link"); // made by the run without a fence
    make_file("moved");
    // A link leads no further than where it points to.
    assert_int_equal(attack("read", "link", true), EACCES);
}

static int listener(const struct sockaddr *address, socklen_t length) {
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, address, length), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

// A connection arrives without the fence, none with it.
static void nobody_connects(int fd, const char *name, const char *what) {
    attack(name, what, true);
    assert_int_equal(accept(fd, NULL, NULL), -1);
    refused(name, what);
    int connection = accept(fd, NULL, NULL);
    assert_true(connection >= 0);
    close(connection);
    close(fd);
}

static void no_host_is_reached(void **state) {
    (void)state;
    requires_seccomp();
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    int fd = listener((struct sockaddr *)&address, length);
    char port[8];
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(port, sizeof port, "%d", ntohs(address.sin_port));
    nobody_connects(fd, "tcp", port);
    refused("udp", "");
    refused("netlink", "");
}

static void no_local_socket_is_reached(void **state) {
    (void)state;
    requires_seccomp();
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.80s/socket", scratch);
    nobody_connects(listener((struct sockaddr *)&address, sizeof address), "unix",
                    address.sun_path);
    char name[32];
    int length = snprintf(name, sizeof name, "@exec_fence.%d", (int)getpid());
    memset(&address.sun_path, 0, sizeof address.sun_path);
    memcpy(address.sun_path + 1, name + 1, (size_t)length - 1);
    nobody_connects(listener((struct sockaddr *)&address,
                             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length)),
                    "unix", name);
}

// Where the kernel has none anyway, nothing is to be refused.
static void rings_make_no_sockets(void **state) {
    (void)state;
    requires_seccomp();
    assert_int_equal(attack("uring", "", true), ENOSYS);
    if (attack("uring", "", false))
        skip();
}

static void others_get_no_signals(void **state) {
    (void)state;
    requires_landlock(6);
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    refused("signal", pid);
}

// A rule holds on to a directory, not to its name.
static void a_directory_made_anew_is_inside(void **state) {
    (void)state;
    requires_landlock(1);
    assert_int_equal(attack("create", "image", true), 0);
    assert_int_equal(workdir_remove_tree(inside, NULL), 0);
    assert_int_equal(mkdir(inside, 0700), 0);
    assert_int_equal(attack("create", "image", true), 0);
}

static void more_fences_than_are_kept_work(void **state) {
    (void)state;
    requires_landlock(1);
    for (int i = 0; i < 40; i++) {
        char rule[32];
        snprintf(rule, sizeof rule, "r/nowhere/%d", i % 20);
        const char *argv[] = {"tool", "attack", "read", "/etc/passwd", NULL};
        const char *fence[] = {rule, rule_self, "x/lib", "x/lib64", "x/usr/lib", "r/proc", NULL};
        struct exec_command command = HELPER("");
        command.argv = argv;
        command.fence = fence;
        assert_int_equal(exec_run(exec, &command, &outcome, &fault), 0);
        assert_int_equal(outcome.value, EACCES);
    }
}

static void a_rule_without_a_meaning_is_an_error(void **state) {
    (void)state;
    requires_landlock(1);
    const char *fence[] = {"?/tmp", NULL};
    struct exec_command command = HELPER("exit", "0");
    command.fence = fence;
    assert_int_equal(exec_run(exec, &command, &outcome, &fault), -1);
    assert_non_null(strstr(fault.text, "cannot put up the fence around"));
}

static void it_is_told_in_words(void **state) {
    (void)state;
    static const struct {
        struct fence_state fence;
        bool unfenced;
        const char *words;
    } rows[] = {
        {{7, true, true}, false, "no network, files (Landlock ABI 7), processes (cgroup)"},
        {{6, true, true}, false, "no network, files (Landlock ABI 6), processes (cgroup)"},
        {{7, true, false},
         false,
         "no network, files (Landlock ABI 7); without a cap on processes: no pids cgroup can be "
         "made, they are counted"},
        {{5, true, true},
         false,
         "no network, files (Landlock ABI 5), processes (cgroup); without signals to others: "
         "Landlock is older than ABI 6"},
        {{1, true, true},
         false,
         "no network, files (Landlock ABI 1), processes (cgroup); without truncation of files "
         "outside: Landlock is older than ABI 3; ioctls of devices: Landlock is older than ABI 5; "
         "signals to others: Landlock is older than ABI 6"},
        {{4, false, false},
         false,
         "files (Landlock ABI 4); without network: the kernel has no seccomp filters for this "
         "machine; ioctls of devices: Landlock is older than ABI 5; signals to others: Landlock "
         "is older than ABI 6; a cap on processes: no pids cgroup can be made, they are counted"},
        {{0, true, true},
         false,
         "no network, processes (cgroup); without files: the kernel has no Landlock, or it is not "
         "switched on"},
        {{7, false, true},
         false,
         "files (Landlock ABI 7), processes (cgroup); without network: the kernel has no seccomp "
         "filters for this machine"},
        {{7, true, true}, true, "off: files and hosts that images name can be reached"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct exec told = {.plain = {.fence = rows[i].fence}, .unfenced = rows[i].unfenced};
        struct buffer words = {0};
        exec_fence_words(&told, &words);
        assert_string_equal(words.data, rows[i].words);
        buffer_free(&words);
    }
}

static void off_is_off(void **state) {
    (void)state;
    exec_fence_off(exec);
    assert_int_equal(attack("read", "/etc/passwd", true), 0);
}

int main(int argc, char **argv) {
    if (argc > 3 && !strcmp(argv[1], "attack"))
        attack_main(argv + 2);
    if (argc > 2 && !strcmp(argv[1], "helper"))
        helper_main(argv + 2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_outside_are_out_of_reach),
        cmocka_unit_test(the_case_directory_holds_plain_files_only),
        cmocka_unit_test(no_host_is_reached),
        cmocka_unit_test(no_local_socket_is_reached),
        cmocka_unit_test(rings_make_no_sockets),
        cmocka_unit_test(others_get_no_signals),
        cmocka_unit_test(a_directory_made_anew_is_inside),
        cmocka_unit_test(more_fences_than_are_kept_work),
        cmocka_unit_test(a_rule_without_a_meaning_is_an_error),
        cmocka_unit_test(it_is_told_in_words),
        cmocka_unit_test(off_is_off), // the last: it stays so
    };
    return cmocka_run_group_tests(tests, start, stop);
}
