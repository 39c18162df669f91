// SPDX-License-Identifier: Apache-2.0
//
// The case directory: where it is made, that clearing and removing it copes with what tools leave
// behind, and that the sweep takes the dead ones' and never a living one's.
#include "tests/unit/exec_helper.h"

#include <linux/magic.h>
#include <sys/file.h>
#include <sys/vfs.h>

#define NOBODY 65534

static struct fault fault;
static char scratch[64];

static int start(void **state) {
    (void)state;
    snprintf(scratch, sizeof scratch, "/tmp/exec_workdir.XXXXXX");
    return mkdtemp(scratch) && !chmod(scratch, 0777) ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    return workdir_remove_tree(scratch, NULL);
}

static void in_scratch(char *path, size_t room, const char *name) {
    assert_true(snprintf(path, room, "%s/%s", scratch, name) < (int)room);
}

static bool exists(const char *path) {
    struct stat status;
    return !lstat(path, &status);
}

static bool is_empty(const char *path) {
    if (rmdir(path))
        return false;
    return !mkdir(path, 0700);
}

static void create(struct workdir *workdir) {
    if (workdir_create(workdir, scratch, &fault))
        fail_msg("%s", fault.text);
}

// Runs `act` in a child, without root's freedom from permissions if we have it. Returns its
// result, or -1 if it ended otherwise.
static int as_somebody(int (*act)(const char *path), const char *path) {
    pid_t child = fork();
    if (!child) {
        if (!getuid() && (setgid(NOBODY) || setuid(NOBODY)))
            _exit(100);
        _exit(act(path));
    }
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void directories_are_made_and_removed(void **state) {
    (void)state;
    struct workdir workdir;
    create(&workdir);
    char begin[128];
    snprintf(begin, sizeof begin, "%s/instar-fuzz.%d.", scratch, (int)getpid());
    assert_int_equal(strncmp(workdir.path, begin, strlen(begin)), 0);
    assert_true(is_empty(workdir.case_path));
    assert_true(is_empty(workdir.home_path));
    assert_true(is_empty(workdir.bin_path));
    struct stat status;
    assert_int_equal(stat(workdir.path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    workdir_remove(&workdir);
    assert_false(exists(workdir.path));
}

static void put_file(const char *folder, const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    assert_true(fd >= 0);
    close(fd);
}

static bool has_file(const char *folder, const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return exists(path);
}

static void what_is_kept_is_out_of_the_way_until_something_else_is(void **state) {
    (void)state;
    struct workdir workdir;
    create(&workdir);
    put_file(workdir.case_path, "src.raw");
    assert_int_equal(workdir_keep_case(&workdir, &fault), 0);
    assert_true(is_empty(workdir.case_path));
    assert_int_equal(workdir_clear_case(&workdir, &fault), 0);
    assert_true(has_file(workdir.kept_path, "src.raw"));
    put_file(workdir.case_path, "src.vpc");
    assert_int_equal(workdir_keep_case(&workdir, &fault), 0);
    assert_true(has_file(workdir.kept_path, "src.vpc"));
    assert_false(has_file(workdir.kept_path, "src.raw"));
    workdir_remove(&workdir);
    assert_false(exists(workdir.path));
}

static void shared_memory_is_preferred(void **state) {
    (void)state;
    struct statfs filesystem;
    if (statfs("/dev/shm", &filesystem) || filesystem.f_type != TMPFS_MAGIC ||
        access("/dev/shm", W_OK))
        skip();
    struct workdir workdir;
    assert_int_equal(workdir_create(&workdir, NULL, &fault), 0);
    bool there = !strncmp(workdir.path, "/dev/shm/", 9) && workdir.on_tmpfs;
    workdir_remove(&workdir);
    assert_true(there);
}

static int create_is_refused(const char *parent) {
    struct workdir workdir;
    if (!workdir_create(&workdir, parent, &fault))
        return 1;
    return strstr(fault.text, parent) && strlen(fault.text) > strlen(parent) + 10 ? 0 : 2;
}

static void a_parent_that_will_not_do_is_refused(void **state) {
    (void)state;
    char path[128];
    assert_int_equal(create_is_refused("/nonexistent"), 0);
    in_scratch(path, sizeof path, "file");
    helper_write_file(path, "");
    assert_int_equal(create_is_refused(path), 0);
    in_scratch(path, sizeof path, "closed");
    mkdir(path, 0500);
    assert_int_equal(as_somebody(create_is_refused, path), 0);
    in_scratch(path, sizeof path, "deep");
    static char deep[400];
    snprintf(deep, sizeof deep, "%s/%0230d", scratch, 7);
    mkdir(deep, 0700);
    assert_int_equal(create_is_refused(deep), 0);
}

// What a tool under test may leave: modes that forbid everything, odd names, links, a fifo.
static void make_hostile(int directory) {
    static const char *const files[] = {"plain", "a\nb", "\xff\xfe", "-rf", "*"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        close(openat(directory, files[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0));
    mkfifoat(directory, "fifo", 0);
    (void)!symlinkat("loop", directory, "loop");
    static const mode_t modes[] = {0000, 0100, 0200, 0300, 0400, 0500, 0600, 0700};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        char name[16];
        snprintf(name, sizeof name, "dir%o", (unsigned)modes[i]);
        mkdirat(directory, name, 0700);
        int inner = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(openat(inner, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0));
        mkdirat(inner, "empty", 0);
        fchmod(inner, modes[i]);
        close(inner);
    }
}

static int remove_hostile(const char *path) {
    if (mkdir(path, 0700))
        return 1;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    make_hostile(directory);
    fchmod(directory, 0);
    close(directory);
    struct fault why;
    if (workdir_remove_tree(path, &why)) {
        fprintf(stderr, "%s\n", why.text);
        return 2;
    }
    return exists(path) ? 3 : 0;
}

static void any_tree_is_removed(void **state) {
    (void)state;
    char path[128];
    in_scratch(path, sizeof path, "hostile");
    assert_int_equal(as_somebody(remove_hostile, path), 0);
    assert_int_equal(remove_hostile(path), 0);
    assert_int_equal(workdir_remove_tree(path, &fault), 0); // not there: fine
}

static void many_entries_and_deep_trees_are_removed(void **state) {
    (void)state;
    char path[128];
    in_scratch(path, sizeof path, "large");
    mkdir(path, 0700);
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 3000; i++) {
        char name[64];
        snprintf(name, sizeof name, "%040d", i);
        close(openat(directory, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    }
    int at = dup(directory);
    for (int i = 0; i < 150; i++) {
        mkdirat(at, "d", 0700);
        int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(at);
        at = next;
    }
    close(at);
    close(directory);
    assert_int_equal(workdir_remove_tree(path, &fault), 0);
    assert_false(exists(path));
}

static void links_are_not_followed(void **state) {
    (void)state;
    char victim[128], kept[160], tree[128], link[160];
    in_scratch(victim, sizeof victim, "victim");
    snprintf(kept, sizeof kept, "%s/kept", victim);
    mkdir(victim, 0700);
    helper_write_file(kept, "x");
    chmod(victim, 0500);
    in_scratch(tree, sizeof tree, "tree");
    snprintf(link, sizeof link, "%s/link", tree);
    mkdir(tree, 0700);
    assert_int_equal(symlink(victim, link), 0);
    assert_int_equal(workdir_remove_tree(tree, &fault), 0);
    assert_true(exists(kept));
    // The tree itself given by a link is no tree.
    assert_int_equal(symlink(victim, tree), 0);
    assert_int_equal(workdir_remove_tree(tree, &fault), -1);
    assert_true(exists(kept));
    struct stat status;
    stat(victim, &status);
    assert_int_equal(status.st_mode & 07777, 0500);
}

static void senseless_paths_are_refused(void **state) {
    (void)state;
    static const char *const paths[] = {"", "/", "//", "/.", "/..", "relative", "."};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_int_equal(workdir_remove_tree(paths[i], &fault), -1);
}

static void clearing_empties_the_case_and_nothing_else(void **state) {
    (void)state;
    struct workdir workdir;
    create(&workdir);
    char home_file[300];
    snprintf(home_file, sizeof home_file, "%s/file", workdir.home_path);
    helper_write_file(home_file, "x");
    for (int round = 0; round < 2; round++) {
        int directory = open(workdir.case_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        make_hostile(directory);
        fchmod(directory, 0500);
        close(directory);
        assert_int_equal(workdir_clear_case(&workdir, &fault), 0);
        struct stat status;
        stat(workdir.case_path, &status);
        assert_int_equal(status.st_mode & 07777, 0700);
        assert_true(is_empty(workdir.case_path));
    }
    rmdir(workdir.case_path);
    assert_int_equal(workdir_clear_case(&workdir, &fault), 0);
    assert_true(is_empty(workdir.case_path));
    assert_true(exists(home_file));
    workdir_remove(&workdir);
}

static void the_sweep_takes_the_dead_and_keeps_the_living(void **state) {
    (void)state;
    char dead[128], dead_child[160], reused[128], other[128], locked[128];
    // No process has this pid; our own, as if it had been given to us after the owner's death.
    in_scratch(dead, sizeof dead, "instar-fuzz.99999999.abcdef01");
    snprintf(dead_child, sizeof dead_child, "%s/case", dead);
    snprintf(reused, sizeof reused, "%s/instar-fuzz.%d.abcdef01", scratch, (int)getpid());
    in_scratch(other, sizeof other, "somebody.99999999.abcdef01");
    // A pid that we cannot see, as from another namespace, but alive: it has its lock.
    in_scratch(locked, sizeof locked, "instar-fuzz.99999998.abcdef01");
    assert_int_equal(mkdir(dead, 0700) | mkdir(dead_child, 0) | mkdir(reused, 0700) |
                         mkdir(other, 0700) | mkdir(locked, 0700),
                     0);
    int lock = open(locked, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);

    struct workdir first, second;
    create(&first);
    assert_false(exists(dead));
    assert_false(exists(reused));
    assert_true(exists(other));
    assert_true(exists(locked));
    create(&second);
    assert_true(exists(first.case_path));
    assert_true(exists(locked));
    close(lock);
    workdir_remove(&second);
    create(&second);
    assert_false(exists(locked));
    workdir_remove(&first);
    workdir_remove(&second);
}

// A name that begins like ours and is a person's: what git clone --mirror makes, for one.
static void what_a_person_named_is_not_swept(void **state) {
    (void)state;
    static const char *const names[] = {"instar-fuzz.git",         "instar-fuzz.",
                                        "instar-fuzz.old",         "instar-fuzz.1.abcdef0",
                                        "instar-fuzz.1.abcdef012", "instar-fuzz.1.ABCDEF01",
                                        "instar-fuzz.x.abcdef01",  "instar-fuzz..abcdef01",
                                        "instar-fuzz.1.abcdef01.", "instar-fuzz.1.abcdef01.bak",
                                        "instar-fuzz.1.abcdef01~"};
    struct workdir workdir;
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_false(workdir_name_fits(names[i]));
        in_scratch(path, sizeof path, names[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    create(&workdir);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        in_scratch(path, sizeof path, names[i]);
        assert_int_equal(rmdir(path), 0);
    }
    assert_true(workdir_name_fits(workdir.path));
    workdir_remove(&workdir);
    assert_true(workdir_name_fits("/x/instar-fuzz.17.abcdef01"));
    assert_true(workdir_name_fits("instar-fuzz.17.abcdef01.4711")); // a cgroup
}

// A forked child (AFL++ forks its persistent children) shares its parent's directory.
static void a_forked_child_keeps_the_directory(void **state) {
    (void)state;
    int tell[2], hold[2];
    assert_int_equal(pipe2(tell, O_CLOEXEC) | pipe2(hold, O_CLOEXEC), 0);
    pid_t owner = fork();
    if (!owner) {
        struct workdir workdir;
        create(&workdir);
        if (!fork()) {
            char byte;
            workdir_remove(&workdir); // not its own
            helper_write(tell[1], workdir.path, sizeof workdir.path);
            close(hold[1]);
            (void)!read(hold[0], &byte, 1);
        }
        _exit(0);
    }
    waitpid(owner, NULL, 0);
    char path[sizeof(struct workdir)];
    assert_true(read(tell[0], path, sizeof path) > 0);
    struct workdir other;
    create(&other);
    assert_true(exists(path)); // the owner is dead, its child is not
    workdir_remove(&other);
    close(hold[1]);
    for (int waited = 0; exists(path) && waited < HELPER_MAX_WAIT_MS; waited += 2) {
        create(&other);
        workdir_remove(&other);
        poll(NULL, 0, 2);
    }
    assert_false(exists(path));
    close(hold[0]);
    close(tell[0]);
    close(tell[1]);
}

// Every start sweeps, so many starts at once hit the moment between making and locking.
static void starts_at_the_same_time_do_not_sweep_each_other(void **state) {
    (void)state;
    pid_t children[4];
    for (size_t i = 0; i < 4; i++) {
        children[i] = fork();
        if (children[i])
            continue;
        for (int round = 0; round < 300; round++) {
            struct workdir workdir;
            if (workdir_create(&workdir, scratch, &fault)) {
                fprintf(stderr, "%s\n", fault.text);
                _exit(1);
            }
            if (!exists(workdir.case_path) || !exists(workdir.bin_path))
                _exit(2);
            workdir_remove(&workdir);
        }
        _exit(0);
    }
    for (size_t i = 0; i < 4; i++) {
        int status;
        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
}

int main(int argc, char **argv) {
    if (argc > 2 && !strcmp(argv[1], "helper"))
        helper_main(argv + 2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directories_are_made_and_removed),
        cmocka_unit_test(what_is_kept_is_out_of_the_way_until_something_else_is),
        cmocka_unit_test(shared_memory_is_preferred),
        cmocka_unit_test(a_parent_that_will_not_do_is_refused),
        cmocka_unit_test(any_tree_is_removed),
        cmocka_unit_test(many_entries_and_deep_trees_are_removed),
        cmocka_unit_test(links_are_not_followed),
        cmocka_unit_test(senseless_paths_are_refused),
        cmocka_unit_test(clearing_empties_the_case_and_nothing_else),
        cmocka_unit_test(the_sweep_takes_the_dead_and_keeps_the_living),
        cmocka_unit_test(what_a_person_named_is_not_swept),
        cmocka_unit_test(a_forked_child_keeps_the_directory),
        cmocka_unit_test(starts_at_the_same_time_do_not_sweep_each_other),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
