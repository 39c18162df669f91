// SPDX-License-Identifier: Apache-2.0
//
// The one table of lies. Some are what instar documents of itself or does by its source, so that
// known divergences have something to fire on; the others are planted bugs of the kinds that
// differential fuzzing has found in such tools.
#include "standin/lies.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *effect, *finding;
} table[LIES] = {
    [LIE_RAW_WITHOUT_SEEK_HOLE] = {"raw-without-seek-hole",
                                   "measure counts a raw source as fully allocated",
                                   "measure_numeric_divergence"},
    [LIE_QCOW2_ZERO_CLUSTERS_ALLOCATED] = {"qcow2-zero-clusters-allocated",
                                           "measure counts zero clusters of a qcow2 source as data",
                                           "measure_numeric_divergence"},
    [LIE_VHD_CHS_SIZE] =
        {"vhd-chs-size",
         "convert -O vpc writes a footer whose size is the whole CHS geometry below the disk's",
         "convert_content_divergence"},
    [LIE_VMDK_64K_SECTORS] =
        {"vmdk-64k-sectors",
         "convert -O vmdk pads every table and grain to 64 KiB, so that grains "
         "below 64 KiB inflate the file beyond what measure promised",
         "measure_above_fully_allocated_bound"},
    [LIE_VPC_64K_SECTORS] =
        {"vpc-64k-sectors",
         "convert -O vpc pads header, table, footer and each block with its bitmap to 64 KiB, so "
         "that many small blocks inflate the file beyond what measure promised",
         "measure_above_fully_allocated_bound"},
    // instar's documentation has all blocks counted, as qemu-img does; its source has these.
    [LIE_VHDX_BLOCKS_COUNTED] = {"vhdx-blocks-counted",
                                 "measure -O qcow2 counts the blocks of a vhdx source that are "
                                 "present, where qemu-img counts all of the disk",
                                 "measure_numeric_divergence"},
    [LIE_UNITS_NOT_COUNTED] = {"units-not-counted",
                               "measure of a vmdk or dynamic vpc source adds up allocated bytes, "
                               "and not the target units that they touch",
                               "measure_numeric_divergence"},
    [LIE_BITMAPS_OMITTED] = {"bitmaps-omitted",
                             "measure -O qcow2 leaves out `bitmaps` for a version 3 source",
                             "measure_bitmaps_presence_divergence"},
    [LIE_WRONG_BYTE_NEAR_END] = {"wrong-byte-near-end",
                                 "convert flips the last stored byte when it lies in the last "
                                 "64 KiB of the disk",
                                 "convert_content_divergence"},
    [LIE_SUCCESS_WHERE_QEMU_FAILS] = {"success-where-qemu-fails",
                                      "convert cuts a disk above 2040 GiB for vpc, and reads a "
                                      "source that no reader accepts as raw",
                                      "exit_code_divergence"},
    [LIE_MEASURE_TRAILING_COMMA] = {"measure-trailing-comma",
                                    "measure prints `\"required\": N,` as the last member",
                                    "measure_json_parse_failure"},
    [LIE_HANG_ON_CLUSTER_SIZE] = {"hang-on-cluster-size",
                                  "convert and measure of a qcow2 source with 4 KiB clusters never "
                                  "end",
                                  "tool_hang"},
    [LIE_BACKING_IGNORED_BY_MEASURE] = {"backing-ignored-by-measure",
                                        "measure looks at the file that it is given and not at "
                                        "those below it",
                                        "measure_numeric_divergence"},
    [LIE_PARENT_IGNORED] = {"parent-ignored",
                            "convert -O raw and -O qcow2 of a vmdk that has a parent reads zeros "
                            "where it has no grain",
                            "convert_content_divergence"},
    [LIE_GRAIN_CUT_AT_CLUSTER] =
        {"grain-cut-at-cluster",
         "convert -O vmdk of a qcow2 source whose clusters are smaller than "
         "a grain fills one cluster of each grain",
         "convert_content_divergence"},
    [LIE_FORMAT_IGNORED_BY_MEASURE] =
        {"format-ignored-by-measure",
         "measure looks at the content and not at -f, so that a guest decides "
         "what its raw disk is",
         "exit_code_divergence"},
    [LIE_BITMAPS_ZERO] = {"bitmaps-zero",
                          "measure -O qcow2 prints 0 bytes of `bitmaps`, however many there are",
                          "measure_bitmaps_value_divergence"},
    [LIE_VMDK_EXTENTS_MISCOUNTED] = {"vmdk-extents-miscounted",
                                     "measure -O raw and -O qcow2 of a vmdk of several extents "
                                     "forget the last one",
                                     "measure_numeric_divergence"},
    [LIE_QCOW2_TAIL_LEFT] = {"qcow2-tail-left",
                             "convert -O qcow2 leaves 256 KiB that nobody refers to at the file's "
                             "end, beyond what measure promised",
                             "measure_contract_violation"},
    [LIE_COMPRESSED_HOLES_STORED] = {"compressed-holes-stored",
                                     "convert -c -O qcow2 of a disk of at most 4 MiB stores what "
                                     "its source leaves out as compressed zeros",
                                     "measure_growth_violation"},
    [LIE_MAP_ZERO_CLUSTERS_AS_DATA] = {"map-zero-clusters-as-data",
                                       "map calls zero clusters of a qcow2 source data",
                                       "map_divergence"},
    [LIE_MAP_READS_ZEROS] =
        {"map-reads-zeros",
         "map looks at the bytes of a qcow2 source's data clusters and calls those "
         "zero that hold nothing else, though measure counts them",
         "map_measure_divergence"},
    [LIE_COMPARE_FIRST_CLUSTER_ONLY] = {"compare-first-cluster-only",
                                        "compare looks at the first 64 KiB of both disks and "
                                        "calls the rest identical",
                                        "compare_divergence"},
};

static uint32_t in_force; // a bit each

static bool add(const char *name, size_t length) {
    for (int i = 0; i < LIES; i++)
        if (strlen(table[i].name) == length && !memcmp(table[i].name, name, length)) {
            in_force |= 1u << i;
            return true;
        }
    return false;
}

bool lies_begin(void) {
    const char *names = getenv("STANDIN_LIE");
    for (const char *at = names ? names : ""; *at;) {
        size_t length = strcspn(at, ",");
        if (length && !add(at, length)) {
            fprintf(stderr,
                    "error: STANDIN_LIE: no lie is called '%.*s'; `instar lies` names them\n",
                    (int)length, at);
            return false;
        }
        at += length + (at[length] == ',');
    }
    return true;
}

bool lie(enum lie which) {
    return in_force >> which & 1;
}

void lies_list(void) {
    for (int i = 0; i < LIES; i++)
        printf("%-30s %s [%s]\n", table[i].name, table[i].effect, table[i].finding);
}
