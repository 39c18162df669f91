// SPDX-License-Identifier: Apache-2.0
//
// What the commands of the stand-in share: the way it refuses, the numbers it reads, and the open
// source image. Private to this folder.
#ifndef STANDIN_STANDIN_H
#define STANDIN_STANDIN_H

#include "image/image.h"
#include "standin/arguments.h"

#include <stdio.h>

extern const struct command command_info, command_check, command_measure, command_convert,
    command_map, command_compare;

// --- refusals ---------------------------------------------------------------------------------
// `Error: "text"` on stderr, quoted as Rust's Debug form does; returns 1, the exit status.
int refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
// For a file that cannot be opened: `Error: Os { code: 2, kind: NotFound, message: "..." }`;
// returns 1.
int refuse_errno(int number);

// --- values on the command line ---------------------------------------------------------------
bool parse_u32(const char *text, uint64_t *value);  // decimal, a leading '+' is accepted
bool parse_size(const char *text, uint64_t *value); // the same to u64 with one k, m, g or t
bool power_of_two(uint64_t value);
// --qemu-version: major * 10000 + minor * 100 + micro, of 10.0 where none is given. 0, or 1 after a
// refusal.
int parse_version(const char *text, unsigned *version);
unsigned bits_of(uint64_t power); // 65536 -> 16
// --sector-size: 0, or 1 after a refusal. The honest stand-in has no transport sector.
int check_sector_size(const struct arguments *arguments);

// instar's virtual machine sees every file as a device of such sectors (bytes); some lies do.
#define TRANSPORT_SECTOR UINT64_C(65536)

// --- the source -------------------------------------------------------------------------------
// A range of guest bytes that a lie of losses.h spoils: what `shown` has there is read, or zeros.
struct loss {
    uint64_t begin, end;
    struct image *shown; // of the chain; NULL: none
};

// An open image with the size that a tool of 512-byte sectors shows: a raw file rounded up, a
// header's size rounded down, as qemu-img does.
struct source {
    struct image *image;
    enum image_format format;
    struct image_info info;
    uint64_t size;               // guest bytes, a multiple of 512
    struct image_source content; // zero behind the image's own size; borrows this struct
    bool below_ignored;          // LIE_PARENT_IGNORED: what the file leaves out is zero
    uint64_t cut;  // LIE_GRAIN_CUT_AT_CLUSTER: bytes that are kept of one read; 0: all
    uint64_t flip; // LIE_WRONG_BYTE_NEAR_END: guest offset + 1, 0 = none
    struct loss loss;
};

// `format` NULL: what the file's bytes name. Prints the reason and returns 1 when it fails.
// `lenient` is the lie's way: a source that no reader accepts is raw.
int source_open(struct source *source, const char *path, const char *format, bool lenient);
// Opens the files below it, for what reads the guest's bytes or counts them; `follow` false is the
// lie's way. Prints the reason and returns 1 when it fails.
int source_open_below(struct source *source, bool follow);
// A fixed vpc whose footer does not begin a transport sector: instar does not find it.
bool source_footer_unseen(const struct source *source);
// A vmdk of several sparse extents: of several, instar opens only flat ones.
bool source_is_split_sparse(const struct source *source);
void source_close(struct source *source);
// LIE_WRONG_BYTE_NEAR_END: chooses the byte that read flips.
int source_plant_wrong_byte(struct source *source, struct fault *fault);
void hang_if_asked(const struct source *source); // LIE_HANG_ON_CLUSTER_SIZE

// The size of the vpc disk that a source of `size` bytes becomes: the same, unless a lie cuts it.
// In measure as in convert, so that the lie shows under one name.
uint64_t vpc_output_size(uint64_t size);

// --- the output -------------------------------------------------------------------------------
// May the files of this output be replaced? 0, or 1 after a refusal.
int output_check(const struct source *source, const char *path,
                 const struct image_options *options);
// LIE_OUTPUT_CAPACITY: would instar's writer need more than the device that it is given? Also true,
// with the reason, if the source cannot be read.
bool output_exceeds_device(const struct image_source *content, enum image_format target,
                           const struct image_options *options, struct fault *fault);
// Removes them. 0, or 1 after a refusal.
int output_clear(const char *path, const struct image_options *options);

// --- text -------------------------------------------------------------------------------------
void print_json_text(const char *text); // with quotes
// A file in the directory of the one at `path`.
void path_beside(const char *path, const char *name, char *to, size_t room);
void absolute_path(const char *path, char *to, size_t room); // canonical, or as given

#endif
