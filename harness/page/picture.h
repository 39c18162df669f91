// SPDX-License-Identifier: Apache-2.0
//
// The two pictures of a finding, drawn from its report.json.
#ifndef PAGE_PICTURE_H
#define PAGE_PICTURE_H

#include "page/html.h"
#include "page/read.h"

// The patterns that all pictures of a page use, once.
void picture_patterns(struct html *html);
// Where the source and both outputs hold what, on one axis of guest offsets. Draws nothing where
// the report has no maps. `names`: of the tools a and b.
void picture_maps(const cJSON *report, const char *const names[2], struct html *html);
// The numbers of a measure on one scale, with the model's beside them. Nothing for other steps.
void picture_numbers(const cJSON *report, const char *const names[2], struct html *html);

#endif
