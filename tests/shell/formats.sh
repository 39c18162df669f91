#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# docs/formats.md promises a member of a case and a test for each feature: both must exist, and every
# member of the header must shape something there.
# shellcheck disable=SC2016 # the backquotes are Markdown
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$ROOT" || exit 2
PAGE=docs/formats.md

# column NUMBER: the names in backquotes of that column, in every table of seven columns.
column() { awk -F'|' -v n=$(($1 + 1)) 'NF == 9 { print $n }' "$PAGE" | grep -oE '`[^`]+`' | tr -d '`' | sort -u; }
# members HEADING: the members in that table of the encoding.
members() { sed -n "/^### $1 /,/^### /p" docs/encoding.md | grep -oE '^\| [0-9/ -]+ \| `[a-z0-9_]+`' | grep -oE '[a-z][a-z0-9_]+'; }

cases_exist() {
    local name missing=0
    for name in $(column 3); do
        grep -qx "$name" <<<"$known" || { echo "no member $name in docs/encoding.md"; missing=1; }
    done
    return "$missing"
}
header_is_there() {
    local name missing=0
    for name in $(members header); do
        column 3 | grep -qx "$name" || { echo "header member $name is not in $PAGE"; missing=1; }
    done
    return "$missing"
}
# "file" or "file.claim" of tests/unit; a claim that no list of tests runs is none.
tests_exist() {
    local name file missing=0
    for name in $(column 4); do
        file=tests/unit/${name%%.*}.c
        [ -f "$file" ] || { echo "no $file"; missing=1; continue; }
        # Its definition, and where it is run.
        [ "$name" = "${name#*.}" ] || [ "$(grep -cw -- "${name#*.}" "$file")" -ge 2 ] ||
            { echo "$file runs no ${name#*.}"; missing=1; }
    done
    return "$missing"
}
every_feature_is_held() {
    ! awk -F'|' 'NF == 9 && $2 !~ /^ *(feature|-+) *$/ && $5 !~ /`/' "$PAGE" | grep .
}

known=$(members header; members write; members operation)
check "the encoding was read" [ "$(wc -l <<<"$known")" -gt 50 ]
check "every case field named exists" cases_exist
check "every header field that shapes an image is named" header_is_there
check "every test named exists" tests_exist
check "every feature names a test" every_feature_is_held
finish
