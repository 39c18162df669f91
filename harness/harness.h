// SPDX-License-Identifier: Apache-2.0
//
// The harness as engines and commands use it: bytes go in, and what comes out is "nothing new" or
// the signature of a confirmed divergence. It owns the policy: which tools form the pair, when a
// divergence is believed (repeated on fresh files), when it is new (the campaign's memory), what is
// written down.
#ifndef HARNESS_HARNESS_H
#define HARNESS_HARNESS_H

#include "report/record.h"
#include "settings.h"
#include "stats.h"

struct harness;

// Exit codes of every program of this project.
enum {
    EXIT_NONE = 0,         // no divergence
    EXIT_FOUND = 1,        // a divergence
    EXIT_BAD_USE = 2,      // bad use, unreadable case, harness error
    EXIT_UNAVAILABLE = 3,  // a tool cannot run here
    EXIT_INCONCLUSIVE = 4, // nothing could be decided
};

// Reads no environment itself: `settings` must outlive the harness. Probes the tools, loads the
// registry, maps the counters. -1: the reason; `unavailable` tells whether a tool was it.
int harness_open(struct harness **harness, const struct settings *settings, bool *unavailable,
                 struct fault *fault);
void harness_close(struct harness *harness); // NULL is fine; leaves nothing behind

const struct tool *harness_tool(const struct harness *harness, int side);
// Two or three lines for the start of a run: which tools are compared, and how.
void harness_announce(const struct harness *harness, struct buffer *out);
// The fence around the tools, in words.
const char *harness_fence(const struct harness *harness);
// The third reader, or why there is none.
struct third;
const struct third *harness_third(const struct harness *harness);
// The instrumented program that guides, or that there is none.
struct coverage;
const struct coverage *harness_coverage(const struct harness *harness);
struct stats *harness_stats(struct harness *harness);
// Where the case directory is, and whether on tmpfs. Valid once a case has run.
const struct workdir *harness_workdir(const struct harness *harness);
// What its tools run in, for who runs a command outside a case. Valid as harness_workdir.
struct tool_room *harness_room(struct harness *harness);

enum harness_verdict {
    HARNESS_NOTHING,
    HARNESS_NEW,
    HARNESS_REPEATED, // a divergence, but of a signature that the campaign has met before
};
// One case of a campaign. HARNESS_NEW: `signature` is confirmed, claimed in the campaign's memory
// and reported; the engine should abort. -1 is a harness error.
int harness_run(struct harness *harness, const uint8_t *data, size_t size,
                char signature[SIGNATURE_ROOM], struct fault *fault);
// A divergence of a case that harness_run_all runs.
struct harness_finding {
    const struct record *record; // where it is told: its confirmation if there was one
    const struct finding *finding;
    bool fresh; // confirmed, claimed and reported just now; false: the campaign has met it before
};
// All of it is gone when the callback returns.
typedef void harness_told(void *context, const struct harness_finding *found);
// As harness_run, for a loop that does not end at a finding: `told` hears of every divergence in
// the order of the steps, repeats included. `keep_going`: the chain goes on behind a new one, and
// every new signature of the case is confirmed. Returns how many were new, or -1.
int harness_run_all(struct harness *harness, const uint8_t *data, size_t size, bool keep_going,
                    harness_told *told, void *context, struct fault *fault);
// The first run of the latest case, until the next one begins.
const struct record *harness_record(const struct harness *harness);
// One case for a person: no memory, all steps, every finding confirmed (`record` then holds only
// confirmed findings; `unconfirmed` counts the others). The record lives until the next call. Of a
// rule that says several things of a step, it is `sought` that makes the finding; NULL: the first.
int harness_replay(struct harness *harness, const uint8_t *data, size_t size, const char *sought,
                   const struct record **record, size_t *unconfirmed, struct fault *fault);
// One case for whoever sorts many: all steps once, by the fastest way, and once more with all
// cross-checks if that shows no divergence; nothing confirmed, nothing remembered. The record lives
// until the next call.
int harness_look(struct harness *harness, const uint8_t *data, size_t size,
                 const struct record **record, struct fault *fault);
// One case for whoever asks which code of qemu-img it reaches: as harness_look, without the third
// reader and cross-checks. `counted` hears of the counters of the program that QEMU_IMG_COV names,
// a byte an edge, after each command that it was asked; settings.guided must have been set.
typedef void harness_counted(void *context, const uint8_t *counters, size_t edges);
int harness_count(struct harness *harness, const uint8_t *data, size_t size,
                  harness_counted *counted, void *context, struct fault *fault);
// One case for whoever makes it simpler: does it show the divergence `signature`, in a run that
// ends where it is met, and once more on fresh files? An empty one stands for any, and receives
// what was found first. No memory, no report. 1, 0 or -1.
int harness_shows(struct harness *harness, const uint8_t *data, size_t size,
                  char signature[SIGNATURE_ROOM], struct fault *fault);
// From the next case on; `settings` has the other budget already.
void harness_rebudget(struct harness *harness);
// Milliseconds that a small conversion takes the slower one of the tools, as the probe saw it.
uint32_t harness_convert_ms(const struct harness *harness);
// From now on a replay moves the files of what it tells to the case directory's `kept_path` where
// it has found something. They are there until the next replay, all of them, whatever step it is
// in.
void harness_keep_files(struct harness *harness);
// Writes the report of a replayed finding below `out`, as report_write does (which says what `path`
// and the answer are), in the place of one that stands there if `replace`. The case directory then
// holds the files of the finding.
int harness_report(struct harness *harness, const uint8_t *data, size_t size, size_t finding,
                   const char *out, bool replace, char *path, size_t room, struct fault *fault);
// From now on every case of a campaign sets cells of this region (GUIDE_CELLS of them,
// guide/guide.h), which is the engine's: it clears them before a case. Does nothing where
// INSTAR_FUZZ_GUIDE says so.
void harness_guide(struct harness *harness, uint8_t *cells);
// Forgets every memory of earlier cases (an engine replays or minimizes one file).
void harness_forget(struct harness *harness);

#endif
