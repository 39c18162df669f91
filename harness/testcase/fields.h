// SPDX-License-Identifier: Apache-2.0
//
// The encoding table, for whoever loops over it: decoder, encoder, JSON reader and writer, the
// mutator, the generated documentation and dictionary. A row says where a member lives in the bytes
// and in the struct, and which values it may have; nothing else in the project knows it.
//
// Rules of version 1, for ever: a row keeps its place, width, range, default and, for an enum, its
// number of names. Rows that share a byte keep their order there. Growth takes reserved bytes
// (whose value 0 must mean what older files meant) or becomes version 2.
#ifndef TESTCASE_FIELDS_H
#define TESTCASE_FIELDS_H

#include "testcase/testcase.h"

enum case_record { RECORD_HEADER, RECORD_WRITE, RECORD_OPERATION, CASE_RECORDS };

enum case_field_kind {
    FIELD_ENUM,     // 0..high, each with a name
    FIELD_FLAG,     // 0 or 1; true and false in JSON
    FIELD_RANGE,    // low..high
    FIELD_OPTIONAL, // 0 (not given), or low..high
    FIELD_SIGNED,   // low..high with low < 0, one byte in two's complement
};

struct case_field {
    const char *name; // of the struct member and of the JSON member
    enum case_record record;
    uint8_t at;      // byte in the record
    uint8_t width;   // bytes, little endian: 1, 2 or 4
    uint8_t divisor; // 0: the bytes are this row's own. Else several rows share them: this one
                     // is stored / divisor, reduced to its range; the divisor is the product of
                     // how many values each row before it in the byte has
    uint16_t member; // offsetof in struct testcase, case_write or case_operation
    enum case_field_kind kind;
    int64_t low, high;        // FIELD_ENUM: 0 and the number of names - 1
    const char *const *names; // FIELD_ENUM only
    int64_t initial;          // the default: what bytes of zero and a missing JSON member mean
    uint8_t weight;           // how often a mutator should pick this field, relative to its record
    bool shown;               // the JSON writer prints it even when it has its default
    const char *help;         // one sentence for docs/encoding.md
};

// All rows, record by record, in the order of their bytes.
extern const struct case_field case_fields[];
extern const size_t case_field_count;

extern const char *const case_record_names[CASE_RECORDS];
extern const char *const case_format_names[IMAGE_FORMATS];

static inline size_t case_record_bytes(enum case_record record) {
    return record == RECORD_HEADER ? CASE_HEADER_BYTES : CASE_RECORD_BYTES;
}

// What the stored integer means: every integer gives a value in the field's range.
int64_t case_field_value(const struct case_field *field, uint32_t stored);
// The smallest stored integer that means `value`, which must be in the field's range.
uint32_t case_field_stored(const struct case_field *field, int64_t value);
bool case_field_accepts(const struct case_field *field, int64_t value);

// The stored integer in a record's bytes.
uint32_t case_field_load(const struct case_field *field, const uint8_t *record);
void case_field_store(const struct case_field *field, uint8_t *record, uint32_t stored);

// The member in the struct that belongs to the field's record.
int64_t case_field_get(const struct case_field *field, const void *record);
void case_field_set(const struct case_field *field, void *record, int64_t value);

// Every member of a record's struct gets its default.
void case_record_defaults(enum case_record kind, void *record);

// Where each write lands, caps applied; extents[i] belongs to writes[i], length 0 = left out, or
// not of this layer. Returns write_count. In derive.c.
size_t case_write_extents(const struct testcase *testcase,
                          struct content_extent extents[CASE_MAX_WRITES]);
// The same of all layers together, each write on its own. In layers.c.
size_t case_chain_extents(const struct testcase *testcase,
                          struct content_extent extents[CASE_MAX_WRITES]);
// The layer that has this write.
uint32_t case_write_layer(const struct testcase *testcase, const struct case_write *write);
// Guest bytes of all units of size `unit` that hold a written byte (zero forms do not count), each
// unit once, the last one cut at the disk's end.
uint64_t case_touched_bytes(const struct content_extent *extents, size_t count, uint32_t unit,
                            uint64_t size);
// Guest bytes of all units of the layer that the writer of the image will be asked to compress.
uint64_t case_deflated_bytes(const struct testcase *testcase, const struct content_extent *extents,
                             size_t count);
// Where the layer's guest clusters lie; only a qcow2 source has a choice. In layers.c.
enum qcow2_data_file case_data_file(const struct testcase *testcase);
// Only the place of a write, before length and caps.
uint64_t case_write_offset(const struct testcase *testcase, const struct case_write *write);

// Plain bytes in place of encoded members: the first way of saying them that means exactly this
// number. false: there is none; the members may have changed. In numbers.c.
bool case_choose_size(struct testcase *testcase, uint64_t size);
// Of a write of the source.
bool case_choose_place(const struct testcase *testcase, struct case_write *write, uint64_t offset);
// `unit` is that of the file which has the write.
bool case_choose_length(struct case_write *write, uint64_t length, uint64_t unit);

#define CASE_EDGES 16
extern const uint64_t case_size_edges[CASE_EDGES]; // bytes, for SIZE_EDGE

// A value as the text form says it: a name, true or false, a number. In json_write.c.
void case_value_to_json(const struct case_field *field, int64_t value, struct buffer *out);

// Appends one sentence without a newline. In describe.c.
void case_describe_image(const struct testcase *testcase, struct buffer *out);
void case_describe_write(const struct testcase *testcase, size_t index,
                         const struct content_extent *extent, struct buffer *out);
void case_describe_operation(const struct testcase *testcase, size_t index, struct buffer *out);

#endif
