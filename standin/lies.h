// SPDX-License-Identifier: Apache-2.0
//
// The deviations that the stand-in can be asked for (STANDIN_LIE=name[,name]). A fuzzer that finds
// none of them would find no bug of instar's either; a fuzzer that reports something without one
// of them accuses an honest tool. Each lie is one row of the table in lies.c and one `lie(LIE_X)`
// at the place where the program deviates.
//
// STANDIN_LIE=as-instar lets it say in --version that it plays the documented instar, whose known
// divergences then count as known of it; by itself that changes no answer. `documented` is
// as-instar and every lie that instar documents or shows by its source.
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
    LIE_SUBCLUSTERS_PAST_BACKING,
    LIE_MIDDLE_ZEROS_FORGOTTEN,
    LIE_ZSTD_BELOW_OTHER_CLUSTERS,
    LIE_SHORT_SNAPSHOT_COMPRESSED,
    LIE_GRAIN_TABLES_STRADDLED,
    LIE_EXTENTS_STRADDLED,
    LIE_METADATA_OF_SUBCLUSTERS,
    LIE_QCOW2_TAIL_LEFT,
    LIE_COMPRESSED_HOLES_STORED,
    LIE_MAP_ZERO_CLUSTERS_AS_DATA,
    LIE_MAP_READS_ZEROS,
    LIE_COMPARE_FIRST_CLUSTER_ONLY,
    LIE_RAW_LENGTH_MEASURED,
    LIE_RAW_LENGTH_CONVERTED,
    LIE_RAW_LENGTH_MAPPED,
    LIE_UNSKIPPED_LENGTH,
    LIE_ZEROED_GRAINS_COUNTED,
    LIE_SUBCLUSTERS_NOT_PLACED,
    LIE_VPC_CURRENT_SIZE,
    LIE_FIXED_VPC_SHOWN_AS_RAW,
    LIE_FIXED_VPC_MEASURED_AS_RAW,
    LIE_FIXED_VPC_COUNTED,
    LIE_SIZE_NOT_ROUNDED,
    LIE_LARGE_L1_ACCEPTED,
    LIE_COMPAT_EXTENDED_L2_REFUSED,
    LIE_COMPAT_REFCOUNTS_ACCEPTED,
    LIE_COMPAT_BITMAPS_PRINTED,
    LIE_EMPTY_DISK_REFUSED,
    LIE_EMPTY_QCOW2_NOT_MEASURED,
    LIE_OUTPUT_CAPACITY,
    LIE_LAST_UNIT_COUNTED_WHOLE,
    LIE_SPLIT_SPARSE_NOT_CONVERTED,
    LIE_RAW_SCAN_OFF_BY_ONE,
    LIE_EMPTY_FILE_NOT_SHOWN,
    LIE_DATA_FILE_RAW_NOT_SHOWN,
    LIE_DESCRIPTOR_NOT_MEASURED,
    LIE_VPC_CLUSTER_SIZE,
    LIE_EMPTY_FILE_NOT_MEASURED,
    LIE_EMPTY_VPC_NOT_MEASURED,
    LIE_SPLIT_SPARSE_NOT_SHOWN,
    LIE_VMDK_PARENT_NOT_SHOWN,
    LIE_FIXED_VPC_NOT_CHECKED,
    LIE_LOST_REFCOUNTS_UNSEEN,
    LIE_EXTENDED_L2_FORGOTTEN,
    LIE_MAP_OFFSETS_FROM_FIRST_RUN,
    LIE_LEAKS_UNSEEN,
    LIE_TABLES_UNCHECKED,
    LIE_LEAKS_NOT_COUNTED,
    LIE_SNAPSHOTS_NOT_WALKED,
    LIE_REFUSED_READ_AS_RAW,
    LIE_VMDK_FOOTER_NOT_MEASURED,
    LIE_EXTENTS_IN_CHUNKS,
    LIE_TYPE_BEHIND_SHORT_HEADER,
    LIES
};

// Reads STANDIN_LIE. False after an unknown name, with the names that exist on stderr.
bool lies_begin(void);
bool lie(enum lie which);      // is this one in force?
const char *lies_played(void); // the release of instar that is played, or NULL
void lies_list(void);          // `instar lies`: one line each on stdout; `documented` or `planted`

#endif
