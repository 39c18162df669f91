#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Cross-checks: what is asked beside a step, in which cases, and that each rule finds its lie by plain
# words of a tool. And that round trips are held against the truth, by the chain itself.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
export INSTAR_FUZZ_WORK=$SCRATCH/work INSTAR_FUZZ_PAIR=standin
mkdir -p "$INSTAR_FUZZ_WORK"
cd "$ROOT" || exit 2

MEASURE=$(text measure <<'J'
{"format": "qcow2", "cluster_bits": 21, "virtual_size": 8388608,
 "writes": [{"offset_bytes": 5000, "length_bytes": 300}, {"offset_bytes": 4194304, "length_bytes": 2097152, "form": "zero"}],
 "operations": [{"op": "measure", "target": "qcow2"}]}
J
)
CONVERT=$(text convert <<'J'
{"format": "raw", "virtual_size": 1048576, "writes": [{"offset_bytes": 5000, "length_bytes": 300}],
 "operations": [{"op": "convert", "target": "raw"}, {"op": "convert_compressed", "target": "qcow2"}, {"op": "measure", "target": "vmdk"}]}
J
)
ZEROS=$(text zeros <<'J'
{"format": "qcow2", "virtual_size": 1048576, "writes": [{"offset_bytes": 0, "length_bytes": 65536, "pattern": "zero"}],
 "operations": [{"op": "measure", "target": "qcow2"}]}
J
)
SAME=$(text same <<'J'
{"format": "raw", "virtual_size": 1048576, "operations": [{"op": "convert", "target": "raw"}]}
J
)

CHECK=$(text check <<'J'
{"format": "qcow2", "virtual_size": 1048576, "writes": [{"offset_bytes": 0, "length_bytes": 65536}], "operations": [{"op": "check"}]}
J
)
GRAINS=$(text grains <<'J'
{"format": "vmdk", "virtual_size": 1048576, "writes": [{"offset_bytes": 0, "length_bytes": 262144}], "operations": [{"op": "check"}]}
J
)
BLOCKS=$(text blocks <<'J'
{"format": "vpc", "block_bits": 19, "virtual_size": 8388608, "writes": [{"offset_bytes": 0, "length_bytes": 4096}, {"offset_bytes": 4194304, "length_bytes": 4096}], "operations": [{"op": "check"}]}
J
)
PAYLOAD=$(text payload <<'J'
{"format": "vhdx", "block_bits": 20, "virtual_size": 8388608, "writes": [{"offset_bytes": 0, "length_bytes": 4096}, {"offset_bytes": 4194304, "length_bytes": 4096}], "operations": [{"op": "check"}]}
J
)
SNAPSHOT=$(text snapshot <<'J'
{"format": "qcow2", "virtual_size": 1048576, "snapshots": 1, "writes": [{"offset_bytes": 0, "length_bytes": 262144}], "operations": [{"op": "check"}]}
J
)
INFO=$(text info <<'J'
{"format": "vhdx", "block_bits": 20, "virtual_size": 8388608, "operations": [{"op": "info"}]}
J
)
OPENED=$(text opened <<'J'
{"format": "qcow2", "virtual_size": 1048576, "writes": [{"length_bytes": 65536, "form": "compressed", "pattern": "counter"}],
 "operations": [{"op": "convert", "target": "raw"}, {"op": "measure", "target": "raw"}, {"op": "measure", "target": "qcow2"}]}
J
)
SUBCLUSTERS=$(text subclusters <<'J'
{"format": "qcow2", "extended_l2": true, "virtual_size": 1048576, "writes": [{"offset_bytes": 0, "length_bytes": 262144}], "operations": [{"op": "check"}]}
J
)
PLACES=$(text places <<'J'
{"format": "raw", "virtual_size": 1048576, "writes": [{"offset_bytes": 131072, "length_bytes": 65536}],
 "operations": [{"op": "measure", "target": "raw"}]}
J
)

says() { # PATTERN COMMAND...
    local pattern=$1
    shift
    "$@" >"$SCRATCH/out" 2>&1
    grep -qE -- "$pattern" "$SCRATCH/out" || { cat "$SCRATCH/out"; return 1; }
}
not_says() { ! says "$@" >"$SCRATCH/unsaid" 2>&1 && [ -s "$SCRATCH/out" ]; }
for question in "map --output=json -f qcow2 src.qcow2" "check --output=json -f qcow2 [ab].fit1.qcow2" \
    "convert -f qcow2 -O qcow2 src.qcow2 b.fit1.qcow2|converted file +[0-9]+ +[0-9]+"; do
    check "beside a measure: $question" says "$question" "$FUZZ" replay "$MEASURE"
done
for question in "compare -f raw -F raw src.raw b.out1.raw" "compare -f raw -F raw src.raw c.other1.raw" \
    "measure --output=json -f raw -O qcow2 src.raw" "measure --output=json -f qcow2 -O qcow2 b.out2.qcow2" \
    "check --output=json -f vmdk a.fit3.vmdk"; do
    check "beside a convert: $question" says "$question" "$FUZZ" replay "$CONVERT"
done
# damaged CASE FORMAT DAMAGE ANSWERS: the question, and what both say in the table of answers.
damaged() {
    check "beside a check of $2: a copy with $3" \
        says "check --output.json .*c.damage1-$3.$2" "$FUZZ" replay "$1"
    check "... and what both say" says "check of a copy with $4" "$FUZZ" replay "$1"
}
damaged "$CHECK" qcow2 leak "a leak +leaks +leaks"
damaged "$CHECK" qcow2 refcount "a refcount lost +corrupt +corrupt"
damaged "$CHECK" qcow2 excess "a refcount too high +(leaks|corrupt) +(leaks|corrupt)"
damaged "$SUBCLUSTERS" qcow2 copied "a COPIED flag wrong +corrupt +corrupt"
damaged "$SUBCLUSTERS" qcow2 subclusters "a subcluster both +corrupt +corrupt"
damaged "$SUBCLUSTERS" qcow2 overlap "an overlap +corrupt +corrupt"
damaged "$GRAINS" vmdk overlap "an overlap +corrupt +clean"
damaged "$GRAINS" vmdk beyond "a unit beyond +corrupt +refused"
damaged "$BLOCKS" vpc overlap "an overlap +corrupt +-"
damaged "$BLOCKS" vpc beyond "a unit beyond +refused +-"
damaged "$PAYLOAD" vhdx overlap "an overlap +(corrupt|refused) +clean"
damaged "$PAYLOAD" vhdx beyond "a unit beyond +refused +corrupt"
# refused CASE STEP COMMAND FORMAT DAMAGE ROW [ANSWER OF QEMU-IMG]
refused() {
    check "beside $3 of $4: a copy with another $5" \
        says "\\$ .*[/ ]$3 .*c.damage$2-$5[.]$4" "$FUZZ" replay "$1"
    check "... and it is refused" says "$6 +refused +${7:-refused}" "$FUZZ" replay "$1"
}
refused "$INFO" 1 info vhdx log "a copy with a log"
refused "$INFO" 1 info vhdx checksum "a copy with wrong checksums"
refused "$INFO" 1 info vhdx region "a copy with an unknown region"
refused "$INFO" 1 info vhdx item "a copy with an unknown item"
refused "$CHECK" 1 check qcow2 feature "a copy with an unknown feature"
refused "$GRAINS" 1 check vmdk version "a copy of an unknown version"
refused "$BLOCKS" 1 check vpc cookie "a copy with no cookie" -
refused "$OPENED" 1 convert qcow2 compression "a copy with an unknown compression"
refused "$OPENED" 1 convert qcow2 feature "a copy with an unknown feature"
refused "$OPENED" 2 measure qcow2 feature "a copy with an unknown feature"
check "an unknown compression is for who needs the bytes" not_says "c.damage2-compression" "$FUZZ" replay "$OPENED"
check "one target stands for all" not_says "c.damage3-" "$FUZZ" replay "$OPENED"
accepts_all() {
    local found=must_refuse_violation-convert-qcow2-raw-feature_instar
    STANDIN_LIE=refused-read-as-raw "$FUZZ" replay --out "$SCRATCH/opened" "$OPENED" >"$SCRATCH/out" 2>&1
    grep -q "^  $found" "$SCRATCH/out" || { cat "$SCRATCH/out"; return 1; }
    tar -tzf "$SCRATCH/opened/findings/$found/images.tar.gz" >"$SCRATCH/packed"
    cat "$SCRATCH/packed"
    grep -q 'c.damage1-feature.qcow2' "$SCRATCH/packed" && ! grep accepted "$SCRATCH/packed"
}
check "what is written of such a copy is removed" accepts_all
check "nothing of it diverges" status 0 "$FUZZ" replay "$INFO" "$OPENED" "$MEASURE" "$CONVERT" "$CHECK" "$PLACES" "$GRAINS" "$SUBCLUSTERS" "$BLOCKS" "$PAYLOAD" "$SNAPSHOT"
# Who finds the input leaking is asked what is not about leaks.
leaking() { STANDIN_LIE=as-instar,snapshots-not-walked "$@" "$FUZZ" replay "$SNAPSHOT"; }
check "of a copy of what leaks: an overlap is asked about" leaking says "instar check .*c.damage1-overlap"
check "... a leak is not" leaking not_says "instar check .*c.damage1-leak"

# found LIE SIGNATURE CASE: the replay of the case diverges in this and nothing else.
found() {
    STANDIN_LIE=$1 "$FUZZ" replay --out "$SCRATCH/$1" "$3" >"$SCRATCH/out" 2>&1
    [ "$(sed -n '/^Verdict/,$s/^  \([a-z_]*-.*\)/\1/p' "$SCRATCH/out")" = "$2" ] ||
        { tail -n 30 "$SCRATCH/out"; return 1; }
}
# repeats LIE SIGNATURE WORDS: reproduce.sh of the finding shows it with the tools alone.
repeats() {
    sh "$SCRATCH/$1/findings/$2/reproduce.sh" >"$SCRATCH/out" 2>&1
    grep -qE -- "$3" "$SCRATCH/out" || { cat "$SCRATCH/out"; return 1; }
}
lie() { # LIE SIGNATURE CASE WORDS
    check "$1 is found" found "$1" "$2" "$3"
    check "... and repeated without the harness" repeats "$1" "$2" "$4"
}
lie qcow2-tail-left measure_contract_violation-measure-qcow2-qcow2-instar "$ZEROS" 'a.fit1.qcow2: [0-9]+ bytes'
lie compressed-holes-stored measure_growth_violation-convert_compressed-raw-qcow2-instar "$CONVERT" 'measure of the output'
lie map-zero-clusters-as-data map_divergence-measure-qcow2-qcow2-data_instar "$MEASURE" '"start": 4194304, "length": 2097152.*"zero": false, "data": true'
lie map-reads-zeros map_measure_divergence-measure-qcow2-qcow2-instar "$ZEROS" '"start": 0, "length": 65536.*"zero": true, "data": true'
lie compare-first-cluster-only compare_divergence-convert-raw-raw-identical_instar "$SAME" '"identical": true'
lie lost-refcounts-unseen check_damage_divergence-check-qcow2-none-refcount_instar "$CHECK" '"corruptions": 0,'
lie leaks-unseen check_damage_divergence-check-qcow2-none-leak_instar "$CHECK" '"leaks": 0,'
lie leaks-not-counted check_damage_divergence-check-qcow2-none-counts_instar "$CHECK" '"leaks": 0,'
lie tables-unchecked check_damage_divergence-check-vmdk-none-overlap_instar "$GRAINS" '"corruptions": 0,'
lie refused-read-as-raw must_refuse_violation-info-vhdx-none-log_instar "$INFO" '"format": "raw"'
lie map-offsets-from-first-run map_divergence-measure-raw-raw-offset_instar "$PLACES" '"start": 131072, .*"offset": 0}'
report=$SCRATCH/compare-first-cluster-only/findings/compare_divergence-convert-raw-raw-identical_instar/report.json
check "a report has question and answer" grep -q '"question":[[:space:]]*"compare with one byte changed"' "$report"

# A campaign asks by turns, and may have met what is behind another one's divergence.
both=$SCRATCH/both.bin
"$FUZZ" assemble "$ZEROS" "$both"
contract=measure_contract_violation-measure-qcow2-qcow2-instar map=map_measure_divergence-measure-qcow2-qcow2-instar
BOTH=qcow2-tail-left,map-reads-zeros
check "what one question finds does not hide the other" found "$BOTH" "$contract
$map" "$both"
check "... and each has its report" [ -d "$SCRATCH/$BOTH/findings/$map" ]
minimizes() { STANDIN_LIE=$BOTH status 0 "$FUZZ" minimize --signature "$1" --out "$SCRATCH/min-$1" "$both"; }
check "minimize finds the one that comes first" minimizes $contract
check "... and the other" minimizes $map
sorted() {
    STANDIN_LIE=$BOTH status 1 "$FUZZ" triage --no-minimize "$both" >"$SCRATCH/out" 2>&1
    grep -q "$contract\$" "$SCRATCH/out" && grep -q "$map\$" "$SCRATCH/out" && grep -q '(2 signatures)' "$SCRATCH/out"
}
check "triage has both" sorted

# In a campaign it is one case in so many, by its bytes: the lie shows, but not in every case.
asked() {
    STANDIN_LIE=compare-first-cluster-only "$FUZZ" run --seed 5 --iterations 120 --ops convert \
        --keep-going --log-dir "$SCRATCH/log" >"$SCRATCH/out" 2>&1
    local hits
    hits=$(grep -o 'compare_divergence-[a-z0-9_-]*' "$SCRATCH"/log/summary-5.json | sort -u | wc -l)
    echo "$hits signatures"
    [ "$hits" -gt 0 ] && [ "$hits" -lt 40 ]
}
check "a campaign asks in some of its cases" asked

# --- who may be wrong -------------------------------------------------------------------------------
# A tool without map and compare is not asked, and lacks nothing.
OLD=$(fake old/qemu-img <<'script'
case $1 in map | compare) echo "qemu-img: Command not found: $1" >&2; exit 1 ;; esac
exec "$QEMU_IMG" "$@"
script
)
old() { INSTAR_FUZZ_PAIR=only-qemu QEMU_IMG=$OLD "$@"; }
check "a tool without map and compare works" old status 0 "$FUZZ" replay "$MEASURE" "$CONVERT"
check "... and doctor says what it has" old says 'operations +info check measure convert convert_compressed$' "$FUZZ" doctor
# What compares nothing of the image itself, and calls everything sound, agrees with itself.
BLIND=$(fake blind/qemu-img <<'script'
case $1 in check)
    out=$("$QEMU_IMG" "$@" 2>&1); status=$?
    case $status in 2 | 3) echo '{"check-errors": 0}'; exit 0 ;; esac
    echo "$out"
    exit $status ;;
esac
exec "$QEMU_IMG" "$@"
script
)
blind() { INSTAR_FUZZ_PAIR=qemu QEMU_IMG=$BLIND says "$1" "$FUZZ" replay "$CHECK"; }
check "two checks that see nothing are found" blind check_damage_divergence-check-qcow2-none-leak_qemu_img_a
# A crash of a question is one.
CRASHING=$(fake crashing/qemu-img <<'script'
case "$*" in map*src.qcow2) kill -SEGV $$ ;; esac
exec "$QEMU_IMG" "$@"
script
)
crashing() { INSTAR_FUZZ_PAIR=only-qemu QEMU_IMG=$CRASHING says map_divergence-measure-qcow2-qcow2-crash_qemu_img "$FUZZ" replay "$MEASURE"; }
check "a map that crashes is found" crashing

# --- round trips ------------------------------------------------------------------------------------
# raw to qcow2 and back, with two tools that agree on a wrong way back: the chain still knows what the
# first source held.
TRIP=$(text trip <<'J'
{"format": "raw", "virtual_size": 1048576, "writes": [{"offset_bytes": 5000, "length_bytes": 300}],
 "operations": [{"op": "convert", "target": "qcow2"}, {"op": "convert", "target": "raw", "input": "a_output"}]}
J
)
AGREEING=$(fake agreeing/qemu-img <<'script'
case "$*" in "convert -f qcow2 -O raw a.out1.qcow2 "[ab].out2.raw)
    "$QEMU_IMG" "$@" && printf x | /bin/dd of="${*##* }" bs=1 seek=5100 conv=notrunc 2>/dev/null
    exit ;;
esac
exec "$QEMU_IMG" "$@"
script
)
trip() { INSTAR_FUZZ_PAIR=qemu QEMU_IMG=$AGREEING says "$1" "$FUZZ" replay "$TRIP"; }
check "what comes back is held against what was built" trip truth_content_divergence-convert-qcow2-raw-qemu_img_a
check "an honest round trip agrees" says 'agree: .*truth_content \(2\)' "$FUZZ" replay "$TRIP"
finish
