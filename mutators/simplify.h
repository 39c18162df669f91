// SPDX-License-Identifier: Apache-2.0
//
// How a case gets simpler, step by step, whoever judges. A simplifier has a base, the simplest case
// that was kept so far, and hands out candidates: the base with operations or writes dropped,
// members set to their defaults, sizes and places made small and round. What is kept becomes the
// new base. `instar-fuzz minimize` keeps what still shows its divergence, an engine's trim what
// still reaches the same code.
//
//   struct simplify *s = simplify_begin(data, size);
//   while ((length = simplify_next(s, candidate)) > 0)
//       simplify_judged(s, still_interesting(candidate, length));
//   ... simplify_best(s, &length) ...
//   simplify_end(s);
//
// The candidates are a function of the input and of the judgements. None is handed out twice, and
// none is equal to its base, so a judge of any kind comes to an end. At the end no single step from
// the best case is kept any more.
#ifndef MUTATORS_SIMPLIFY_H
#define MUTATORS_SIMPLIFY_H

#include "testcase/testcase.h"

struct simplify;

// Copies the input; bytes beyond CASE_MAX_BYTES do not count. Ends the process if memory is out.
struct simplify *simplify_begin(const uint8_t *data, size_t size);
// The bytes of the next candidate, always in canonical encoding: never longer than the base, but
// for an input that is shorter than a header. The first one may be nothing but the input so
// encoded. 0: nothing is left to try. A candidate that was not judged counts as not kept.
size_t simplify_next(struct simplify *s, uint8_t out[CASE_MAX_BYTES]);
void simplify_judged(struct simplify *s, bool kept);
// The candidate that was kept last, or the input; borrowed until the next call.
const uint8_t *simplify_best(const struct simplify *s, size_t *size);
void simplify_end(struct simplify *s); // NULL is fine

#endif
