#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# triage: what engines and campaigns leave comes out in the right list, counts add up, the folder is
# whole or not there, SARIF holds what a forge asks for; and its exit codes.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
export INSTAR_FUZZ_PAIR=standin
cd "$SCRATCH" || exit 2

# case_as NAME FILE < text: a case as bytes.
case_as() {
    mkdir -p "$(dirname "$2")"
    cat >"$SCRATCH/$1.json"
    "$FUZZ" assemble "$SCRATCH/$1.json" "$2"
}
zeros=measure_numeric_divergence-measure-qcow2-qcow2-required
bitmaps=measure_bitmaps_value_divergence-measure-qcow2-qcow2-bitmaps
case_as zeros lf/crash-1 <<'J'
{"format": "qcow2", "virtual_size": 1048576, "writes": [{"length_bytes": 65536, "form": "zero"}],
 "operations": [{"op": "info"}, {"op": "measure", "target": "qcow2"}]}
J
case_as small lf/crash-2 <<'J'
{"format": "qcow2", "virtual_size": 512, "writes": [{"length_bytes": 512, "form": "zero"}],
 "operations": [{"op": "measure", "target": "qcow2"}]}
J
case_as both lf/crash-3 <<'J'
{"format": "qcow2", "virtual_size": 65536, "bitmaps": 1,
 "operations": [{"op": "measure", "target": "raw"}, {"op": "measure", "target": "qcow2"}]}
J
triage() { "$FUZZ" triage "$@" 2>"$SCRATCH/err"; }
lying() { STANDIN_LIE=qcow2-zero-clusters-allocated,bitmaps-zero triage "$@"; }
# row COUNT SIGNATURE: the table of the last run has this row.
row() { grep -E "^ +$1 .* $2\$" "$SCRATCH/table" || { cat "$SCRATCH/table"; false; }; }
says() { grep -q -- "$1" "$SCRATCH/table" || { echo "expected '$1'"; cat "$SCRATCH/table" "$SCRATCH/err"; false; }; }

two_rows() {
    touch -d '2026-01-02 03:04:05Z' lf/crash-2
    status 1 lying --out out --json all.json --sarif all.sarif lf >table || return 1
    row 2 "$zeros" && row 1 "$bitmaps" && says '3 diverge (2 signatures)' && says '^stand-in for instar' &&
        grep -E "^ +2  2026-01-02 03:04 .* stand-in +$zeros" table
}
check "files are grouped by what they show, with the time of the oldest" two_rows
folder_of_one() {
    local name
    for name in report.json story.txt case.bin case.json images.tar.gz reproduce.sh original.bin; do
        [ -s "out/findings/$zeros/$name" ] || { echo "no $name"; return 1; }
    done
    [ "$(find . -maxdepth 1 -name '.*.??????')" = '' ] && cmp lf/crash-2 "out/findings/$zeros/original.bin" &&
        STANDIN_LIE=qcow2-zero-clusters-allocated status 1 "$FUZZ" replay "out/findings/$zeros/case.bin" &&
        sh "out/findings/$zeros/reproduce.sh" >said && grep -qx -- '=== what was found' said && grep -q 'exit status 0' said
}
check "each has the folder that a campaign's finding has" folder_of_one
minimized() { [ "$("$FUZZ" show --json --brief "out/findings/$bitmaps/case.bin" | grep -o '"op"' | wc -l)" = 1 ]; }
check "and the case in it is minimized" minimized
not_minimized() {
    status 1 lying --no-minimize --out plain lf/crash-3 >table || return 1
    cmp lf/crash-3 "plain/findings/$bitmaps/case.bin"
}
check "--no-minimize leaves the case as it is" not_minimized
same_json() { diff <(grep -v seconds all.json) <(grep -v seconds out/triage.json); }
check "--json is triage.json of the folder" same_json
again() {
    local before
    before=$(find out/findings | sort)
    touch out/mark && status 1 lying --out out lf >table && [ ! -e out/mark ] && [ "$(find out/findings | sort)" = "$before" ] &&
        [ "$(find . -maxdepth 1 -name '.out.*')" = '' ]
}
check "an earlier folder of triage's is made anew" again
inside() {
    cp -r lf within && status 1 lying --no-minimize --out within/triage within >table && says '^3 files' &&
        status 1 lying --no-minimize --out within/triage within >table && says '^3 files'
}
check "a folder of results in the folder that is sorted is not read" inside
of_a_triage() { # a triage's own folder is one like a campaign's
    status 1 lying out >table && row 1 "$zeros" && row 1 "$bitmaps" && says '2 diverge'
}
check "a folder that triage wrote can be sorted itself" of_a_triage
copies() {
    local n
    mkdir -p many && for n in 1 2 3; do cp lf/crash-1 "many/crash-$n" && cp lf/crash-2 "many/crash-1$n"; done
    status 1 lying --no-minimize --json many.json many >table && row 6 "$zeros" && says '^6 files, 2 distinct cases' &&
        [ "$(grep -c '"same_as"' many.json)" = 4 ]
}
check "copies of one case are counted and replayed once" copies
hidden() {
    mkdir -p behind && cp lf/crash-1 lf/crash-2 behind && "$FUZZ" assemble "$(text behind <<'J'
{"format": "qcow2", "virtual_size": 131072,
 "writes": [{"length_bytes": 65536, "form": "zero"}, {"offset_bytes": 65536, "length_bytes": 65536}],
 "operations": [{"op": "measure", "target": "qcow2"}, {"op": "convert", "target": "raw"}]}
J
)" behind/crash-behind
    STANDIN_LIE=qcow2-zero-clusters-allocated,wrong-byte-near-end status 1 triage behind >table || return 1
    row 2 "$zeros" && row 1 convert_content_divergence-convert-qcow2-raw-content && says 'at the rarest signature'
}
check "a signature that is always met behind another one has its row" hidden

# One lie in three signatures; the smallest case has the second by name, and another type stands beside them.
case_as three causes/crash-three <<'J'
{"format": "raw", "virtual_size": 131072, "writes": [{"length_bytes": 65536}, {"offset_bytes": 65536, "length_bytes": 65536}],
 "operations": [{"op": "convert", "target": "qcow2"}, {"op": "convert", "target": "vmdk"}]}
J
case_as one-of-three causes/crash-one <<'J'
{"format": "raw", "virtual_size": 131072, "writes": [{"offset_bytes": 65536, "length_bytes": 65536}],
 "operations": [{"op": "convert", "target": "raw"}]}
J
case_as beside causes/crash-beside <<'J'
{"format": "qcow2", "virtual_size": 512, "writes": [{"length_bytes": 512, "form": "zero"}], "operations": [{"op": "measure", "target": "qcow2"}]}
J
content() { echo "convert_content_divergence-convert-raw-$1-content"; }
one_cause() {
    STANDIN_LIE=qcow2-zero-clusters-allocated,wrong-byte-near-end status 1 triage --no-minimize --out grouped \
        --sarif grouped.sarif causes >table || return 1
    row 1 "$(content raw)" && row 1 "$zeros" && says 'and 2 more, probably of the same cause:' &&
        says '^ *convert-raw-qcow2 convert-raw-vmdk$' && says '(4 signatures in 2 groups)' &&
        ! grep "$(content qcow2)" table && [ "$(awk '$1 ~ /^[0-9]+$/ && NF > 2 && !/files,/ { n += $1 } END { print n }' table)" = 3 ]
}
check "one lie in three signatures is one group, told by its smallest case" one_cause
grouped_json() {
    local group=convert_content_divergence-content-instar
    [ "$(sed -n 's/.*"signature":[^"]*"\(.*\)",.*/\1/p' grouped/triage.json | paste -sd' ')" = \
        "$(content raw) $(content qcow2) $(content vmdk) $zeros" ] &&
        [ "$(grep -c "\"group\":.*\"$group\"" grouped/triage.json)" = 3 ] && grep -q '"groups":.*2$' grouped/triage.json &&
        [ "$(grep -c "\"group\":.*\"$group\"" grouped.sarif)" = 3 ] && [ "$(grep -c '"ruleId"' grouped.sarif)" = 4 ]
}
check "and keeps a row of its own for each in triage.json and SARIF, which name it" grouped_json

# AFL++: several fuzzers, a folder that was kept, hangs; a run's log; a campaign.
sources() {
    mkdir -p afl/main/crashes afl/main/hangs afl/second/crashes.2026-01-01-00:00:00 afl/main/queue
    cp lf/crash-1 'afl/main/crashes/id:000000,sig:06,src:000000,time:1,execs:1,op:havoc,rep:1'
    cp lf/crash-2 'afl/second/crashes.2026-01-01-00:00:00/id:000000,sig:06'
    cp lf/crash-3 'afl/main/hangs/id:000000,src:000001'
    cp lf/crash-3 'afl/main/queue/id:000000,orig:x'
    echo text | tee afl/main/crashes/README.txt >afl/main/hangs/README.txt
    mkdir -p "campaign/findings/$zeros" campaign/not-reproduced campaign/harness-errors campaign/corpus
    cp lf/crash-1 "campaign/findings/$zeros/case.bin" && echo '{}' >"campaign/findings/$zeros/report.json"
    cp lf/crash-3 "campaign/not-reproduced/$bitmaps-0123456789abcdef.bin"
    cp lf/crash-2 campaign/harness-errors/case-0123456789abcdef.bin && echo why >campaign/harness-errors/case-0123456789abcdef.txt
    cp lf/crash-2 campaign/corpus/0123
    STANDIN_LIE=bitmaps-zero "$FUZZ" run --iterations 12 --seed 7 --ops measure --log-dir log >/dev/null 2>&1
    [ "$(find log -name 'divergence-*.json' | wc -l)" -gt 0 ] || { ls -R log; return 1; }
    status 1 lying --no-minimize --json all.json afl campaign log "$SCRATCH/small.json" >table || return 1
    says 'measure_bitmaps' && says "^$((6 + $(find log -name 'divergence-*.json' -o -name case.bin | wc -l) + 1)) files"
}
check "AFL++, campaigns, logs of run and single files are taken in any mix" sources
origins() {
    local name
    for name in afl_crash afl_hang finding not_reproduced harness_error run_log file; do
        grep -q "\"origin\":.*\"$name\"" all.json || { echo "no $name"; return 1; }
    done
    ! grep -qE 'README|corpus|queue' all.json
}
check "each by what it is, and nothing that is no find" origins
adds_up() {
    local all parts
    all=$(sed -n '/"counts":/,/"left_out":/s/.*"files":\t\([0-9]*\),/\1/p' all.json)
    parts=$(sed -n '/"left_out":/,/^\t}/s/.*"files":\t\([0-9]*\),/\1/p' all.json | paste -sd+)
    echo "$all = $parts" && [ "$all" = $((parts)) ] && [ "$all" = "$(grep -c '"origin":' all.json)" ]
}
check "the lists add up to the files" adds_up

honest() { status 0 triage --out none lf >table && says '3 not reproduced' && [ -s none/triage.json ] && [ ! -e none/findings ]; }
check "without a divergence it ends with 0" honest
mkdir empty
no_files() { status 0 triage empty >table && says '^0 files'; }
check "an empty folder is nothing new" no_files
known() {
    STANDIN_LIE=as-instar,bitmaps-zero status 0 triage --sarif known.sarif lf/crash-3 >table || return 1
    says '1 known' && row 1 "instar-bitmaps-zero +$bitmaps" && grep -q '"level":.*"note"' known.sarif && ! grep -q '"error"' known.sarif
}
check "a known divergence is listed by its id and is nothing new" known

moody=$(fake moody/instar <<S
case "\$*" in *measure*src*)
    echo x >>$SCRATCH/asked
    [ \$(/usr/bin/wc -l <$SCRATCH/asked) -le 3 ] && export STANDIN_LIE=bitmaps-zero ;;
esac
exec \$STANDIN "\$@"
S
)
other_tool() { INSTAR_FUZZ_PAIR=instar INSTAR_FUZZ_FENCE=off INSTAR=$1 triage "${@:2}"; }
once() {
    rm -f asked
    status 4 other_tool "$moody" --out moody-out lf/crash-3 >table && says 'not_reproduced' && says '1 inconclusive' && [ ! -e moody-out/findings ]
}
check "what does not repeat is inconclusive" once
confused=$(fake confused/instar <<S
case "\$*" in *measure*src*) exit 2 ;; esac
exec \$STANDIN "\$@"
S
)
error() { status 2 other_tool "$confused" lf/crash-3 >table && says '^Harness errors' && says '1 harness errors'; }
check "a harness error is none of a tool's" error
# Shows a lie once, and from then on does not understand us: no word about the lie.
troubled=$(fake troubled/instar <<S
case "\$*" in *measure*src*)
    echo x >>$SCRATCH/asked
    [ "\$(/usr/bin/wc -l <$SCRATCH/asked)" -gt 1 ] && exit 2 ;;
esac
STANDIN_LIE=measure-trailing-comma exec \$STANDIN "\$@"
S
)
case_as one lf-one/crash-one <<'J'
{"format": "raw", "virtual_size": 65536, "operations": [{"op": "measure", "target": "qcow2"}]}
J
troubled() {
    rm -f asked
    status 2 other_tool "$troubled" lf-one >table || return 1
    says '^Harness errors' && says 'confirming measure_json_parse_failure' && says '0 diverge' && [ "$(wc -l <asked)" = 3 ]
}
check "a harness error while it is confirmed is tried once more, and then told as one" troubled
# Of two signatures of one case, one is confirmed; the other is in the list of its trouble all the same.
# Its measure shows a lie once, and from then on does what is said here.
half() { # REST
    fake half/instar <<S
case "\$*" in
*measure*vmdk*src*|*measure*src*vmdk*)
    echo x >>$SCRATCH/asked
    [ "\$(/usr/bin/wc -l <$SCRATCH/asked)" -gt 1 ] && $1 ;;
esac
STANDIN_LIE=measure-trailing-comma exec \$STANDIN "\$@"
S
}
case_as two lf-two/crash-two <<'J'
{"format": "raw", "virtual_size": 65536, "operations": [{"op": "measure", "target": "qcow2"}, {"op": "measure", "target": "vmdk"}]}
J
beside_a_confirmed_one() { # TITLE REASON REST
    rm -f asked
    status 1 other_tool "$(half "$3")" --json two.json lf-two >table || return 1
    says '(1 signature)' && says "^$1" && says "^     0 .*$2" && row 1 measure_json_parse_failure-measure-raw-qcow2-instar &&
        [ "$(grep -c '"signature":.*"measure_json_parse_failure-measure-raw-vmdk-instar"' two.json)" = 1 ]
}
check "beside a confirmed signature an error is told" \
    beside_a_confirmed_one 'Harness errors' 'confirming measure_json_parse_failure-measure-raw-vmdk' 'exit 2'
# shellcheck disable=SC2016 # the fake's to expand
check "and so is what did not repeat" \
    beside_a_confirmed_one Inconclusive 'not_reproduced' 'exec $STANDIN "$@"'
# The harness is the parent of the launcher, which is the parent of a tool.
deadly=$(fake deadly/instar <<S
case "\$*" in *measure*src*)
    echo x >>$SCRATCH/killed
    kill -SEGV \$(/usr/bin/sed -n 's/^PPid:[^0-9]*//p' /proc/\$PPID/status)
    /usr/bin/sleep 1 ;;
esac
exec \$STANDIN "\$@"
S
)
case_as info lf-info/crash-info <<'J'
{"format": "qcow2", "virtual_size": 65536, "operations": [{"op": "info"}]}
J
survives() {
    status 2 other_tool "$deadly" --jobs 1 lf/crash-3 lf-info >table || return 1
    says '^Crashes of the harness itself' && says 'signal 11' && says '1 crashes of the harness' && says '1 not reproduced' &&
        [ "$(wc -l <killed)" = 2 ]
}
check "a case that kills the harness is tried twice, listed apart, and ends nothing" survives
once_deadly() {
    rm -f killed
    local once
    once=$(fake once/instar <<S
case "\$*" in *measure*src*) if [ ! -e $SCRATCH/killed ]; then
    echo x >$SCRATCH/killed
    kill -SEGV \$(/usr/bin/sed -n 's/^PPid:[^0-9]*//p' /proc/\$PPID/status)
    /usr/bin/sleep 1
fi ;; esac
exec \$STANDIN "\$@"
S
)
    status 0 other_tool "$once" lf/crash-3 >table && says '1 not reproduced'
}
check "a harness that died once has not died of the case" once_deadly
crashing=$(fake crashing/instar <<S
case "\$*" in *measure*src*) kill -SEGV \$\$ ;; esac
exec \$STANDIN "\$@"
S
)
tool_crash() { status 1 other_tool "$crashing" --no-minimize lf/crash-2 >table && says 'tool_crash-measure-qcow2-qcow2-'; }
check "a crash of a tool is a divergence" tool_crash
absent() {
    mkdir -p "absent/findings/$zeros" && cp lf/crash-2 "absent/findings/$zeros/case.bin"
    cat >"absent/findings/$zeros/report.json" <<'J'
{"tools": {"a": {"driven_as": "instar", "is_standin": false, "version": "instar 0.9", "available": true, "lies": ""},
           "b": {"driven_as": "qemu-img", "is_standin": false, "version": "qemu-img version 9.9", "available": true, "lies": ""}}}
J
    status 3 triage absent >table && says 'instar 0.9), which is not compared today' && says '1 unavailable'
}
check "a finding of a tool that is not compared today is neither found nor gone" absent
check "a missing tool ends with 3" status 3 env QEMU_IMG=/nowhere/qemu-img "$FUZZ" triage lf

# says_err WORDS ARGUMENT...: refused, with these words, before any tool is asked.
refused() {
    local words=$1
    shift
    QEMU_IMG=/nowhere/qemu-img status 2 triage "$@" >table || return 1
    grep -q -- "$words" "$SCRATCH/err" || { cat "$SCRATCH/err"; return 1; }
}
check "no path ends with 2" refused 'no file or folder given'
check "a path that is not there ends with 2" refused 'nowhere: No such file' lf nowhere
check "an unknown option ends with 2" refused 'unknown option --fast' --fast lf
check "no jobs end with 2" refused 'expected 1 to 64' --jobs 0 lf
locked() { # for everybody but root
    mkdir -p locked && cp lf/crash-1 locked && chmod 0 locked/crash-1
    status 2 triage locked >table && says 'Permission denied' && says '1 unreadable'
}
[ "$(id -u)" = 0 ] || check "a file without permission is said to be one" locked
lost() {
    mkdir -p lost && ln -s nowhere lost/crash-1 && status 2 triage lost >table && says 'No such file' && says '1 unreadable'
}
check "nothing is called new or not where a file could not be read" lost
check "two files on stdout end with 2" refused 'cannot both' --json - --sarif - lf
check "a file that cannot be written ends with 2" refused 'no file can be written' --json nowhere/x lf
# The link's folder is read-only, the file's is not; and the other way round.
mkdir -p fixed free && touch free/there.json fixed/there.json && ln -s ../free/there.json fixed/link.json && ln -s ../fixed/there.json free/link.json
behind_a_link() {
    mount --bind fixed fixed && mount -o remount,bind,ro fixed || return 1
    status 1 lying --no-minimize --json fixed/link.json lf/crash-1 >table && grep -q 'instar-fuzz triage' free/there.json &&
        refused 'no file can be written' --json free/link.json lf && [ -L free/link.json ]
}
if unshare -m true 2>/dev/null; then
    check "a file behind a link is written where it lies" unshare -m bash -c "$(declare -p FUZZ SCRATCH); $(declare -f status lying triage refused behind_a_link); behind_a_link"
else
    echo "# no mount namespace here: links into read-only folders are not tried"
fi
mkdir full && touch full/mine
check "a folder of somebody else's is not replaced" refused 'neither empty nor' --out full lf
check "nor is one of the inputs" refused 'is what is to be sorted' --out empty lf empty
check "nor a file" refused 'is not a folder' --out lf/crash-1 lf
on_stdout() { lying --no-minimize --json - lf/crash-1 | head -n 2 | tail -n 1 | grep -q 'instar-fuzz triage' && grep -q '^stand-in' err; }
check "with --json - only JSON is on stdout" on_stdout
hostile() {
    mkdir -p hostile && cp lf/crash-1 "hostile/crash-$(printf '\033[31m\n\377')" && : >"hostile/crash-$(printf '\033]0;x\007')"
    status 0 triage --json hostile.json hostile >table && says 'x1b' && ! grep -q "$(printf '\033')" table hostile.json
}
check "names of files cannot draw on the terminal" hostile

slow=$(fake slow/instar <<S
echo "\$*" >>$SCRATCH/calls
case "\$*" in *src*) /usr/bin/sleep 0.4 ;; esac
STANDIN_LIE=bitmaps-zero exec \$STANDIN "\$@"
S
)
interrupt() { # COUNT ARGUMENT...: TERM once the tool had so many calls
    local count=$1 pid
    : >calls
    INSTAR_FUZZ_PAIR=instar INSTAR_FUZZ_FENCE=off INSTAR=$slow "$FUZZ" triage "${@:2}" >table 2>err &
    pid=$!
    while kill -0 "$pid" && [ "$(grep -c src calls)" -lt "$count" ]; do sleep 0.05; done
    kill -TERM "$pid"
    status 143 wait "$pid" || { cat table err; return 1; }
    says '^PARTIAL' && [ -z "$(find . -maxdepth 1 -name '.*.??????')" ]
}
interrupted() {
    interrupt 1 --jobs 1 --out partial lf && says 'not begun' && grep -q '"partial":.*true' partial/triage.json
}
check "interrupted, it tells what is sorted so far and that it is partial" interrupted
keeps_whole() {
    local before
    before=$(cksum <out/triage.json)
    interrupt 3 --out out lf && [ "$(cksum <out/triage.json)" = "$before" ] && grep -q 'stays as it was' err
}
check "and leaves an earlier triage as it was" keeps_whole
sarif() { command -v python3 >/dev/null || return 0; python3 "$ROOT/tests/triage/check-sarif.py" all.sarif; }
check "SARIF holds what a forge asks for" sarif
in_repository() {
    command -v python3 >/dev/null || return 0
    mkdir -p repository/.git repository/sub && cp -r lf repository/lf && cd repository/sub || return 1
    status 1 lying --out ../found --sarif ../found.sarif ../lf >table && python3 "$ROOT/tests/triage/check-sarif.py" ../found.sarif .. &&
        grep -q "\"uri\":.*\"found/findings/$zeros/case.json\"" ../found.sarif
}
check "its locations are paths from the root of the repository" in_repository
check "sixty crashers, copies and damaged files come out in twelve rows" "$ROOT/ci/triage-load" 60
finish
