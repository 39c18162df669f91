// SPDX-License-Identifier: Apache-2.0
//
// The one table of lies. Some are what instar documents of itself or does by its source (0.3.0), so
// that the registry of known divergences has something to fire on; the others are planted bugs of
// the kinds that differential fuzzing has found in such tools.
#include "standin/lies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// `origin`: where instar's documented behaviour is written down; NULL for a planted bug.
#define DOCUMENTED "instar's documentation"
#define BY_SOURCE  "instar's source"

static const struct {
    const char *name, *effect, *finding, *origin;
} table[LIES] = {
    [LIE_RAW_WITHOUT_SEEK_HOLE] = {"raw-without-seek-hole",
                                   "measure counts a raw source as fully allocated",
                                   "measure_numeric_divergence", DOCUMENTED},
    [LIE_QCOW2_ZERO_CLUSTERS_ALLOCATED] = {"qcow2-zero-clusters-allocated",
                                           "measure counts zero clusters of a qcow2 source as data",
                                           "measure_numeric_divergence", BY_SOURCE},
    [LIE_VHD_CHS_SIZE] =
        {"vhd-chs-size",
         "convert -O vpc writes a footer whose size is the whole CHS geometry below the disk's",
         "convert_content_divergence"},
    [LIE_VMDK_64K_SECTORS] =
        {"vmdk-64k-sectors",
         "convert -O vmdk pads every table and grain to 64 KiB, so that grains "
         "below 64 KiB inflate the file beyond what measure promised",
         "measure_above_fully_allocated_bound", BY_SOURCE},
    [LIE_VPC_64K_SECTORS] =
        {"vpc-64k-sectors",
         "convert -O vpc pads header, table, footer and each block with its bitmap to 64 KiB, so "
         "that many small blocks inflate the file beyond what measure promised",
         "measure_above_fully_allocated_bound", BY_SOURCE},
    // instar's documentation has all blocks counted, as qemu-img does; its source has these.
    [LIE_VHDX_BLOCKS_COUNTED] = {"vhdx-blocks-counted",
                                 "measure -O qcow2 counts the blocks of a vhdx source that are "
                                 "present, where qemu-img counts all of the disk",
                                 "measure_numeric_divergence", BY_SOURCE},
    [LIE_UNITS_NOT_COUNTED] = {"units-not-counted",
                               "measure of a vmdk or dynamic vpc source adds up allocated bytes, "
                               "and not the target units that they touch",
                               "measure_numeric_divergence", BY_SOURCE},
    [LIE_BITMAPS_OMITTED] = {"bitmaps-omitted",
                             "measure -O qcow2 leaves out `bitmaps` for a version 3 source",
                             "measure_bitmaps_presence_divergence"},
    [LIE_WRONG_BYTE_NEAR_END] = {"wrong-byte-near-end",
                                 "convert flips the last stored byte when it lies in the last "
                                 "64 KiB of the disk",
                                 "convert_content_divergence"},
    [LIE_SUCCESS_WHERE_QEMU_FAILS] = {"success-where-qemu-fails",
                                      "convert cuts a disk above 2040 GiB for vpc",
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
                                        "measure_numeric_divergence", DOCUMENTED},
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
         "exit_code_divergence", BY_SOURCE},
    [LIE_BITMAPS_ZERO] = {"bitmaps-zero",
                          "measure -O qcow2 prints 0 bytes of `bitmaps`, however many there are",
                          "measure_bitmaps_value_divergence", DOCUMENTED},
    [LIE_VMDK_EXTENTS_MISCOUNTED] = {"vmdk-extents-miscounted",
                                     "measure -O raw and -O qcow2 of a vmdk of several extents "
                                     "forget the last one",
                                     "measure_numeric_divergence"},
    // Of these each needs several things at once (losses.h).
    [LIE_SUBCLUSTERS_PAST_BACKING] =
        {"subclusters-past-backing",
         "convert of a qcow2 with extended L2 entries reads zeros for what the file below it has "
         "in the cluster where that file ends, if the source stores a part of that cluster",
         "convert_content_divergence"},
    [LIE_MIDDLE_ZEROS_FORGOTTEN] = {"middle-zeros-forgotten",
                                    "convert of a chain of three files forgets zero clusters of "
                                    "the middle one, a qcow2",
                                    "convert_content_divergence"},
    [LIE_ZSTD_BELOW_OTHER_CLUSTERS] =
        {"zstd-below-other-clusters",
         "convert of a qcow2 reads zeros for clusters that the file below it has compressed by "
         "zstd, if that has another cluster size",
         "convert_content_divergence"},
    [LIE_SHORT_SNAPSHOT_COMPRESSED] = {"short-snapshot-compressed",
                                       "convert of a snapshot that is smaller than the disk reads "
                                       "zeros for its compressed clusters",
                                       "convert_content_divergence"},
    [LIE_GRAIN_TABLES_STRADDLED] = {"grain-tables-straddled",
                                    "convert of a streamOptimized vmdk reads zeros for the first "
                                    "grain of a grain table, if the grain before it is stored",
                                    "convert_content_divergence"},
    [LIE_EXTENTS_STRADDLED] = {"extents-straddled",
                               "convert of a vmdk of several sparse extents reads zeros for the "
                               "first grain of an extent, if the grain before it is stored",
                               "convert_content_divergence"},
    [LIE_METADATA_OF_SUBCLUSTERS] =
        {"metadata-of-subclusters",
         "measure -O qcow2 with extended L2 entries, preallocation=metadata and refcounts of 64 "
         "bits forgets a cluster",
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
    [LIE_RAW_LENGTH_MEASURED] = {"raw-length-measured",
                                 "measure takes a raw source for as long as the device of 64 KiB "
                                 "sectors that holds it",
                                 "measure_numeric_divergence", DOCUMENTED},
    [LIE_RAW_LENGTH_CONVERTED] = {"raw-length-converted",
                                  "convert takes a raw source for as long as the device of 64 KiB "
                                  "sectors that holds it",
                                  "convert_content_divergence", BY_SOURCE},
    [LIE_RAW_LENGTH_MAPPED] = {"raw-length-mapped",
                               "map takes a raw source for as long as the device of 64 KiB sectors "
                               "that holds it",
                               "map_divergence", BY_SOURCE},
    [LIE_UNSKIPPED_LENGTH] = {"unskipped-length",
                              "convert -O raw --no-skip-zeros writes whole sectors of 64 KiB",
                              "convert_content_divergence", BY_SOURCE},
    [LIE_ZEROED_GRAINS_COUNTED] = {"zeroed-grains-counted",
                                   "measure counts zeroed grains of a vmdk source as data",
                                   "measure_numeric_divergence", BY_SOURCE},
    [LIE_SUBCLUSTERS_NOT_PLACED] = {"subclusters-not-placed",
                                    "measure of a qcow2 source with extended L2 entries adds up "
                                    "stored bytes, and not the target units that they touch",
                                    "measure_numeric_divergence", BY_SOURCE},
    [LIE_VPC_CURRENT_SIZE] = {"vpc-current-size",
                              "measure takes the current size in a vpc's footer for the disk's, "
                              "whoever created it",
                              "measure_numeric_divergence", BY_SOURCE},
    [LIE_FIXED_VPC_SHOWN_AS_RAW] = {"fixed-vpc-shown-as-raw",
                                    "info takes a fixed vpc for raw if its footer does not begin a "
                                    "sector of 64 KiB",
                                    "info_output_divergence", BY_SOURCE},
    [LIE_FIXED_VPC_MEASURED_AS_RAW] = {"fixed-vpc-measured-as-raw",
                                       "measure takes a fixed vpc for raw if its footer does not "
                                       "begin a sector of 64 KiB",
                                       "measure_numeric_divergence", BY_SOURCE},
    [LIE_FIXED_VPC_COUNTED] = {"fixed-vpc-counted",
                               "measure counts a fixed vpc source as fully allocated",
                               "measure_numeric_divergence", BY_SOURCE},
    [LIE_SIZE_NOT_ROUNDED] = {"size-not-rounded",
                              "measure --size does not round up to whole sectors",
                              "measure_numeric_divergence", DOCUMENTED},
    [LIE_LARGE_L1_ACCEPTED] = {"large-l1-accepted",
                               "measure --size of a qcow2 has no limit for the L1 table",
                               "exit_code_divergence", BY_SOURCE},
    [LIE_COMPAT_EXTENDED_L2_REFUSED] = {"compat-extended-l2-refused",
                                        "measure refuses extended L2 entries with compat=0.10",
                                        "exit_code_divergence", BY_SOURCE},
    [LIE_COMPAT_REFCOUNTS_ACCEPTED] = {"compat-refcounts-accepted",
                                       "measure takes refcounts of any width with compat=0.10",
                                       "exit_code_divergence", BY_SOURCE},
    [LIE_COMPAT_BITMAPS_PRINTED] = {"compat-bitmaps-printed",
                                    "measure prints `bitmaps` for a target of compat=0.10, too",
                                    "measure_bitmaps_presence_divergence", BY_SOURCE},
    [LIE_EMPTY_DISK_REFUSED] = {"empty-disk-refused", "convert refuses a disk of size 0",
                                "exit_code_divergence", DOCUMENTED},
    [LIE_EMPTY_QCOW2_NOT_MEASURED] = {"empty-qcow2-not-measured",
                                      "measure refuses a qcow2 of size 0, which has no L1 table",
                                      "exit_code_divergence", BY_SOURCE},
    [LIE_OUTPUT_CAPACITY] = {"output-capacity",
                             "convert refuses an output that is larger than the device which was "
                             "made for it without a look at cluster, grain or block size",
                             "exit_code_divergence", BY_SOURCE},
    [LIE_LAST_UNIT_COUNTED_WHOLE] = {"last-unit-counted-whole",
                                     "measure -O vmdk, vpc and vhdx count the last block or grain "
                                     "of a source as a whole, wherever the disk ends",
                                     "measure_below_required_bound", BY_SOURCE},
    [LIE_SPLIT_SPARSE_NOT_CONVERTED] = {"split-sparse-not-converted",
                                        "convert refuses a vmdk of several sparse extents",
                                        "exit_code_divergence", DOCUMENTED},
    // A documented value shifted: what no entry of the registry predicts must stay new.
    [LIE_RAW_SCAN_OFF_BY_ONE] = {"raw-scan-off-by-one",
                                 "measure -O qcow2 counts one cluster too many of a raw source",
                                 "measure_numeric_divergence", NULL},
    [LIE_EMPTY_FILE_NOT_SHOWN] = {"empty-file-not-shown", "info of an empty file prints nothing",
                                  "info_output_divergence", BY_SOURCE},
    [LIE_DATA_FILE_RAW_NOT_SHOWN] = {"data-file-raw-not-shown",
                                     "info of a qcow2 with a data file leaves out `data-file-raw`",
                                     "info_output_divergence", BY_SOURCE},
    [LIE_DESCRIPTOR_NOT_MEASURED] = {"descriptor-not-measured",
                                     "measure refuses a vmdk that is named by its descriptor file",
                                     "exit_code_divergence", DOCUMENTED},
    [LIE_VPC_CLUSTER_SIZE] = {"vpc-cluster-size",
                              "info prints a cluster size of 2 MiB for every vpc",
                              "info_output_divergence", BY_SOURCE},
    [LIE_EMPTY_FILE_NOT_MEASURED] = {"empty-file-not-measured", "measure refuses an empty raw file",
                                     "exit_code_divergence", BY_SOURCE},
    [LIE_EMPTY_VPC_NOT_MEASURED] = {"empty-vpc-not-measured",
                                    "measure refuses a dynamic vpc of size 0, which has no block",
                                    "exit_code_divergence", BY_SOURCE},
    [LIE_SPLIT_SPARSE_NOT_SHOWN] = {"split-sparse-not-shown",
                                    "info and check refuse a vmdk of several sparse extents",
                                    "exit_code_divergence", BY_SOURCE},
    [LIE_VMDK_PARENT_NOT_SHOWN] = {"vmdk-parent-not-shown", "info of a vmdk leaves out its parent",
                                   "info_output_divergence", DOCUMENTED},
    [LIE_FIXED_VPC_NOT_CHECKED] = {"fixed-vpc-not-checked",
                                   "check takes a fixed vpc for raw if its footer does not begin a "
                                   "sector of 64 KiB",
                                   "check_divergence", BY_SOURCE},
    // What agrees with every other tool as long as nobody damages an image, opens the output's
    // header, or looks where map points.
    [LIE_LOST_REFCOUNTS_UNSEEN] = {"lost-refcounts-unseen",
                                   "check sees no cluster whose refcount is too low",
                                   "check_damage_divergence"},
    [LIE_EXTENDED_L2_FORGOTTEN] = {"extended-l2-forgotten",
                                   "convert takes --extended-l2 and writes L2 entries of 8 bytes",
                                   "output_kind_divergence"},
    [LIE_MAP_OFFSETS_FROM_FIRST_RUN] =
        {"map-offsets-from-first-run",
         "map counts the place of a raw file's runs from the first of them that has data",
         "map_divergence"},
    [LIE_LEAKS_UNSEEN] = {"leaks-unseen", "check sees no cluster whose refcount is too high",
                          "check_damage_divergence"},
    [LIE_TABLES_UNCHECKED] = {"tables-unchecked",
                              "check calls each vmdk, vpc and vhdx clean that opens",
                              "check_damage_divergence"},
    [LIE_LEAKS_NOT_COUNTED] = {"leaks-not-counted",
                               "check ends with 3 where clusters are leaked, and prints no leak",
                               "check_damage_divergence"},
    [LIE_SNAPSHOTS_NOT_WALKED] = {"snapshots-not-walked",
                                  "check of a qcow2 calls the tables of its internal snapshots "
                                  "leaked",
                                  "check_divergence", DOCUMENTED},
    [LIE_REFUSED_READ_AS_RAW] = {"refused-read-as-raw",
                                 "info, measure and convert read a file that no reader of its "
                                 "format accepts as raw",
                                 "must_refuse_violation"},
    [LIE_VMDK_FOOTER_NOT_MEASURED] = {"vmdk-footer-not-measured",
                                      "measure refuses a streamOptimized vmdk with a footer that "
                                      "does not end a sector of 64 KiB",
                                      "exit_code_divergence", BY_SOURCE},
    // By several things at once again.
    [LIE_EXTENTS_IN_CHUNKS] =
        {"extents-in-chunks",
         "convert of a vmdk of several flat extents reads zeros for what of a "
         "64 KiB chunk lies behind an extent's end",
         "convert_content_divergence"},
    [LIE_TYPE_BEHIND_SHORT_HEADER] =
        {"type-behind-short-header",
         "convert of a qcow2 takes the byte behind a header of 104 bytes for its compression type, "
         "and reads zeros for compressed clusters if header extensions begin there",
         "convert_content_divergence"},
};

// STANDIN_LIE=as-instar: the documented program that is played, by the name of its release.
#define AS_INSTAR "as-instar"
#define GROUP     "documented" // as-instar and every lie with an origin
#define PLAYED    "0.3.0"

static bool in_force[LIES];
static bool as_instar;

static bool is(const char *name, const char *given, size_t length) {
    return strlen(name) == length && !memcmp(name, given, length);
}

static bool add(const char *given, size_t length) {
    bool group = is(GROUP, given, length), found = group || is(AS_INSTAR, given, length);
    as_instar |= found;
    for (int i = 0; i < LIES; i++)
        if (is(table[i].name, given, length) || (group && table[i].origin)) {
            in_force[i] = true;
            found = true;
        }
    return found;
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
    return in_force[which];
}

const char *lies_played(void) {
    return as_instar ? PLAYED : NULL;
}

void lies_list(void) {
    for (int i = 0; i < LIES; i++)
        printf("%-30s %-10s %s%s%s [%s]\n", table[i].name, table[i].origin ? GROUP : "planted",
               table[i].effect, table[i].origin ? "; by " : "",
               table[i].origin ? table[i].origin : "", table[i].finding);
}
