#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What docs/findings.md says of qemu-img still holds: every script is run, the tables are printed
# again, and page, scripts, relaxations and registry know the same names.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
requires qemu-io
# The scripts make their folders in ours.
export TMPDIR=$SCRATCH
cd "$ROOT" || exit 2
PAGE=docs/findings.md

# again NAME: 0 if it reproduces; 77, for a version of which nothing is claimed, is said and not counted.
again() {
    local name=$1 got
    sh "docs/findings/$name/reproduce.sh" >"$SCRATCH/finding.log" 2>&1
    got=$?
    if [ $got = 77 ]; then
        echo "# skipped $name: $(tail -n 1 "$SCRATCH/finding.log")"
        return
    fi
    check "$name reproduces" bash -c "cat '$SCRATCH/finding.log'; exit $got"
}
for script in docs/findings/*/reproduce.sh; do
    name=${script%/reproduce.sh}
    again "${name##*/}"
done

version=$(qemu-img --version | sed -n 's/^qemu-img version \([0-9]*\.[0-9]*\).*/\1/p')
page_tables() { sed -n '/table.sh: begin/,/table.sh: end/p' "$PAGE" | sed '1d;$d'; }
tables() { diff <(page_tables) <(sh docs/findings/odd-sizes/table.sh; echo); }
if [ "$version" = 7.2 ] && [ -x "$STANDIN" ]; then
    check "the tables of odd sizes" tables
else
    echo "# skipped the tables of odd sizes: they are of qemu-img 7.2 and the stand-in"
fi

sections() { sed -n 's/^### //p' "$PAGE" | sort; }
scripts() { find docs/findings -name reproduce.sh | sed 's|docs/findings/||; s|/reproduce.sh||' | sort; }
same_findings() { [ -n "$(scripts)" ] && diff <(sections) <(scripts); }
check "every finding has a script, and every script a finding" same_findings
every_relaxation() {
    local name missing=0
    while read -r name; do
        grep -q "\`$name\`" "$PAGE" || { echo "$PAGE does not name $name"; missing=1; }
    done < <(sed -n 's/.*\.name = "\([^"]*\)".*/\1/p' oracles/relax.c)
    [ "$missing" = 0 ]
}
check "every relaxation of sizes has its finding" every_relaxation
# Registry entries about qemu-img are findings; those of instar that the page names exist.
every_entry() {
    local id missing=0
    while read -r id; do
        grep -q "\`$id\`" "$PAGE" || { echo "$PAGE does not name $id"; missing=1; }
    done < <(sed -n 's/.*"id": "\(qemu-img-[^"]*\)".*/\1/p' oracles/known-divergences.json)
    while read -r id; do
        grep -q "\"id\": \"$id\"" oracles/known-divergences.json ||
            { echo "the registry has no $id"; missing=1; }
    done < <(grep -oE "\`(instar|qemu-img)-[a-z0-9-]+\`" "$PAGE" | tr -d '\140' | sort -u)
    [ "$missing" = 0 ]
}
check "page and registry name the same entries" every_entry

# The scripts can go red: a qemu-img that mends one finding, and one that is not there.
mended=$(fake mended/qemu-img <<'S'
case "$*" in *block_size=524288*) echo 'qemu-img: out of range' >&2; exit 1 ;; esac
exec "$QEMU_IMG" "$@"
S
)
check "a finding that is gone ends with 1" status 1 \
    env QEMU_IMG="$mended" sh docs/findings/vhdx-block-size-raised/reproduce.sh
check "without qemu-img a script ends with 77" status 77 \
    env QEMU_IMG=/nowhere/qemu-img sh docs/findings/vhdx-block-size-raised/reproduce.sh
nothing_left() { ! compgen -G "$SCRATCH/tmp.*"; }
check "the scripts leave nothing behind" nothing_left
finish
