// SPDX-License-Identifier: Apache-2.0
//
// One request and its answer, with a partner that the test plays and a clock that it sets: what
// comes late, what comes to another request, and what was there all along when we were stopped for
// an hour.
#include "tests/unit/exec_helper.h"

#include "exec/exchange.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

// In the C library's place (a program's own definition comes first).
static volatile time_t ahead_s;
int clock_gettime(clockid_t clock, struct timespec *now) {
    int status = (int)syscall(SYS_clock_gettime, clock, now);
    now->tv_sec += ahead_s;
    return status;
}

static int sockets[2];
static struct stream streams[2];
static struct buffer kept[2];
static bool cut[2];
static struct exchange exchange;
static struct fault fault;
static volatile sig_atomic_t answers; // what comes when we go on

static void answer(uint64_t number, uint32_t kind) {
    struct launcher_reply reply = {.number = number, .kind = kind, .status = 7};
    if (send(sockets[1], &reply, sizeof reply, 0) != sizeof reply)
        abort();
}

static int start(void **state) {
    (void)state;
    ahead_s = 0;
    answers = 0;
    fault = (struct fault){0};
    for (int i = 0; i < 2; i++) {
        if (stream_open(&streams[i], &fault))
            return -1;
        stream_aim(&streams[i], &kept[i], 100, &cut[i]);
    }
    exchange = (struct exchange){.number = 5,
                                 .deadline_ms = 1000,
                                 .program = "qemu-img",
                                 .partner = "the launcher",
                                 .out = &streams[0],
                                 .err = &streams[1]};
    int status = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets);
    exchange.socket = sockets[0];
    return status;
}

static int stop(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        stream_close(&streams[i]);
        buffer_free(&kept[i]);
        close(sockets[i]);
    }
    return 0;
}

// An hour later.
static void goes_on(int number) {
    (void)number;
    ahead_s = 3600;
    if (answers)
        answer(5, LAUNCHER_ENDED);
}

// As if we had been stopped in the middle of the wait: what ends it is a signal.
static void stopped_for_an_hour(void) {
    struct sigaction action = {.sa_handler = goes_on};
    struct itimerval soon = {.it_value.tv_usec = 50000};
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
}

static void an_answer_to_another_request_is_dropped(void **state) {
    (void)state;
    struct launcher_reply reply;
    assert_int_equal(write(streams[0].write_end, "words", 5), 5);
    answer(4, LAUNCHER_ENDED);
    answer(5, LAUNCHER_HELLO);
    answer(5, LAUNCHER_ENDED);
    assert_int_equal(exchange_wait(&exchange, &reply, &fault), 0);
    assert_int_equal(reply.number, 5);
    assert_int_equal(reply.kind, LAUNCHER_ENDED);
    assert_int_equal(kept[0].length, 5);
}

static void an_answer_that_was_there_after_an_hour_counts(void **state) {
    (void)state;
    struct launcher_reply reply;
    answers = 1;
    stopped_for_an_hour();
    if (exchange_wait(&exchange, &reply, &fault))
        fail_msg("%s", fault.text);
    assert_int_equal(reply.status, 7);
}

static void none_after_the_deadline_and_patience_is_a_fault(void **state) {
    (void)state;
    struct launcher_reply reply;
    stopped_for_an_hour();
    assert_int_equal(exchange_wait(&exchange, &reply, &fault), -1);
    assert_string_equal(fault.text, "the launcher could not end qemu-img in time");
}

static void a_partner_that_is_gone_is_a_fault(void **state) {
    (void)state;
    struct launcher_reply reply;
    shutdown(sockets[1], SHUT_RDWR);
    assert_int_equal(exchange_wait(&exchange, &reply, &fault), -1);
    assert_string_equal(fault.text, "the launcher died while it ran qemu-img");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_to_another_request_is_dropped, start, stop),
        cmocka_unit_test_setup_teardown(an_answer_that_was_there_after_an_hour_counts, start, stop),
        cmocka_unit_test_setup_teardown(none_after_the_deadline_and_patience_is_a_fault, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_partner_that_is_gone_is_a_fault, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
