// SPDX-License-Identifier: Apache-2.0
//
// What fence_calls.c needs of fence.c.
#ifndef EXEC_FENCE_CALLS_H
#define EXEC_FENCE_CALLS_H

int fence_landlock(void); // the ABI, 0: none
int fence_restrict(int ruleset);

#endif
