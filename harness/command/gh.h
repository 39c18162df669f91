// SPDX-License-Identifier: Apache-2.0
//
// One call of gh, GitHub's own program, and what became of it in words. It takes its token and its
// repository from where it always does (GH_TOKEN, GH_REPO, the git remote); all that is here goes
// through `gh api`, whose answers are the documented ones of the REST interface.
#ifndef COMMAND_GH_H
#define COMMAND_GH_H

#include "base/buffer.h"
#include "base/fault.h"

// What a failure means for the calls that would follow.
enum gh_status {
    GH_OK,
    GH_FAILED, // this call alone
    GH_CLOSED, // every other call would fail as well (no gh, token, rate limit, no answer)
};

#define GH_ARGUMENTS 16

// `argv` is what stands behind "gh api", NULL-terminated. `out` is what gh printed.
enum gh_status gh_api(const char *const *argv, struct buffer *out, struct fault *fault);

#endif
