// SPDX-License-Identifier: Apache-2.0
//
// A tool under test: what it is (the profile, probed once), how a call becomes its command line
// (the adapter), what an ended process means (the outcome class) and what its output says (the
// result). An adapter is one file and one line in the table of tool.c. Nothing here compares:
// that is for oracles.
#ifndef TOOL_TOOL_H
#define TOOL_TOOL_H

#include "exec/exec.h"
#include "exec/workdir.h"
#include "image/image.h"
#include "testcase/operation.h"

#include <cjson/cJSON.h>
#include <sys/types.h>
#include <time.h>

enum tool_kind { TOOL_QEMU_IMG, TOOL_INSTAR };

enum outcome_class {
    OUTCOME_OK,        // succeeded (info, measure, convert, map); compare: identical
    OUTCOME_CLEAN,     // check: nothing wrong
    OUTCOME_LEAKS,     // check: 3
    OUTCOME_CORRUPT,   // check: 2 with a parsed result
    OUTCOME_NO_CHECKS, // check: 63, the format has none
    OUTCOME_DIFFERENT, // compare: 1, the images do not hold the same bytes
    OUTCOME_REFUSED,   // a documented runtime refusal
    OUTCOME_USAGE,     // our command line was wrong: a harness error, the run stops
    OUTCOME_LIMIT,     // a limit of ours ended it (SIGXFSZ, SIGXCPU, no space left, tool_limits)
    OUTCOME_SIGNAL,    // a signal that we did not send
    OUTCOME_TIMEOUT,   // the deadline
    OUTCOME_CLASSES
};
extern const char *const outcome_class_names[OUTCOME_CLASSES]; // "ok", "clean", "leaks", ...
// Did the deadline or another limit of ours end it? Then it has given no answer.
static inline bool outcome_is_cut_off(enum outcome_class class) {
    return class == OUTCOME_LIMIT || class == OUTCOME_TIMEOUT;
}

// Of any operation that a tool can be asked for.
const char *tool_operation_name(enum operation op);

// The members of struct target_options, one by one.
enum tool_option {
    TOOL_OPTION_CLUSTER,
    TOOL_OPTION_REFCOUNT,
    TOOL_OPTION_SUBFORMAT, // vmdk_subformat but for monolithicFlat
    TOOL_OPTION_FLAT,      // vmdk_subformat monolithicFlat
    TOOL_OPTION_GRAIN,
    TOOL_OPTION_BLOCK,
    TOOL_OPTION_EXTENDED_L2,
    TOOL_OPTION_LAZY_REFCOUNTS,
    TOOL_OPTION_PREALLOCATION,
    TOOL_OPTION_COMPAT,
    TOOL_OPTION_COMPRESSION,
    TOOL_OPTION_NO_SKIP_ZEROS,
    TOOL_OPTION_SNAPSHOT,
    TOOL_OPTION_SIZE,
    TOOL_OPTIONS
};

struct tool {
    enum tool_kind kind;
    char role[24];  // as signatures write it: "instar", "qemu_img", "qemu_img_a", "qemu_img_b"
    char name[24];  // as people read it: "instar", "stand-in for instar", "qemu-img"
    char path[512]; // absolute
    struct tool_file {
        dev_t device;
        ino_t inode; // 0: not looked at yet
        off_t size;
        struct timespec modified;
    } file;                  // at `path` when it was probed
    char version[96];        // first line of --version, verbatim
    uint32_t version_number; // major * 10000 + minor * 100 + micro; 0 = unknown
    bool available;
    char why_not[256]; // if not available: one clear sentence; if available: the first step
                       // of the probe that failed, in the tool's words, or ""
    bool is_standin;
    uint32_t played_version; // of the instar that a stand-in plays, as version_number; 0: none
    char no_instar[256]; // stand-in of the automatic choice: why instar itself is not here, else ""
    bool ops[TOOL_OPERATIONS];
    bool reads[IMAGE_FORMATS], writes[IMAGE_FORMATS], measures[IMAGE_FORMATS];
    // Options that the adapter knows but this version of the tool calls a usage error.
    bool lacks_option[TOOL_OPERATIONS][TOOL_OPTIONS];
    bool qemu_version_option;  // instar: `info --qemu-version` exists
    bool map_version_option;   // instar: `map --qemu-version`, which came after 0.3.0, exists, too
    char qemu_version[24];     // instar: what it is given; see tool_set_qemu_version
    char lies[256];            // stand-in: STANDIN_LIE in force, else ""
    char guests[512];          // instar itself: INSTAR_BIN_DIR in force, else ""
    uint32_t convert_ms;       // wall clock of the fastest conversion of the probe; 0: none
    uint32_t edges;            // of its code, which it counts (exec/coverage_map.h); 0: it does not
    uint32_t edges_dropped;    // others, for which the map has no room
    enum exec_backend backend; // how its commands run
    char backend_why[420];     // one sentence
    bool backend_recalled;     // an earlier process passed the self-test (self_test.h)
};

// One call of one tool. All file names are relative to the case directory.
struct tool_call {
    enum operation op;
    const char *input; // "" with options.size_only
    enum image_format input_format;
    const char *output;       // operations that write; compare: the other image, which it reads
    enum image_format target; // of `output`
    struct target_options options;
    uint64_t size;        // options.size_only: guest bytes
    const char *snapshot; // options.snapshot: its ID
};

struct tool_argv {
    const char *items[40]; // NULL-terminated; items[0] is the tool's name; point into `text` or to
                           // constants
    size_t count;
    char text[2048];
    size_t used;
};

// A JSON tree whose integers are exact: every integer token of 16 digits or more is kept as a
// string by the parser, because cJSON stores numbers as doubles only. Such a string (and none that
// the tool wrote itself) has TOOL_JSON_KEPT in its type; a number that was written with a fraction
// or an exponent has TOOL_JSON_FRACTION. cJSON looks at the low byte only and carries both along.
#define TOOL_JSON_KEPT     (1 << 16)
#define TOOL_JSON_FRACTION (1 << 17)
// Strict: one document of valid JSON and white space behind it, at most 64 levels deep, no NUL.
// NULL with the reason otherwise; the caller frees the tree.
cJSON *tool_json_parse(const char *text, size_t length, struct fault *fault);
bool tool_json_u64(const cJSON *item, uint64_t *value); // number or kept string; exact or false

struct tool_measure {
    bool has_required, has_fully, has_bitmaps;
    uint64_t required, fully, bitmaps; // bytes
};

// A run of guest bytes, as map prints it.
struct tool_extent {
    uint64_t start, length;
    bool has_present, present, zero, data; // qemu-img says `present` from 6.1 on
    bool has_offset;
    uint64_t offset; // in the file that has it
};

struct tool_result {
    enum outcome_class class;
    // ok info and check, and measure if it is JSON at all: the tree (an object); owned.
    cJSON *json;
    struct tool_extent *map; // ok map: its runs in the order in which they stand; owned
    size_t map_count;
    bool json_failed;       // an operation that succeeded did not print the documented JSON
    char json_problem[160]; // why, in words
    struct tool_measure measure;
    struct { // check, from JSON
        bool present;
        uint64_t corruptions, leaks, check_errors;
    } check;
};
void tool_result_free(struct tool_result *result);

// What a harness process needs to run tools: the shim, the directories, the tools' environment.
struct tool_room {
    struct exec *exec;
    struct workdir *workdir;
    uint32_t deadline_ms;   // of one command
    bool unfenced;          // commands run without the fence (exec/fence.h)
    bool plain;             // commands run by plain execution, whatever the tool's back end is
    const char *readable;   // folders that a fenced tool may read as well, a comma between; or NULL
    const char *self_tests; // folder in which self-tests are remembered; NULL: nowhere
};

// Of every command that reads or writes images.
extern const struct exec_limits tool_limits;

// Probes one tool by running it (version, each operation on a tiny image, formats, options) and
// fills the profile. A tool that cannot run has available = false and why_not; that is no failure.
// -1 only for a harness error, which a tool that works without the fence alone is, too. `path` is
// looked up in PATH if it has no slash.
int tool_probe(struct tool *tool, const char *path, enum tool_kind wanted, struct tool_room *room,
               struct fault *fault);
// How the tool's commands may run. Every name but the first says what is the fastest one allowed.
enum tool_exec {
    TOOL_EXEC_AUTO,
    TOOL_EXEC_PLAIN,
    TOOL_EXEC_WARM,
    TOOL_EXEC_PERSISTENT,
    TOOL_EXECS
};
extern const char *const tool_exec_names[TOOL_EXECS];
// Gives the tool the fastest back end that is allowed and by which it passes the self-test
// (self_test.c), and says why. Takes seconds, unless room->self_tests has it that it was passed
// before (self_test.h); empties the case directory.
void tool_choose_backend(struct tool *tool, enum tool_exec wanted, struct tool_room *room);
// Remembers in the folder what this process has passed; its parent must be there. And forgets what
// is there, whoever passed it: a back end has failed. NULL: nothing to do.
void tool_keep_self_tests(const char *folder);
void tool_forget_self_tests(const char *folder);
// instar's info imitates the qemu-img whose version it is told. A probed instar is told 10.0, which
// is what it assumes where it finds none; with a qemu-img that is available it is told that one's.
void tool_set_qemu_version(struct tool *instar, const struct tool *qemu_img);
// Makes <workdir>/bin/qemu-img, the one program that the tools can find by name; NULL: none.
int tool_link_qemu_img(const struct workdir *workdir, const char *qemu_img, struct fault *fault);
// The environment, built from nothing (HOME, XDG_CONFIG_HOME, TZ, LC_ALL, PATH; for the stand-in
// also STANDIN_LIE; for instar INSTAR_BIN_DIR, where its guest programs are, if it was told; for a
// tool that counts its edges COVERAGE_VARIABLE). The array lives until the next call.
const char *const *tool_environment(const struct tool *tool, const struct tool_room *room);

// What the program may reach: the list for struct exec_command, which lives until the next call.
// NULL: a folder too many is named. `guests`: where instar was told that its guest programs are;
// "".
enum {
    TOOL_FENCE_INSTAR = 1 << 0, // its guest programs and /dev/kvm, too
    TOOL_FENCE_COUNTS = 1 << 1, // the map of its edges, too
};
const char *const *tool_fence(const char *program, unsigned with, const char *guests,
                              const struct tool_room *room, struct fault *fault);

// Can this tool do this call at all? false: verdict `unsupported`, `why` gets a stable short
// reason such as "no_operation", "no_target", "no_option".
bool tool_supports(const struct tool *tool, const struct tool_call *call, const char **why);
// Is there anything that its check says of a file of this format?
bool tool_checks(const struct tool *tool, enum image_format format);
// Does every option of the call reach this tool's command line? A convert may drop one that the
// tool does not know if the content must be the same anyway; sizes are then not comparable.
bool tool_honours_options(const struct tool *tool, const struct tool_call *call);
// The file beside `output` that holds the guest's bytes where the call asks for such a layout:
// "a.out1-flat.vmdk". false: all is in one file.
bool tool_output_extent(const struct tool_call *call, const char *output,
                        char name[IMAGE_NAME_ROOM]);
// The command line; no items at all if the call does not fit (tool_run then refuses it).
void tool_argv_build(const struct tool *tool, const struct tool_call *call, struct tool_argv *argv);
// Runs the call. -1 is a harness error.
int tool_run(const struct tool *tool, const struct tool_call *call, struct tool_room *room,
             struct exec_outcome *outcome, struct fault *fault);
enum outcome_class tool_classify(const struct tool *tool, enum operation op,
                                 const struct exec_outcome *outcome);
void tool_parse(const struct tool *tool, enum operation op, const struct exec_outcome *outcome,
                struct tool_result *result);
// The command line as a person would type it, quoted where needed: `qemu-img info ...`. `program`
// takes the place of the first item unless it is NULL.
void tool_argv_words(const struct tool_argv *argv, const char *program, struct buffer *words);
// One word as a shell reads it.
void tool_word_quoted(const char *word, struct buffer *words);
// The same of a path that is to be pasted anywhere: absolute, as far as it is there.
void tool_path_quoted(const char *path, struct buffer *words);
// The first line of a tool's output with unprintable bytes replaced, for people. Returns `to`.
char *tool_first_line(const struct buffer *output, char *to, size_t room);
// The profile in words (doctor) and as JSON (reports).
void tool_profile_words(const struct tool *tool, struct buffer *words);
cJSON *tool_profile_json(const struct tool *tool);

#endif
