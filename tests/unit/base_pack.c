// SPDX-License-Identifier: Apache-2.0
//
// Compressed units are what they would be without the memory of earlier ones: the same bytes for
// the same question, whatever was asked before, and another answer for another method or room.
#include "base/pack.h"

#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#define UNIT 65536u

static uint8_t unit[UNIT], unpacked[UNIT], first[2 * UNIT], again[2 * UNIT];

// Compressible, and another one for each number.
static void fill(unsigned number) {
    for (size_t i = 0; i < UNIT; i++)
        unit[i] = (uint8_t)((i / 64) * (number + 1) + (i % 7));
}

static size_t unpack(enum pack_method method, const uint8_t *from, size_t length) {
    if (method == PACK_ZSTD) {
        size_t got = ZSTD_decompress(unpacked, UNIT, from, length);
        return ZSTD_isError(got) ? 0 : got;
    }
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)from,
                       .avail_in = (uInt)length,
                       .next_out = unpacked,
                       .avail_out = UNIT};
    assert_int_equal(inflateInit2(&stream, method == PACK_ZLIB ? 15 : -12), Z_OK);
    int ended = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    return ended == Z_STREAM_END ? UNIT - stream.avail_out : 0;
}

static void each_method_can_be_unpacked(void **state) {
    (void)state;
    fill(0);
    for (int method = 0; method < PACK_METHODS; method++) {
        size_t made = pack_bytes((enum pack_method)method, first, UNIT, unit, UNIT);
        assert_in_range(made, 1, UNIT / 2);
        assert_int_equal(unpack((enum pack_method)method, first, made), UNIT);
        assert_memory_equal(unpacked, unit, UNIT);
    }
}

// Before and behind more units than are remembered, so that one answer of the two is made anew.
static void the_memory_changes_no_answer(void **state) {
    (void)state;
    for (int method = 0; method < PACK_METHODS; method++) {
        fill(1);
        size_t made = pack_bytes((enum pack_method)method, first, UNIT, unit, UNIT);
        memset(again, 0xee, sizeof again);
        assert_int_equal(pack_bytes((enum pack_method)method, again, UNIT, unit, UNIT), made);
        assert_memory_equal(first, again, made);
        assert_int_equal(again[made], 0xee);
        for (unsigned number = 2; number < 1200; number++) {
            fill(number);
            pack_bytes((enum pack_method)method, again, UNIT, unit, UNIT);
        }
        fill(1);
        assert_int_equal(pack_bytes((enum pack_method)method, again, UNIT, unit, UNIT), made);
        assert_memory_equal(first, again, made);
    }
}

static void another_question_has_another_answer(void **state) {
    (void)state;
    fill(3);
    size_t zlib = pack_bytes(PACK_ZLIB, first, UNIT, unit, UNIT);
    size_t raw = pack_bytes(PACK_DEFLATE, again, UNIT, unit, UNIT);
    assert_true(zlib != raw || memcmp(first, again, raw) != 0);
    for (int method = 0; method < PACK_METHODS; method++) {
        size_t made = pack_bytes((enum pack_method)method, first, UNIT, unit, UNIT);
        assert_int_equal(pack_bytes((enum pack_method)method, again, made - 1, unit, UNIT), 0);
        assert_int_equal(pack_bytes((enum pack_method)method, again, UNIT, unit, UNIT), made);
    }
    // One byte in the middle, which chooses no slot.
    size_t made = pack_bytes(PACK_ZLIB, first, UNIT, unit, UNIT);
    unit[UNIT / 2] ^= 1;
    size_t other = pack_bytes(PACK_ZLIB, again, UNIT, unit, UNIT);
    assert_true(other != made || memcmp(first, again, made) != 0);
    assert_int_equal(unpack(PACK_ZLIB, again, other), UNIT);
    assert_memory_equal(unpacked, unit, UNIT);
}

static void what_cannot_be_smaller_does_not_fit(void **state) {
    (void)state;
    uint64_t noise = 1;
    for (size_t i = 0; i < UNIT; i += 8) {
        noise = noise * 6364136223846793005u + 1442695040888963407u;
        put_le64(unit + i, noise ^ noise >> 33);
    }
    for (int method = 0; method < PACK_METHODS; method++)
        for (int round = 0; round < 2; round++)
            assert_int_equal(pack_bytes((enum pack_method)method, first, UNIT - 1, unit, UNIT), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_method_can_be_unpacked),
        cmocka_unit_test(the_memory_changes_no_answer),
        cmocka_unit_test(another_question_has_another_answer),
        cmocka_unit_test(what_cannot_be_smaller_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
