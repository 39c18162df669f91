#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Every command that README.md shows is run, with the durations cut short. What installs another
# tool's path, or runs the tests from within the tests, is only looked at.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$ROOT" || exit 2
requires qemu-img

commands() { sed -n '/^```sh$/,/^```$/p' README.md | grep -v '^```' | sed 's/ *#.*//; /^$/d'; }
count=0
while read -r line; do
    count=$((count + 1))
    case $line in
    *INSTAR=/opt*) continue ;; # a path that only the reader has
    'make test')               # this is it
        check "$line exists" grep -q '^test:' Makefile
        continue ;;
    'make bench') line='make bench PARTS=floors ROUNDS=1' ;; # each part has its test
    'make bench'*) line="${line%% ROUNDS=*} ROUNDS=1" ;;
    'ci/kills') line="WITHIN=60 RUNS=2 LOG=$SCRATCH/kills.tsv ci/kills" ;;
    'ci/flat') line="EVERY=2 LOG=$SCRATCH/flat.tsv timeout --preserve-status -s INT 8 ci/flat" ;;
    build/tests/soak_backends*) line='build/tests/soak_backends --count 30' ;;
    'ci/pairs') line="TIME=3 PIECE=3 DATA=$SCRATCH/pairs ci/pairs standin only-qemu" ;;
    'ci/install-instar'*) check "$line has a test" test -f tests/shell/install_instar.sh
        continue ;; # a network
    'ci/campaign '*) check "$line has a test" test -f tests/shell/campaign.sh
        continue ;; # days
    'ci/known') line="DURATION=8 CAMPAIGN=$SCRATCH/known ci/known quiet" ;;
    'ci/lies 120') line='ci/lies 6 measure-trailing-comma' ;;
    # What takes minutes has a test of its own.
    'make instrumented-qemu-img') check "$line exists" grep -q '^instrumented-qemu-img:' Makefile
        continue ;;
    'QEMU_IMG_COV='*' coverage '*) [ -s instrumented/qemu-img.edges ] || { echo "left out: $line (it was not built)"; continue; } ;;
    'QEMU_IMG_COV='*) [ -x instrumented/qemu-img ] || { echo "left out: $line (it was not built)"; continue; }
        line="$line DURATION=3" ;;
    'AFL_CUSTOM_MUTATOR_LIBRARY='*) line="AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 ${line/INSTAR_FUZZ_OUT=campaign\/by-hand afl-fuzz -M main -V 60 -i build\/seeds -o campaign\/by-hand/INSTAR_FUZZ_OUT=$SCRATCH\/afl afl-fuzz -M main -V 3 -i $SCRATCH\/few -o $SCRATCH\/afl}"
        mkdir "$SCRATCH/few" && cp build/seeds/empty build/seeds/raw-size-zero "$SCRATCH/few"
        check "$line" bash -c "$line" </dev/null
        check "... counts, and its queue is where docs/guidance.md looks" bash -c "[ -s '$SCRATCH/afl/main/queue/'id:000000* ] && [ -n \"\$(ls '$SCRATCH/afl/stats')\" ]"
        continue ;;
    'make ablation'*) check "$line exists" grep -q '^ablation:' Makefile
        continue ;;
    'ci/triage-load') line='ci/triage-load 24' ;;
    # What lies in campaign/ is the reader's.
    *' triage '*) line="${line/--out triage campaign/--out $SCRATCH/triage corpus/seeds/raw-size-zero.json}" ;;
    'ci/minimize 3') line='WITHIN=300 ci/minimize 1 bitmaps-zero' ;;
    'make fuzz') line="$line DURATION=3" ;;
    esac
    line=$(sed "s/DURATION=[0-9]*/DURATION=3/; s/--iterations [0-9]*/--iterations 10/
        s#campaign/\(minimized\|logs\|all\.html\)#$SCRATCH/\1#" <<<"$line")
    check "$line" bash -c "$line" </dev/null
done < <(commands)
check "README shows commands, and none was passed over" [ "$count" = "$(commands | wc -l)" ]
# `make replay` hides the exit code of what it shows; the verdict must be there all the same.
tells() { STANDIN_LIE=qcow2-zero-clusters-allocated make replay CASE=corpus/seeds/qcow2-v3-zero-clusters.json | grep "$1"; }
check "the lie of README's example is found" tells 'measure_numeric_divergence-measure-qcow2-qcow2-required'
check "and its reproducer named" tells 'reproduce.sh'
in_parts() {
    local line
    STANDIN_LIE=qcow2-zero-clusters-allocated make replay CASE=corpus/seeds/qcow2-v3-zero-clusters.json >"$SCRATCH/story" || return
    while read -r line; do
        [ "$line" = ... ] || grep -qF -- "$line" "$SCRATCH/story" || { echo "it does not say: $line"; return 1; }
    done < <(sed -n '/^```text$/,/^```$/p' README.md | grep -v '^```')
}
check "the parts of its story are the story's" in_parts
table() { diff <("$FUZZ" encoding --variables) <(sed -n '/^<!-- variables: begin -->$/,/^<!-- variables: end -->$/p' README.md | sed '1d;$d'); }
check "the table of variables is build/instar-fuzz encoding --variables" table
guidance() { diff <("$FUZZ" encoding --guidance) <(sed -n '/^<!-- families: begin -->$/,/^<!-- families: end -->$/p' docs/guidance.md | sed '1d;$d'); }
check "the table of docs/guidance.md is build/instar-fuzz encoding --guidance" guidance
reasons() { diff <("$FUZZ" encoding --reasons) <(sed -n '/^<!-- reasons: begin -->$/,/^<!-- reasons: end -->$/p' docs/oracles.md | sed '1d;$d'); }
check "the table of reasons in docs/oracles.md is build/instar-fuzz encoding --reasons" reasons
same_as() { diff <("${@:2}") "$1"; }
check "dict/fuzz_instar.dict is build/instar-fuzz encoding --dictionary" same_as dict/fuzz_instar.dict "$FUZZ" encoding --dictionary
libfuzzer_reads_it() { build/fuzz_instar -dict=dict/fuzz_instar.dict -runs=0 2>&1 | grep 'Dictionary: [1-9]'; }
check "libFuzzer reads the dictionary" libfuzzer_reads_it
check "README holds no blank for a number" bash -c "! grep -nE \"@[A-Z]+@\" README.md"
finish
