#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# minimize: what it leaves is simple, still diverges in the same way, and is whole; what does not
# repeat is not kept; and its exit codes.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
export INSTAR_FUZZ_PAIR=standin

case=$(text case <<'J'
// The fourth operation diverges where zero clusters count as data, the fifth where a byte is wrong.
{"format": "qcow2", "virtual_size": 12345344, "cluster_bits": 12, "lazy_refcounts": true, "bitmaps": 3,
 "writes": [{"offset_bytes": 0, "length_bytes": 5000}, {"offset_bytes": 8192, "length_bytes": 4096},
            {"offset_bytes": 98304, "length_bytes": 131072, "form": "zero", "seed": 3},
            {"offset_bytes": 12345000, "length_bytes": 300, "pattern": "counter"}],
 "operations": [{"op": "info"}, {"op": "measure", "target": "raw"}, {"op": "check"},
                {"op": "measure", "target": "qcow2", "cluster_bits": 14}, {"op": "convert", "target": "vpc"}]}
J
)
zeros=measure_numeric_divergence-measure-qcow2-qcow2-required
byte=convert_content_divergence-convert-qcow2-vpc-content
min=$SCRATCH/case.json.min
tidy() { rm -f "$SCRATCH"/*.min* "$SCRATCH"/other*; }

simple() {
    local out
    out=$(STANDIN_LIE=qcow2-zero-clusters-allocated "$FUZZ" minimize "$case") || return 1
    echo "$out"
    [[ $out = *"$zeros"* && $out = *'no step makes it simpler'* ]] || return 1
    diff - "$min.json" <<J
// $zeros
{"format": "qcow2", "virtual_size": 512,
 "writes": [{"offset_bytes": 0, "length_bytes": 512, "form": "zero"}],
 "operations": [{"op": "measure", "target": "qcow2"}]}
J
}
check "a case becomes what a person would have written" simple
both_forms() { "$FUZZ" assemble "$min.json" "$SCRATCH/other" && cmp "$SCRATCH/other" "$min"; }
check "bytes and text are the same case" both_forms
brief() { diff <("$FUZZ" show --json --brief "$min") <(grep -v '^//' "$min.json"); }
check "the text is what show --json --brief prints" brief
repeats() { STANDIN_LIE=qcow2-zero-clusters-allocated status 1 "$FUZZ" replay "$min" | grep "^  $zeros"; }
check "it replays to the same signature" repeats
# Refused before any tool is asked: the one that is given notes that it was.
noting=$(fake noting/instar <<S
echo x >>$SCRATCH/noted
exec \$STANDIN "\$@"
S
)
refused() { # WORDS ARGUMENT...
    local words=$1
    shift
    rm -f "$SCRATCH/noted"
    INSTAR_FUZZ_PAIR=instar INSTAR=$noting INSTAR_FUZZ_FENCE=off status 2 "$FUZZ" minimize "$@" 2>"$SCRATCH/told" || return 1
    cat "$SCRATCH/told"
    grep -q "$words" "$SCRATCH/told" && [ ! -e "$SCRATCH/noted" ] && [ -z "$(find "$SCRATCH" -mindepth 1 -name '*.[0-9]*')" ]
}
keeps_what_is_there() {
    local before
    before=$(cat "$min" "$min.json" | cksum)
    refused "case.json.min is there already" "$case" && [ "$(cat "$min" "$min.json" | cksum)" = "$before" ]
}
check "what is there is not replaced" keeps_what_is_there
text_is_there() { rm "$min" && refused "case.json.min.json is there already" "$case"; }
check "nor is the text form alone" text_is_there
tidy
both_kinds() {
    "$FUZZ" assemble "$case" "$SCRATCH/case" || return 1
    STANDIN_LIE=qcow2-zero-clusters-allocated "$FUZZ" minimize "$SCRATCH/case" "$case" || return 1
    cmp "$SCRATCH/case.min" "$min" && cmp "$SCRATCH/case.min.json" "$min.json"
}
check "the results of a case as bytes and as text have names of their own" both_kinds
tidy
another_input() { cp "$SCRATCH/case" "$SCRATCH/case.min" && refused "case.min is there already" "$SCRATCH/case" "$SCRATCH/case.min"; }
check "a case of the call is not replaced" another_input
tidy
ln -s . "$SCRATCH/same"
check "one case twice ends with 2" refused "two results would be written to" "$case" "$SCRATCH/same/case.json"
mkdir "$SCRATCH/folder"
check "a folder as the result ends with 2" refused "folder is a folder" --out "$SCRATCH/folder" "$case"
check "a result that cannot be written ends with 2" refused "nowhere/x: No such file" --out "$SCRATCH/nowhere/x" "$case"

named() {
    STANDIN_LIE=qcow2-zero-clusters-allocated,wrong-byte-near-end "$FUZZ" minimize --signature "$byte" --json "$case" >"$SCRATCH/told" || return 1
    cat "$SCRATCH/told"
    grep -q "\"signature\":.*\"$byte\"" "$SCRATCH/told" && grep -q '"lines":.*3,' "$SCRATCH/told" &&
        grep -q '"end":.*"done"' "$SCRATCH/told"
}
check "the named divergence is kept" named
tidy
# A case that shows several, without a report and in the folder of each finding.
both=qcow2-zero-clusters-allocated,wrong-byte-near-end
others_are_named() {
    STANDIN_LIE=$both "$FUZZ" minimize "$case" >"$SCRATCH/told" 2>"$SCRATCH/noted" || return 1
    cat "$SCRATCH/told" "$SCRATCH/noted"
    grep "^// $zeros" "$min.json" && grep "several divergences; $zeros is kept, --signature names another: .*$byte" "$SCRATCH/noted"
}
check "of several, the one that is kept and the others are named" others_are_named
tidy
found() { rm -rf "$SCRATCH/found" && STANDIN_LIE=$1 status 1 "$FUZZ" replay --out "$SCRATCH/found" "$case" >/dev/null; }
its_own() {
    local signature
    found "$both" || return 1
    for signature in $zeros $byte; do
        STANDIN_LIE=$both "$FUZZ" minimize "$SCRATCH/found/findings/$signature/case.bin" 2>"$SCRATCH/noted" || return 1
        grep "^// $signature\$" "$SCRATCH/found/findings/$signature/case.bin.min.json" && [ ! -s "$SCRATCH/noted" ] || return 1
    done
}
check "a finding's case keeps the finding that its folder is of" its_own
another() { # the case of a finding shows another one today
    rm -f "$SCRATCH"/found/findings/*/*.min*
    STANDIN_LIE=wrong-byte-near-end status 4 "$FUZZ" minimize "$SCRATCH/found/findings/$zeros/case.bin" 2>"$SCRATCH/noted" || return 1
    cat "$SCRATCH/noted"
    grep "does not show $zeros, which the report beside it is about; found with other lies" "$SCRATCH/noted"
}
check "and is not taken for another one" another
# COMMAND...: what it says of a finding's case without its lie can be set, and shows it.
mended() {
    local set
    status "$1" "$FUZZ" "${@:2}" "$SCRATCH/found/findings/$zeros/case.bin" >/dev/null 2>"$SCRATCH/noted"
    cat "$SCRATCH/noted"
    set=$(sed -n 's/.*(qcow2-zero-clusters-allocated, wrong-byte-near-end; today: none); to compare as then, set //p' "$SCRATCH/noted")
    # shellcheck disable=SC2086 # words
    [ "$set" ] && env $set "$FUZZ" "${@:2}" "$SCRATCH/found/findings/$zeros/case.bin" 2>"$SCRATCH/noted" | grep "$zeros" && [ ! -s "$SCRATCH/noted" ]
}
check "of a finding that was a lie, minimize says which to set" mended 4 minimize
check "and so does replay" mended 0 replay
check "also as JSON" mended 0 replay --json
unlied() { STANDIN_LIE=bitmaps-zero "$FUZZ" replay "$SCRATCH/found/findings/$zeros/case.bin" 2>&1 >/dev/null | grep 'set .*STANDIN_LIE=$'; }
honestly_found() { sed -i 's/\("lies":[[:space:]]*\)"[^"]*"/\1""/' "$SCRATCH/found/findings/$zeros/report.json" && unlied; }
check "and of one that was found honestly that it must not lie" honestly_found
tidy
not_there() { STANDIN_LIE=bitmaps-zero status 4 "$FUZZ" minimize --signature "$zeros" "$case"; }
check "one that is not there ends with 4" not_there
tidy

elsewhere() {
    local before
    before=$(cksum <"$case")
    STANDIN_LIE=bitmaps-zero "$FUZZ" minimize --out "$SCRATCH/other" "$case" || return 1
    [ -s "$SCRATCH/other" ] && [ -s "$SCRATCH/other.json" ] && [ ! -e "$min" ] &&
        [ "$(cksum <"$case")" = "$before" ]
}
check "--out says where, and the case stays as it was" elsewhere
in_place() {
    cp "$case" "$SCRATCH/other.json"
    STANDIN_LIE=bitmaps-zero "$FUZZ" minimize --out "$SCRATCH/other.json" "$SCRATCH/other.json" &&
        [ "$(wc -l <"$SCRATCH/other.json")" = 3 ]
}
check "over the case itself if that is asked for" in_place
tidy

agrees() { status 4 "$FUZZ" minimize "$case" && [ ! -e "$min" ]; }
check "a case without a divergence ends with 4 and leaves nothing" agrees
check "no case ends with 2" status 2 "$FUZZ" minimize
check "a case that is not there ends with 2" status 2 "$FUZZ" minimize "$SCRATCH/nowhere"
check "an unknown option ends with 2" status 2 "$FUZZ" minimize --fast "$case"
check "no time ends with 2" status 2 "$FUZZ" minimize --time 0 "$case"
check "--out for two cases ends with 2" status 2 "$FUZZ" minimize --out "$SCRATCH/other" "$case" "$case"
check "a missing tool ends with 3" status 3 env QEMU_IMG=/nowhere/qemu-img "$FUZZ" minimize "$case"

# Measures wrongly three times, and not when that is confirmed.
moody=$(fake moody/instar <<S
case "\$*" in *measure*src*)
    echo x >>$SCRATCH/asked
    [ \$(/usr/bin/wc -l <$SCRATCH/asked) -le 3 ] && export STANDIN_LIE=bitmaps-zero ;;
esac
exec \$STANDIN "\$@"
S
)
once=$(text once <<'J'
{"format": "qcow2", "virtual_size": 65536, "bitmaps": 1, "operations": [{"op": "measure", "target": "qcow2"}]}
J
)
moody_case() { rm -f "$SCRATCH/asked"; INSTAR_FUZZ_PAIR=instar INSTAR=$moody INSTAR_FUZZ_FENCE=off status 4 "$FUZZ" minimize "$once"; }
check "a divergence that does not repeat is none" moody_case

# Measures wrongly, and after a while does not understand what it is asked.
confused=$(fake confused/instar <<S
case "\$*" in *measure*src*)
    echo x >>$SCRATCH/measured
    [ \$(/usr/bin/wc -l <$SCRATCH/measured) -le 15 ] || exit 2 ;;
esac
STANDIN_LIE=bitmaps-zero exec \$STANDIN "\$@"
S
)
broken_off() {
    INSTAR_FUZZ_PAIR=instar INSTAR=$confused INSTAR_FUZZ_FENCE=off status 2 "$FUZZ" minimize --json "$case" >"$SCRATCH/told" || return 1
    cat "$SCRATCH/told"
    grep -q '"end":.*"error"' "$SCRATCH/told" && ! grep -q '"kept":.*\<0,' "$SCRATCH/told" && both_forms &&
        STANDIN_LIE=bitmaps-zero status 1 "$FUZZ" replay "$min"
}
check "after a harness error it keeps the simplest so far and ends with 2" broken_off
tidy

# Each command takes a moment, so that there is time to interrupt.
slow=$(fake slow/instar <<S
echo "\$*" >>$SCRATCH/calls
case "\$*" in *src*) /usr/bin/sleep 0.3 ;; esac
STANDIN_LIE=bitmaps-zero exec \$STANDIN "\$@"
S
)
# interrupt_after COUNT WORDS CASE...: TERM once so many calls had those words.
interrupt_after() {
    local count=$1 words=$2 pid
    shift 2
    : >"$SCRATCH/calls"
    rm -f "$SCRATCH/sent"
    INSTAR_FUZZ_PAIR=instar INSTAR=$slow INSTAR_FUZZ_FENCE=off "$FUZZ" minimize "$@" >"$SCRATCH/told" 2>&1 &
    pid=$!
    while kill -0 "$pid" && [ "$(grep -c "$words" "$SCRATCH/calls")" -lt "$count" ]; do sleep 0.05; done
    kill -TERM "$pid"
    : >"$SCRATCH/sent"
    status 143 wait "$pid" || { cat "$SCRATCH/told"; return 1; }
    cat "$SCRATCH/told"
}
interrupted() {
    interrupt_after 20 src "$case" "$SCRATCH/case" || return 1
    grep -q 'interrupted: the simplest so far' "$SCRATCH/told" && both_forms &&
        grep -q 'interrupted: 1 of 2 cases not begun' "$SCRATCH/told" && [ ! -e "$SCRATCH/case.min" ] &&
        [ -z "$(find "$SCRATCH" -mindepth 1 -name '*.[0-9]*')" ]
}
check "interrupted, it keeps the simplest so far and begins no other case" interrupted
tidy
# What takes longer than the short deadlines by which a hang is made simpler hangs by none other.
sluggish=$(fake sluggish/instar <<S
echo "\$*" >>$SCRATCH/calls
case "\$*" in *src*) /usr/bin/sleep 0.6 ;; esac
STANDIN_LIE=bitmaps-zero exec \$STANDIN "\$@"
S
)
bitmaps=$(text bitmaps <<'J'
{"format": "qcow2", "virtual_size": 1048576, "lazy_refcounts": true, "bitmaps": 2,
 "writes": [{"offset_bytes": 4096, "length_bytes": 60000}, {"offset_bytes": 524288, "length_bytes": 512}],
 "operations": [{"op": "measure", "target": "qcow2"}]}
J
)
slow_is_no_hang() {
    INSTAR_FUZZ_CASE_MS=60000 slow=$sluggish interrupt_after 24 src --out "$SCRATCH/slow.min" "$bitmaps" || return 1
    grep -q 'measure_bitmaps_value_divergence-' "$SCRATCH/told" && "$FUZZ" assemble "$bitmaps" "$SCRATCH/whole" &&
        ! cmp "$SCRATCH/whole" "$SCRATCH/slow.min"
}
check "what is slow alone is simplified by what else it shows" slow_is_no_hang
tidy
# Its first call does not end before the interruption was sent.
held=$(fake held/instar <<S
echo "\$*" >>$SCRATCH/calls
while [ ! -e $SCRATCH/sent ]; do /usr/bin/sleep 0.05; done
exec \$STANDIN "\$@"
S
)
at_the_start() {
    slow=$held interrupt_after 1 . "$case" || return 1
    grep -q 'interrupted: 1 of 1 cases not begun' "$SCRATCH/told" && [ ! -e "$min" ]
}
check "interrupted while the tools are tried, it says so" at_the_start
in_time() {
    INSTAR_FUZZ_PAIR=instar INSTAR=$slow INSTAR_FUZZ_FENCE=off "$FUZZ" minimize --time 2 "$case" >"$SCRATCH/told" 2>&1 || return 1
    cat "$SCRATCH/told"
    grep -q 'time was up' "$SCRATCH/told" && both_forms
}
check "after --time it keeps the simplest so far" in_time

# In how many seconds is ci/minimize's own business, on a quiet machine.
export WITHIN=300
check "large crashers come out in five lines" env FROM=2 "$ROOT/ci/minimize" 1 raw-without-seek-hole vpc-64k-sectors bitmaps-omitted
goes_on() {
    local kept=$SCRATCH/kept/size-not-rounded.1-from-1
    KEEP=$SCRATCH/kept "$ROOT/ci/minimize" 1 size-not-rounded && [ -e "$kept" ] || return 1
    echo "as it was" >>"$kept"
    KEEP=$SCRATCH/kept "$ROOT/ci/minimize" 1 size-not-rounded | grep '^as it was$' &&
        KEEP=$SCRATCH/kept FROM=2 "$ROOT/ci/minimize" 1 size-not-rounded >"$SCRATCH/told" && ! grep '^as it was$' "$SCRATCH/told"
}
check "a lie whose crashers are kept is not run again, others are" goes_on
unknown() { [ "$(status 2 "$ROOT/ci/minimize" 1 size-not-rounded white 2>&1)" = 'no lie is called white' ]; }
check "an unknown lie is refused before anything is run" unknown
finish
