#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# `instar-fuzz issues` and ci/file-findings against a gh that keeps its issues in a file: one issue per
# signature whatever happens to it, nothing that did not replay, text that cannot break out, and every
# way in which GitHub says no.
#
#   COPIES=10000 tests/shell/issues.sh    that many files of one signature; 300 if not said
# shellcheck disable=SC2016 # backquotes are Markdown's, what is in single quotes is for jq
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$ROOT" || exit 2
requires qemu-img
requires jq
requires python3
COPIES=${COPIES:-300}
export GH_STATE=$SCRATCH/gh GH_TOKEN=secret GH_REPO=owner/name INSTAR_FUZZ_PAIR=standin
export PATH=$ROOT/tests/workflows:$PATH
unset GH_MODE GITHUB_STEP_SUMMARY RUN_URL LABEL MAX_NEW
T=$SCRATCH/triage

# --- a triage: one signature, shown by many files ------------------------------------------------------
mkdir -p "$SCRATCH/in" "$GH_STATE"
build/instar-fuzz assemble "$(text case <<'J'
{"format": "raw", "virtual_size": 512, "operations": [{"op": "measure", "target": "raw"}]}
J
)" "$SCRATCH/in/crash-0" || exit 2
for ((i = 1; i < COPIES; i++)); do echo "$SCRATCH/in/crash-$i"; done | xargs -I{} cp "$SCRATCH/in/crash-0" {}
copies() {
    local begun=$SECONDS
    STANDIN_LIE=measure-trailing-comma status 1 "$FUZZ" triage --no-minimize --out "$T" "$SCRATCH/in" || return 1
    echo "$COPIES files: $((SECONDS - begun)) s" >"$SCRATCH/took"
    [ "$(jq '.divergences | length, .[0].files, .[0].shown_by' "$T/triage.json" | tr '\n' ' ')" = "1 $COPIES 1 " ]
}
check "$COPIES files of one signature are one row" copies
cat "$SCRATCH/took"
S=$(jq -r '.divergences[0].signature' "$T/triage.json")

issues() { "$FUZZ" issues --any-pair "$@" "$T"; }
fresh() { rm -rf "$GH_STATE" "$T/issues" && mkdir "$GH_STATE" && echo '[]' >"$GH_STATE/issues.json"; }
calls() { grep -c "$1" "$GH_STATE/calls"; }
field() { jq -r ".[0].$1" "$GH_STATE/issues.json"; }
# is EXPRESSION VALUE: of all issues.
is() { [ "$(jq -r "$1" "$GH_STATE/issues.json")" = "$2" ] || { jq 'map(del(.body))' "$GH_STATE/issues.json"; echo "$1 is not $2"; return 1; }; }
edit() { jq "$1" "$GH_STATE/issues.json" >"$GH_STATE/edited" && mv "$GH_STATE/edited" "$GH_STATE/issues.json"; }
change() { cp "$T/triage.json" "$SCRATCH/kept.json" && jq "$1" "$SCRATCH/kept.json" >"$T/triage.json"; }
unchange() { cp "$SCRATCH/kept.json" "$T/triage.json"; }

# --- what is filed ---------------------------------------------------------------------------------------
no_standin() { fresh; status 2 "$FUZZ" issues "$T" && [ ! -e "$GH_STATE/calls" ]; }
check "nothing is filed against the stand-in" no_standin
instar_alone() {
    fresh
    change '.tools.a.is_standin = false' && "$FUZZ" issues "$T" && is length 1
    local got=$?
    unchange
    return "$got"
}
check "against instar it is" instar_alone
created() {
    fresh
    issues --workflow-url https://example.invalid/run/1 && is length 1 && is '.[0].title' "Differential fuzz: $S" &&
        is '.[0].labels[0].name' security-audit && field body | grep -qxF -e "<!-- instar-fuzz-signature: $S -->" &&
        field body | grep -q 'Seen.* in 1 run, 1 case;.*<https://example.invalid/run/1>' && [ "$(calls token=secret)" -gt 0 ] &&
        ! field body | grep secret && [ "$(jq -r '.[0].done' "$T/issues/filed.json")" = created ]
}
check "one issue, with marker, label, run and count" created
again() { issues && is length 1 && is '.[0].comments_ | length' 0 && field body | grep -q 'in 2 runs, 2 cases'; }
check "seen again: its count changes, no issue, no comment" again
in_body() {
    sed -n '/^```json$/,/^```$/p' "$T/issues/$S.md" | grep -v '^```' >"$SCRATCH/from-issue.json"
    STANDIN_LIE=measure-trailing-comma status 1 "$FUZZ" replay "$SCRATCH/from-issue.json"
}
check "the case in its text replays" in_body
people() {
    edit '.[0].title = "measure is broken" | .[0].body += "\nOur note.\r\n"' && issues && is length 1 &&
        field body | grep -q '^Our note' && field body | grep -q 'in 3 runs'
}
check "what people change stays, and it is found by its marker" people
unlabelled() { edit '.[0].labels = []' && issues && is length 1 && field body | grep -q 'in 4 runs'; }
check "without its label it is found by the search" unlabelled
no_block() {
    edit '.[0].body = "gone" | .[0].title = "Differential fuzz: '"$S"'"' && issues && is length 1 &&
        is '.[0].comments_ | length' 1 && is '.[0].body' gone
}
check "without its block it gets one comment, found by its title" no_block
closed() { fresh; issues && edit ".[0].state = \"closed\" | .[0].state_reason = \"$1\"" && change '.tools.b.version = "'"$2"'"' && issues; local got=$?; unchange; return "$got"; }
same=$(jq -r .tools.b.version "$T/triage.json")
fixed_later() { closed completed "$same" && is length 1 && is '.[0].state' closed && is '.[0].comments_ | length' 0; }
check "closed, and the same tools show it: it stays closed" fixed_later
not_fixed() { closed completed 'qemu-img version 99' && is length 1 && is '.[0].state' open && is '.[0].comments_ | length' 1; }
check "closed, and other tools show it: reopened, with one comment" not_fixed
decided() { closed not_planned 'qemu-img version 99' && is length 1 && is '.[0].state' closed && field body | grep -q 'in 2 runs'; }
check "closed as not planned: it stays closed, its count goes on" decided

# --- what is not -----------------------------------------------------------------------------------------
changed() { # FILTER: nothing is filed then
    fresh
    change "$1" && issues
    local got=$?
    unchange
    [ "$got" = "${2:-0}" ] && is length 0
}
check "what was not confirmed" changed '.divergences[0].confirmed = false'
check "what the registry knows" changed '.divergences[0].known = "an-entry"'
check "what is no signature" changed '.divergences[0].signature = "x\n@everyone"' 3
bounded() {
    fresh
    change '.divergences = [range(7) as $i | .divergences[0] | .signature += "_\($i)"]' && issues --max 3 >"$SCRATCH/out" &&
        grep -q '^4 wait for the next run' "$SCRATCH/out" && is length 3 && issues --max 3 && is length 6 &&
        [ "$(find "$T/issues" -name '*.md' | wc -l)" = 7 ]
    local got=$?
    unchange
    return "$got"
}
check "no more new ones in a run than --max; the others wait, their texts are kept" bounded
each_cause() {
    fresh
    change '.divergences = [range(5) as $i | .divergences[0] | .signature += "_\($i)" | .group = ["x", "x", "x", "y"][$i]]' &&
        issues --max 3 >"$SCRATCH/out" && [ "$(jq -r '.[].title' "$GH_STATE/issues.json" | grep -o '_[0-9]$' | sort | paste -sd' ')" = '_0 _3 _4' ]
    local got=$?
    unchange
    return "$got"
}
check "what probably has a cause of its own comes before a second of the same" each_cause

# --- hostile text ----------------------------------------------------------------------------------------
hostile() {
    fresh
    cp "$T/findings/$S/story.txt" "$SCRATCH/story"
    {
        printf '```\n@everyone look\n````\n~~~\n</details><img src=x>\n#1\n'
        printf '\033[31m\200\377 \342\200\256turned <!-- instar-fuzz-seen-end -->\n'
        head -c 300000 /dev/zero | tr '\0' '@'
    } >"$T/findings/$S/story.txt"
    change '.divergences[0].words = "```\n@all\n````" | .tools.b.version = "qemu-img `@me` --> 7"' && issues
    local got=$?
    unchange
    cp "$SCRATCH/story" "$T/findings/$S/story.txt"
    [ "$got" = 0 ] && [ "$(field body | wc -c)" -lt 60000 ] && field body | grep -q '(cut; `story.txt` has all of it)' &&
        ! field body | grep -qP '[\x00-\x08\x0b-\x1f]|\xe2\x80\xae' && field body >"$SCRATCH/body.md" || return 1
    # What is outside of every code block names nobody.
    awk '!open && match($0, /^```+/) { open = RLENGTH; next }
        open && /^`+$/ && length($0) >= open { open = 0; next }
        !open && /@|<img|^#1/ { print "outside: " $0; bad = 1 }
        END { exit bad || open }' "$SCRATCH/body.md"
}
check "tools cannot break out of their block, name people, or fill an issue" hostile
long_fence() {
    fresh
    cp "$T/findings/$S/story.txt" "$SCRATCH/story"
    { head -c 5000 /dev/zero | tr '\0' '`'; printf '\n@all\n'; } >"$T/findings/$S/story.txt"
    issues
    local got=$?
    cp "$SCRATCH/story" "$T/findings/$S/story.txt"
    [ "$got" = 0 ] && ! field body | grep -q '`````'
}
check "nor with thousands of backquotes" long_fence

# --- GitHub says no --------------------------------------------------------------------------------------
refused() { # MODE WORDS
    fresh
    GH_DEADLINE_MS=${3:-60000} GH_MODE=$1 status 3 issues >"$SCRATCH/out" 2>&1 && cat "$SCRATCH/out" && grep -q "$2" "$SCRATCH/out" &&
        is length 0 && [ -s "$T/issues/$S.md" ] && [ "$(jq -r '.[0].done' "$T/issues/filed.json")" = failed ]
}
check "an expired token" refused expired 'does not take the token: it has expired'
check "no token" refused no-token 'gh has no token (GH_TOKEN)'
check "the rate limit" refused rate "GitHub's rate limit is used up"
check "a token without rights" refused forbidden 'issues: write'
check "no network" refused no-network 'GitHub cannot be reached'
check "no issues" refused no-issues 'the repository has no issues'
check "an answer that is none" refused no-json 'gh gave no list of issues: <html>'
check "an error when it is created" refused fails-at-create 'gh ended with 1: gh: Server Error (HTTP 502)'
check "a gh that does not answer" refused hang 'gh did not end within 1000 ms' 1000
check "and what is found is filed once it works again" bash -c "'$FUZZ' issues --any-pair '$T'"
once() {
    fresh
    change '.divergences = [range(7) as $i | .divergences[0] | .signature += "_\($i)"]' && GH_MODE=expired status 3 issues >"$SCRATCH/out" 2>&1
    local got=$?
    unchange
    [ "$got" = 0 ] && [ "$(calls .)" = 1 ] && [ "$(grep -c 'has expired' "$SCRATCH/out")" = 1 ] && [ "$(find "$T/issues" -name '*.md' | wc -l)" = 7 ]
}
check "an expired token is tried once, and said once" once
no_gh() {
    fresh
    mkdir -p "$SCRATCH/bare" && PATH=$SCRATCH/bare status 3 issues >"$SCRATCH/out" 2>&1
    cat "$SCRATCH/out"
    grep -q 'gh cannot be started' "$SCRATCH/out"
}
check "no gh" no_gh
if mkdir "$SCRATCH/small" && mount -t tmpfs -o size=256k none "$SCRATCH/small" 2>/dev/null; then
    full() {
        fresh
        head -c 1000000 /dev/zero >"$SCRATCH/small/fill" 2>/dev/null
        status 3 "$FUZZ" issues --any-pair "$SCRATCH/small" 2>&1 | grep 'No space left' && is length 0 &&
            jq -e . "$SCRATCH/small/triage.json" >/dev/null
    }
    jq 'del(.files)' "$T/triage.json" >"$SCRATCH/brief.json" && cp "$SCRATCH/brief.json" "$SCRATCH/small/triage.json"
    check "a full disk: nothing is filed that could not be kept" full
    umount "$SCRATCH/small"
else
    echo "# no mount here: a full disk is not tried"
fi

# --- the workflow's step -----------------------------------------------------------------------------------
step_fails_never() {
    fresh
    change '.tools.a.is_standin = false'
    GITHUB_STEP_SUMMARY=$SCRATCH/summary GH_MODE=$1 status 0 ci/file-findings "$T" >"$SCRATCH/out"
    local got=$?
    unchange
    cat "$SCRATCH/out"
    [ "$got" = 0 ] && grep -q "^::warning title=Findings were not filed::.*$2" "$SCRATCH/out" && grep -q "$S" "$SCRATCH/summary"
}
check "ci/file-findings with an expired token: a warning, no failure" step_fails_never expired 'has expired'
check "with a rate limit" step_fails_never rate 'rate limit'
step_files() {
    fresh
    change '.tools.a.is_standin = false'
    GITHUB_STEP_SUMMARY=/dev/full RUN_URL=https://example.invalid/run/9 LABEL=fuzz status 0 ci/file-findings "$T"
    local got=$?
    unchange
    [ "$got" = 0 ] && is length 1 && is '.[0].labels[0].name' fuzz && field body | grep -q run/9
}
check "and it files, without a summary if there is no room for one" step_files
check "what is no triage" status 2 ci/file-findings "$SCRATCH"
check "no argument" status 2 ci/file-findings
check "a label that is none" status 2 "$FUZZ" issues --label 'a&state=x' "$T"
check "a number that is none" status 2 "$FUZZ" issues --max -1 "$T"
finish
