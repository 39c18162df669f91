// SPDX-License-Identifier: Apache-2.0
//
// The deviations that the stand-in can be asked for (STANDIN_LIE=name[,name]). A fuzzer that finds
// none of them would find no bug of instar's either; a fuzzer that reports something without one
// of them accuses an honest tool. Each lie is one row of the table in lies.c and one `lie(LIE_X)`
// at the place where the program deviates.
#ifndef STANDIN_LIES_H
#define STANDIN_LIES_H

#include <stdbool.h>

enum lie {
    LIE_RAW_WITHOUT_SEEK_HOLE,
    LIE_QCOW2_ZERO_CLUSTERS_ALLOCATED,
    LIE_VHD_CHS_SIZE,
    LIE_VMDK_64K_SECTORS,
    LIE_VPC_64K_SECTORS,
    LIE_VHDX_BLOCKS_COUNTED,
    LIE_UNITS_NOT_COUNTED,
    LIE_BITMAPS_OMITTED,
    LIE_WRONG_BYTE_NEAR_END,
    LIE_SUCCESS_WHERE_QEMU_FAILS,
    LIE_MEASURE_TRAILING_COMMA,
    LIE_HANG_ON_CLUSTER_SIZE,
    LIE_BACKING_IGNORED_BY_MEASURE,
    LIE_PARENT_IGNORED,
    LIE_GRAIN_CUT_AT_CLUSTER,
    LIE_FORMAT_IGNORED_BY_MEASURE,
    LIE_BITMAPS_ZERO,
    LIE_VMDK_EXTENTS_MISCOUNTED,
    LIE_QCOW2_TAIL_LEFT,
    LIE_COMPRESSED_HOLES_STORED,
    LIE_MAP_ZERO_CLUSTERS_AS_DATA,
    LIE_MAP_READS_ZEROS,
    LIE_COMPARE_FIRST_CLUSTER_ONLY,
    LIES
};

// Reads STANDIN_LIE. False after an unknown name, with the names that exist on stderr.
bool lies_begin(void);
bool lie(enum lie which); // is this one in force?
void lies_list(void);     // `instar lies`: one line each on stdout

#endif
