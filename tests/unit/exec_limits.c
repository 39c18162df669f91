// SPDX-License-Identifier: Apache-2.0
//
// Tools that take too much: time, memory, space, processes, in their group and out of it. Each is
// stopped and told in words, nothing of it lives on, and the next command is none the worse.
#include "tests/unit/exec_helper.h"

#include <sys/mman.h>

#define MIB (1ull << 20)

static struct exec *capped, *counted; // with a cgroup, if one can be made, and without
static struct exec_outcome outcome;
static struct fault fault;
static char scratch[PATH_MAX];
static struct workdir workdir;

// --- what a tool does ---------------------------------------------------------------------------

static void take_memory(size_t bytes) {
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        _exit(95);
    memset(memory, 1, bytes);
}

// A moment is enough where nobody is to end it.
#define A_MOMENT_MS 300
#define FOR_LONG_MS 20000

static _Noreturn void take_memory_and_wait(size_t bytes, int wait_ms) {
    take_memory(bytes);
    poll(NULL, 0, wait_ms);
    _exit(0);
}

// Each of three takes a third; one of them is out of the group.
static _Noreturn void take_memory_together(size_t bytes) {
    for (int i = 0; i < 2; i++)
        if (!fork()) {
            if (i)
                setsid();
            take_memory_and_wait(bytes / 3, FOR_LONG_MS);
        }
    take_memory_and_wait(bytes / 3, FOR_LONG_MS);
}

// No more than the machine bears, should nobody stop it.
#define FORKS_AT_MOST 3000

static _Noreturn void fork_without_end(bool leave) {
    int *forks = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    while (__atomic_fetch_add(forks, 1, __ATOMIC_RELAXED) < FORKS_AT_MOST)
        if (!fork() && leave)
            setsid();
    helper_sleep();
}

// One alive at a time, each in a session of its own, never long under one number. The dead, for
// whom nobody waits, count.
static _Noreturn void run_away(void) {
    for (int i = 0; i < FORKS_AT_MOST && !fork(); i++)
        setsid();
    _exit(0);
}

static void leave_one_that_runs_away(void) {
    pid_t child = fork();
    if (!child)
        run_away();
    pause();
}

static _Noreturn void fill_directory(void) {
    static char block[1 << 20];
    for (int i = 0;; i++) {
        char name[32];
        snprintf(name, sizeof name, "file%d", i);
        int fd = open(name, O_WRONLY | O_CREAT, 0600);
        helper_write(fd, block, sizeof block);
        close(fd);
    }
}

static void put_away(int number) {
    (void)number;
    close(open("put-away", O_WRONLY | O_CREAT, 0600));
    _exit(0);
}

static _Noreturn void thread_refused(void) { // a program that gives up when it may not fork
    for (;;) {
        pid_t child = fork();
        if (child < 0)
            _exit(1);
        if (!child)
            helper_sleep();
    }
}

static void tool_main(const char *mode, const char *size) {
    if (!strcmp(mode, "stubborn")) {
        signal(SIGTERM, SIG_IGN);
        helper_sleep();
    }
    if (!strcmp(mode, "tidy")) {
        signal(SIGTERM, put_away);
        helper_sleep();
    }
    if (!strcmp(mode, "memory"))
        take_memory_and_wait((size_t)atol(size), FOR_LONG_MS);
    if (!strcmp(mode, "memory-for-a-moment"))
        take_memory_and_wait((size_t)atol(size), A_MOMENT_MS);
    if (!strcmp(mode, "memory-together"))
        take_memory_together((size_t)atol(size));
    if (!strcmp(mode, "bomb"))
        fork_without_end(false);
    if (!strcmp(mode, "bomb-outside"))
        fork_without_end(true);
    if (!strcmp(mode, "run-away"))
        leave_one_that_runs_away();
    if (!strcmp(mode, "gives-up"))
        thread_refused();
    if (!strcmp(mode, "fill"))
        fill_directory();
}

// --- the tests ----------------------------------------------------------------------------------

static int start(void **state) {
    (void)state;
    snprintf(scratch, sizeof scratch, "/dev/shm/exec_limits.XXXXXX");
    return !mkdtemp(scratch) || workdir_create(&workdir, scratch, &fault) ||
           exec_start(&capped, helper_launcher(), workdir.path, &fault) ||
           exec_start(&counted, helper_launcher(), NULL, &fault);
}

static int stop(void **state) {
    (void)state;
    exec_stop(capped);
    exec_stop(counted);
    workdir_remove(&workdir);
    exec_outcome_free(&outcome);
    return workdir_remove_tree(scratch, NULL);
}

static bool nobody_is_below(const struct exec *exec) {
    char path[64], text[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)exec->plain.launcher,
             (int)exec->plain.launcher);
    FILE *file = fopen(path, "re");
    size_t length = file ? fread(text, 1, sizeof text, file) : 1;
    if (file)
        fclose(file);
    return !length;
}

// Ends as `words` say, leaves nobody, and the next command runs. What was killed may not get to its
// end in the launcher's patience where the machine is busy: then it is gone with one of the next
// commands.
static void ends(struct exec *exec, struct exec_command command, const char *words) {
    struct buffer text = {0};
    command.directory = workdir.case_path;
    if (exec_run(exec, &command, &outcome, &fault))
        fail_msg("%s", fault.text);
    exec_outcome_words(&outcome, &text);
    assert_string_equal(text.data, words);
    buffer_free(&text);
    bool alone = nobody_is_below(exec);
    uint64_t wall = outcome.wall_us;
    static const char *const argv[] = {"tool", "helper", "exit", "3", NULL};
    struct exec_command next = command;
    next.argv = argv;
    next.deadline_ms = HELPER_DEADLINE_MS;
    next.limits.space = 0; // what was written is still there
    if (!alone)
        next.limits = (struct exec_limits){0};
    for (int more = 0; more == 0 || (!alone && more < 20); more++) {
        assert_int_equal(exec_run(exec, &next, &outcome, &fault), 0);
        assert_int_equal(outcome.end, EXEC_EXITED);
        assert_int_equal(outcome.value, 3);
        alone = nobody_is_below(exec);
    }
    assert_true(alone);
    outcome.wall_us = wall;
}

// A busy machine may spoil a time, and lets a tool begin when its deadline has passed: then it is
// given twice that.
#define FOR_EACH_DEADLINE(ms) for (unsigned ms = 200; ms < 20000; ms *= 2)

static void ends_at(struct exec_command command, unsigned deadline_ms) {
    char words[64];
    snprintf(words, sizeof words, "killed after %u ms", deadline_ms);
    command.deadline_ms = deadline_ms;
    ends(counted, command, words);
}

// Does it pass its deadline by so much?
static bool passes_it_by(const char *mode, uint64_t least_us, uint64_t most_us) {
    FOR_EACH_DEADLINE(ms) {
        ends_at(HELPER(mode), ms);
        uint64_t by_us = outcome.wall_us - ms * 1000;
        if (outcome.wall_us >= ms * 1000 && by_us >= least_us && by_us < most_us)
            return true;
    }
    return false;
}

static void a_tool_that_ignores_sigterm_is_killed(void **state) {
    (void)state;
    assert_true(passes_it_by("stubborn", 190000, 1300000));
}

static void a_tool_that_does_not_is_given_no_longer_than_it_takes(void **state) {
    (void)state;
    assert_true(passes_it_by("sleep", 0, 190000));
}

// It gets to put its things away; that it then says "exit 0" is no answer.
static void what_is_said_after_the_deadline_does_not_count(void **state) {
    (void)state;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/put-away", workdir.case_path);
    FOR_EACH_DEADLINE(ms) {
        ends_at(HELPER("tidy"), ms);
        if (!unlink(path))
            return;
    }
    fail_msg("it was given no time");
}

static void memory_is_watched(void **state) {
    (void)state;
    struct exec_command command = HELPER("memory", "268435456");
    command.limits.memory = 128 * MIB;
    ends(counted, command, "killed for more than 128 MiB of memory");
    command = HELPER("memory-for-a-moment", "268435456");
    command.limits.memory = 1024 * MIB;
    ends(counted, command, "exit 0");
    command.limits.memory = 0;
    ends(counted, command, "exit 0");
}

static void memory_of_a_family_is_added_up(void **state) {
    (void)state;
    struct exec_command command = HELPER("memory-together", "402653184");
    command.limits.memory = 256 * MIB;
    ends(counted, command, "killed for more than 256 MiB of memory");
}

static void space_is_watched(void **state) {
    (void)state;
    struct exec_command command = HELPER("fill");
    command.limits.space = 16 * MIB;
    ends(counted, command, "killed for more than 16 MiB of files");
    assert_int_equal(workdir_clear_case(&workdir, &fault), 0);
}

static void a_fork_bomb_is_ended(void **state) {
    (void)state;
    static const char *const modes[] = {"bomb", "bomb-outside"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct exec_command command = HELPER(modes[i]);
        command.limits.processes = 40;
        ends(counted, command, "ended at more than 40 processes");
        command = HELPER(modes[i]);
        command.limits.processes = 40;
        ends(capped, command, "ended at more than 40 processes");
    }
}

static void who_runs_away_is_caught(void **state) {
    (void)state;
    struct exec *const both[] = {counted, capped};
    for (int i = 0; i < 2; i++) {
        struct exec_command command = HELPER("run-away");
        command.limits.processes = 40;
        ends(both[i], command, "ended at more than 40 processes");
    }
}

static void requires_a_cap(void) {
    if (!capped->plain.fence.processes) {
        print_message("no pids cgroup can be made here\n");
        skip();
    }
}

// A status that it would not have ended with otherwise is not its own.
static void a_tool_that_was_refused_a_process_has_met_the_limit(void **state) {
    (void)state;
    requires_a_cap();
    struct exec_command command = HELPER("gives-up");
    command.limits.processes = 8;
    ends(capped, command, "ended at more than 8 processes");
    command = HELPER("exit", "1");
    command.limits.processes = 8;
    ends(capped, command, "exit 1");
}

// The directory of the launcher's cgroup, below whichever mount has it.
static void cgroup_of(const struct exec *exec, char path[static PATH_MAX]) {
    static const char *const mounts[] = {"/sys/fs/cgroup/pids", "/sys/fs/cgroup"};
    char name[64], line[PATH_MAX];
    snprintf(name, sizeof name, "/proc/%d/cgroup", (int)exec->plain.launcher);
    FILE *file = fopen(name, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        const char *own = strstr(line, WORKDIR_PREFIX) ? strrchr(line, ':') + 1 : NULL;
        for (size_t i = 0; own && i < sizeof mounts / sizeof *mounts; i++) {
            snprintf(path, PATH_MAX, "%s%.200s", mounts[i], own);
            if (!access(path, F_OK)) {
                fclose(file);
                return;
            }
        }
    }
    fail_msg("the launcher is in no cgroup of its own");
}

static void the_cgroup_goes_with_its_launcher(void **state) {
    (void)state;
    requires_a_cap();
    char path[PATH_MAX];
    struct workdir other;
    struct exec *exec;
    assert_int_equal(workdir_create(&other, scratch, &fault), 0);
    assert_int_equal(exec_start(&exec, helper_launcher(), other.path, &fault), 0);
    cgroup_of(exec, path);
    exec_stop(exec);
    assert_int_equal(access(path, F_OK), -1);

    // Killed and never replaced: whoever removes the directory removes it.
    assert_int_equal(exec_start(&exec, helper_launcher(), other.path, &fault), 0);
    cgroup_of(exec, path);
    kill(exec->plain.launcher, SIGKILL);
    exec_stop(exec);
    assert_int_equal(access(path, F_OK), 0);
    workdir_remove(&other);
    assert_int_equal(access(path, F_OK), -1);
}

// Nobody sweeps a directory that is gone; the next launcher finds what was its.
static void a_cgroup_without_its_directory_is_removed(void **state) {
    (void)state;
    requires_a_cap();
    char path[PATH_MAX];
    struct workdir other;
    struct exec *exec;
    assert_int_equal(workdir_create(&other, scratch, &fault), 0);
    assert_int_equal(exec_start(&exec, helper_launcher(), other.path, &fault), 0);
    cgroup_of(exec, path);
    kill(exec->plain.launcher, SIGKILL);
    exec_stop(exec);
    assert_int_equal(workdir_remove_tree(other.path, NULL), 0);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(exec_start(&exec, helper_launcher(), workdir.path, &fault), 0);
    assert_int_equal(access(path, F_OK), -1);
    exec_stop(exec);
    close(other.lock);
}

static void a_replaced_launcher_is_capped_again(void **state) {
    (void)state;
    requires_a_cap();
    struct pollfd wait = {.fd = capped->plain.socket};
    kill(capped->plain.launcher, SIGKILL);
    assert_int_equal(poll(&wait, 1, HELPER_MAX_WAIT_MS), 1);
    struct exec_command command = HELPER("gives-up");
    command.limits.processes = 8;
    ends(capped, command, "ended at more than 8 processes");
}

int main(int argc, char **argv) {
    if (argc > 2 && !strcmp(argv[1], "helper")) {
        tool_main(argv[2], argv[3]);
        helper_main(argv + 2);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tool_that_ignores_sigterm_is_killed),
        cmocka_unit_test(a_tool_that_does_not_is_given_no_longer_than_it_takes),
        cmocka_unit_test(what_is_said_after_the_deadline_does_not_count),
        cmocka_unit_test(memory_is_watched),
        cmocka_unit_test(memory_of_a_family_is_added_up),
        cmocka_unit_test(space_is_watched),
        cmocka_unit_test(a_fork_bomb_is_ended),
        cmocka_unit_test(who_runs_away_is_caught),
        cmocka_unit_test(a_tool_that_was_refused_a_process_has_met_the_limit),
        cmocka_unit_test(the_cgroup_goes_with_its_launcher),
        cmocka_unit_test(a_cgroup_without_its_directory_is_removed),
        cmocka_unit_test(a_replaced_launcher_is_capped_again),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
