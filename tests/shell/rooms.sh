#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A lower room never includes a higher one (ARCHITECTURE.md, Rooms).
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$ROOT" || exit 2

# includes_only FOLDER PATTERN: every quoted include of its files matches.
includes_only() {
    local bad
    bad=$(find "$1" ${3:+-maxdepth "$3"} -name '*.[ch]' -exec grep -nHE '^#include "' {} + | grep -vE "#include \"($2)")
    [ -z "$bad" ] || { echo "$bad"; return 1; }
}

check "base uses nothing" includes_only harness/base 'base/'
check "image uses base" includes_only harness/image 'base/|image/'
check "exec uses base" includes_only harness/exec 'base/|exec/'
check "testcase uses image" includes_only harness/testcase 'base/|image/|testcase/'
check "mutators use testcase and below" includes_only mutators 'base/|image/|testcase/|mutators/'
check "tool uses exec, testcase, image" includes_only harness/tool 'base/|image/|exec/|testcase/|tool/'
check "oracles use tool and below" includes_only oracles 'base/|image/|exec/|testcase/|tool/|oracles/'
check "guide uses oracles and below" includes_only harness/guide \
    'base/|image/|testcase/|tool/|oracles/|guide/'
check "report uses oracles and below" includes_only harness/report \
    'base/|image/|exec/|testcase/|tool/|oracles/|report/'
check "the run loop knows no engine and no command" includes_only harness \
    'base/|image/|exec/|testcase/|tool/|oracles/|guide/|report/|[a-z_]+\.h' 1
check "engines know no command and no page" includes_only harness/engine \
    'base/|exec/|guide/|mutators/|testcase/|tool/|engine/|[a-z_]+\.h'
check "commands know no engine" includes_only harness/command \
    'base/|image/|exec/|testcase/|tool/|oracles/|guide/|report/|mutators/|page/|command/|[a-z_]+\.h'
check "the page reads folders and knows no engine and no command" includes_only harness/page \
    'base/|image/|testcase/|tool/|oracles/|page/|stats\.h|cells\.h'
check "the stand-in links image and base alone" includes_only standin 'base/|image/|standin/|[a-z_]+\.h'
check "the third reader shares no code with this project" includes_only third ''
finish
