#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The mutator under the engines themselves: each says once that it is asked for mutants, and what it
# finds bears the mutations' names. An engine without it goes on as if nothing were missing, so
# `make fuzz` has to show it.
SCRATCH_IN=$(cd "$(dirname "$0")/../.." && pwd)/build
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
requires afl-fuzz
requires zip
LF=$ROOT/build/fuzz_instar AFL=$ROOT/build/afl/fuzz_instar LIBRARY=$ROOT/build/afl/mutator.so
export AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 AFL_NO_UI=1
export AFL_FAST_CAL=1
SAYS='^instar-fuzz: mutator: structured'

# A disk with a measure; behind it bytes that are no whole record, as an engine leaves them.
mkdir "$SCRATCH/in" "$SCRATCH/corpus"
"$FUZZ" assemble "$(text measure <<'J'
{"format": "raw", "virtual_size": 65536, "operations": [{"op": "measure", "target": "raw"}]}
J
)" "$SCRATCH/in/measure" || exit 1
length=$(stat -c %s "$SCRATCH/in/measure")
printf 'not a record' >>"$SCRATCH/in/measure"

libfuzzer_uses_it() {
    "$LF" -runs=300 -seed=1 "$SCRATCH/corpus" "$SCRATCH/in" >"$SCRATCH/lf" 2>&1 || return 1
    tail -n 3 "$SCRATCH/lf"
    [ "$(grep -ac "$SAYS" "$SCRATCH/lf")" = 1 ] && grep -aq ' MS: [1-9][0-9]* Custom' "$SCRATCH/lf"
}
check "libFuzzer asks it for mutants, and says so once" libfuzzer_uses_it
# Records and header whole: stock mutations leave a length that is anything.
corpus_is_canonical() {
    local size count=0
    while read -r size; do
        count=$((count + 1))
        if [ "$size" -gt 4096 ] || [ $((size % 16)) != 0 ]; then
            echo "a file of $size bytes"
            return 1
        fi
    done < <(find "$SCRATCH/corpus" -type f -printf '%s\n')
    echo "$count files"
    [ "$count" -ge 20 ]
}
check "what it finds is whole records" corpus_is_canonical
replay_asks_for_none() { "$LF" -runs=0 "$SCRATCH/in" >"$SCRATCH/replayed" 2>&1 && ! grep -a "$SAYS" "$SCRATCH/replayed"; }
check "a replay does not ask for mutants" replay_asks_for_none
afl() {
    local out=$1
    shift
    timeout -s INT 600 "$@" afl-fuzz -S one -E 200 -t 25000 -G 4096 -s 1 -i "$SCRATCH/in" -o "$out" -- "$AFL" >"$out.log" 2>&1
    tail -n 3 "$out.log"
    [ -s "$out/one/fuzzer_stats" ]
}
afl_uses_it() {
    afl "$SCRATCH/with" env AFL_CUSTOM_MUTATOR_LIBRARY="$LIBRARY" || return 1
    grep -a mutator: "$SCRATCH/with.log"
    ls "$SCRATCH/with/one/queue"
    [ "$(grep -ac "$SAYS" "$SCRATCH/with.log")" = 1 ] || return 1
    find "$SCRATCH/with/one/queue" -name 'id:*' | grep -Eq ',(fresh|op_add|op_new|field|write_add|format|size_edge)(\+|,|$)'
}
check "AFL++ asks it for mutants and names what it finds after them" afl_uses_it
trimmed() {
    ls -l "$SCRATCH/with/one/queue"
    [ "$(stat -c %s "$SCRATCH"/with/one/queue/id:000000*)" = "$length" ]
}
check "AFL++ trims a case to its canonical spelling" trimmed
without_library() {
    afl "$SCRATCH/without" env || return 1
    [ "$(find "$SCRATCH/without/one/queue" -name 'id:*' | wc -l)" -gt 1 ]
}
check "AFL++ finds something without it, too" without_library

# For as long as the engine needs to get through a few seeds, and then ended as by Ctrl-C.
mkdir "$SCRATCH/seeds"
cp "$ROOT"/build/seeds/raw-{odd-size-1-byte,odd-size-513-measure-convert,one-sector-info,size-zero,2-tib-measure-convert} "$SCRATCH/seeds"
campaign() {
    local pid folder=$SCRATCH/campaign-$1
    ENGINE=$1 DURATION=300 CAMPAIGN=$folder SEEDS=$SCRATCH/seeds "$ROOT/ci/fuzz" >"$folder.txt" 2>&1 &
    pid=$!
    while kill -0 "$pid" 2>/dev/null && ! grep -aqs "$SAYS" "$folder"/log/*; do sleep 0.2; done
    sleep 1
    kill -TERM "$pid"
    wait "$pid"
    sed -n '/=== Summary/,$p' "$folder.txt" | tail -n 5
    sed -n '/=== Summary/,$p' "$folder.txt" | grep -q '^Mutator: structured'
}
check "make fuzz shows libFuzzer's" campaign libfuzzer
check "make fuzz shows AFL++'s" campaign afl
no_seeds() { make -s -C "$ROOT" fuzz SEEDS="$SCRATCH/nowhere" DURATION=1 2>&1 | grep -x "SEEDS=$SCRATCH/nowhere: expected a folder of cases"; }
check "make fuzz refuses a folder without seeds" no_seeds

# What is in AFL++'s queue is what was run.
check "the library has no post_process" bash -c "nm -D '$ROOT/build/afl/mutator.so' | grep -q ' T afl_custom_fuzz$' && ! nm -D '$ROOT/build/afl/mutator.so' | grep post_process"

bundle_is_paired() {
    make -s -C "$ROOT" bundle || return 1
    local name=$ROOT/build/fuzz_instar seeds
    seeds=$(find "$ROOT/build/seeds" -type f | wc -l)
    [ "$seeds" -gt 100 ] && [ "$(zip -sf "${name}_seed_corpus.zip" | grep -c '^  ')" = "$seeds" ] || return 1
    cmp "$name.dict" "$ROOT/dict/fuzz_instar.dict" || return 1
    # As a service runs it: from the folder that has them, with what the options name.
    cd "$ROOT/build" && [ -r "$(sed -n 's/^dict = //p' "$name.options")" ] &&
        grep -qx '\[libfuzzer\]' "$name.options" && grep -qx 'max_len = 4096' "$name.options"
}
check "seeds, dictionary and options lie beside the target" bundle_is_paired
finish
