#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# "A new format, oracle or tool costs one new file and one line in one table": the tables and the
# files are counted against each other (ARCHITECTURE.md, What one more costs).
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$ROOT" || exit 2

# same_names TABLE-LINES FILE-LINES: two lists of names are equal.
same_names() {
    [ -n "$1" ] && [ -n "$2" ] || { echo "nothing to compare"; return 1; }
    diff <(sort -u <<<"$1") <(sort -u <<<"$2")
}

check "every image driver has one line in the table" same_names \
    "$(grep -oE '&[a-z0-9]+_driver' harness/image/image.c | tr -d '&')" \
    "$(grep -hoE '^const struct image_driver [a-z0-9]+_driver' harness/image/*.c | awk '{print $4}')"
check "every oracle has one line in the table" same_names \
    "$(grep -oE '&oracle_[a-z_0-9]+' oracles/oracle.c | tr -d '&')" \
    "$(grep -hoE '^const struct oracle oracle_[a-z_0-9]+' oracles/*.c | awk '{print $4}')"
check "every subcommand has one line in the table" same_names \
    "$(grep -oE '&command_[a-z]+' harness/command/main.c | tr -d '&')" \
    "$(grep -hoE '^const struct command command_[a-z]+' harness/command/*.c | awk '{print $4}')"
check "every family of features has one line in the table" same_names \
    "$(grep -oE '&guide_[a-z_]+' harness/guide/features.c | tr -d '&')" \
    "$(grep -hoE '^const struct guide_family guide_[a-z_]+' harness/guide/*.c | awk '{print $4}')"
check "every tool adapter has one line in the table" same_names \
    "$(grep -oE '&tool_adapter_[a-z_]+' harness/tool/tool.c | tr -d '&')" \
    "$(grep -hoE '^const struct tool_adapter tool_adapter_[a-z_]+' harness/tool/*.c | awk '{print $4}')"
check "every mutation has one line in a table" same_names \
    "$(grep -oE '[0-9], mut_[a-z_]+\}' mutators/mutate.c | grep -oE 'mut_[a-z_]+')" \
    "$(grep -hoE '^bool mut_[a-z_]+\(struct mut_work \*work\) \{' mutators/*.c | grep -oE 'mut_[a-z_]+' | grep -v '^mut_work$')"
finish
