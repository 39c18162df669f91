#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What happens when a tool, the machine or the user does the wrong thing: the documented exit code,
# one clear sentence, nothing left behind, and never a wrong verdict.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
export INSTAR_FUZZ_WORK=$SCRATCH/work INSTAR_FUZZ_PAIR=auto
mkdir "$INSTAR_FUZZ_WORK"

measure=$(text measure <<'J'
{"format": "qcow2", "virtual_size": 1048576, "cluster_bits": 16, "qcow2_version": 3,
 "writes": [{"pattern": "noise", "offset_bytes": 65536, "length_bytes": 65536}],
 "operations": [{"op": "measure", "target": "qcow2"}]}
J
)
convert=$(text convert <<'J'
{"format": "qcow2", "virtual_size": 1048576, "cluster_bits": 16, "qcow2_version": 3,
 "writes": [{"pattern": "noise", "offset_bytes": 65536, "length_bytes": 65536}],
 "operations": [{"op": "info"}, {"op": "convert", "target": "raw"}]}
J
)

# says STATUS TEXT COMMAND...: ends with STATUS, prints TEXT somewhere.
says() {
    local expected=$1 words=$2 out got
    shift 2
    out=$("$@" 2>&1)
    got=$?
    [ "$got" = "$expected" ] && [[ $out == *"$words"* ]] && return 0
    echo "status $got (expected $expected), output lacks '$words':"
    echo "$out"
    return 1
}
replay() { "$FUZZ" replay "$@"; }
# finds SIGNATURE TOOL CASE: replay with that instar diverges under that signature, and no other.
finds() {
    local signature=$1 tool=$2 out
    shift 2
    out=$(INSTAR=$tool replay --json "$@" 2>/dev/null)
    [ $? = 1 ] || { echo "no divergence"; echo "$out" | tail -n 60; return 1; }
    out=$(grep -A2 '"signatures"' <<<"$out" | tr -d '\n\t ')
    [[ $out == *"[\"$signature\"]"* ]] || { echo "got $out"; return 1; }
}

check "honest tools agree" status 0 replay "$measure" "$convert"

# --- tools that misbehave ------------------------------------------------------------------
tool=$(fake segfault/instar <<'S'
case "$*" in *convert*src*) kill -SEGV $$ ;; esac
exec $STANDIN "$@"
S
)
check "a tool killed by a signal is a crash" \
    finds tool_crash-convert-qcow2-raw-instar_sigsegv "$tool" "$convert"
# Behind the deadline is instar alone: it has 600 ms, of which the other tool needs 10 on a quiet machine.
tool=$(fake slow-crash/instar <<'S'
case "$*" in *convert*src*) /bin/sleep 1.2; kill -SEGV $$ ;; esac
exec $STANDIN "$@"
S
)
behind_the_deadline() {
    INSTAR=$tool status 1 replay --out "$SCRATCH/slow-crash-out" "$convert" &&
        [ -d "$SCRATCH/slow-crash-out/findings/tool_crash-convert-qcow2-raw-instar_sigsegv" ]
}
check "and has a report" behind_the_deadline
check "a crash behind the deadline is one" finds tool_crash-convert-qcow2-raw-instar_sigsegv "$tool" "$convert"
tool=$(fake slow-refusal/instar <<'S'
case "$*" in *convert*src*) /bin/sleep 1.2; exit 1 ;; esac
exec $STANDIN "$@"
S
)
refuses_behind_the_deadline() {
    export INSTAR=$tool
    local signature=exit_code_divergence-convert-qcow2-raw-instar_refuses
    finds "$signature" "$tool" --out "$SCRATCH/slow-refusal-out" "$convert" || return 1
    [ -d "$SCRATCH/slow-refusal-out/findings/$signature" ] || { echo "no report"; return 1; }
    "$FUZZ" assemble "$convert" "$SCRATCH/slow-refusal.bin"
    status 77 "$ROOT/build/fuzz_instar" -artifact_prefix="$SCRATCH/" "$SCRATCH/slow-refusal.bin"
}
check "so is a refusal behind it, in a campaign too" refuses_behind_the_deadline
tool=$(fake slow-machine/instar <<'S'
case "$*" in *convert*) /bin/sleep 0.25 ;; esac
exec $STANDIN "$@"
S
)
INSTAR=$tool INSTAR_FUZZ_EXEC=plain check "of a tool that is slow here the first lines say what to set" \
    says 0 "gives it ten times as long" "$FUZZ" doctor
tool=$(fake slow-answer/instar <<'S'
case "$*" in *convert*src*|*info*src*) /bin/sleep 1.2 ;; esac
exec $STANDIN "$@"
S
)
INSTAR=$tool check "a right answer behind the deadline agrees" \
    says 0 "agree: source_modified, exit_code, convert_content" replay "$convert"
tool=$(fake starved/instar <<'S'
case "$*" in *convert*src*) /usr/bin/timeout 0.9 /bin/sh -c 'while :; do :; done'; /bin/sleep 0.5; exit 1 ;; esac
exec $STANDIN "$@"
S
)
INSTAR=$tool check "a refusal of one that had a part of a core accuses nobody" \
    says 0 "timeout_instar" replay "$convert"
tool=$(fake garbage/instar <<'S'
case "$*" in *measure*src*) printf 'garbage \000 \377 {"required": 1'; exit 0 ;; esac
exec $STANDIN "$@"
S
)
check "garbage on stdout is a JSON failure" \
    finds measure_json_parse_failure-measure-qcow2-qcow2-instar "$tool" "$measure"
tool=$(fake refuses/instar <<'S'
case "$*" in *convert*src*) echo 'Error: "no"' >&2; exit 1 ;; esac
exec $STANDIN "$@"
S
)
check "one side refuses" \
    finds exit_code_divergence-convert-qcow2-raw-instar_refuses "$tool" "$convert"
tool=$(fake number/instar <<'S'
case "$*" in *measure*src*) printf '{\n    "bitmaps": 0,\n    "required": 9,\n    "fully-allocated": 10\n}\n'; exit 0 ;; esac
exec $STANDIN "$@"
S
)
check "another number" finds measure_numeric_divergence-measure-qcow2-qcow2-required "$tool" "$measure"
tool=$(fake modifies/instar <<'S'
case "$*" in *info*src*) /bin/chmod u+w src.qcow2; echo x >>src.qcow2 ;; esac
exec $STANDIN "$@"
S
)
check "a reader that writes to its source" \
    finds source_modified-info-qcow2-none-instar "$tool" "$convert"
# What below a source is written to, the reproducer shows too: it compares all files.
overlay=$(text overlay <<'J'
{"format": "qcow2", "backing_1": "raw", "virtual_size": 1048576, "operations": [{"op": "info"}]}
J
)
tool=$(fake modifies-below/instar <<'S'
case "$*" in *info*src*)
    /bin/chmod u+w base.raw
    [ "$(/usr/bin/tail -c 1 base.raw | /usr/bin/od -An -c)" = "   x" ] || printf x >>base.raw ;;
esac
exec $STANDIN "$@"
S
)
# It does so once to a file: the images of a report are those that the tool was given.
shows_which_file_changed() {
    finds source_modified-info-qcow2-none-instar "$tool" --out "$SCRATCH/below-out" "$overlay" ||
        return 1
    out=$(sh "$SCRATCH"/below-out/findings/*/reproduce.sh 2>&1)
    [[ $out == *"base.raw"*original/base.raw* && $out != *"it is"* ]] || { echo "$out"; return 1; }
}
check "a reader that writes to a file below its source" shows_which_file_changed
tool=$(fake size/instar <<'S'
case "$*" in *info*src*) $STANDIN "$@" | /bin/sed 's/"virtual-size": 1048576/"virtual-size": 1048577/'; exit 0 ;; esac
exec $STANDIN "$@"
S
)
check "info with another virtual size" \
    finds info_output_divergence-info-qcow2-none-virtual_size "$tool" "$convert"
tool=$(fake assertion/instar <<'S'
echo 'Assertion failure: somebody-elses-text' >&2
exec $STANDIN "$@"
S
)
check "assertion text of a tool changes nothing" env INSTAR="$tool" "$FUZZ" replay "$convert"
engine_is_quiet() {
    ! INSTAR=$1 "$ROOT/build/fuzz_instar" -runs=0 "$ROOT/build/seeds" 2>&1 | grep somebody-elses
}
check "and never reaches an engine's stderr" engine_is_quiet "$tool"
nap=$((10000000 + $$)) # a number that no other test sleeps for
tool=$(fake slow/instar <<S
case "\$*" in *convert*src*) exec /bin/sleep $nap ;; esac
exec \$STANDIN "\$@"
S
)
INSTAR_FUZZ_CASE_MS=8000 check "a tool that never ends is a hang" \
    finds tool_hang-convert-qcow2-raw-instar "$tool" "$convert"
tool=$(fake both/instar <<'S'
case "$*" in *convert*src*) exec /bin/sleep 100 ;; esac
exec $STANDIN "$@"
S
)
slow_qemu=$(fake slow-qemu/qemu-img <<'S'
case "$*" in *convert*src*) exec /bin/sleep 100 ;; esac
exec $QEMU_IMG "$@"
S
)
only_convert=$(text only-convert <<'J'
{"format": "raw", "virtual_size": 65536, "operations": [{"op": "convert", "target": "raw"}]}
J
)
check "two time-outs are never agreement" \
    env INSTAR_FUZZ_CASE_MS=1000 INSTAR="$tool" QEMU_IMG="$slow_qemu" \
    bash -c "'$FUZZ' replay '$only_convert' >/dev/null; [ \$? = 4 ]"
tool=$(fake usage/instar <<'S'
case "$*" in *measure*src*) echo "error: unexpected argument '--output' found" >&2; exit 2 ;; esac
exec $STANDIN "$@"
S
)
check "a usage error is ours, not a finding" says 2 "does not understand our command line" \
    env INSTAR="$tool" "$FUZZ" replay "$measure"
check "a failed probe of the stand-in is not why instar is missing" says 0 "No instar here: instar was not found" \
    env -u INSTAR -u INSTAR_FUZZ_PAIR PATH=/usr/bin:/bin STANDIN_LIE=measure-trailing-comma "$FUZZ" doctor
flaky=$(fake flaky/instar <<S
case "\$*" in *measure*src*) if [ ! -e $SCRATCH/once ]; then : >$SCRATCH/once; echo 'Error: "host stalled"' >&2; exit 1; fi ;; esac
exec \$STANDIN "\$@"
S
)
check "what does not repeat is inconclusive" says 4 "Verdict: inconclusive (a divergence that did not repeat)" \
    env INSTAR="$flaky" INSTAR_FUZZ_FENCE=off "$FUZZ" replay "$measure" # its memory lies outside

tool=$(fake overwrites/instar <<'S'
case "$*" in *info*src*) $STANDIN "$@"; /bin/chmod u+w src.qcow2; printf XXXX | /bin/dd of=src.qcow2 conv=notrunc status=none; exit 0 ;; esac
exec $STANDIN "$@"
S
)
check "a reader that destroys its source is blamed itself, not who reads it next" \
    finds source_modified-info-qcow2-none-instar "$tool" "$convert"
fit=$(text fit <<'J'
{"format": "raw", "virtual_size": 1048576, "operations": [{"op": "measure", "target": "vpc"}]}
J
)
tool=$(fake fit/instar <<'S'
case "$*" in *convert*fit*) kill -SEGV $$ ;; esac
exec $STANDIN "$@"
S
)
check "a crash of the convert behind a measure is a crash" \
    finds tool_crash-measure-raw-vpc-instar_sigsegv "$tool" "$fit"
dying=$(fake dying-check/qemu-img <<'S'
case "$*" in *check*a.out*) kill -SEGV $$ ;; esac
exec $QEMU_IMG "$@"
S
)
to_qcow2=$(text to-qcow2 <<'J'
{"format": "raw", "virtual_size": 1048576, "writes": [{"pattern": "noise", "offset_bytes": 1047552, "length_bytes": 1024}],
 "operations": [{"op": "convert", "target": "qcow2"}]}
J
)
QEMU_IMG=$dying check "qemu-img check that dies on an output is a finding" \
    finds check_divergence-convert-raw-qcow2-crash_qemu_img "$STANDIN" "$to_qcow2"
STANDIN_LIE=wrong-byte-near-end INSTAR_FUZZ_PAIR=only-instar check "one tool alone is judged by the truth, and confirmed" \
    finds truth_content_divergence-convert-raw-qcow2-instar "$STANDIN" "$to_qcow2"
shy=$(fake shy/qemu-img <<'S'
case "$*" in *convert*a.out*) echo 'qemu-img: No space left on device' >&2; exit 1 ;; esac
exec $QEMU_IMG "$@"
S
)
garbled=$(fake garbled/instar <<'S'
case "$*" in *convert*src*qcow2*) echo QFI >a.out1.qcow2; exit 0 ;; esac
exec $STANDIN "$@"
S
)
deadly=$(fake deadly/qemu-img <<'S'
case "$*" in *convert*a.out*) kill -SEGV $$ ;; esac
exec $QEMU_IMG "$@"
S
)
QEMU_IMG=$deadly check "a second opinion that dies is a finding about who gives it" \
    finds check_divergence-convert-raw-qcow2-crash_qemu_img "$garbled" "$to_qcow2"
QEMU_IMG=$shy check "without a second opinion nobody is accused of an unreadable output by our reader" \
    says 1 "check_divergence-convert-raw-qcow2-output_instar" env INSTAR="$garbled" "$FUZZ" replay "$to_qcow2"
capped=$(text capped <<'J'
{"format": "vhdx", "virtual_size": 4294967296, "operations": [{"op": "convert", "target": "raw"}]}
J
)
check "where nothing was compared there is no agreement" says 4 "Verdict: inconclusive (cost_cap)" \
    "$FUZZ" replay "$capped"
check "nor where a case asks nothing" says 4 "  nothing_asked: the case has no operation" "$FUZZ" replay /dev/null
check "nor where the user filtered all of it out" says 4 "Verdict: inconclusive (filtered)" \
    env INSTAR_FUZZ_OPS=info "$FUZZ" replay "$measure"
row_of_refusal() { STANDIN_LIE='' INSTAR=$SCRATCH/refuses/instar says 1 "    * ended" replay "$convert"; }
check "a refusal marks how the tools ended" row_of_refusal
# in_json WORDS COMMAND...: what Python says of the printed documents, `d`, holds.
in_json() {
    local words=$1
    shift
    "$@" >"$SCRATCH/documents" 2>/dev/null
    python3 - "$SCRATCH/documents" "$words" <<'P'
import json, sys
text, d = open(sys.argv[1]).read().strip(), []
while text:
    document, end = json.JSONDecoder().raw_decode(text)
    d.append(document)
    text = text[end:].strip()
if not eval(f"({sys.argv[2]})"):
    sys.exit([{name: x.get(name) for name in ("findings", "unconfirmed", "exit", "environment")} for x in d])
P
}
if command -v python3 >/dev/null; then
    STANDIN_LIE=measure-trailing-comma INSTAR_FUZZ_CONFIRM=2 INSTAR_FUZZ_CASE_MS=9000 \
        check "replay --json: what is found, a document for each case" in_json \
        'len(d) == 2 and d[0]["environment"]["case_ms"] == 9000 and d[0]["environment"]["confirm"] == 2 and
         [f["signature"] for f in d[0]["findings"]] == d[0]["signatures"] != [] and
         d[0]["findings"][0]["opinion"]["wrong"] == "a" and [x["exit"] for x in d] == [1, 4]' \
        replay --json "$measure" "$capped"
    rm -f "$SCRATCH/once"
    INSTAR=$flaky INSTAR_FUZZ_FENCE=off check "... and what did not repeat" \
        in_json 'd[0]["unconfirmed"] == 1 and d[0]["findings"] == [] and d[0]["exit"] == 4' replay --json "$measure"
else
    echo "# no python3: what replay --json says is not tried"
fi
# Two cases of one signature in one call: the first one's report stays; a later call's takes its place.
other=$(text other <<'J'
{"format": "qcow2", "virtual_size": 2097152, "operations": [{"op": "measure", "target": "qcow2"}]}
J
)
reports_of_one() {
    local case
    for case in "$other $measure" "$measure $other"; do
        # shellcheck disable=SC2086 # two words
        STANDIN_LIE=measure-trailing-comma status 1 replay --out "$SCRATCH/one-out" $case || return 1
        "$FUZZ" show "${case% *}" >"$SCRATCH/first"
        "$FUZZ" show "$SCRATCH"/one-out/findings/*/case.bin | diff - "$SCRATCH/first" || return 1
        [ "$(find "$SCRATCH/one-out/findings" -name case.bin | wc -l)" = 1 ] || return 1
    done
}
check "of two cases with one signature the first one's report is left" reports_of_one
# A file system that cannot exchange two names (NFS, some FUSE).
cat >"$SCRATCH/no-exchange.c" <<'C'
#include <errno.h>
int renameat2(int a, const char *b, int c, const char *d, unsigned e) {
    return (void)a, (void)b, (void)c, (void)d, (void)e, errno = EINVAL, -1;
}
C
without_exchange() {
    "${CC:-cc}" -shared -fPIC -o "$SCRATCH/no-exchange.so" "$SCRATCH/no-exchange.c" || return 1
    LD_PRELOAD=$SCRATCH/no-exchange.so STANDIN_LIE=measure-trailing-comma status 1 replay --out "$SCRATCH/one-out" "$other" || return 1
    "$FUZZ" show "$other" >"$SCRATCH/first"
    "$FUZZ" show "$SCRATCH"/one-out/findings/*/case.bin | diff - "$SCRATCH/first" && [ "$(find "$SCRATCH/one-out/findings" -mindepth 1 -maxdepth 1 | wc -l)" = 1 ]
}
check "a report is replaced also where names cannot be exchanged" without_exchange
evil=$(fake evil/instar <<'S'
case "$*" in *info*src*) $STANDIN "$@" | /bin/sed 's|"format": "qcow2"|"format": "a\\nEND\\ntouch pwned\\ncat <<X\\n"|'; exit 0 ;; esac
exec $STANDIN "$@"
S
)
not_injected() {
    INSTAR=$evil replay --out "$SCRATCH/evil-out" "$convert" >"$SCRATCH/evil.txt"
    grep -q "divergence: info_output" "$SCRATCH/evil.txt" || { cat "$SCRATCH/evil.txt"; return 1; }
    (cd "$SCRATCH" && sh "$SCRATCH"/evil-out/findings/*/reproduce.sh >/dev/null 2>&1)
    [ -z "$(find "$SCRATCH" -name pwned)" ] && ! grep -q '^touch' "$SCRATCH"/evil-out/findings/*/reproduce.sh
}
check "what a tool prints is never run by reproduce.sh" not_injected
talker=$(fake talker/instar <<'S'
case "$*" in *measure*src*) printf "error: unexpected argument\nAssertion failure: evil-text\n" >&2; exit 2 ;; esac
exec $STANDIN "$@"
S
)
stops_engine() {
    local got
    "$FUZZ" assemble "$measure" "$SCRATCH/measure.bin"
    INSTAR=$talker INSTAR_FUZZ_OUT=$SCRATCH/talker-out "$ROOT/build/fuzz_instar" "$SCRATCH/measure.bin" 2>"$SCRATCH/talker.err"
    got=$?
    [ "$got" = 2 ] || { echo "status $got"; return 1; }
    ! grep '^Assertion failure' "$SCRATCH/talker.err" && ls "$SCRATCH"/talker-out/harness-errors/*.bin "$SCRATCH"/talker-out/harness-errors/*.txt
}
check "a harness error ends the engine with 2, in our words, and keeps the case" stops_engine

# --- tools that cannot run -----------------------------------------------------------------
check "an INSTAR that does not exist" says 3 "/nowhere/instar" env INSTAR=/nowhere/instar "$FUZZ" replay "$measure"
check "a QEMU_IMG that does not exist" says 3 "/nowhere/qemu-img" env QEMU_IMG=/nowhere/qemu-img "$FUZZ" replay "$measure"
: >"$SCRATCH/plain-file"
check "an INSTAR that is not executable" says 3 "plain-file" env INSTAR="$SCRATCH/plain-file" "$FUZZ" replay "$measure"
tool=$(fake old/qemu-img <<'S'
echo 'qemu-img version 5.2.0 (old)'
S
)
check "a qemu-img older than 6.0" says 3 "6.0" env QEMU_IMG="$tool" "$FUZZ" replay "$measure"
check "an INSTAR that is a qemu-img is driven as one" says 0 "qemu_img_a" env INSTAR="$(command -v qemu-img)" "$FUZZ" replay "$measure"

# The tool is another one all of a sudden, as when a package is upgraded.
tool=$(fake replaced/instar <<'S'
exec $STANDIN "$@"
S
)
replaced() {
    local pid out
    INSTAR=$tool timeout 600 "$FUZZ" run --log-dir "$SCRATCH/replaced-logs" --iterations 1000000 --seed 1 >"$SCRATCH/replaced.out" 2>&1 &
    pid=$!
    soon grep -q 'Iteration 1/' "$SCRATCH/replaced.out" # until then the new one would be the one that it looks at
    cp "$tool" "$tool.new" && mv "$tool.new" "$tool"
    wait "$pid"
    out=$?
    [ "$out" = 2 ] && grep -q "was replaced since this run looked at it" "$SCRATCH/replaced.out" && return 0
    echo "status $out"
    tail -n 5 "$SCRATCH/replaced.out"
    return 1
}
check "a tool that is replaced while a run goes on ends it" replaced

# --- bad use -------------------------------------------------------------------------------
check "a case that does not exist" says 2 "/nowhere/case" "$FUZZ" replay /nowhere/case
check "a case that is a folder" says 2 "$SCRATCH" "$FUZZ" replay "$SCRATCH"
bad=$(text bad <<'J'
{"format": "qcow3"}
J
)
check "a text form with a wrong name" says 2 "format" "$FUZZ" replay "$bad"
check "an unknown variable" says 2 "INSTAR_FUZZ_OPPS" env INSTAR_FUZZ_OPPS=info "$FUZZ" replay "$measure"
check "a variable with a wrong value" says 2 "INSTAR_FUZZ_OPS=infos" env INSTAR_FUZZ_OPS=infos "$FUZZ" replay "$measure"
# The option is the last word.
while read -r command option; do
    check "$command $option alone" says 2 "$option needs a value" "$FUZZ" "$command" "$option"
done <<'C'
replay --out
report --html
coverage --out
coverage --time
coverage --jobs
minimize --out
minimize --signature
minimize --time
triage --out
triage --json
triage --jobs
issues --max
issues --label
C
check "an empty value is none" says 2 "--signature needs a value" "$FUZZ" minimize --signature '' "$measure"
check "-h is --help" says 0 "usage: instar-fuzz replay" "$FUZZ" replay -h
check "an unknown command" says 2 "no command 'fuzzz'" "$FUZZ" fuzzz
check "an unknown lie" says 3 "STANDIN_LIE" env STANDIN_LIE=no-such-lie "$FUZZ" replay "$measure"

# --- the machine ---------------------------------------------------------------------------
as_nobody() { su nobody -s /bin/sh -c "$*"; }
if [ "$(id -u)" = 0 ] && as_nobody "test -r '$ROOT/Makefile' -a ! -w '$ROOT/build'" 2>/dev/null; then
    replays_for_anybody() { as_nobody "cd '$ROOT' && env -u INSTAR_FUZZ_WORK INSTALL_DEPS=skip make replay CASE=corpus/seeds/raw-size-zero.json" 2>&1 | grep 'Verdict: no divergence'; }
    check "somebody who may not write in the tree replays with what is built there" replays_for_anybody
else
    echo "# nobody else can read this tree: a replay in a tree of somebody else's is not tried"
fi
on_disk=$(mktemp -d -p "$ROOT/build")
check "a work folder that is no tmpfs is said" says 0 "no tmpfs" env INSTAR_FUZZ_WORK="$on_disk" "$FUZZ" doctor
if unshare -m true 2>/dev/null; then
    check "no tmpfs at all: it goes on in TMPDIR and says so" says 0 "below $on_disk" unshare -m env -u INSTAR_FUZZ_WORK \
        TMPDIR="$on_disk" bash -c "mount --bind '$on_disk' /dev/shm && '$FUZZ' doctor"
    cp "$measure" "$on_disk/measure.json"
    check "and decides all the same" says 0 "no divergence" unshare -m env -u INSTAR_FUZZ_WORK TMPDIR="$on_disk" \
        bash -c "mount --bind '$on_disk' /dev/shm && '$FUZZ' replay '$on_disk/measure.json'"
    rm -f "$on_disk/measure.json"
else
    echo "# no mount namespace here: the fall-back from /dev/shm is not tried"
fi
check "nothing is left there" rmdir "$on_disk"
full_stdout() { "$FUZZ" "$@" >/dev/full; }
check "what a full disk swallows does not end well" says 2 "could not be written" full_stdout show "$measure"
check "nor does help" says 2 "could not be written" full_stdout --help
check "nor that of a command" says 2 "could not be written" full_stdout replay --help
# A limit of file sizes stands in for a full disk: a write beyond it fails in the same place.
no_room() { (trap '' XFSZ; ulimit -f 0; "$FUZZ" "$@"); }
check "a file that has no room is named" says 2 "$SCRATCH/no-room.bin: cannot write" no_room assemble "$measure" "$SCRATCH/no-room.bin"
check "and leaves nothing behind" bash -c "! ls '$SCRATCH'/no-room*"
check "nowhere to work" says 2 "/nowhere/work" env INSTAR_FUZZ_WORK=/nowhere/work "$FUZZ" replay "$measure"
check "reports into a file" says 2 "plain-file" env INSTAR_FUZZ_OUT="$SCRATCH/plain-file" "$FUZZ" replay "$measure"
if mkdir "$SCRATCH/small" && mount -t tmpfs -o size=128k none "$SCRATCH/small" 2>/dev/null; then
    big=$(text big <<'J'
{"format": "raw", "virtual_size": 4194304,
 "writes": [{"pattern": "noise", "offset_bytes": 0, "length_bytes": 1048576}],
 "operations": [{"op": "convert", "target": "raw"}]}
J
)
    check "a full disk while the source is built" says 2 "No space left" \
        env INSTAR_FUZZ_WORK="$SCRATCH/small" "$FUZZ" replay "$big"
    check "leaves nothing behind" emptied "$SCRATCH/small"
    # The claim of a signature is an empty file, and would find its place on the full disk.
    full_of_reports() {
        mount -t tmpfs -o size=4m,nr_inodes=7 none "$SCRATCH/full" || return 1
        says 2 "could not be written" env STANDIN_LIE=measure-trailing-comma INSTAR_FUZZ_OUT="$SCRATCH/full/out" \
            INSTAR_FUZZ_SEEN="$SCRATCH/claims" build/fuzz_instar -runs=1 "$SCRATCH/corpus" || return 1
        [ -z "$(ls "$SCRATCH/claims")" ] || { echo "claimed, but not reported"; return 1; }
        [ -z "$(ls -A "$SCRATCH/full/out/findings")" ] || { echo "half a report"; return 1; }
        mount -o remount,nr_inodes=1000 "$SCRATCH/full"
        says 77 "measure_json_parse_failure" env STANDIN_LIE=measure-trailing-comma INSTAR_FUZZ_OUT="$SCRATCH/full/out" \
            INSTAR_FUZZ_SEEN="$SCRATCH/claims" build/fuzz_instar -runs=1 -artifact_prefix="$SCRATCH/" "$SCRATCH/corpus" || return 1
        [ -n "$(ls -A "$SCRATCH/claims")" ] || { echo "reported, but not claimed"; return 1; }
        soon umount "$SCRATCH/full"
    }
    mkdir "$SCRATCH/corpus" "$SCRATCH/full"
    "$FUZZ" assemble "$measure" "$SCRATCH/corpus/measure"
    check "a closed stderr is nobody's socket" status 0 bash -c "build/fuzz_instar -runs=20 '$SCRATCH/corpus' 2>&-"
    check "a full disk for reports: an error, and the finding stays unclaimed" full_of_reports
    # Busy for a moment: the kernel frees the rules of a fence after the processes are gone.
    soon mount -o remount,ro "$SCRATCH/small"
    check "a read-only folder for reports" says 2 "Read-only" env INSTAR_FUZZ_OUT="$SCRATCH/small/out" "$FUZZ" replay "$measure"
    check "a read-only folder to work in" says 2 "Read-only" env INSTAR_FUZZ_WORK="$SCRATCH/small" "$FUZZ" replay "$measure"
    umount "$SCRATCH/small"
else
    echo "# no mount here: full disk and read-only folder are not tried"
fi
killed_leaves_nothing() {
    local tool pid
    tool=$SCRATCH/slow/instar
    INSTAR=$tool INSTAR_FUZZ_CASE_MS=60000 "$FUZZ" replay "$convert" >/dev/null 2>&1 &
    pid=$!
    soon pgrep -f "sleep $nap" || return
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null
    emptied "$INSTAR_FUZZ_WORK" && soon gone
}
gone() { ! pgrep -af "sleep $nap"; }
check "SIGKILL in the middle leaves no process and no folder" killed_leaves_nothing
check "nothing is left in the work folder" emptied "$INSTAR_FUZZ_WORK"

# --- determinism ---------------------------------------------------------------------------
same_from_anywhere() {
    local one two
    one=$(cd / && "$FUZZ" replay --json "$convert" "$measure" | grep -vE 'wall_us|resident|stdout')
    two=$(cd "$SCRATCH" && "$FUZZ" replay --json "$convert" "$measure" | grep -vE 'wall_us|resident|stdout')
    diff <(echo "$one") <(echo "$two") && [ ${#one} -gt 1000 ]
}
check "the same case gives the same argv, classes and verdicts from any folder" same_from_anywhere
finish
