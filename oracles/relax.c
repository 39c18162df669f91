// SPDX-License-Identifier: Apache-2.0
//
// Where the tools may give different sizes and both be right: for which cases that holds, and how
// far apart they may be then, which for VHD its geometry says. A difference that none of these
// permits is a divergence, so none may be wider than its reason. (Members of info are in
// relax_members.c.)
#include "oracles/relax.h"

#include "base/bytes.h"
#include "oracles/model.h"
#include "oracles/rule.h"

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
    // A geometry at its maximum is not believed by anybody: the size is exact again.
    return min_u64(geometry_sectors(grown), VPC_MAX_SECTORS) == VPC_MAX_SECTORS
               ? sectors * SECTOR
               : geometry_sectors(grown) * SECTOR;
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

static bool truth_active_size(const struct relax_query *query) {
    uint64_t active = query->step->truth.active_size;
    return query->step->options.snapshot &&
           (query->found == active ||
            (query->step->target == IMAGE_VPC && query->found == relax_vpc_cylinders(active)));
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

// Sources of which a measuring tool may count every unit. A raw file that is read as a block device
// shows no holes, nor does a fixed VHD, which is one with a footer; qemu has no block status for
// VHDX, so the honest number there is the whole disk.
static bool counted_whole(const struct oracle_step *step) {
    bool fixed = step->source == IMAGE_VPC && step->truth.options && step->truth.options->vpc_fixed;
    return step->source == IMAGE_RAW || step->source == IMAGE_VHDX || fixed;
}

// Target units that the measuring tool may have counted though all their bytes are zero: of any
// other source those that its tables name.
static uint64_t zero_units(const struct oracle_step *step, uint64_t unit, uint64_t nonzero) {
    uint64_t counted = div_up(step->truth.shown_size, unit);
    if (!counted_whole(step) && step->truth.allocation)
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
    if (per_unit == 0)
        return 0; // monolithicFlat: every byte has its place
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
    return query->step->target == IMAGE_VMDK &&
           query->step->options.vmdk_subformat == SUBFORMAT_STREAM;
}

// expected: of the model; found: of the tool.
static bool numeric_empty_vhdx(const struct relax_query *query) {
    return query->step->target == IMAGE_VHDX && query->step->truth.shown_size == 0;
}

// --- the contract of measure: expected = what it promised; found = bytes of the converted file
// ----

static bool asks_qcow2_of_qemu_img(const struct relax_query *query) {
    return query->tool && query->tool->kind == TOOL_QEMU_IMG && query->step->target == IMAGE_QCOW2;
}

static bool contract_metadata(const struct relax_query *query) {
    return asks_qcow2_of_qemu_img(query) &&
           query->step->options.preallocation == PREALLOCATION_METADATA;
}

static bool contract_falloc(const struct relax_query *query) {
    uint32_t preallocation = query->step->options.preallocation;
    return asks_qcow2_of_qemu_img(query) &&
           (preallocation == PREALLOCATION_FALLOC || preallocation == PREALLOCATION_FULL) &&
           query->found - query->expected <= model_target_unit(IMAGE_QCOW2, &query->step->options);
}

static bool contract_refcount_table(const struct relax_query *query) {
    const struct target_options *options = &query->step->options;
    uint64_t cluster = model_target_unit(IMAGE_QCOW2, options);
    uint64_t bits = options->refcount_bits ? options->refcount_bits : 16;
    uint64_t counted = 8 * cluster / bits; // clusters, by one refcount block
    uint64_t blocks = div_up(div_up(query->found, cluster), counted);
    return asks_qcow2_of_qemu_img(query) && blocks > cluster / 8 &&
           query->found - query->expected <= (blocks + counted) * cluster;
}

static bool contract_instar_sector(const struct relax_query *query) {
    return query->tool && query->tool->kind == TOOL_INSTAR && !query->tool->is_standin &&
           query->step->target == IMAGE_QCOW2 && query->found - query->expected <= 65536;
}

// --- map: no numbers -----------------------------------------------------------------------------

static bool map_no_block_status(const struct relax_query *query) {
    return query->tool->kind == TOOL_QEMU_IMG && query->step->source == IMAGE_VHDX;
}

static bool map_vpc_present(const struct relax_query *query) {
    return query->tool->kind == TOOL_QEMU_IMG && query->step->source == IMAGE_VPC;
}

static bool map_instar_raw(const struct relax_query *query) {
    return query->tool->kind == TOOL_INSTAR && !query->tool->is_standin &&
           query->step->source == IMAGE_RAW;
}

static bool map_instar_refuses(const struct relax_query *query) {
    return query->tool->kind == TOOL_INSTAR &&
           (query->step->truth.layers > 1 || oracle_input_is_descriptor(query->step));
}

static bool map_instar_compressed(const struct relax_query *query) {
    return query->tool->kind == TOOL_INSTAR && !query->tool->is_standin;
}

static bool map_standin_vhdx(const struct relax_query *query) {
    return query->tool->is_standin && query->step->source == IMAGE_VHDX;
}

// Asked of that damage alone.
static bool damage_overlap(const struct relax_query *query) {
    return query->tool->kind == TOOL_QEMU_IMG &&
           (query->step->source == IMAGE_VMDK || query->step->source == IMAGE_VHDX);
}

// Of that damage alone, too.
static bool damage_subclusters(const struct relax_query *query) {
    const struct tool *tool = query->tool;
    return tool->kind == TOOL_QEMU_IMG && tool->version_number && tool->version_number < 60200;
}

const struct relaxation relaxations[RELAXATIONS] = {
    [RELAX_PAIR_VPC_CYLINDERS].name = "pair_vpc_cylinders",
    [RELAX_PAIR_VPC_CYLINDERS].used_by = "convert_content_divergence",
    [RELAX_PAIR_VPC_CYLINDERS].applies = pair_vpc_cylinders,
    [RELAX_PAIR_VPC_CYLINDERS].reason =
        "A VHD is addressed in cylinders; qemu-img grows the disk to whole ones, instar writes the "
        "exact size with a creator that says so. The common part must be equal and the rest zero.",

    [RELAX_TRUTH_SECTOR].name = "truth_sector",
    [RELAX_TRUTH_SECTOR].used_by = "truth_size_divergence",
    [RELAX_TRUTH_SECTOR].applies = truth_sector,
    [RELAX_TRUTH_SECTOR].reason =
        "Both tools see disks in sectors of 512 bytes: the length of a raw file that is no "
        "multiple "
        "of 512 is rounded up. (No other format of ours declares such a size.)",

    [RELAX_TRUTH_VPC_CYLINDERS].name = "truth_vpc_cylinders",
    [RELAX_TRUTH_VPC_CYLINDERS].used_by = "truth_size_divergence",
    [RELAX_TRUTH_VPC_CYLINDERS].applies = truth_vpc_cylinders,
    [RELAX_TRUTH_VPC_CYLINDERS].reason = "A VHD that is written may have grown to whole cylinders.",

    [RELAX_TRUTH_ACTIVE_SIZE].name = "truth_active_size",
    [RELAX_TRUTH_ACTIVE_SIZE].used_by = "truth_size_divergence",
    [RELAX_TRUTH_ACTIVE_SIZE].applies = truth_active_size,
    [RELAX_TRUTH_ACTIVE_SIZE].reason =
        "qemu-img shows an internal snapshot as a disk of the active one's size, cut or followed "
        "by zeros; the specification records a size for each (docs/findings.md).",

    [RELAX_BOUND_CUSHION].name = "bound_cushion",
    [RELAX_BOUND_CUSHION].used_by =
        "measure_above_fully_allocated_bound, measure_below_required_bound, "
        "measure_numeric_divergence",
    [RELAX_BOUND_CUSHION].applies = bound_cushion,
    [RELAX_BOUND_CUSHION].reason =
        "A file is written in whole units and padded to the writer's sector, and a vmdk, vpc or "
        "vhdx can be laid out in more than one way: up to one target unit, at least 64 KiB, is no "
        "contradiction of a measurement.",

    [RELAX_BOUND_SPARSE_WRITER].name = "bound_sparse_writer",
    [RELAX_BOUND_SPARSE_WRITER].used_by = "measure_below_required_bound",
    [RELAX_BOUND_SPARSE_WRITER].applies = bound_sparse_writer,
    [RELAX_BOUND_SPARSE_WRITER].reason =
        "measure counts what is allocated (of raw and VHDX all of it) and every table; a writer "
        "leaves out units whose bytes are all zero, and tables without a used entry.",

    [RELAX_BOUND_STREAM].name = "bound_stream",
    [RELAX_BOUND_STREAM].used_by = "measure_below_required_bound",
    [RELAX_BOUND_STREAM].applies = bound_stream,
    [RELAX_BOUND_STREAM].reason =
        "Grains of a streamOptimized file are deflated; measure must assume that they are not.",

    [RELAX_NUMERIC_EMPTY_VHDX].name = "numeric_empty_vhdx",
    [RELAX_NUMERIC_EMPTY_VHDX].used_by = "measure_numeric_divergence",
    [RELAX_NUMERIC_EMPTY_VHDX].applies = numeric_empty_vhdx,
    [RELAX_NUMERIC_EMPTY_VHDX].reason =
        "qemu counts the blocks of an empty disk from its size - 1, in 32 bits: a VHDX that it "
        "shall open has a table for all of them, and is measured with it.",

    [RELAX_CONTRACT_METADATA].name = "contract_metadata",
    [RELAX_CONTRACT_METADATA].used_by = "measure_contract_violation",
    [RELAX_CONTRACT_METADATA].applies = contract_metadata,
    [RELAX_CONTRACT_METADATA].reason =
        "With preallocation=metadata qemu-img gives every cluster its place in the file, which "
        "measure does not count: the file is as long as fully-allocated (docs/findings.md).",

    [RELAX_CONTRACT_FALLOC].name = "contract_falloc",
    [RELAX_CONTRACT_FALLOC].used_by = "measure_contract_violation",
    [RELAX_CONTRACT_FALLOC].applies = contract_falloc,
    [RELAX_CONTRACT_FALLOC].reason =
        "With preallocation=falloc or full qemu-img makes refcounts for more tables than it needs: "
        "of an empty disk, and of some others in small clusters, the file has one cluster more "
        "than was measured (docs/findings.md).",

    [RELAX_CONTRACT_REFCOUNT_TABLE].name = "contract_refcount_table",
    [RELAX_CONTRACT_REFCOUNT_TABLE].used_by = "measure_contract_violation",
    [RELAX_CONTRACT_REFCOUNT_TABLE].applies = contract_refcount_table,
    [RELAX_CONTRACT_REFCOUNT_TABLE].reason =
        "qemu-img begins with a refcount table of one cluster. Where the file outgrows it, a "
        "larger "
        "one is put behind what the present blocks count, and clusters are left over: at most as "
        "many as there are blocks, and as one of them counts (docs/findings.md).",

    [RELAX_CONTRACT_INSTAR_SECTOR].name = "contract_instar_sector",
    [RELAX_CONTRACT_INSTAR_SECTOR].used_by = "measure_contract_violation",
    [RELAX_CONTRACT_INSTAR_SECTOR].applies = contract_instar_sector,
    [RELAX_CONTRACT_INSTAR_SECTOR].reason =
        "instar writes through a device of 64 KiB sectors: a qcow2 may end in the middle of one, "
        "the file not.",

    [RELAX_MAP_NO_BLOCK_STATUS].name = "map_no_block_status",
    [RELAX_MAP_NO_BLOCK_STATUS].used_by = "map_divergence",
    [RELAX_MAP_NO_BLOCK_STATUS].applies = map_no_block_status,
    [RELAX_MAP_NO_BLOCK_STATUS].reason =
        "qemu-img has no block status for VHDX: all of the disk is data (docs/findings.md).",

    [RELAX_MAP_VPC_PRESENT].name = "map_vpc_present",
    [RELAX_MAP_VPC_PRESENT].used_by = "map_divergence",
    [RELAX_MAP_VPC_PRESENT].applies = map_vpc_present,
    [RELAX_MAP_VPC_PRESENT].reason = "Of a VHD qemu-img calls a block without an entry zero, and "
                                     "what is zero counts as present; "
                                     "instar documents that its map says it is not.",

    [RELAX_MAP_INSTAR_RAW].name = "map_instar_raw",
    [RELAX_MAP_INSTAR_RAW].used_by = "map_divergence",
    [RELAX_MAP_INSTAR_RAW].applies = map_instar_raw,
    [RELAX_MAP_INSTAR_RAW].reason =
        "No SEEK_HOLE reaches instar's guest: a raw file is one run of data. (The stand-in sees "
        "holes.)",

    [RELAX_MAP_INSTAR_REFUSES].name = "map_instar_refuses",
    [RELAX_MAP_INSTAR_REFUSES].used_by = "map_divergence",
    [RELAX_MAP_INSTAR_REFUSES].applies = map_instar_refuses,
    [RELAX_MAP_INSTAR_REFUSES].reason =
        "instar documents that its map refuses files with a parent and vmdk descriptors.",

    [RELAX_MAP_INSTAR_COMPRESSED].name = "map_instar_compressed",
    [RELAX_MAP_INSTAR_COMPRESSED].used_by = "map_divergence",
    [RELAX_MAP_INSTAR_COMPRESSED].applies = map_instar_compressed,
    [RELAX_MAP_INSTAR_COMPRESSED].reason =
        "instar documents that its map tells compressed clusters from no others, and names a wrong "
        "place for them. (The stand-in names none.)",

    [RELAX_MAP_STANDIN_VHDX].name = "map_standin_vhdx",
    [RELAX_MAP_STANDIN_VHDX].used_by = "map_measure_divergence",
    [RELAX_MAP_STANDIN_VHDX].applies = map_standin_vhdx,
    [RELAX_MAP_STANDIN_VHDX].reason =
        "The stand-in maps the blocks of a VHDX that are present, as instar does; its measure "
        "counts the whole disk, as qemu-img's does. (instar's counts those blocks.)",

    [RELAX_DAMAGE_OVERLAP].name = "damage_overlap",
    [RELAX_DAMAGE_OVERLAP].used_by = "check_damage_divergence",
    [RELAX_DAMAGE_OVERLAP].applies = damage_overlap,
    [RELAX_DAMAGE_OVERLAP].reason =
        "qemu-img's check of a vmdk or vhdx asks of each entry whether it lies in the file, and "
        "never whether another one has that place (docs/findings.md).",

    [RELAX_DAMAGE_SUBCLUSTERS].name = "damage_subclusters",
    [RELAX_DAMAGE_SUBCLUSTERS].used_by = "check_damage_divergence",
    [RELAX_DAMAGE_SUBCLUSTERS].applies = damage_subclusters,
    [RELAX_DAMAGE_SUBCLUSTERS].reason =
        "Up to 6.1 qemu-img's check does not look at the bitmaps of extended L2 entries.",
};

bool relax_allows(enum relaxation_id id, const struct relax_query *query) {
    return relaxations[id].applies(query);
}
