// SPDX-License-Identifier: Apache-2.0
//
// Relaxations: the differences that a correct tool may show. Each has a name and one reason, is
// asked at one place, and has a unit test with the case that needs it. Anything that is allowed
// without an entry here is a bug of the rule that allows it.
#ifndef ORACLES_RELAX_H
#define ORACLES_RELAX_H

#include "oracles/oracle.h"

enum relaxation_id {
    RELAX_PAIR_VPC_CYLINDERS,      // convert_content_divergence
    RELAX_TRUTH_SECTOR,            // truth_size_divergence
    RELAX_TRUTH_VPC_CYLINDERS,     // truth_size_divergence
    RELAX_TRUTH_ACTIVE_SIZE,       // truth_size_divergence
    RELAX_BOUND_CUSHION,           // both bounds, measure_numeric_divergence
    RELAX_BOUND_SPARSE_WRITER,     // measure_below_required_bound
    RELAX_BOUND_STREAM,            // measure_below_required_bound
    RELAX_NUMERIC_EMPTY_VHDX,      // measure_numeric_divergence
    RELAX_CONTRACT_METADATA,       // measure_contract_violation
    RELAX_CONTRACT_FALLOC,         // measure_contract_violation
    RELAX_CONTRACT_REFCOUNT_TABLE, // measure_contract_violation
    RELAX_CONTRACT_INSTAR_SECTOR,  // measure_contract_violation
    RELAX_MAP_NO_BLOCK_STATUS,     // map_divergence
    RELAX_MAP_VPC_PRESENT,         // map_divergence
    RELAX_MAP_INSTAR_RAW,          // map_divergence
    RELAX_MAP_INSTAR_REFUSES,      // map_divergence
    RELAX_MAP_INSTAR_COMPRESSED,   // map_divergence
    RELAX_MAP_STANDIN_VHDX,        // map_measure_divergence
    RELAX_DAMAGE_OVERLAP,          // check_damage_divergence
    RELAX_DAMAGE_SUBCLUSTERS,      // check_damage_divergence
    RELAXATIONS
};

struct relax_query {
    const struct oracle_step *step;
    uint64_t expected, found; // bytes; which is which is said at each entry
    const struct tool *tool;  // whose answer it is; where a relaxation is one tool's
};

struct relaxation {
    const char *name;
    const char *used_by; // oracle type
    const char *reason;  // why a correct tool may differ
    bool (*applies)(const struct relax_query *query);
};

extern const struct relaxation relaxations[RELAXATIONS];
bool relax_allows(enum relaxation_id id, const struct relax_query *query);

// Members of `info` that are not compared as they stand.
enum relax_member_how {
    MEMBER_IGNORED,   // not compared at all
    MEMBER_BASE_NAME, // a file name: only what follows the last '/' is compared
    MEMBER_OPTIONAL,  // equal where both print it; the named tools may leave it out
};

struct relax_member {
    const char *path; // "format-specific.data.extents[].filename"
    enum relax_member_how how;
    // MEMBER_OPTIONAL: kinds of tool that may leave it out (bit set: 1u << enum tool_kind), and for
    // which image formats (bit set; 0: all).
    unsigned omitted_by, formats;
    const char *reason;
};

extern const struct relax_member relax_members[];               // ends with path NULL
const struct relax_member *relax_member_find(const char *path); // NULL: compared as it stands
bool relax_member_may_omit(const struct relax_member *member, const struct tool *tool,
                           enum image_format format);

// The size that a VHD of `size` bytes grows to when it is made of whole cylinders.
uint64_t relax_vpc_cylinders(uint64_t size);
// The slack of both measure bounds, and between two layouts: one target unit, at least 64 KiB.
uint64_t relax_bound_cushion(const struct oracle_step *step);

#endif
