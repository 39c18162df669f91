#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What a fuzzing service builds and runs: ci/build-fuzzers with its variables, then ci/check-bundle in a
# root file system that has nothing but the C library. One engine and one sanitizer here; the others by
# hand (docs/services.md).
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires patchelf
requires unzip
requires clang
cd "$ROOT" || exit 2
OUT=$SCRATCH/out
FLAGS='-O1 -fno-omit-frame-pointer -gline-tables-only -fsanitize=address -fsanitize-address-use-after-scope -fsanitize=fuzzer-no-link'
build() { CC=clang CXX=clang++ CFLAGS="$FLAGS" CXXFLAGS="$FLAGS" LIB_FUZZING_ENGINE=-fsanitize=fuzzer SANITIZER=address \
    FUZZING_ENGINE=libfuzzer OUT="$OUT" WORK="$SCRATCH/work" ci/build-fuzzers; }
check "it is built by the service's variables" build
rm -rf "$SCRATCH/work"
check "it knows which build of which tree it is" test "$("$OUT/instar-fuzz" --version)" = "instar-fuzz $(ci/version)"
[ $failed = 0 ] || finish

SECONDS_EACH=4 ci/check-bundle "$OUT" >"$SCRATCH/tried" 2>&1
case $? in
77) echo "# the bundle is not tried: $(tail -n 1 "$SCRATCH/tried")" ;;
0) check "it runs moved, read-only, without /dev, network or packages" true ;;
*) check "it runs moved, read-only, without /dev, network or packages" bash -c "cat '$SCRATCH/tried'; false" ;;
esac

# What a service's log must show where the pair cannot be what one hopes for.
no_tool() {
    rm -f "$OUT/tools/qemu-img"
    PATH=/nowhere status 3 "$OUT/fuzz_instar" -runs=1 2>&1 | grep -F 'qemu-img cannot run here: qemu-img was not found on PATH'
}
check "a bundle without qemu-img says so and ends with 3" no_tool
without_out() { env -u OUT ci/build-fuzzers 2>&1 | grep 'the service says where the result goes'; }
check "no OUT" without_out
other_engine() { status 2 env OUT="$SCRATCH/x" FUZZING_ENGINE=honggfuzz ci/build-fuzzers; }
check "an engine that it does not know" other_engine
other_sanitizer() { status 2 env OUT="$SCRATCH/x" SANITIZER=memory ci/build-fuzzers; }
check "a sanitizer that it does not know" other_sanitizer

# --- what ClusterFuzzLite reads ------------------------------------------------------------------------
check "the build image installs what the build asks for" grep -q 'patchelf qemu-utils libcjson-dev' .clusterfuzzlite/Dockerfile
check "its system is the runner's" grep -qx 'base_os_version: ubuntu-24-04' .clusterfuzzlite/project.yaml
check "its build script runs ours" grep -q 'ci/build-fuzzers' .clusterfuzzlite/build.sh
finish
