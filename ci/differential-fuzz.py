#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# The name under which instar's workflows call their fuzzer: hands every flag to `instar-fuzz run`.
import os
import sys

root = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
program = os.path.join(root, "build", "instar-fuzz")
try:
    os.execv(program, [program, "run", *sys.argv[1:]])
except OSError as error:
    sys.exit(f"{program}: {error.strerror} (has `make` been run?)")
