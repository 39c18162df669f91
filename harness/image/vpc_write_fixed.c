// SPDX-License-Identifier: Apache-2.0
//
// Fixed VHD files: the disk's bytes, and a footer behind them. Where the current size is larger
// than the disk that readers see, so is the room in front of the footer, which lies at the file's
// end.
#include "base/file.h"
#include "image/flat.h"
#include "image/vpc_writer.h"

int vpc_write_fixed(struct vpc_writer *writer, struct fault *fault) {
    struct image_written *written = writer->written;
    written->unit = FLAT_UNIT;
    if (flat_write(writer->fd, &writer->source, writer->options->skip_zeros, fault) ||
        file_pwrite(writer->fd, writer->footer, VPC_FOOTER_SIZE, writer->current, fault))
        return -1;
    // Only now: the block with the footer is no hole.
    return flat_map(writer->fd, written->virtual_size, 0, &written->map, fault);
}
