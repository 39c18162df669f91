// SPDX-License-Identifier: Apache-2.0
//
// Planted bugs of readers that need several things at once: each is right for every source but
// those in which some features of a format meet, which is where bugs of such tools outlive their
// first years. Each names one range of the guest's disk that convert reads wrongly. (One more lie
// of the kind has its place in measure_size.c.)
#ifndef STANDIN_LOSSES_H
#define STANDIN_LOSSES_H

#include "standin/standin.h"

// Sets source->loss where a lie in force applies to this source, after the files below it were
// opened and the snapshot was chosen. The first that applies wins.
void losses_plant(struct source *source, bool of_snapshot);

#endif
