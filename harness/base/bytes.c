// SPDX-License-Identifier: Apache-2.0
//
// Zero detection, used on every unit that a writer or a comparison looks at.
#include "base/bytes.h"

bool bytes_are_zero(const void *data, size_t length) {
    const uint8_t *bytes = data;
    // A buffer is all zero when its first bytes are zero and it equals itself shifted by them:
    // memcmp then does the work at full vector width.
    size_t head = length < 16 ? length : 16;
    for (size_t i = 0; i < head; i++)
        if (bytes[i])
            return false;
    return length <= 16 || memcmp(bytes, bytes + 16, length - 16) == 0;
}
