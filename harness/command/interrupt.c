// SPDX-License-Identifier: Apache-2.0
//
// Notes an interruption and does nothing else: the loops look at it between two cases.
#include "command/interrupt.h"

#include <unistd.h>

volatile sig_atomic_t interrupted;

static void interrupt(int number) {
    if (!interrupted)
        interrupted = number;
}

void interrupt_catch(void) {
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void interrupt_after(unsigned seconds) {
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGALRM, &action, NULL);
    alarm(seconds);
}
