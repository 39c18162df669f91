// SPDX-License-Identifier: Apache-2.0
//
// A tool for the tests of warm processes: it reads its options with getopt_long, as qemu-img does,
// and does what its words say, one after the other. What it counts in memory tells how often one
// process has been used; everything else must look the same however it is run.
//
//   subject [-v] WORD...
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int subject_runs; // of this process
static const char *subject_name;

static void say_arguments(int argc, char **argv) {
    for (int i = 0; i < argc; i++)
        printf("[%s]", argv[i]);
}

static void say_environment(void) {
    for (char **at = environ; *at; at++)
        printf("%s\n", *at);
}

static void say_descriptors(void) {
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            printf("%d ", fd);
}

// A child that stays: in the group of its parent, in one of its own, in a session of its own, or in
// such a session and orphaned. Says its number.
enum leave { LEAVE_CHILD, LEAVE_LONER, LEAVE_STRANGER, LEAVE_DAEMON };

static void leave_child(enum leave how) {
    int ready[2];
    pid_t child, left = 0;
    if (pipe(ready))
        exit(9);
    if (!(child = fork())) {
        if (how == LEAVE_LONER)
            setpgid(0, 0);
        if (how >= LEAVE_STRANGER)
            setsid();
        if (how == LEAVE_DAEMON && fork())
            _exit(0);
        left = getpid();
        (void)!write(ready[1], &left, sizeof left);
        for (;;)
            pause();
    }
    (void)!read(ready[0], &left, sizeof left);
    if (how == LEAVE_DAEMON)
        waitpid(child, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    printf(" %d", (int)left);
}

// A child that leaves as main() does.
static void have_child(void) {
    int status = -1;
    pid_t child = fork();
    if (!child)
        exit(0);
    waitpid(child, &status, 0);
    printf("child %d", status);
}

// Leaves the second of two descriptors open.
static void leave_gap(void) {
    int first = open("/dev/null", O_RDONLY), second = open("/dev/null", O_RDONLY);
    if (first >= 0 && second >= 0)
        close(first);
}

static void *late_thread(void *unused) {
    (void)unused;
    usleep(30000);
    (void)!write(1, "late", 4);
    return NULL;
}

// A thread that writes when the command is long over.
static void write_late(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, late_thread, NULL);
    pthread_detach(thread);
}

static void flood(size_t each) {
    static char block[65536];
    memset(block, 'f', sizeof block);
    for (size_t done = 0; done < each; done += sizeof block) {
        fwrite(block, 1, sizeof block, stdout);
        fwrite(block, 1, sizeof block, stderr);
    }
}

static void grow(void) {
    static char block[65536];
    int fd = open("grown", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    while (write(fd, block, sizeof block) > 0)
        ;
    fprintf(stderr, "%s: grown: %s\n", subject_name, strerror(errno));
    exit(1);
}

// Slowly enough for whoever looks every 50 ms.
static void eat(void) {
    for (int i = 0; i < 256; i++, usleep(10000)) {
        char *piece = malloc(4 << 20);
        if (!piece)
            exit(8);
        memset(piece, 1, 4 << 20);
    }
}

static void fill(void) {
    static char block[1 << 20];
    int fd = open("filled", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (int i = 0; i < 256; i++, usleep(5000))
        if (write(fd, block, sizeof block) < 0)
            exit(8);
}

static void multiply(void) {
    for (int i = 0; i < 1000; i++, usleep(500))
        if (!fork())
            for (;;)
                pause();
}

static void spin(void) {
    for (volatile unsigned turn = 0;; turn++)
        ;
}

static void obey(const char *word) {
    if (!strncmp(word, "exit", 4))
        exit(atoi(word + 4));
    if (!strncmp(word, "raise", 5))
        raise(atoi(word + 5));
    if (!strcmp(word, "runs"))
        printf("%d", subject_runs);
    if (!strcmp(word, "pid"))
        printf("%d", (int)getpid());
    if (!strcmp(word, "leader"))
        printf("%d", getpgid(0) == getpid());
    if (!strcmp(word, "environment"))
        say_environment();
    if (!strcmp(word, "descriptors"))
        say_descriptors();
    if (!strcmp(word, "leak"))
        (void)!open("/dev/null", O_RDONLY);
    if (!strcmp(word, "gap"))
        leave_gap();
    if (!strcmp(word, "late"))
        write_late();
    if (!strcmp(word, "child"))
        leave_child(LEAVE_CHILD);
    if (!strcmp(word, "loner"))
        leave_child(LEAVE_LONER);
    if (!strcmp(word, "stranger"))
        leave_child(LEAVE_STRANGER);
    if (!strcmp(word, "daemon"))
        leave_child(LEAVE_DAEMON);
    if (!strcmp(word, "parent"))
        have_child();
    if (!strcmp(word, "complain"))
        fprintf(stderr, "%s: complaint\n", subject_name);
    if (!strcmp(word, "flush"))
        fflush(stdout);
    if (!strcmp(word, "flood"))
        flood(1 << 20);
    if (!strcmp(word, "grow"))
        grow();
    if (!strcmp(word, "begin")) // for who waits until it has
        close(open("begun", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (!strcmp(word, "eat"))
        eat();
    if (!strcmp(word, "fill"))
        fill();
    if (!strcmp(word, "multiply"))
        multiply();
    if (!strcmp(word, "spin"))
        spin();
    if (!strcmp(word, "deaf"))
        signal(SIGTERM, SIG_IGN);
    if (!strcmp(word, "bereave")) { // ends the process that it was forked from
        kill(getppid(), SIGKILL);
        pause();
    }
    if (!strcmp(word, "sleep"))
        for (;;)
            pause();
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"verbose", no_argument, NULL, 'v'}, {0}};
    int verbose = 0, option;
    char local[64] = "untouched"; // must be so at each beginning
    subject_name = argv[0];
    while ((option = getopt_long(argc, argv, "+v", options, NULL)) != -1)
        if (option == 'v')
            verbose++;
        else
            return 2;
    subject_runs++;
    if (verbose)
        say_arguments(argc - optind, argv + optind);
    if (verbose > 1)
        printf("%s", local);
    memset(local, 'x', sizeof local - 1);
    for (argv += optind; *argv; argv++)
        obey(*argv);
    return 0;
}
