#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Who only replays a case needs no engine: ci/install-deps asks for what the command at hand is built with,
# installs nothing where that is forbidden, and does not look where it is told to skip.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$ROOT" || exit 2
unset INSTALL_DEPS
requires cc
requires qemu-img
requires make
# This machine, without the engines.
mkdir "$SCRATCH/bin"
IFS=: read -ra folders <<<"$PATH"
for folder in "${folders[@]}"; do ln -s "$folder"/* "$SCRATCH/bin/" 2>/dev/null; done
rm -f "$SCRATCH"/bin/{clang,afl-}*
here() { env PATH="$SCRATCH/bin" INSTALL_DEPS=0 "$@"; }
says() { # STATUS WORDS COMMAND...
    local words=$2
    if ! status "$1" "${@:3}" >"$SCRATCH/said" 2>&1 || ! grep -qF -- "$words" "$SCRATCH/said"; then cat "$SCRATCH/said"; return 1; fi
}
check "for fuzzing the engines are missing" says 2 "afl++" here ci/install-deps --if-missing
check "and nothing is installed where that is forbidden" says 2 "INSTALL_DEPS=0 forbids" here ci/install-deps --if-missing
check "for a replay nothing is" here ci/install-deps --programs
check "make replay asks for no more" says 2 "make replay needs CASE=file" here make replay
check "nor does make minimize" says 2 "make minimize needs CASE=file" here make minimize
check "skip does not look" here INSTALL_DEPS=skip ci/install-deps --if-missing
check "but can be asked" says 0 clang here INSTALL_DEPS=skip ci/install-deps --list
finish
