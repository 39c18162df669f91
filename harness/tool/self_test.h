// SPDX-License-Identifier: Apache-2.0
//
// The memory of self-tests. A self-test takes seconds in which nothing is compared, and libFuzzer
// ends its process at each new signature: against a tool with many bugs most of a campaign's time
// went into it. So a self-test that was passed is remembered in the campaign's folder, and believed
// by the next process for as long as nothing of what it hangs on has changed: its key. Where that
// cannot be told, or what was written is not what was written, the tool is tested again.
//
// What was failed is not remembered: a machine that stalled fails a tool, too, and a campaign of
// weeks shall not be slow for that. Nor is the probe, a twentieth of the time: it must not miss
// that a tool answers otherwise, and what it found is a part of the key.
//
// Before it is believed, one command is run both ways: the back end must start. A memory that is
// wrong costs at most what a wrong self-test costs, and makes no false report: what is found is
// confirmed by plain execution, and one case in 500 runs both ways. Once a back end fails in the
// middle of a campaign, all is forgotten (tool_forget_self_tests).
#ifndef TOOL_SELF_TEST_H
#define TOOL_SELF_TEST_H

#include "tool/tool.h"

// Appends, as text, all that the outcome of this tool's self-tests hangs on. false: it cannot all
// be known, and nothing may be remembered. May run the tool's loader, but nothing of the tool.
bool self_test_key(const struct tool *tool, struct tool_room *room, struct buffer *key);

// Was it passed, with this key and this back end? Then what it said is in `words`. Whatever is not
// exactly what self_test_write wrote is no memory.
bool self_test_read(const char *folder, const struct buffer *key, enum exec_backend backend,
                    char *words, size_t room);
// As a whole, or not at all (a full disk, a folder that cannot be written: no harm). Makes the
// folder.
void self_test_write(const char *folder, const struct buffer *key, enum exec_backend backend,
                     const char *words);

#endif
