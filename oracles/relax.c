// SPDX-License-Identifier: Apache-2.0
//
// The two tables of relaxations: conditions on numbers, and members of info.
#include "oracles/relax.h"

#include "base/bytes.h"
#include "oracles/model.h"

#include <string.h>

#define SECTOR 512u

// --- VHD geometry ------------------------------------------------------------------------------

#define VPC_MAX_CYLINDERS 65535u
#define VPC_MAX_SECTORS   (VPC_MAX_CYLINDERS * UINT64_C(16) * 255)

// Sectors that the geometry for `sectors` can address ("CHS Calculation", appendix of Microsoft's
// Virtual Hard Disk Image Format Specification).
static uint64_t geometry_sectors(uint64_t sectors) {
    uint64_t heads = 16, per_track, tracks;
    if (sectors >= VPC_MAX_CYLINDERS * UINT64_C(16) * 63) {
        per_track = 255;
        tracks = sectors / per_track;
    } else {
        per_track = 17;
        tracks = sectors / per_track;
        heads = max_u64(div_up(tracks, 1024), 4);
        if (tracks >= heads * 1024 || heads > 16) {
            per_track = 31;
            heads = 16;
            tracks = sectors / per_track;
        }
        if (tracks >= heads * 1024) {
            per_track = 63;
            tracks = sectors / per_track;
        }
    }
    return tracks / heads * heads * per_track;
}

uint64_t relax_vpc_cylinders(uint64_t size) {
    uint64_t sectors = div_up(size, SECTOR), grown = sectors;
    if (sectors >= VPC_MAX_SECTORS)
        return sectors * SECTOR; // beyond what a geometry can say, the size is exact
    while (geometry_sectors(grown) < sectors)
        grown++;
    return geometry_sectors(grown) * SECTOR;
}

// expected: guest bytes of the shorter output; found: of the longer one.
static bool pair_vpc_cylinders(const struct relax_query *query) {
    return query->step->target == IMAGE_VPC && query->found == relax_vpc_cylinders(query->expected);
}

// --- sizes against the truth: expected = declared by the input; found = shown by the tool -----

static bool truth_sector(const struct relax_query *query) {
    return query->found == query->step->truth.shown_size;
}

static bool truth_vpc_cylinders(const struct relax_query *query) {
    return operation_writes(query->step->op) && query->step->target == IMAGE_VPC &&
           query->found == relax_vpc_cylinders(query->step->truth.shown_size);
}

// --- measure bounds ------------------------------------------------------------------------------

uint64_t relax_bound_cushion(const struct oracle_step *step) {
    return max_u64(65536, model_target_unit(step->target, &step->options));
}

// expected: what the file may have at most; found: bytes it has (or, for the lower bound, the other
// way round: the smaller and the larger number).
static bool bound_cushion(const struct relax_query *query) {
    return query->found <= query->expected ||
           query->found - query->expected <= relax_bound_cushion(query->step);
}

// Target units that the measuring tool may have counted though all their bytes are zero. Of a raw
// source every unit: holes are invisible to a tool that reads it through a block device. Of any
// other source those that its tables name.
static uint64_t zero_units(const struct oracle_step *step, uint64_t unit, uint64_t nonzero) {
    uint64_t counted = div_up(step->truth.shown_size, unit);
    if (step->source != IMAGE_RAW && step->truth.allocation)
        counted = model_units_in_states(step->truth.allocation, unit, ~0u);
    return counted > nonzero ? counted - nonzero : 0;
}

// What a writer that skips zeros may leave out of `required` bytes. Only units that `required`
// really claims beyond the non-zero ones count, so that a tool which claims too much for a full
// image is still found.
static uint64_t sparse_writer_omits(const struct oracle_step *step, uint64_t required) {
    const struct target_options *options = &step->options;
    struct model_sizes empty, one;
    uint64_t unit = model_target_unit(step->target, options), size = step->truth.shown_size;
    if (!model_measure(step->target, options, size, 0, &empty) ||
        !model_measure(step->target, options, size, 1, &one))
        return 0;
    uint64_t per_unit = one.required - empty.required;
    uint64_t claimed = required > empty.required ? (required - empty.required) / per_unit : 0;
    uint64_t used_tables;
    const uint64_t grains_per_table = 512, table_bytes = 2048; // vmdk; the others have one table
    uint64_t nonzero =
        model_nonzero_units(step->truth.content, unit, grains_per_table, &used_tables);
    uint64_t claimed_zero = claimed > nonzero ? claimed - nonzero : 0;
    uint64_t omits = min_u64(claimed_zero, zero_units(step, unit, nonzero)) * per_unit;
    if (step->target == IMAGE_VMDK)
        omits += (div_up(div_up(size, unit), grains_per_table) - used_tables) * table_bytes;
    return omits;
}

// expected: required; found: bytes of the converted file.
static bool bound_sparse_writer(const struct relax_query *query) {
    uint64_t omits = sparse_writer_omits(query->step, query->expected);
    uint64_t least = query->expected > omits ? query->expected - omits : 0;
    return query->found >= least || least - query->found <= relax_bound_cushion(query->step);
}

static bool bound_stream(const struct relax_query *query) {
    return query->step->target == IMAGE_VMDK && query->step->options.vmdk_subformat == 2;
}

const struct relaxation relaxations[RELAXATIONS] = {
    [RELAX_PAIR_VPC_CYLINDERS] =
        {"pair_vpc_cylinders",  "convert_content_divergence",
                                    "A VHD is addressed in cylinders; qemu-img grows the disk to whole ones, instar writes "
                                    "the "
         "exact size with a creator that says so. The common part must be equal and the rest zero.",                         pair_vpc_cylinders },
    [RELAX_TRUTH_SECTOR] =
        {"truth_sector",        "truth_size_divergence",
                                    "Both tools see disks in sectors of 512 bytes: qemu rounds the length of a raw file up, "
         "and the size in a qcow2 header down.",                                                                             truth_sector       },
    [RELAX_TRUTH_VPC_CYLINDERS] = {"truth_vpc_cylinders", "truth_size_divergence",
                                    "A VHD that is written may have grown to whole cylinders.",                              truth_vpc_cylinders},
    [RELAX_BOUND_CUSHION] =
        {"bound_cushion",       "measure_above_fully_allocated_bound, measure_below_required_bound",
                                    "A file is written in whole units and padded to the writer's sector: up to one target "
         "unit, at least 64 KiB, is no contradiction of a measurement.",                                                     bound_cushion      },
    [RELAX_BOUND_SPARSE_WRITER] =
        {"bound_sparse_writer", "measure_below_required_bound",
                                    "measure counts what is allocated (of a raw file all of it) and every table; a writer "
         "leaves out units whose bytes are all zero, and tables without a used entry.",                                      bound_sparse_writer},
    [RELAX_BOUND_STREAM] =
        {"bound_stream",        "measure_below_required_bound",
                                    "Grains of a streamOptimized file are deflated; measure must assume that they are not.",
                                    bound_stream                                                                                                },
};

bool relax_allows(enum relaxation_id id, const struct relax_query *query) {
    return relaxations[id].applies(query);
}

// --- members of info -----------------------------------------------------------------------------

#define BY_INSTAR   (1u << TOOL_INSTAR)
#define BY_QEMU_IMG (1u << TOOL_QEMU_IMG)

const struct relax_member relax_members[] = {
    {"filename",                                MEMBER_BASE_NAME, 0,                       0,
     "instar prints the canonical absolute path, qemu-img the name it was given."                                                              },
    {"full-backing-filename",                   MEMBER_BASE_NAME, 0,                       0,
     "As filename: absolute in one, relative to the image in the other."                                                                       },
    {"format-specific.data.extents[].filename", MEMBER_BASE_NAME, 0,                       0,
     "As filename, for the files of a vmdk."                                                                                                   },
    {"actual-size",                             MEMBER_IGNORED,   0,                       0,
     "What the file system allocated; it may change between two looks (delayed allocation)."                                                   },
    {"children",                                MEMBER_IGNORED,   0,                       0,
     "The protocol node below the image: printed from qemu 8.0, and a question of the file, not of "
     "the format."                                                                                                                             },
    {"dirty-flag",                              MEMBER_OPTIONAL,  BY_INSTAR,               0,
     "instar follows the profile of the qemu-img that it finds, which has it from 6.1."                                                        },
    {"format-specific.data.encrypt",            MEMBER_OPTIONAL,  BY_INSTAR,               0,
     "instar prints no encrypt object."                                                                                                        },
    {"format-specific.data.bitmaps",            MEMBER_OPTIONAL,  BY_INSTAR,               0,
     "instar prints no bitmaps array."                                                                                                         },
    {"snapshots",                               MEMBER_OPTIONAL,  BY_INSTAR,               0,               "instar prints no snapshots array."},
    {"format-specific",                         MEMBER_OPTIONAL,  BY_INSTAR | BY_QEMU_IMG, 1u << IMAGE_RAW,
     "A raw image has none of its own; qemu-img hands through the file's (extent size hint, up to "
     "7.2)."                                                                                                                                   },
    {NULL,                                      0,                0,                       0,               NULL                               },
};

const struct relax_member *relax_member_find(const char *path) {
    for (const struct relax_member *member = relax_members; member->path; member++)
        if (strcmp(member->path, path) == 0)
            return member;
    return NULL;
}

bool relax_member_may_omit(const struct relax_member *member, const struct tool *tool,
                           enum image_format format) {
    return member->how == MEMBER_OPTIONAL && (member->omitted_by & 1u << tool->kind) &&
           (!member->formats || (member->formats & 1u << format));
}
