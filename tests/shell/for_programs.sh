#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What programs are given: which build of this project judged is in everything that is kept of a verdict, and
# docs/report.md names each member.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$ROOT" || exit 2
requires qemu-img
requires python3
export INSTAR_FUZZ_PAIR=standin
version=$("$FUZZ" --version) version=${version#instar-fuzz }
check "the program knows its version" test -n "$version"
check "it is the one that make wrote" test "$version" = "$(cat build/version)"
# What a build of another tree says: with git, and without.
mkdir "$SCRATCH/tree" && cp --parents Makefile CHANGELOG.md ci/version "$SCRATCH/tree"
written() { (cd "$SCRATCH/tree" && make -s build/version >/dev/null 2>&1; cat build/version); }
check "without git it is the changelog's" test "$(written)" = Unreleased
check "nor is a copy's lost" test "$(HARNESS_VERSION=copied written)" = copied
describes() {
    export GIT_CONFIG_GLOBAL=/dev/null
    cd "$SCRATCH/tree" && git init -q && git add Makefile CHANGELOG.md ci &&
        git -c user.name=a -c user.email=a@b commit -qm one
    [ "$(written)" = "$(git describe --always)" ] && echo >>CHANGELOG.md && [[ $(written) == *-dirty ]]
}
if command -v git >/dev/null; then check "with git it is git's, a change included" describes; else echo "# no git here"; fi
unchanged() { written && touch -d 2001-01-01 "$SCRATCH/tree/build/version" && written && [ "$(stat -c %y "$SCRATCH/tree/build/version" | cut -c 1-4)" = 2001 ]; }
check "what did not change is not written again" unchanged

# has MEMBERS FILE: a JSON file in which the version stands there.
has() { python3 -c "import json, sys; print(json.load(open(sys.argv[1]))$1)" "$2" | grep -xF -- "$version"; }
case=corpus/seeds/qcow2-v3-zero-clusters.json
STANDIN_LIE=qcow2-zero-clusters-allocated INSTAR_FUZZ_OUT=$SCRATCH/out "$FUZZ" replay "$case" >"$SCRATCH/story"
check "the story says it" grep -xF "Judged by: instar-fuzz $version" "$SCRATCH/story"
check "report.json has it" has "['harness']" "$SCRATCH"/out/findings/*/report.json
check "what was compared has it" has "['harness']" "$SCRATCH"/out/compared/*.json
"$FUZZ" report --html "$SCRATCH/page.html" "$SCRATCH/out"
check "the page has it" grep -F "Judged by instar-fuzz $version." "$SCRATCH/page.html"
"$FUZZ" triage --no-minimize --json "$SCRATCH/triage" --sarif "$SCRATCH/sarif" "$case" >/dev/null
check "triage.json has it" has "['harness']" "$SCRATCH/triage"
check "SARIF has it" has "['runs'][0]['tool']['driver']['version']" "$SCRATCH/sarif"

# --- docs/report.md names what programs are given ----------------------------------------------------
# named COMMAND...: each member of the object that it prints (of an array: of its first one).
named() {
    local name missing=0
    for name in $("$@" | python3 -c 'import json, sys
tree = json.load(sys.stdin)
print(*(tree[0] if isinstance(tree, list) else tree))'); do
        grep -qE "^\|.*\`$name(\[\])?[\`.]" docs/report.md || { echo "$name"; missing=1; }
    done
    [ "$missing" = 0 ] && [ -n "${name:-}" ]
}
check "status --json" named "$FUZZ" status --json "$SCRATCH/out"
check "doctor --json" named "$FUZZ" doctor --json
check "known --json" named "$FUZZ" known --json
check "minimize --json" named env STANDIN_LIE=qcow2-zero-clusters-allocated "$FUZZ" minimize --json --out "$SCRATCH/min" "$case"
check "report.json" named cat "$SCRATCH"/out/findings/*/report.json
finish
