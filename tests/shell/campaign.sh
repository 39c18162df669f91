#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Campaigns (ci/campaign): what is kept across a kill and a resume, who ends when, what is started
# again and what is given up, and what ends a campaign by itself.
# AFL++ does not want its folder in /tmp; a disk that is bounded is no tmpfs.
SCRATCH_IN=$(cd "$(dirname "$0")/../.." && pwd)/build
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
requires afl-fuzz
requires setpriv
CAMPAIGN=$ROOT/ci/campaign
unset INSTAR_FUZZ_OUT ENGINE JOBS TIME SEEDS DISK_MIB MAIN HOST INSTAR QEMU_IMG
[ -w /dev/shm ] && INSTAR_FUZZ_WORK=$(mktemp -d -p /dev/shm) || INSTAR_FUZZ_WORK=$(mktemp -d)
export INSTAR_FUZZ_WORK INSTAR_FUZZ_PAIR=standin HOST=test
of() { DIR=$1 bash -c ". '$ROOT/ci/campaign.bash'; $2"; }
# shellcheck disable=SC2016 # expanded there
end() { for DIR in "$SCRATCH"/*/; do DIR=${DIR%/}; of "$DIR" 'kill -KILL $(cat "$DIR/pid" 2>/dev/null) $(processes) 2>/dev/null'; done; }
trap 'end; sleep 0.3; rm -rf "$SCRATCH" "$INSTAR_FUZZ_WORK"' EXIT

# Few seeds, so that an engine is through with them soon.
export SEEDS=$SCRATCH/seeds
mkdir "$SEEDS"
# shellcheck disable=SC2012 # names of seeds are plain
for seed in $(ls "$ROOT/build/seeds" | head -n 4); do cp "$ROOT/build/seeds/$seed" "$SEEDS"; done

# has_kept CAMPAIGN JOB...: each of them more than its four seeds. One may be seconds behind another.
has_kept() {
    local job campaign=$1
    shift
    for job; do [ "$(find "$campaign/afl/$job/queue" -maxdepth 1 -name 'id*' | wc -l)" -gt 4 ] || { echo "$job has kept nothing"; return 1; }; done
}
says() { grep -q "$2" <("$CAMPAIGN" status "$1") || { "$CAMPAIGN" status "$1" | head -n 1; return 1; }; }
# A supervisor says how it ended before it ends: until then nothing may resume or merge it.
ends_by() { soon ended_state "$1" "$2" || { cat "$1/state" "$1/log/supervisor.log"; return 1; }; }
ended_state() { grep -q "$2" "$1/state" && ! of "$1" is_running; }
# shellcheck disable=SC2016
quiet() { [ -z "$(of "$1" processes)" ] || { of "$1" 'ps -o pid,args -p $(processes | paste -sd,)'; return 1; }; }

complains() {
    local words=$1 out
    shift
    out=$("$@" 2>&1)
    if [ $? != 2 ] || [[ $out != *"$words"* ]]; then echo "got: $out"; return 1; fi
}
check "no command is bad use" complains "ci/campaign start" "$CAMPAIGN"
check "an engine it has not got is bad use" complains "expected afl or libfuzzer" env ENGINE=honggfuzz "$CAMPAIGN" start "$SCRATCH/none"
check "so are jobs that are no number" complains "JOBS is a whole number" env JOBS=two "$CAMPAIGN" start "$SCRATCH/none"
check "and seeds that are not there" complains "expected a folder of cases" env SEEDS=/nowhere "$CAMPAIGN" start "$SCRATCH/none"
check "a folder that holds something else is left alone" complains "is not empty" "$CAMPAIGN" start "$SEEDS"
check "what is no campaign is not resumed" complains "is no campaign" "$CAMPAIGN" resume "$SEEDS"
nothing_made() { [ ! -e "$SCRATCH/none" ] && [ "$(find "$SEEDS" -type f | wc -l)" = 4 ]; }
check "and nothing was made of it" nothing_made

# --- two jobs of AFL++ -------------------------------------------------------------------------------
A="$SCRATCH/afl and more"
mkdir "$SCRATCH/gnuplot" && fake gnuplot/gnuplot </dev/null >/dev/null
check "start" env PATH="$SCRATCH/gnuplot:$PATH" JOBS=2 INSTAR_FUZZ_CASE_MS=13000 AFL_FORKSRV_INIT_TMOUT=123456 "$CAMPAIGN" start "$A"
check "a second start is refused" complains "is a campaign already" "$CAMPAIGN" start "$A"
check "a second resume, too" complains "runs already" "$CAMPAIGN" resume "$A"
check "both jobs keep cases" soon has_kept "$A" main-test explore-test
check "its state is told" says "$A" "Campaign: running"
jobs_in_sight() { "$CAMPAIGN" status "$A" | head -n 20 | grep '^Jobs (afl'; }
check "on the first screen there are its jobs" jobs_in_sight
the_mutator() {
    local job
    for job in main-test explore-test; do grep -q 'mutator: loaded' "$A/log/$job.log" || { tail -n 20 "$A/log/$job.log"; return 1; }; done
}
check "with the structured mutator" the_mutator
a_tree_of_its_own() {
    local number programs
    programs=$(for number in $(of "$A" processes); do readlink "/proc/$number/exe"; done)
    grep -qxF "$A/program/afl/fuzz_instar" <<<"$programs" && ! grep -F "$ROOT/build/afl" <<<"$programs" | grep -vF "$A/"
}
check "of programs that a build does not change" a_tree_of_its_own

restarted() { [ "$(sed -n 's/^starts //p' "$A/jobs/explore-test")" = 2 ] && kill -0 "$(sed -n 's/^pid //p' "$A/jobs/explore-test")"; }
kill -KILL "$(sed -n 's/^pid //p' "$A/jobs/explore-test")"
check "a job that was killed is started again" soon restarted

has_time() {
    local number
    number=$(sed -n 's/^pid //p' "$A/jobs/main-test")
    tr '\0' ' ' <"/proc/$number/cmdline" | grep -e ' -t 27000 ' && grep -qzxF AFL_FORKSRV_INIT_TMOUT=123456 "/proc/$number/environ"
}
main_has_time() { soon has_time || { tail -n 40 "$A/log/main-test.log" "$A/log/supervisor.log"; return 1; }; }
check "the time-out follows the case's budget, and the caller's AFL_* are kept" main_has_time

# Everything at once, as when the machine goes down.
contents() { sha256sum "$1"/afl/*/queue/id* | cut -d ' ' -f 1 | sort -u; }
# shellcheck disable=SC2046 # numbers
kill -STOP "$(cat "$A/pid")" $(of "$A" processes) # so that nothing is kept between the look and the kill
contents "$A" >"$SCRATCH/before"
cases_before=$("$FUZZ" status --json "$A" | sed -n 's/^\t"cases":\t\([0-9]*\),$/\1/p')
seconds_before=$(cat "$A/seconds")
# shellcheck disable=SC2046
kill -KILL "$(cat "$A/pid")" $(of "$A" processes) 2>/dev/null
printf 'start_time        : 1' >"$A/afl/main-test/fuzzer_stats" # as a kill in the middle of writing leaves it
check "after a kill of everything it says so" soon says "$A" "it was killed, or the machine went down"
check "resume" env STANDIN_LIE=measure-trailing-comma "$CAMPAIGN" resume "$A"
no_lie() { ! grep -qsz '^STANDIN_LIE=' /proc/"$(sed -n 's/^pid //p' "$A/jobs/main-test")"/environ; }
check "with the variables of the start, and no others" no_lie
nothing_lost() {
    contents "$A" >"$SCRATCH/after"
    [ -z "$(comm -23 "$SCRATCH/before" "$SCRATCH/after")" ] || { comm -23 "$SCRATCH/before" "$SCRATCH/after"; return 1; }
}
goes_on() { [ "$("$FUZZ" status --json "$A" | sed -n 's/^\t"cases":\t\([0-9]*\),$/\1/p')" -gt "$cases_before" ]; }
check "the counters go on" soon goes_on
cut_off() { grep -q 'main-test: fuzzer_stats was cut off' "$A/log/supervisor.log" && ! grep -q 'given up' "$A/log/supervisor.log"; }
check "a record that was cut off stops nobody" cut_off
check "the same time-outs as before" main_has_time
check "no case that was kept is lost" soon nothing_lost
second() { [ "$(cat "$A/sitting")" = 2 ] && [ "$(cat "$A/seconds")" -ge "$seconds_before" ] && [ "$(wc -l <"$A/timeline.tsv")" -gt 2 ]; }
check "as a second sitting" soon second

kill -KILL "$(cat "$A/pid")"
check "engines end with their supervisor" soon quiet "$A"
check "and it is resumed after that" env JOBS=1 "$CAMPAIGN" resume "$A"
check "with fewer jobs, if told" bash -c "[ \"\$(ls '$A/jobs')\" = main-test ]"
check "stop" "$CAMPAIGN" stop "$A"
check "leaves no process" quiet "$A"
check "no directory below the work folder" emptied "$INSTAR_FUZZ_WORK"
check "says so" says "$A" "Campaign: stopped, after"
check "and a page" grep -q '<h1' "$A/index.html"
check "a stop of what is stopped is no error" "$CAMPAIGN" stop "$A"
plots() {
    local last to
    last=$("$CAMPAIGN" report "$A" | grep afl-plot | tail -n 1)
    to=$(eval "set -- $last"'; [ $# = 3 ] && [ -d "$2" ] && echo "$3"') || { echo "$last"; return 1; }
    [ "$(dirname "$to")" = "$A/plot" ] && [ -d "$A/plot" ]
}
check "the report's afl-plot lines can be typed" plots

mkdir "$SCRATCH/damaged"
printf 'ENGINE=afl\nJOBS=1\n' >"$SCRATCH/damaged/campaign.conf"
check "a damaged campaign.conf is told" complains "is not whole: it has no TIME" "$CAMPAIGN" resume "$SCRATCH/damaged"
# The commands of twelve secondaries, none of which is run.
names_differ() {
    local names
    names=$(sed -n '/^secondaries=/,/^)/p; /^afl_command()/,/^}/p' "$ROOT/ci/campaign-supervisor")
    names=$(MAIN=$1 HOST=h DIR=/d MARK=m PROGRAM=/p QEMU_IMG_COV='' bash -c "AFL_ENVIRONMENT=() AFL_FLAGS=() AFL_MUTATOR_ALONE=A=1; afl_knows() { false; }
        $names
        for n in \$(seq 12); do afl_command \$n; echo \$name; done")
    [ "$(sort -u <<<"$names" | wc -l)" = 12 ] || { echo "$names"; return 1; }
}
check "twelve jobs have twelve names" names_differ yes
check "without a main one, too" names_differ no

# --- libFuzzer, findings, merge ----------------------------------------------------------------------
L=$SCRATCH/libfuzzer
check "start with libFuzzer and a lie" env ENGINE=libfuzzer JOBS=1 STANDIN_LIE=measure-trailing-comma "$CAMPAIGN" start "$L"
has_finding() { [ -n "$(ls "$L/findings")" ]; }
check "it finds" soon has_finding
# Whoever started it, SIGTERM ends it in peace.
kill -TERM "$(cat "$L/pid")"
check "SIGTERM ends it" ends_by "$L" "^stopped"
replays() {
    local last
    last=$("$CAMPAIGN" status "$L" | tail -n 1)
    [[ $last =~ ^\ +.*STANDIN_LIE=measure-trailing-comma\ .*instar-fuzz\ replay\ .*case.bin$ ]] || { echo "$last"; return 1; }
    status 1 bash -c "cd '$SCRATCH' && $last"
}
check "its last words replay a finding, lie included" replays
merges() { "$CAMPAIGN" merge "$L" && [ "$(find "$L/corpus" -type f | wc -l)" -gt 2 ]; }
line_before=$("$FUZZ" status --line "$L")
check "merge makes one corpus" merges
counts_no_more() { diff <("$FUZZ" status --line "$L") - <<<"$line_before"; }
check "and is no fuzzing: the counters stay" counts_no_more

# --- what ends a campaign by itself ------------------------------------------------------------------
check "its time" bash -c "JOBS=1 TIME=3 '$CAMPAIGN' start '$SCRATCH/time'"
check "... says that it is done" ends_by "$SCRATCH/time" "^done: its 3 s are over"
check "its disk" bash -c "JOBS=1 DISK_MIB=1 '$CAMPAIGN' start '$SCRATCH/disk'"
check "... is named" ends_by "$SCRATCH/disk" "holds more than DISK_MIB=1"
mkdir "$SCRATCH/bin"
printf '#!/bin/sh\necho "cannot" >&2\nexit 1\n' >"$SCRATCH/bin/afl-fuzz"
chmod +x "$SCRATCH/bin/afl-fuzz"
PATH=$SCRATCH/bin:$PATH JOBS=1 "$CAMPAIGN" start "$SCRATCH/broken" >/dev/null 2>&1
check "an engine that will not run" ends_by "$SCRATCH/broken" "^failed: no engine could be kept running"
# A crash of our own ends libFuzzer as a finding does, and names no signature, though an earlier one has.
cp -r "$L" "$SCRATCH/crash"
rm -rf "$SCRATCH/crash/"{seen,findings,pid,go,lock}
sed -i "s|=$L|=$SCRATCH/crash|" "$SCRATCH/crash/campaign.conf"
printf '#!/bin/sh\nexit 77\n' >"$SCRATCH/crash/program/fuzz_instar"
printf '%s\n' '--- an engine starts' 'Assertion failure: of-an-earlier-start' >>"$SCRATCH/crash/log/libfuzzer-1.log"
"$CAMPAIGN" resume "$SCRATCH/crash" >/dev/null 2>&1
check "crashes of our own that name no signature" ends_by "$SCRATCH/crash" "^failed: no engine could be kept running"

# An error of the harness ends its sitting, and not the ones that follow.
check "it goes on with the first" env JOBS=1 "$CAMPAIGN" resume "$A"
mkdir -p "$A/harness-errors"
soon says "$A" "Campaign: running"
sleep 1
echo 'the tool was replaced' >"$A/harness-errors/case-1.txt"
check "an error of the harness" ends_by "$A" "^failed: harness error: the tool was replaced"
check "... once" env JOBS=1 "$CAMPAIGN" resume "$A"
runs_on() { sleep 3; says "$A" "Campaign: running"; }
check "... does not end the next sitting" runs_on
# Somebody's shell may have the name that the engines have.
check "stop, where INSTAR_FUZZ_OUT is set, ends the campaign and not its caller" env INSTAR_FUZZ_OUT="$A" "$CAMPAIGN" stop "$A"
check "and once more" env INSTAR_FUZZ_OUT="$A" "$CAMPAIGN" stop "$A"
check "none of them leaves a process" bash -c "[ -z \"\$(grep -lsazF 'INSTAR_CAMPAIGN=$SCRATCH' /proc/[0-9]*/environ)\" ]"
finish
