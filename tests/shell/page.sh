#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The page about a campaign (instar-fuzz report --html) and what report.json holds for its pictures:
# true, valid, self-contained, the same each time, bounded, and no way in for what a tool says.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$ROOT" || exit 2
requires qemu-img
PAGE=$SCRATCH/page.html

makes() { "$FUZZ" report --html "$PAGE" "$@"; }
says() { grep -F -- "$1" "$PAGE"; }
says_not() { ! grep -F -- "$1" "$PAGE"; }
# Every open element is closed in order; tidy knows more where it is installed, but not that a
# picture may hold another.
valid() {
    head -n 1 "$PAGE" | grep -qx '<!DOCTYPE html>' && tail -n 1 "$PAGE" | grep -qx '</html>' || return 1
    command -v tidy >/dev/null || return 0
    [ -z "$(tidy -q -e "$PAGE" 2>&1 | grep -v '<svg> proprietary attribute' | tee /dev/stderr)" ]
}
# No control characters but newline and tab, and UTF-8 all through.
clean() { ! LC_ALL=C grep -nP '[\x00-\x08\x0b-\x1f\x7f]' "$PAGE" && iconv -f UTF-8 -t UTF-8 "$PAGE" >/dev/null; }
alone() { ! grep -nE '<(link|img|iframe|object|embed|base|form)|<[a-z][^>]* src=|@import|url\((https?:|//)' "$PAGE" && [ "$(grep -c '<script' "$PAGE")" = 1 ]; }
finding() { find "$SCRATCH/$1/findings" -name "$2" -path "*$3*" | head -n 1; }
has() { grep -F -- "$2" "$1"; }

# --- a campaign with findings of several types -----------------------------------------------------
# lie CAMPAIGN LIE SEED: a seed replayed with a lie in force, reports and counters below the scratch folder.
lie() { STANDIN_LIE=$2 INSTAR_FUZZ_OUT=$SCRATCH/$1 INSTAR_FUZZ_PAIR=standin "$FUZZ" replay "corpus/seeds/$3.json" >/dev/null; }
check "a measure lies" status 1 lie lies qcow2-zero-clusters-allocated qcow2-v3-zero-clusters
check "a convert lies" status 1 lie lies wrong-byte-near-end raw-4-gib-sparse-across-32-bits
check "a convert of a chain lies" status 1 lie lies parent-ignored vmdk-over-vmdk

report=$(finding lies report.json measure_numeric)
check "the source's map is what was built" has "$report" '[65536, 196608, "zero"]'
check "both rows of it" test "$(grep -cF '[0, 65536, "data"]' "$report")" = 2
check "the model's number is there" has "$report" '"required":	458752'
check "the answers are there" has "$report" '"mark":	"diverges"'
check "and when it was found" has "$report" '"found":'
report=$(finding lies report.json convert-raw-raw-content)
check "the first difference of two outputs is there" grep -A 5 '"difference":' "$report"
check "and that one differs from the source, the other not" test "$(grep -c '"differs_from_source":' "$report")" = 1
report=$(finding lies report.json convert-vmdk-raw-content)
check "the file below is a row" has "$report" '"what":	"below"'

check "a page is made" makes "$SCRATCH/lies"
check "it is valid" valid
check "it is clean" clean
check "it needs nothing beside it" alone
cp "$PAGE" "$SCRATCH/first.html"
again() { makes "$SCRATCH/lies" && cmp "$PAGE" "$SCRATCH/first.html"; }
check "the same folder gives the same page" again
check "to stdout as well, but for links" bash -c "'$FUZZ' report --html - '$SCRATCH/lies' | grep -q '</html>'"
check "it says loudly that this is not about instar" says 'Findings against the stand-in are not about instar'
check "and that it was told to lie, each time" test "$(grep 'was told to lie' "$PAGE" | grep -o '<code>' | wc -l)" = 3
check "who is probably wrong, and by whose word" says '<b>stand-in for instar</b>, says what the image was built with'
check "the number against the model" says '+196,608 against the model'
check "a terabyte's picture has breaks" says 'left out: '
check "the difference is marked" says 'first difference: '
check "the case is in the page" says 'href="data:application/octet-stream;base64,'
check "files are linked from the page's folder" says 'href="lies/findings/convert_content_divergence-convert-raw-raw-content/story.txt"'
check "commands are quoted for a shell" says 'make replay CASE='
check "and, of a folder that has its whole name, can be pasted anywhere" says_not 'Paths count from'
from_here() { cd "$SCRATCH" && "$FUZZ" report --html here.html lies && grep -F "Paths count from $SCRATCH<" here.html; }
check "else it is said where" from_here
check "no reason lacks its meaning" says_not 'explains it</td>'
campaign_has_ended() { says '<b>Ended.</b>'; }
check "it has ended" campaign_has_ended
check "cells that stayed empty are marked" says 'class="empty">0</td>'
embedded() {
    local bin
    bin=$(finding lies case.bin convert-raw-raw-content)
    grep -o 'base64,[^"]*" download="convert_content_divergence-convert-raw-raw-content.bin"' "$PAGE" |
        sed 's/base64,//; s/".*//' | base64 -d | cmp - "$bin"
}
check "the embedded case is the case" embedded
command_runs() {
    local script
    # shellcheck disable=SC2016 # these are the page's own dollars
    script=$(sed -n '/id="finding-1"/,/<\/article>/p' "$PAGE" | sed -n '/work=\$(mktemp/,/<\/pre>/p' | sed 's/.*<pre[^>]*>//; s/<\/pre>.*//; s/&quot;/"/g; s/&amp;/\&/g; s/&#39;/'"'"'/g')
    [ -n "$script" ] && TMPDIR=$SCRATCH bash -e -c "$script"
}
check "the command lines of the first card run" command_runs
# shellcheck disable=SC2059 # the bytes of the hash are the format
hash_of() { printf "$(sha256sum "$1" | cut -d ' ' -f 1 | sed 's/../\\x&/g')" | base64; }
check "the policy names the hash of the script" says "'sha256-$(hash_of harness/page/page.js)'"
together() { makes "$SCRATCH/lies" "$SCRATCH/lies" && [ "$(grep -c '<article' "$PAGE")" = "$(grep -c '<article' "$SCRATCH/first.html")" ]; }
check "a signature in two folders is one finding" together

# --- several signatures of one lie -----------------------------------------------------------------
one_lie() { # three signatures; the second by name has the smallest case
    local target writes
    for target in qcow2 raw vmdk; do
        writes='{"length_bytes": 65536}, {"offset_bytes": 65536, "length_bytes": 65536}'
        [ "$target" != raw ] || writes='{"offset_bytes": 65536, "length_bytes": 65536}'
        STANDIN_LIE=wrong-byte-near-end INSTAR_FUZZ_OUT=$SCRATCH/one-lie INSTAR_FUZZ_PAIR=standin status 1 "$FUZZ" replay "$(text "$target" <<J
{"format": "raw", "virtual_size": 131072, "writes": [$writes], "operations": [{"op": "convert", "target": "$target"}]}
J
)" >/dev/null || return 1
    done
}
content() { echo "convert_content_divergence-convert-raw-$1-content"; }
check "one lie makes three signatures" one_lie
check "they have a page" makes "$SCRATCH/one-lie"
check "that counts both" says '<b>3</b> findings in 1 group'
# shellcheck disable=SC2016 # the page's own
one_card() {
    [ "$(grep -c '<article' "$PAGE")" = 1 ] && [ "$(grep -c '<details class="member"' "$PAGE")" = 2 ] &&
        sed -n '/<article/,/<\/h3>/p' "$PAGE" | grep -F ">$(content raw)<" && says '3 signatures, probably one cause.'
}
check "on one card, headed by the smallest case" one_card
in_contents() {
    [ "$(grep -o '<th scope="row"><a href="#finding-' "$PAGE" | wc -l)" = 1 ] && says 'and 2 more, probably of the same cause' &&
        grep -E "<li><a href=\"#finding-[23]\">$(content qcow2)</a>" "$PAGE"
}
check "in one row of the contents, in which the others are folded" in_contents
addresses() {
    local target number=0
    for target in raw qcow2 vmdk; do
        number=$((number + 1))
        [ "$(grep -o " id=\"$(content "$target")\"" "$PAGE" | wc -l)" = 1 ] && [ "$(grep -o " id=\"finding-$number\"" "$PAGE" | wc -l)" = 1 ] &&
            says "one-lie/findings/$(content "$target")/case.bin" || return 1
    done
}
check "each has its addresses, its files and its command" addresses
check "valid" valid
check "clean" clean
lists() {
    "$FUZZ" report --list 'A=1 replay ' "$SCRATCH/one-lie" >"$SCRATCH/list" && diff "$SCRATCH/list" - <<S
Findings: 3 signatures in 1 group
  A=1 replay $SCRATCH/one-lie/findings/$(content raw)/case.bin
    and 2 more, probably of the same cause: see $SCRATCH/one-lie/findings/convert_content_divergence-*-content
S
}
check "the list has one command for all of them" lists
lists_none() { [ "$("$FUZZ" report --list replay "$SCRATCH/no-findings")" = 'No divergence was found.' ]; }
mkdir -p "$SCRATCH/no-findings/findings"
check "or says that there are none" lists_none
lists_each() { [ "$("$FUZZ" report --list 'r ' "$SCRATCH/lies" | grep -c '^  r .*case.bin$')" = "$(grep -c '<article' "$SCRATCH/first.html")" ]; }
check "as many commands as there are cards" lists_each
# unfolded ADDRESS: the findings that a browser shows unfolded there.
unfolded() {
    chromium --headless --no-sandbox --disable-gpu --dump-dom "file://$PAGE#$1" 2>/dev/null |
        grep -A 2 '<details class="member"[^>]* open' | grep -o 'id="convert[^"]*"'
}
unfolds() { [ "$(unfolded "$1")" = "$2" ]; }
if command -v chromium >/dev/null; then
    check "an address unfolds its finding, and no other" unfolds "$(content vmdk)" "id=\"$(content vmdk)\""
    check "one that is not folded unfolds none" unfolds finding-1 ''
else
    echo "# no chromium here: that an address unfolds its finding is not tried"
fi

# --- what a tool says is hostile -------------------------------------------------------------------
evil=$SCRATCH/evil
name='convert"><script>alert(1)<'
mkdir -p "$evil/findings/$name" "$evil/findings/broken" "$evil/findings/absent" "$evil/harness-errors"
echo '{"version": 1, "signature": ' >"$evil/findings/broken/report.json"
printf 'boom <script>alert(3)</script> \001\377\n' >"$evil/harness-errors/x-1.txt"
touch "$evil/harness-errors/x-1.bin"
# \x3c is '<' and \xff no UTF-8; members of a wrong type are between them.
# shellcheck disable=SC2016 # nothing of it may ever be expanded
printf '{"signature": "x", "step": 1, "judgement": 99, "confirmed": true, "found": -5,
 "opinion": {"wrong": "a", "role": "r", "by": "truth", "reason": "<img src=x onerror=alert(2)>\\u0007 \xff\xc3 \\u202e end"},
 "tools": {"a": {"name": "<script>alert(1)</script>", "role": "a", "version": "\xff\xfe 1", "path": "/x/$(touch pwned)/a b", "lies": "l;touch pwned", "is_standin": true, "available": true},
           "b": {"name": "q&\\"", "role": "b", "version": [], "path": 7, "available": "yes"}},
 "model": {"required": "99999999999999999999999"},
 "maps": {"source": {"size": -1, "rows": [{"what": "<b>", "name": "\x3cb>", "size": "18446744073709551615",
   "extents": [[0, 1, "data"], [1], 7, [5, -5, "data"], ["18446744073709551614", "1", "zero"], [3, 4, "<script>"], [2, "99999999999999999999", "data"]]}, 5]},
   "outputs": [{"what": "output", "name": "<i>", "side": "b", "size": 512, "fault": "<u>\x01", "differs_from_source": {"offset": "nine", "byte": 1e99, "source": {}, "ranges": [[0, 512], ["x", 1]]}}],
   "difference": {"offset": "18446744073709551615", "a": 1, "b": "<"}},
 "steps": [{"operation": "measure", "input": "a.out1.raw", "a": {"role": "a", "argv": ["x", "`touch pwned`", "it'"'"'s"], "stdout": "</pre></style><script>alert(4)</script>"},
   "answers": [{"name": "required", "a": "<script>alert(5)</script>", "b": "18446744073709551615", "mark": "diverges"}, {"name": "fully-allocated", "a": 1, "b": "2"}, 3],
   "judgements": [{"oracle": "o", "verdict": "divergence", "text": "<script>alert(6)</script> \\u0000 \xe2\x82"}]}]}' >"$evil/findings/$name/report.json"
cp "$evil/findings/$name/report.json" "$evil/harness-errors/x-2.txt"
check "hostile reports make a page" makes "$evil"
check "that is valid" valid
check "that is clean" clean
check "that has no script but its own" alone
check "in which markup is text" says '&lt;script&gt;alert(6)&lt;/script&gt;'
check "and bad bytes are marked" says $'\xef\xbf\xbd'
check "what cannot be read is said" says 'Its report cannot be read:'
check "errors of the harness are told apart" says 'boom &lt;script&gt;'
# shellcheck disable=SC2016
check "what would be a command is one word of a shell" says '&#39;`touch pwned`&#39;'
check "nothing was run" test ! -e pwned

# --- reports of an older campaign ------------------------------------------------------------------
old=$SCRATCH/old/findings/tool_crash-info-qcow2-none-instar_sigsegv
mkdir -p "$old"
echo '{"version": 1, "step": 1, "tools": {"a": {"name": "instar"}, "b": {"name": "qemu-img"}}, "steps": [{"operation": "info",
 "a": {"ended": "signal 11", "stdout": "", "stderr": "thread panicked"}, "b": {"ended": "exit 0", "stdout": "{}"},
 "judgements": [{"oracle": "tool_crash", "verdict": "divergence", "text": "instar died."}]}]}' >"$old/report.json"
check "a report without maps, opinion and answers is shown" makes "$SCRATCH/old"
check "with the tools' own words" says 'thread panicked'
check "valid, too" valid
check "a crash of a tool is listed as one" says 'href="#finding-1">tool_crash'

# --- what triage made ------------------------------------------------------------------------------
triage=$SCRATCH/triage
mkdir -p "$triage"
cp -R "$SCRATCH/lies/findings" "$triage"
cat >"$triage/triage.json" <<'json'
{"tool": "instar-fuzz triage", "version": 1, "partial": true,
 "counts": {"files": 2000, "divergences": {"files": 1990, "rows": 12}, "unreadable": {"files": 10, "rows": 1}, "known": {"files": 0, "rows": 0}},
 "divergences": [{"signature": "convert_content_divergence-convert-raw-raw-content", "files": 1234, "first_seen": "2001-02-03T04:05:06Z"}]}
json
check "a folder that triage made has a page" makes "$triage"
check "with its counts" says 'Triage of 2,000 files, interrupted: divergences 1,990 in 12 rows; unreadable 10.'
check "of each signature too" says '1,234 cases showed it'
check "and when it was first seen" says '2001-02-03 04:05 UTC'
check "valid" valid
echo '{' >"$triage/triage.json"
check "a triage.json that cannot be read is said" bash -c "'$FUZZ' report --html - '$triage' | grep -F 'not a JSON object'"

# --- many -----------------------------------------------------------------------------------------
many=$SCRATCH/many/findings
mkdir -p "$many"
(cd "$many" && seq -f 'measure_numeric_divergence-%.0f' 10000 | xargs mkdir &&
    for folder in *; do echo '{"step": 1, "steps": [{}]}' >"$folder/report.json"; done)
check "ten thousand findings make a page" makes "$SCRATCH/many"
bounded() { [ "$(stat -c %s "$PAGE")" -lt 6000000 ] && [ "$(grep -c '<article' "$PAGE")" = 300 ] && says '9700 more, as rows'; }
check "that is bounded: some hundred in full, the others as rows" bounded
check "none is left out" test "$(grep -c '>measure_numeric_divergence-[0-9]*</' "$PAGE")" -ge 10000
rm -rf "$SCRATCH/many"

# --- the course of a campaign -----------------------------------------------------------------------
# course NAME: a folder whose timeline is stdin.
course() { mkdir -p "$SCRATCH/$1/stats" && cat >"$SCRATCH/$1/timeline.tsv"; }
check "without a timeline there is no course" bash -c "! '$FUZZ' report --html - '$SCRATCH/lies' | grep -i course.:"
printf 'time\tsitting\tcases\tcorpus\tfindings\n1000\t1\t0\t215\t0\n' | course begun-now
check "a campaign of one sample" makes "$SCRATCH/begun-now"
check "has just begun" says 'Just begun'
check "and has no picture" says_not 'class="maps course"'
{ printf 'time\tsitting\tcases\tcorpus\tfindings\n'
    awk 'BEGIN { for (i = 0; i <= 120; i++) print 1000 + 60 * i "\t1\t" 1800 * i "\t" 215 + i "\t" int(i / 100)
        for (i = 0; i <= 120; i++) print 30000 + 60 * i "\t2\t" 216000 + 600 * i "\t" 335 + i "\t1"
        printf "37260\t2\t2881" }'; } | course two
check "a campaign of two sittings and half a line" makes "$SCRATCH/two"
check "has its course in the contents" says 'href="#course">Course</a>'
check "in a picture that is told in words" says 'aria-label="Over 4 hours of running time; cases a second: 10.0, at most 30.0; files that engines kept: 455, at most 455; findings: 1"'
check "with the pause between them" says '6 hours 3 min in which nothing ran'
check "and a table" says '<th scope="row">4 hours</th>'
check "of what is whole" says_not 'could not be read'
check "valid" valid
check "clean" clean
check "alone" alone
paced() { cp -R "$SCRATCH/lies" "$SCRATCH/paced" && cp "$SCRATCH/two/timeline.tsv" "$SCRATCH/paced" && makes "$SCRATCH/paced" && says '<span>cases a second</span> <b>20.0</b>'; }
check "a pause makes no campaign slower" paced
course_again() { makes "$SCRATCH/two" && cp "$PAGE" "$SCRATCH/course.html" && makes "$SCRATCH/two" && cmp "$PAGE" "$SCRATCH/course.html"; }
check "the same each time" course_again
cases_run_only_then() { makes "$SCRATCH/two" "$SCRATCH/begun-now" && [ "$(grep -c 'class="maps course"' "$PAGE")" = 1 ] && says 'Just begun'; }
check "each folder has its own" cases_run_only_then
for i in 1 2 3 4 5; do mkdir "$SCRATCH/many-$i"; cp -R "$SCRATCH/two/." "$SCRATCH/many-$i"; done
check "five campaigns" makes "$SCRATCH"/many-[1-5]
check "are too many to draw, which is said" says 'Left out: 5 of these campaigns have one'
check "so there is no picture" says_not 'class="maps course"'
check "four are not" bash -c "[ \$('$FUZZ' report --html - '$SCRATCH'/many-[1-4] | grep -c 'class=.maps course') = 4 ]"
printf 'when\tcases\n1\t2\n' | course no-time
check "a file that is no timeline" makes "$SCRATCH/no-time"
check "is said to be none" says 'its first line names no column &quot;time&quot;'
{ printf 'time\tsitting\tcases\tcorpus\tfeatures\tfindings\n'
    awk 'BEGIN { for (i = 0; i < 45000; i++) print 1000 + 60 * i "\t" int(i / 9000) "\t" 2400 * i "\t" i "\t" 5 * i "\t" int(i / 500) }'; } | course month
month_is_small() { makes "$SCRATCH/month" && [ "$(stat -c %s "$PAGE")" -lt 100000 ] && valid; }
check "a month is a small page" month_is_small

# --- coverage of qemu-img --------------------------------------------------------------------------
check "without coverage.json there is no such section" bash -c "! '$FUZZ' report --html - '$SCRATCH/lies' | grep -F 'Coverage of qemu-img'"
mkdir -p "$SCRATCH/covered/findings"
cat >"$SCRATCH/covered/coverage.json" <<'json'
{"tool": "instar-fuzz coverage", "version": 1, "made": 981173106, "program_version": "qemu-img version 7.2.22", "files": 2000, "unreadable": 1,
 "cases": 1500, "run": 700, "failed": 2, "ended": "time", "edges": 400, "reached": 103, "drivers": [
 {"driver": "qcow2", "edges": 300, "reached": 75, "files": [{"file": "block/qcow2.c", "edges": 200, "reached": 70}, {"file": "block/qcow2-cache.c", "edges": 100, "reached": 5}]},
 {"driver": "vhdx", "edges": 100, "reached": 28, "files": [{"file": "block/vhdx.c", "edges": 100, "reached": 28}]}]}
json
check "a campaign whose coverage was counted" makes "$SCRATCH/covered"
check "says it in the contents" says 'href="#coverage">Coverage</a>'
covers() { tr -d '\n' <"$PAGE" | grep -F -- "$1"; }
check "by driver" covers '<th scope="row">qcow2</th><td class="bar"><svg aria-hidden="true" width="100%" height="10"><rect class="track" width="100%" height="10"></rect><rect class="n-a" width="25.0%" height="10"></rect></svg></td><td class="count">75</td><td class="count">300</td><td class="count">25.0 %</td>'
check "together" covers '<th scope="row">all</th>'
check "by file" covers '<th scope="row">block/qcow2-cache.c</th><td class="count">5</td>'
check "when, and of how much" says 'Counted 2001-02-03 04:05 UTC: 700 of 1,500 cases, a sample for want of time of 2,000 files that engines kept, 2 of them not to the end; 1 file could not be read. qemu-img version 7.2.22.'
check "valid" valid
check "alone" alone
mkdir -p "$SCRATCH/covered-badly/findings"
printf '{"drivers": [7, {"driver": "<script>alert(1)</script>", "edges": 3, "reached": "18446744073709551615", "files": {"a": 1}}], "cases": -1, "run": [], "program_version": "\377<b>"}' >"$SCRATCH/covered-badly/coverage.json"
check "hostile coverage" makes "$SCRATCH/covered-badly"
check "is text" bash -c "grep -F '&lt;script&gt;' '$PAGE'"
check "and no more than all" covers 'width="100.0%"'
check "clean" clean
check "valid, too" valid
printf '{' >"$SCRATCH/covered-badly/coverage.json"
check "coverage that cannot be read" makes "$SCRATCH/covered-badly"
check "is said" says 'not a JSON object'

# --- nothing to show -------------------------------------------------------------------------------
export INSTAR_FUZZ_PAIR=qemu INSTAR_FUZZ_OPS=info
quiet() { INSTAR_FUZZ_OUT=$SCRATCH/quiet "$FUZZ" replay corpus/seeds/raw-one-sector-info.json >/dev/null; }
check "a run without findings" quiet
check "has a page" makes "$SCRATCH/quiet"
check "that says so in words" says 'None: '
check "valid as well" valid
check "and names what was compared, without a report" says 'against'
mkdir -p "$SCRATCH/begun/stats"
check "a folder in which nothing was counted yet" makes "$SCRATCH/begun"
check "says that" says 'No counters here'
unset INSTAR_FUZZ_OPS
INSTAR_FUZZ_OUT=$SCRATCH/running "$FUZZ" run --iterations 1000000 --duration 600 --log-dir "$SCRATCH/running-logs" >/dev/null 2>&1 &
runner=$!
is_running() { [ -d "$SCRATCH/running/stats" ] && makes "$SCRATCH/running" && grep -E 'Running\.|Began just now\.' "$PAGE"; }
check "a campaign that runs is said to run" soon is_running
kill -KILL $runner
wait $runner 2>/dev/null
# What it was just starting holds the lock until it has closed its descriptors.
stopped() { makes "$SCRATCH/running" && grep -E 'Ended\.|Nothing was run\.' "$PAGE"; }
check "and not once it was killed" soon stopped
unset INSTAR_FUZZ_PAIR

# --- bad use --------------------------------------------------------------------------------------
mkdir "$SCRATCH/nothing" "$SCRATCH/closed"
refuses() { # refuses WORDS ARGUMENT...
    local words=$1
    shift
    "$FUZZ" report "$@" 2>"$SCRATCH/said"
    [ $? = 2 ] && grep -F -- "$words" "$SCRATCH/said"
}
rm -f "$SCRATCH/new.html"
check "a folder that is no campaign's is refused" refuses 'no campaign folder' --html "$SCRATCH/new.html" "$SCRATCH/nothing"
check "so is one that is not there" refuses 'No such file' --html "$SCRATCH/new.html" "$SCRATCH/lies" "$SCRATCH/none"
check "then nothing is written" test ! -e "$SCRATCH/new.html"
check "a page without a place is refused" refuses 'there is no such folder' --html "$SCRATCH/none/x.html" "$SCRATCH/lies"
check "the place of a folder is refused" refuses "$SCRATCH/closed" --html "$SCRATCH/closed" "$SCRATCH/lies"
leftover() { ! find "$SCRATCH" -maxdepth 1 -name 'closed.*' | grep .; }
check "and nothing is left behind" leftover
check "--html is needed" refuses '--html' "$SCRATCH/lies"
check "a folder is needed" refuses 'no campaign folder given' --html -
check "an unknown argument is refused" refuses 'unknown argument --pdf' --pdf x
check "--help says the exit codes" bash -c "'$FUZZ' report --help | grep -q '2 bad use'"
finish
