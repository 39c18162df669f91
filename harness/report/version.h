// SPDX-License-Identifier: Apache-2.0
//
// Which harness judged. A rule that is mended today says otherwise than it did a month ago, so
// whatever is kept of a verdict names the harness as well as the tools.
#ifndef REPORT_VERSION_H
#define REPORT_VERSION_H

// What `git describe --always --dirty` said when this was built; outside of a git tree the
// changelog's newest heading.
extern const char report_harness_version[];

#endif
