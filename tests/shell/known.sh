#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The registry proves itself: each entry's case comes out as known under that entry, against a
# stand-in that plays instar, or by the installed qemu-img. An entry that says otherwise is stale, and
# a stand-in that does not play instar is excused by none.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
requires python3
REGISTRY=$ROOT/oracles/known-divergences.json

# broken ID MEMBER VALUE: a copy of the registry in which a member of one entry is another.
broken() {
    python3 - "$REGISTRY" "$@" <<'P' >"$SCRATCH/broken.json"
import json, sys
registry = json.load(open(sys.argv[1]))
[entry] = [e for e in registry["entries"] if e["id"] == sys.argv[2]]
entry[sys.argv[3]] = json.loads(sys.argv[4])
json.dump(registry, sys.stdout)
P
    export INSTAR_FUZZ_KNOWN=$SCRATCH/broken.json
}

# says STATUS TEXT COMMAND...: it ends with that status and says so.
says() {
    local expected=$1 text=$2 output
    shift 2
    output=$(status "$expected" "$@" 2>&1) || { echo "$output"; return 1; }
    grep -q -- "$text" <<<"$output" || { echo "no '$text' in: $output"; return 1; }
}

explained=$(python3 -c 'import json, sys; print(sum(e["predict"] is not None for e in json.load(open(sys.argv[1]))["entries"]))' "$REGISTRY")
check "every entry that explains something fires" says 0 "^$explained fire, 0 stale, " "$FUZZ" known --test
check "without tools nothing was tried" says 3 '^0 fire, 0 stale, ' env QEMU_IMG=/nowhere/qemu-img "$FUZZ" known --test
check "an instar that is named is asked itself" says 0 '^2 fire, 0 stale, 0 untried' \
    env INSTAR="$STANDIN" STANDIN_LIE=documented "$FUZZ" known --test instar-bitmaps-zero instar-zero-size-refused
check "... and says what it has mended" says 1 '^1 fire, 1 stale, 0 untried' \
    env INSTAR="$STANDIN" STANDIN_LIE=as-instar,bitmaps-zero "$FUZZ" known --test instar-bitmaps-zero instar-zero-size-refused
check "... but not in a pair with the stand-in" says 0 '^2 fire, 0 stale, 0 untried' \
    env INSTAR=/nowhere/instar INSTAR_FUZZ_PAIR=standin "$FUZZ" known --test instar-bitmaps-zero instar-zero-size-refused
every_one_is_told() { [ "$("$FUZZ" known --test instar-bitmaps-zero instar-zero-size-refused | grep -c '^fires ')" = 2 ]; }
check "entries are tested by their names" every_one_is_told
check "an unexplained one is not tried" says 0 '^untried .*unexplained' \
    "$FUZZ" known --test instar-qcow2-scan-unexplained
check "the list has a line for each" says 0 '^instar-raw-holes-required .* instar_raw_measure$' "$FUZZ" known
check "one entry is explained" says 0 'STANDIN_LIE=as-instar,raw-without-seek-hole' \
    "$FUZZ" known instar-raw-holes-required
json() { [ "$("$FUZZ" known --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" = "$(grep -c '"id":' "$REGISTRY")" ]; }
check "programs get every entry" json

wrong_value() { broken instar-raw-holes-required predict '"instar_raw_length"'
    says 1 '^stale .*shows something new' "$FUZZ" known --test instar-raw-holes-required; }
check "an entry with another value is stale" wrong_value
wrong_lie() { broken instar-raw-holes-required lie '"bitmaps-zero"'
    says 1 '^stale .*does not show it' "$FUZZ" known --test instar-raw-holes-required; }
check "so is one whose lie changes nothing" wrong_lie
no_lie() { broken instar-raw-holes-required lie '"white"'
    says 1 '^stale .*no lie is called' "$FUZZ" known --test instar-raw-holes-required; }
check "or is none" no_lie
wrong_case() { broken qemu-img-vmdk-empty-flat-aborts case '{"format": "raw"}'
    says 1 '^stale .*does not show it' "$FUZZ" known --test qemu-img-vmdk-empty-flat-aborts; }
check "or whose case is another" wrong_case
outside() { broken qemu-img-vmdk-empty-flat-aborts tool '{"name": "qemu_img", "versions": ">=9999.0"}'
    says 3 '^untried .*other tools or versions' "$FUZZ" known --test qemu-img-vmdk-empty-flat-aborts; }
check "one about another version is not tried" outside
no_case() { broken instar-raw-holes-required case '{"format": "vdi"}'
    says 2 'entry "instar-raw-holes-required": member "case": format must be' "$FUZZ" known; }
check "a bad case names entry and member" no_case
check "an unknown entry ends with 2" says 2 'no entry is called x' "$FUZZ" known x
check "an unknown option ends with 2" says 2 'unknown option --all' "$FUZZ" known --all
check "--json takes nothing else" says 2 'takes nothing else' "$FUZZ" known --json x

# --- the stand-in is instar only where it plays it -------------------------------------------------
case=$(text holes <<<'{"format": "raw", "virtual_size": 1048576, "writes": [{"length_bytes": 4096}],
    "operations": [{"op": "measure", "target": "qcow2"}]}')
export INSTAR_FUZZ_PAIR=standin
replay() { STANDIN_LIE=$1 "$FUZZ" replay "$case"; }
check "a lie alone is a divergence" says 1 'measure_numeric_divergence-measure-raw-qcow2-required' \
    replay raw-without-seek-hole
check "as instar it is known" says 0 'known: .*\[instar-raw-holes-required\]' \
    replay as-instar,raw-without-seek-hole
check "and the verdict names the entry" says 0 '^Verdict: no new divergence; 1 known (instar-raw-holes-required)[, ]' \
    replay as-instar,raw-without-seek-hole
check "and its row is marked" says 0 '^    k required ' replay as-instar,raw-without-seek-hole
check "and the story says whom it plays" says 0 'the stand-in plays the documented instar' \
    replay as-instar,raw-without-seek-hole
strict() { INSTAR_FUZZ_STRICT=known replay as-instar,raw-without-seek-hole; }
check "where known ones count it is a finding" says 1 'required$' strict
check "a planted bug is none of instar's" says 1 'measure_bitmaps_presence_divergence' \
    env STANDIN_LIE=as-instar,bitmaps-omitted "$FUZZ" replay "$ROOT/corpus/seeds/qcow2-v3-measure-every-target.json"
check "doctor says it, too" says 0 'plays  *the documented instar' env STANDIN_LIE=documented "$FUZZ" doctor

# --- a campaign against it that was stopped has not lasted its time --------------------------------
# An engine looks at its clock only when it is through with its seeds.
mkdir "$SCRATCH/few" && cp "$ROOT/build/seeds/raw-size-zero" "$SCRATCH/few"
export SEEDS=$SCRATCH/few
stopped() {
    local pid
    # A group of its own, which hears SIGINT, also where all of this was begun by one that does not
    # (nohup make test &).
    set -m
    CAMPAIGN=$SCRATCH/campaign DURATION=600 env --default-signal=INT "$ROOT/ci/known" quiet shifted >"$SCRATCH/said" 2>&1 &
    pid=$!
    # Before its engine starts there is no campaign to stop.
    soon test -e "$SCRATCH/campaign/quiet/log/libfuzzer-1.log"
    kill -INT -- "-$pid"
    status 130 wait "$pid" || return 1
    cat "$SCRATCH/said"
    grep -q '^stopped quiet, [1-9][0-9]* s are left' "$SCRATCH/said" || return 1
    [ -z "$(find "$SCRATCH/campaign" -name '*.done')" ] && [ ! -e "$SCRATCH/campaign/shifted" ]
}
check "ci/known that was stopped says so, and not that nothing was found" stopped
failing() {
    local _
    export CAMPAIGN=$SCRATCH/failing DURATION=1
    for _ in 1 2; do QEMU_IMG=$SCRATCH/nowhere says 1 '^FAILED ' "$ROOT/ci/known" quiet || return 1; done
    [ ! -e "$CAMPAIGN/quiet.done" ] && [ ! -e "$CAMPAIGN/quiet.seconds" ]
}
check "a campaign that failed is not good when it is asked again" failing
finish
