// SPDX-License-Identifier: Apache-2.0
//
// What the registry's file may name: predictors (which value does a documented deviation lead to?)
// and features (does the case have the property that triggers it?). Both are tables of functions
// over a finished step; a new one is one function and one line.
#ifndef ORACLES_PREDICT_H
#define ORACLES_PREDICT_H

#include "oracles/oracle.h"

#define PREDICT_ROOM 96 // bytes of a value as text, as in struct judgement

struct predictor {
    const char *name;
    const char *says; // one sentence for docs and `known`
    // The value of `field` that the deviation leads to, as the judgement would print it. False if
    // it says nothing about this step or field.
    bool (*value)(const struct oracle_step *step, const char *field, char out[PREDICT_ROOM]);
    bool needs_content; // of a file that an earlier step tainted it can say nothing
};

extern const struct predictor predictors[]; // ends with name NULL
const struct predictor *predictor_find(const char *name);

struct feature {
    const char *name;
    const char *says;
    bool (*holds)(const struct oracle_step *step);
    bool needs_content; // of a file that an earlier step tainted nobody knows
};

extern const struct feature features[]; // ends with name NULL
const struct feature *feature_find(const char *name);

// What a correct tool says of `field`, and a second answer that is right, too, or "". False where
// the truth does not tell.
bool predict_right(const struct oracle_step *step, const char *field, char right[PREDICT_ROOM],
                   char also[PREDICT_ROOM]);

// Is this what a correct tool says? PREDICT_UNKNOWN where the truth does not tell. Guards the
// registry: an entry never explains a right answer, nor a difference to a wrong one.
enum predict_truth { PREDICT_WRONG, PREDICT_RIGHT, PREDICT_UNKNOWN };
enum predict_truth predict_judge(const struct oracle_step *step, const char *field,
                                 const char *value);

// predict_info.c: the same of a member of info that follows from the options of the image.
bool predict_info(const struct oracle_step *step, const char *path, char out[PREDICT_ROOM]);

// predict_instar.c: what instar's documentation and source say of its scanners and writers.
bool predict_instar_raw_measure(const struct oracle_step *step, const char *field,
                                char out[PREDICT_ROOM]);
bool predict_instar_raw_length(const struct oracle_step *step, const char *field,
                               char out[PREDICT_ROOM]);
bool predict_instar_asked_size(const struct oracle_step *step, const char *field,
                               char out[PREDICT_ROOM]);
bool predict_instar_whole_sectors(const struct oracle_step *step, const char *field,
                                  char out[PREDICT_ROOM]);
bool predict_instar_bitmaps_member(const struct oracle_step *step, const char *field,
                                   char out[PREDICT_ROOM]);
bool predict_instar_zero_flag(const struct oracle_step *step, const char *field,
                              char out[PREDICT_ROOM]);
bool predict_instar_block_scan(const struct oracle_step *step, const char *field,
                               char out[PREDICT_ROOM]);
bool predict_instar_no_bitmaps(const struct oracle_step *step, const char *field,
                               char out[PREDICT_ROOM]);
bool predict_instar_subcluster_scan(const struct oracle_step *step, const char *field,
                                    char out[PREDICT_ROOM]);
bool predict_instar_padded_output(const struct oracle_step *step, const char *field,
                                  char out[PREDICT_ROOM]);
bool predict_instar_vpc_cluster_size(const struct oracle_step *step, const char *field,
                                     char out[PREDICT_ROOM]);
bool predict_instar_unseen_vhd(const struct oracle_step *step, const char *field,
                               char out[PREDICT_ROOM]);
bool predict_instar_prints_nothing(const struct oracle_step *step, const char *field,
                                   char out[PREDICT_ROOM]);
bool predict_instar_absent(const struct oracle_step *step, const char *field,
                           char out[PREDICT_ROOM]);
bool predict_instar_capacity(const struct oracle_step *step, const char *field,
                             char out[PREDICT_ROOM]);

// Bytes of the file that instar's convert writes for this step, by oracles/model_writers.h; false
// where no formula is known or the content is not.
bool predict_instar_output_size(const struct oracle_step *step, uint64_t *bytes);

// For predictors: the model's number for measure's field.
bool predict_measure(const struct oracle_step *step, const char *field, uint64_t size,
                     uint64_t units, char out[PREDICT_ROOM]);
bool predict_number(uint64_t value, char out[PREDICT_ROOM]);

#endif
