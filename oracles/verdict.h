// SPDX-License-Identifier: Apache-2.0
//
// What one comparison can end with. `agree` needs two opinions: two time-outs, or two tools that
// cannot run, are never agreement. A harness failure is none of these and has its own text and
// exit.
#ifndef ORACLES_VERDICT_H
#define ORACLES_VERDICT_H

enum verdict {
    VERDICT_AGREE,
    VERDICT_DIVERGENCE,
    VERDICT_KNOWN,        // a divergence that the registry explains, value included
    VERDICT_INCONCLUSIVE, // a limit, the case's budget, a permitted freedom, not reproduced
    VERDICT_UNSUPPORTED,  // a tool has no opinion: no checks, an option or format it lacks
    VERDICT_UNAVAILABLE,  // a tool cannot run here
    VERDICTS
};
extern const char *const verdict_names[VERDICTS]; // "agree", "divergence", "known", ...

#endif
