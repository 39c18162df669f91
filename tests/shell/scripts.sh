#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Asked what it is, a script of ci/ or bench/ says so and does nothing; with words that it does not know
# it ends before it began. (A script that is asked for help and begins hours of work has cost somebody an evening.)
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$ROOT" || exit 2

# ci/version is asked by make alone, also where nothing else of ci/ is.
mapfile -t scripts < <(find ci bench -type f -perm -100 ! -name '*.py' ! -path ci/version | sort)
check "all scripts are here" [ "${#scripts[@]}" -gt 20 ]
# It is the comment itself, from its first line of words to its last.
helps() {
    local asked
    for asked in --help -h; do
        diff <(timeout 60 "$1" "$asked") <(sed -n '4,/^[^#]/{/^#/!d;s/^# \{0,1\}//p}' "$1") || return
    done
}
for script in "${scripts[@]}"; do check "$script says what it is" helps "$script"; done

refuses() {
    local status
    timeout 60 "$1" --no-such-word >"$SCRATCH/said" 2>&1 </dev/null
    status=$?
    if [ "$status" != 2 ] || [ "$(wc -l <"$SCRATCH/said")" -gt 20 ]; then echo "status $status"; cat "$SCRATCH/said"; return 1; fi
}
for script in "${scripts[@]}"; do check "$script refuses what it does not know" refuses "$script"; done
finish
