#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The workflows, linted and held to their rules, and the scripts that they call, run as they call them
# with tools that work, lie, fail or are not there. Filing is tests/shell/issues.sh's.
# shellcheck disable=SC2016 # what is in single quotes is for sed, or for the fakes
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$ROOT" || exit 2
requires qemu-img
requires jq
requires yamllint
requires python3
unset GITHUB_STEP_SUMMARY GITHUB_ACTIONS INSTAR INSTAR_VERSION SEED OUT DURATION MIN_CASES MIN_COMPARISONS INSTAR_FUZZ_PAIR
says() { # says STATUS PATTERN COMMAND...
    local expected=$1 pattern=$2
    shift 2
    "$@" >"$SCRATCH/said" 2>&1
    local got=$?
    tail -n 15 "$SCRATCH/said"
    [ "$got" = "$expected" ] || { echo "expected status $expected, got $got"; return 1; }
    grep -q -- "$pattern" "$SCRATCH/said"
}

# --- the files ---------------------------------------------------------------------------------------
check "yamllint has no complaint" yamllint -s .github .yamllint
rules() { /usr/bin/python3 tests/workflows/check.py "$1"; }
check "each is pinned, of few rights, without expressions in shell" rules .github/workflows
# broken SED WORDS: a workflow that was changed so is found out.
broken() {
    rm -rf "$SCRATCH/w" && mkdir "$SCRATCH/w" && sed "$1" .github/workflows/differential-fuzz.yml >"$SCRATCH/w/x.yml" || return 1
    cmp -s "$SCRATCH/w/x.yml" .github/workflows/differential-fuzz.yml && { echo "nothing was changed"; return 1; }
    says 1 "$2" rules "$SCRATCH/w"
}
check "a tag instead of a commit" broken 's/@[0-9a-f]\{40\}/@v7/' 'not pinned'
check "a commit without its version" broken 's/  # v.*//' 'no version behind'
check "an action before the checkout" broken '/uses: actions.checkout/,/persist/d' 'first step is no checkout'
check "a checkout that keeps its token" broken 's/persist-credentials: false/fetch-depth: 0/' 'leaves its token behind'
check "an expression in shell" broken 's/run: ci.prepare-runner/& ${{ github.actor }}/' 'expression in shell'
check "shell in the workflow" broken 's/run: ci.prepare-runner/run: make/' 'no call of a script'
check "a script that is not there" broken 's/run: ci.prepare-runner/run: ci\/nothing/' 'no call of a script'
check "rights for all" broken 's/^permissions: {}/permissions: read-all/' 'permissions:'
check "no time limit" broken '/timeout-minutes/d' 'no timeout-minutes'
no_novelty() {
    rm -rf "$SCRATCH/w" && mkdir "$SCRATCH/w" && cp .github/workflows/cflite_pr.yml "$SCRATCH/w" && says 1 'no workflow has upload-build' rules "$SCRATCH/w"
}
check "pull requests whose crashes nobody can call old" no_novelty

# --- ci/differential-fuzz ------------------------------------------------------------------------------
# An instar by its version, which is the stand-in by what it does.
pretends() { # NAME LIES
    printf 'case "$*" in --version) echo "instar 9.8.7"; exit;; esac\nexport STANDIN_LIE=%s\nexec $STANDIN "$@"\n' "$2" | fake "$1/instar"
}
fuzz() { # OUT VARIABLES...
    local out=$SCRATCH/$1
    shift
    # One case is begun in any time; a slow machine may get no further.
    env OUT="$out" DURATION=3 MIN_CASES=1 MIN_COMPARISONS=1 SEED=7 GITHUB_STEP_SUMMARY="$SCRATCH/summary" "$@" ci/differential-fuzz
}
honest=$(pretends honest '') liar=$(pretends liar measure-trailing-comma)
if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
    all_of_it() {
        says 0 'PASSED' fuzz a INSTAR="$honest" || return 1
        for file in logs/summary-7.json triage/triage.json triage.sarif index.html doctor.json; do
            [ -s "$SCRATCH/a/$file" ] || { echo "no $file"; return 1; }
        done
        grep -q PASSED "$SCRATCH/summary" && [ "$(jq '.divergences | length' "$SCRATCH/a/triage/triage.json")" = 0 ]
    }
    check "a run: logs, triage, page, SARIF, summary" all_of_it
    check "its folder is not written over" says 2 'is there already' fuzz a INSTAR="$honest"
    check "fewer cases than were to be" says 1 'at least 100000 were to be' fuzz b INSTAR="$honest" MIN_CASES=100000
    check "fewer comparisons" says 1 'comparisons, at least 1000000 were to be' fuzz c INSTAR="$honest" MIN_COMPARISONS=1000000
    found() {
        # Two signatures are filed below.
        says 0 'measure_json_parse_failure' fuzz d INSTAR="$liar" DURATION=10 && python3 tests/triage/check-sarif.py "$SCRATCH/d/triage.sarif" &&
            [ "$(jq '.divergences | length' "$SCRATCH/d/triage/triage.json")" -gt 0 ]
    }
    check "what is found does not make it fail" found
    # The next step of the workflow, and the same a day later.
    export GH_STATE=$SCRATCH/gh
    mkdir "$GH_STATE"
    filed() {
        PATH=$ROOT/tests/workflows:$PATH MAX_NEW=2 says 0 '2 created' ci/file-findings "$SCRATCH/d/triage" &&
            PATH=$ROOT/tests/workflows:$PATH MAX_NEW=0 says 0 ' 2 updated' ci/file-findings "$SCRATCH/d/triage" &&
            [ "$(jq length "$GH_STATE/issues.json")" = 2 ]
    }
    check "and it is filed, one issue for each signature" filed
    quiet_log() {
        local token
        rm -rf "$SCRATCH/e"
        fuzz e INSTAR="$honest" GITHUB_ACTIONS=true >"$SCRATCH/log" 2>&1
        token=$(sed -n 's/^::stop-commands::\([0-9a-f]\{32\}\)$/\1/p' "$SCRATCH/log")
        [ -n "$token" ] && [ "$(tail -n 1 "$SCRATCH/log")" = "::$token::" ]
    }
    check "the runner takes no command from what tools print" quiet_log
    released() {
        mkdir -p "$SCRATCH/release/instar-9.8.7" && cp "$honest" "$SCRATCH/release/instar-9.8.7/instar" || return 1
        for guest in core info check measure convert compare map; do echo >"$SCRATCH/release/instar-9.8.7/$guest.bin"; done
        tar -czf "$SCRATCH/release.tar.gz" -C "$SCRATCH/release" instar-9.8.7 &&
            says 0 'PASSED' fuzz r INSTAR_VERSION="$SCRATCH/release.tar.gz" SUMS="$SCRATCH/sums" KVM=/dev/kvm &&
            [ "$(jq -r .a.path "$SCRATCH/r/doctor.json")" = "$SCRATCH/r.instar/instar" ] &&
            says 3 'not the file that it should be' fuzz s INSTAR_VERSION="$SCRATCH/release.tar.gz" INSTAR_SHA256="$(printf '%064d' 7)" SUMS="$SCRATCH/sums"
    }
    check "an instar from its release, and only the one that was meant" released
    bad_qemu=$(fake bad/qemu-img <<<'exit 1')
    check "a qemu-img that always fails" says 3 'the pair cannot run here' fuzz f INSTAR="$honest" QEMU_IMG="$bad_qemu"
    if mkdir "$SCRATCH/small" && mount -t tmpfs -o size=64k none "$SCRATCH/small" 2>/dev/null; then
        full() { ! fuzz small/x INSTAR="$liar" >"$SCRATCH/said" 2>&1 && { cat "$SCRATCH/said"; grep -q 'No space left' "$SCRATCH/said"; }; }
        check "a full disk is no success" full
        soon umount "$SCRATCH/small"
    else
        echo "# no mount here: a full disk is not tried"
    fi
else
    echo "# /dev/kvm may not be opened here: only what is refused is tried"
    check "no /dev/kvm" says 3 'dev/kvm cannot be opened' fuzz a INSTAR="$honest"
fi
check "the stand-in is no instar" says 3 'no comparison of instar with qemu-img' fuzz g INSTAR="$STANDIN"
check "an instar that is not there" says 3 'the pair cannot run here' fuzz h INSTAR="$SCRATCH/nothing"
check "a release that cannot be had" says 3 'instar 9.9.9 cannot run here' fuzz i INSTAR_VERSION=9.9.9 RELEASES=http://127.0.0.1:1
no_kvm() {
    mkdir -p "$SCRATCH/pack/instar-9.8.7" && cp "$honest" "$SCRATCH/pack/instar-9.8.7/instar" && tar -czf "$SCRATCH/i.tar.gz" -C "$SCRATCH/pack" instar-9.8.7 &&
        says 3 "there is no $SCRATCH/nokvm" fuzz j INSTAR_VERSION="$SCRATCH/i.tar.gz" KVM="$SCRATCH/nokvm" SUMS="$SCRATCH/sums"
}
check "no KVM" no_kvm
check "no instar named" says 2 'must say which instar' fuzz k
check "a duration that is none" says 2 'expected a number' fuzz l INSTAR="$honest" DURATION=soon
check "a seed that is none" says 2 'is no number' fuzz m INSTAR="$honest" SEED=x

# --- ci/assert, ci/prepare-runner ------------------------------------------------------------------------
check "nothing was built" says 1 'there is no folder' ci/assert target "$SCRATCH/none"
mkdir "$SCRATCH/bundle" "$SCRATCH/run"
check "a build without its target" says 1 "there is no program $SCRATCH/bundle/fuzz_instar" ci/assert target "$SCRATCH/bundle"
# As ci/build-fuzzers leaves it, of the plain build: tests/shell/service.sh makes a real one.
if [ -x build/fuzz_instar ] && [ -s build/fuzz_instar_seed_corpus.zip ] && command -v unzip >/dev/null; then
    mkdir -p "$SCRATCH/built/tools" "$SCRATCH/built/standin"
    cp build/fuzz_instar* build/launcher build/warm.so build/instar-fuzz "$SCRATCH/built/"
    cp "$STANDIN" "$SCRATCH/built/standin/" && ln -s "$(command -v qemu-img)" "$SCRATCH/built/tools/qemu-img"
    check "a target that runs its seeds and compares" says 0 '[1-9][0-9]* comparisons$' ci/assert target "$SCRATCH/built"
    MIN_CASES=1000 check "one that runs fewer than it should" says 1 'at least 1000 were to be' ci/assert target "$SCRATCH/built"
    fake built/instar-that-fails >/dev/null <<<'exit 1'
    QEMU_IMG=$SCRATCH/built/instar-that-fails check "one whose tools cannot run" says 1 'the target ended with 3' ci/assert target "$SCRATCH/built"
else
    echo "# no bundle here: its target is not tried"
fi
check "a run that left nothing" says 1 'holds no counters' ci/assert run "$SCRATCH/run"
check "fuzzing that ended at once" says 1 'at least 600 were to be' ci/assert fuzzed "$SCRATCH/bundle"
took_its_time() { echo $(($(date +%s) - 700)) >"$SCRATCH/bundle.asserted" && says 0 'seconds' ci/assert fuzzed "$SCRATCH/bundle"; }
check "fuzzing that took its time" took_its_time
mkdir -p "$SCRATCH/art" "$SCRATCH/cov/report/linux" && : >"$SCRATCH/art/crash-1" && rm -f "$SCRATCH/bundle.asserted"
ARTIFACTS=$SCRATCH/art check "fuzzing that found something sooner" says 0 'crash-1' ci/assert fuzzed "$SCRATCH/bundle"
check "a coverage report that is not there" says 1 'holds no summary.json' ci/assert coverage "$SCRATCH/cov"
echo '{"data": [{"totals": {"lines": {"covered": 7}}}]}' >"$SCRATCH/cov/report/linux/summary.json"
check "one of next to nothing" says 1 '7 covered lines, at least 1000' ci/assert coverage "$SCRATCH/cov"
MIN_LINES=7 check "one that covers enough" says 0 '7 covered lines' ci/assert coverage "$SCRATCH/cov"
echo '<html>' >"$SCRATCH/cov/report/linux/summary.json"
check "one that is none" says 1 'nobody knows how many' ci/assert coverage "$SCRATCH/cov"
check "an unknown claim" says 2 '^usage' ci/assert nothing "$SCRATCH"
# Who is not root needs a sudo that asks nothing, as a hosted runner has.
if [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then
    check "a runner without KVM" says 1 "there is no $SCRATCH/nokvm" env KVM="$SCRATCH/nokvm" ci/prepare-runner
fi
finish
