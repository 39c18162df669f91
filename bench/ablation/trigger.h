// SPDX-License-Identifier: Apache-2.0
//
// Which lies would have changed an answer of the stand-in in this case? The case runs as the
// harness runs it, but nobody judges, and of qemu-img only those conversions are run whose output a
// later step reads. Each command of the stand-in is run honestly and then once more for each lie
// that it asked about, on the same files.
//
// That is exact in one direction: up to the first answer that a lie changes, a campaign with that
// lie has the same files as the honest one, so a case in which no answer changes is the same case
// with the lie, and nothing can be found in it.
#ifndef ABLATION_TRIGGER_H
#define ABLATION_TRIGGER_H

#include "base/fault.h"

#include <stddef.h>
#include <stdint.h>

struct trigger {
    uint32_t wanted;    // in: a bit for each lie that is still looked for
    uint32_t growing;   // in: lies whose type is TRIGGER_GROWING
    uint32_t reached;   // out: the stand-in asked about it
    uint32_t triggered; // out: an answer changed; of the wanted ones
    uint32_t telling;   // out: of those, the ones that the harness may report under their type
};
// A file that became larger than measure had promised. Such a lie changes nearly every output, and
// shows in the convert behind a measure alone, where that exceeds the promise and its cushion.
#define TRIGGER_GROWING "measure_above_fully_allocated_bound"

// Opens a harness for the honest pair, once. Leaves the environment as it is.
int trigger_open(struct fault *fault);
int trigger_run(struct trigger *trigger, const uint8_t *data, size_t size, struct fault *fault);
void trigger_close(void);
// A forked child that is to be the harness itself: from now on nothing is left out.
void trigger_disarm(void);

#endif
