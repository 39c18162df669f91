#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# instar-fuzz coverage: which code of qemu-img the cases of a corpus reach. The program that counts is
# build/tests/guide, which lets the real qemu-img do the work; what an edge belongs to is tried with
# two small files, and with the instrumented qemu-img where one was built.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
cd "$ROOT" || exit 2
requires qemu-img
requires python3
unset QEMU_IMG_COV

# --- which edge belongs to which source file -------------------------------------------------------
mkdir -p "$SCRATCH/two/sub"
cat >"$SCRATCH/two/main.c" <<'c'
int other(int value);
int main(int argc, char **argv) { (void)argv; return argc > 1 ? other(argc) : 0; }
c
cat >"$SCRATCH/two/sub/other.c" <<'c'
int other(int value);
int other(int value) { for (int i = 0; i < 3; i++) value -= i; return value > 100; }
c
# As meson names them: an underscore for each folder. One has a function in a section of its own.
link_two() {
    make -s --no-print-directory build/coverage.o && cd "$SCRATCH/two" &&
        clang -O0 -ffunction-sections -fsanitize-coverage=trace-pc-guard -c -o main.c.o main.c &&
        clang -O0 -fsanitize-coverage=trace-pc-guard -c -o sub_other.c.o sub/other.c &&
        cc -o two sub_other.c.o main.c.o "$ROOT/build/coverage.o" -Wl,-Map=link.map &&
        printf 'build main.c.o: c_COMPILER ../main.c || x\nbuild sub_other.c.o: c_COMPILER ../sub/other.c\n' >build.ninja &&
        awk -f "$ROOT/ci/edges.awk" build.ninja link.map >edges
}
# reached ARGUMENT...: the files of which an edge is taken.
reached() {
    local first count file
    cd "$SCRATCH/two" && rm -f map && truncate -s 4096 map && INSTAR_FUZZ_COVERAGE_MAP=map ./two "$@" || return
    while IFS=$'\t' read -r first count file; do
        od -An -v -t u1 -j $((64 + first)) -N "$count" map | grep -q '[1-9]' && echo "$file"
    done <edges
}
all_edges() { [ "$(awk '{sum += $2} END {print sum}' "$SCRATCH/two/edges")" = "$(od -An -t u4 -j 8 -N 4 "$SCRATCH/two/map" | tr -d ' ')" ]; }
if command -v clang >/dev/null; then
    check "the linker's map says which edges a source file has" link_two
    check "without the other file none of it is reached" test "$(reached)" = main.c
    check "with it both are" test "$(reached x | sort | tr '\n' ' ')" = 'main.c sub/other.c '
    check "no edge belongs to nobody" all_edges
    unknown() { awk -f ci/edges.awk <(sed /sub/d "$SCRATCH/two/build.ninja") "$SCRATCH/two/link.map" >/dev/null; }
    check "an object of an unknown source is refused" status 1 unknown
    no_guards() { awk -f ci/edges.awk "$SCRATCH/two/build.ninja" /dev/null >/dev/null; }
    check "so is a map without guards" status 1 no_guards
fi

# --- the command -----------------------------------------------------------------------------------
program=$SCRATCH/sly/qemu-img
mkdir "$SCRATCH/sly" && cp build/tests/guide "$program" && ln -s "$(command -v qemu-img)" "$SCRATCH/sly/real"
mkdir "$SCRATCH/work"
export INSTAR_FUZZ_FENCE=$SCRATCH,/usr/bin,/bin INSTAR_FUZZ_PAIR=qemu INSTAR_FUZZ_WORK=$SCRATCH/work
truncate -s 4096 "$SCRATCH/map"
INSTAR_FUZZ_COVERAGE_MAP=$SCRATCH/map "$program" --version >/dev/null
edges=$(od -An -t u4 -j 8 -N 4 "$SCRATCH/map" | tr -d ' ')
printf '0\t3\tblock/qcow2-cluster.c\n3\t%s\tblock/vhdx-log.c\n' $((edges - 3)) >"$program.edges"
corpus=$SCRATCH/corpus
mkdir -p "$corpus/inner"
cp build/seeds/raw-* "$corpus"
cp build/seeds/raw-size-zero "$corpus/twice"
cp corpus/seeds/raw-size-zero.json "$corpus"
cp build/seeds/vmdk-* "$corpus/inner"
echo 'no case' | tee "$corpus/README.txt" >"$corpus/.state"
files=$(find "$corpus" -maxdepth 1 -name '[a-z]*' -type f | wc -l)
# count ARGUMENT...: with the program; what it says goes to said and heard.
count() { QEMU_IMG_COV=$program "$FUZZ" coverage "$@" >"$SCRATCH/said" 2>"$SCRATCH/heard"; }
said() { grep -E -- "$1" "$SCRATCH/said"; }
heard() { grep -F -- "$1" "$SCRATCH/heard"; }

check "a corpus is run" count "$corpus"
check "the drivers are told by their files" said '^qcow2 +[0-9]+ +3 '
check "and by those with a suffix" said "^vhdx +[1-9][0-9]* +$((edges - 3)) "
check "what means the same is one case" said "^$((files - 2)) of $((files - 2)) cases of $files files"
check "it leaves nothing behind" emptied "$SCRATCH/work"
check "to a file" count --out "$SCRATCH/coverage.json" "$corpus"
check "as JSON" python3 -c 'import json, sys
tree = json.load(open(sys.argv[1]))
files = [file for driver in tree["drivers"] for file in driver["files"]]
assert tree["edges"] == sum(file["edges"] for file in files) == int(sys.argv[2])
assert 0 < tree["reached"] == sum(driver["reached"] for driver in tree["drivers"]) <= tree["edges"]
assert tree["ended"] == "all" and tree["run"] == tree["cases"] and tree["failed"] == 0' "$SCRATCH/coverage.json" "$edges"
json_same() { count --json "$corpus" && diff <(sed '/"made"/d; /"seconds"/d' "$SCRATCH/said") <(sed '/"made"/d; /"seconds"/d' "$SCRATCH/coverage.json"); }
check "the same on stdout" json_same
silent() { count --json --out "$SCRATCH/alone.json" "$corpus" && [ ! -s "$SCRATCH/said" ] && [ -s "$SCRATCH/alone.json" ]; }
check "or in the file alone" silent
check "a case alone" count corpus/seeds/raw-size-zero.json
mkdir "$SCRATCH/campaign" "$SCRATCH/campaign/findings" && cp "$SCRATCH/coverage.json" "$SCRATCH/campaign"
shown() { "$FUZZ" report --html "$SCRATCH/page.html" "$SCRATCH/campaign" && grep -F 'block/vhdx-log.c' "$SCRATCH/page.html"; }
check "a campaign's page shows it" shown

# --- an end before the end -------------------------------------------------------------------------
# By one worker, and with such a program, the seeds take a good deal longer than both on any machine.
slow=$SCRATCH/slow/sly/qemu-img
mkdir -p "$SCRATCH/slow/sly" && cp "$program" "$program.edges" "$SCRATCH/slow/sly/"
# shellcheck disable=SC2016 # expanded there
fake slow/sly/real >/dev/null <<<'/bin/sleep 0.05; exec "$QEMU_IMG" "$@"'
in_time() {
    program=$slow count --jobs 1 --time 8 --out "$SCRATCH/part.json" build/seeds || return
    said 'the time was up' && grep '"ended":	"time"' "$SCRATCH/part.json"
}
check "a limit of time ends it, and that is said" in_time
interrupted() {
    QEMU_IMG_COV=$program "$FUZZ" coverage --jobs 1 --out "$SCRATCH/cut.json" build/seeds >"$SCRATCH/said" 2>&1 &
    local pid=$!
    soon grep -q 'coverage: [1-9][0-9]* of' "$SCRATCH/said" # from here on there is something to leave
    kill -INT "$pid"
    wait "$pid"
    [ $? = 130 ] && grep '"ended":	"interrupted"' "$SCRATCH/cut.json" && said 'interrupted'
}
# Without job control a shell's background jobs ignore SIGINT.
check "Ctrl-C leaves what is whole" bash -c "$(declare -f soon interrupted said); set -m; program='$slow' SCRATCH='$SCRATCH' FUZZ='$FUZZ' interrupted"
check "and no folder of a case" emptied "$SCRATCH/work"

# --- bad use ---------------------------------------------------------------------------------------
refuses() { # refuses STATUS WORDS ARGUMENT...
    local expected=$1 words=$2
    shift 2
    status "$expected" count "$@" && heard "$words"
}
check "no folder" refuses 2 'no folder of cases given'
check "a folder that is not there" refuses 2 'No such file' "$SCRATCH/none"
check "one without cases" refuses 2 'no case in' "$SCRATCH/work"
check "an unknown argument" refuses 2 'unknown argument --html' --html x "$corpus"
check "a time that is none" refuses 2 'expected 1 to' --time 0 "$corpus"
without() { "$FUZZ" coverage "$corpus" 2>"$SCRATCH/heard"; }
check "no instrumented program" status 2 without
check "is said with what makes one" heard 'make instrumented-qemu-img'
stock() { QEMU_IMG_COV=qemu-img "$FUZZ" coverage "$corpus" 2>"$SCRATCH/heard"; }
check "a program that does not count" status 3 stock
printf '0\t3\tblock/qcow2-cluster.c\n' >"$program.edges"
check "a table of another program" refuses 2 'is about a program of 3 edges' "$corpus"
printf '0\t3\tblock/qcow2-cluster.c\n4\t%s\tblock.c\n' $((edges - 4)) >"$program.edges"
check "a table with a gap" refuses 2 'line 2 is not' "$corpus"
rm "$program.edges"
check "no table" refuses 2 'is not known' "$corpus"
check "and nothing was written" test ! -e "$SCRATCH/new.json"

# --- the real one ----------------------------------------------------------------------------------
cov=instrumented/qemu-img
if [ -x $cov ] && [ -s $cov.edges ]; then
    case=$(text vmdk <<<'{"format": "vmdk", "virtual_size": 1048576, "writes": [{"pattern": "noise", "offset_bytes": 70000, "length_bytes": 8192}], "operations": [{"op": "check"}]}')
    # of FILE: how many edges of it were reached.
    of() { python3 -c 'import json, sys
print(sum(file["reached"] for driver in json.load(open(sys.argv[1]))["drivers"] for file in driver["files"] if file["file"] == sys.argv[2]))' "$SCRATCH/real.json" "$1"; }
    real() { QEMU_IMG_COV=$cov "$FUZZ" coverage --out "$SCRATCH/real.json" "$case"; }
    check "a check of a vmdk" real
    check "reaches the vmdk driver" test "$(of block/vmdk.c)" -gt 20
    # A constructor that registers the driver, and the function that it calls.
    check "and of other formats their registration alone" test "$(of block/vhdx.c) $(of block/vpc.c) $(of block/qcow2.c) $(of block/vhdx-log.c) $(of block/qcow2-cluster.c)" = '2 2 2 0 0'
else
    echo "left out: the instrumented qemu-img (it was not built)"
fi
finish
