// SPDX-License-Identifier: Apache-2.0
//
// What the files of `triage` share. Files come in, equal ones become one case, each case is
// replayed once by a worker process; signatures that were shown are settled (confirmed, minimized,
// reported); then every file is in exactly one row of one list, and the counts of the rows add up
// to the files.
#ifndef COMMAND_TRIAGE_H
#define COMMAND_TRIAGE_H

#include "command/found.h"
#include "command/minimize.h"

#include <cjson/cJSON.h>
#include <sys/types.h>

// Where a file was found, which says what it was kept for.
enum triage_origin {
    ORIGIN_FILE,
    ORIGIN_CRASH,
    ORIGIN_TIMEOUT,
    ORIGIN_OOM,
    ORIGIN_LEAK,
    ORIGIN_SLOW_UNIT,
    ORIGIN_AFL_CRASH,
    ORIGIN_AFL_HANG,
    ORIGIN_FINDING,
    ORIGIN_NOT_REPRODUCED,
    ORIGIN_HARNESS_ERROR,
    ORIGIN_RUN_LOG,
    ORIGINS
};
extern const struct triage_origin_words {
    const char *name;  // in JSON
    const char *words; // for people
    bool engine_own;   // the engine is about its own process: no tool need be wrong
} triage_origins[ORIGINS];

enum triage_list {
    LIST_DIVERGENCES,
    LIST_KNOWN,
    LIST_NOT_REPRODUCED,
    LIST_INCONCLUSIVE,
    LIST_UNAVAILABLE,
    LIST_ENGINE,
    LIST_HARNESS_ERRORS,
    LIST_HARNESS_CRASHES,
    LIST_UNREADABLE,
    LIST_PENDING, // interrupted before its turn
    LISTS
};
extern const struct triage_list_words {
    const char *name; // in JSON
    const char *title;
} triage_lists[LISTS];

// --- what a worker is asked, and what it answers (triage_work.c) ---------------------------------

enum triage_kind {
    TRIAGE_LOOK,
    TRIAGE_SETTLE,
    TRIAGE_COUNT, // no part of triage: the counters alone (coverage.c)
};

struct triage_request {
    enum triage_kind kind;
    char signature[SIGNATURE_ROOM]; // TRIAGE_SETTLE
    uint32_t size;
    uint8_t bytes[CASE_MAX_BYTES];
};

// The first run of a case.
struct triage_looked {
    size_t count;
    char shown[RECORD_MAX_FINDINGS][SIGNATURE_ROOM];    // divergences, in the order of the steps
    char known_id[64], known_signature[SIGNATURE_ROOM]; // the first known one, or ""
    char undecided[64], unavailable[64];                // reasons, or ""
};

// A signature that was run again by plain execution on fresh files.
struct triage_settled {
    bool shows;
    char wrong[16], role[24], by[16], reason[400]; // the opinion, as report.json has it
    char who[64];                                  // for people: a stand-in is never called instar
    char type[64], known_id[64], words[640], field[64], values[SIDES][96], roles[SIDES][24];
    uint32_t size; // of the simplest case
    uint8_t bytes[CASE_MAX_BYTES];
    char minimized[16]; // "done", "time", "error", or "no"
    unsigned runs;
    uint64_t us;
    bool reported; // its folder stands below the output folder
};

struct triage_answer {
    bool error;      // a harness error
    char fault[512]; // its text, or what could not be written
    union {
        struct triage_looked looked;
        struct triage_settled settled;
    };
};

// --- the pool of workers (triage_pool.c) ---------------------------------------------------------

#define TRIAGE_MOST_JOBS 64

struct triage_pool {
    struct settings *settings;
    struct harness *harness; // open; each worker is a fork that attaches itself
    const char *out;         // reports of settled signatures go below it; NULL: none
    bool minimize;
    unsigned seconds; // of minimizing, for each signature
    unsigned jobs;
    uint8_t *reached; // TRIAGE_COUNT: a byte an edge, in memory that all workers share
    const volatile sig_atomic_t *interrupted;
    struct triage_worker {
        pid_t pid; // 0: none
        int fd;
        size_t job; // SIZE_MAX: idle
        uint64_t until_us;
    } workers[TRIAGE_MOST_JOBS];
};

struct triage_work {
    void *context;
    size_t count; // of jobs
    bool alone;   // one after the other, each in a worker of its own
    void (*ask)(void *context, size_t job, struct triage_request *request);
    // Once for each job: its answer, or how the worker ended instead.
    void (*told)(void *context, size_t job, const struct triage_answer *answer, const char *death);
    void (*progress)(void *context, size_t done); // now and then
    unsigned limit_ms;                            // for one job; then the worker is ended
};

unsigned triage_cores(void); // that this process may use, at most TRIAGE_MOST_JOBS
// 0: every job was told; -1: a worker cannot be started. Interrupted, it returns 0 as well, and the
// workers are gone.
int triage_pool_run(struct triage_pool *pool, const struct triage_work *work, struct fault *fault);
void triage_pool_end(struct triage_pool *pool);
// The life of a worker: answers until the other end is closed.
_Noreturn void triage_worker_serve(struct triage_pool *pool, int fd);

// --- files, cases, signatures --------------------------------------------------------------------

struct triage_case { // equal files are one
    uint8_t *bytes;  // canonical
    uint8_t *raw;    // as found
    size_t size, raw_size;
    uint64_t hash;
    size_t next; // of the same bucket
    enum { CASE_PENDING, CASE_LOOKED, CASE_ERROR, CASE_CRASH } state;
    size_t shown[RECORD_MAX_FINDINGS], shown_count; // indices of signatures
    const char *known_id, *known_signature, *undecided, *unavailable, *trouble; // interned or NULL
};

struct triage_file {
    char *path;
    enum triage_origin origin;
    int64_t seen_s; // modification time
    uint64_t size;
    size_t item;         // index of the case; SIZE_MAX: it could not be read
    const char *trouble; // why not; interned
    const char *claimed; // signature that the file's place names, or NULL
    const char *note;    // to be said beside it: other tools, a rest that is ignored; or NULL
    bool unread;         // the system did not let us: what it holds is not known
    bool oversized, foreign;
    struct found_with found_with[SIDES];
    const char *pair; // of a run's log: the tools in words, or NULL
    // The result.
    enum triage_list list;
    size_t row;
};

struct triage_signature {
    const char *name;
    size_t shown_by; // cases
    enum {
        SETTLE_PENDING,
        SETTLE_ALONE, // confirming it ended the worker or was a harness error: once more, alone
        SETTLE_CONFIRMED,
        SETTLE_REFUTED,
        SETTLE_ERROR, // twice, and no other case showed it
        SETTLE_CRASH,
    } state,
        trouble;     // `trouble`: what a case came to that ended so, or SETTLE_PENDING
    const char *why; // refuted, error, crash: the reason
    size_t *candidates, candidates_count, tries; // cases that show it, smallest first
    struct triage_settled settled;
};

struct triage_row {
    enum triage_list list;
    const char *key;       // signature, registry id, or reason
    const char *signature; // of a known one, and of one that was not confirmed; or NULL
    size_t files;
    int64_t first_s;                   // oldest file; INT64_MAX without one
    size_t examples[3], example_count; // indices of files
    struct triage_signature *settled;  // of a divergence
    size_t members;                    // of a divergence: signatures of its group, itself included
    bool leads;                        // and it is the one that stands for them
};

struct triage {
    const struct command *command;
    // Command line.
    const char *out, *json, *sarif;
    bool minimize;
    unsigned jobs, seconds;
    char **paths;
    int path_count;
    // What it came to.
    struct settings settings;
    struct harness *harness;
    struct triage_file *files;
    size_t file_count, file_room;
    struct triage_case *cases;
    size_t case_count, case_room, *buckets;
    struct triage_signature *signatures;
    size_t signature_count, signature_room;
    struct triage_row *rows;
    size_t row_count, row_room;
    size_t group_count; // of the divergences
    char **words;       // interned
    size_t word_count, word_room;
    size_t left_out; // files of other names in the folders that were given
    int interrupted; // the signal, or 0
    int failed;      // an exit code where a report could not be written, or 0
    int64_t started_s;
    uint64_t begun_us;
};

// The one copy of a text; lives as long as the triage.
const char *triage_intern(struct triage *triage, const char *text);
// triage_collect.c: the files below the paths, sorted by path. -1: a path cannot be read.
int triage_collect(struct triage *triage, struct fault *fault);
// triage_load.c: what each file says; equal ones become one case.
void triage_load(struct triage *triage);
// triage_tools.c: the tools that reports name against those of today.
void triage_read_tools(struct triage *triage, struct triage_file *file);
void triage_compare_tools(struct triage *triage);
// triage_replay.c: each case once; then each signature. -1: no worker can be started.
int triage_look(struct triage *triage, struct triage_pool *pool, struct fault *fault);
int triage_settle(struct triage *triage, struct triage_pool *pool, struct fault *fault);
// triage_sort.c: signatures with their candidates; then every file into its row.
void triage_note_look(struct triage *triage, size_t item, const struct triage_looked *looked);
void triage_choose_candidates(struct triage *triage);
void triage_sort(struct triage *triage);
size_t triage_count(const struct triage *triage, enum triage_list list, bool rows);
// triage_group.c: rows of divergences that probably have one cause come together.
void triage_group_rows(struct triage *triage);
// The one name of a row and of those that probably share its cause; false: it stays alone.
bool triage_group_name(const struct triage_row *row, struct buffer *name);
// triage_table.c, triage_json.c, triage_sarif.c.
void triage_table(const struct triage *triage, struct buffer *out);
cJSON *triage_json(const struct triage *triage);
cJSON *triage_sarif(const struct triage *triage);
// What may be printed or put into JSON of bytes that somebody else chose: valid UTF-8 without
// control characters; the rest as \xNN.
void triage_text(const char *text, struct buffer *out);
// The same as a member of an object, or (without a name) of an array.
void triage_add_text(cJSON *to, const char *name, const char *text);
void triage_time(int64_t seconds, bool brief, char text[32]); // UTC

// triage_out.c: the output folder is made beside its place and then takes it.
struct triage_out {
    char path[3072];      // absolute
    char temporary[3200]; // beside it
    bool replaces;        // an earlier one of triage's stands there
};
int triage_out_check(struct triage_out *out, const char *path, char **inputs, int count,
                     struct fault *fault);
int triage_out_begin(struct triage_out *out, struct fault *fault);
int triage_out_commit(struct triage_out *out, struct fault *fault);
void triage_out_discard(struct triage_out *out);
// Where a signature's case lies from the root of the repository, as a URI.
void triage_out_uri(const struct triage *triage, const struct triage_row *row, struct buffer *uri);

#endif
