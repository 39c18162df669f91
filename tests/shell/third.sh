#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The third reader in a campaign: what is said where it is missing, and that its word counts only
# after it has read other images of the kind rightly.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
requires qemu-img
export INSTAR_FUZZ_WORK=$SCRATCH/work INSTAR_FUZZ_PAIR=standin
mkdir -p "$INSTAR_FUZZ_WORK" "$SCRATCH/bin/standin"
cd "$ROOT" || exit 2

# The programs without the third reader, which is looked for beside them.
cp build/instar-fuzz build/launcher "$SCRATCH/bin"
cp "$STANDIN" "$SCRATCH/bin/standin"
BARE=$SCRATCH/bin/instar-fuzz READER=$SCRATCH/bin/third-reader
CASE=$(text case <<'json'
{"format": "raw", "virtual_size": 1048576,
 "writes": [{"pattern": "noise", "seed": 3, "anchor": "start", "offset": 70000, "length_scale": "bytes", "length": 5000}],
 "operations": [{"op": "convert", "target": "qcow2"}]}
json
)

says() { "$1" "$2" "${@:4}" >"$SCRATCH/out" 2>&1; grep -qE "$3" "$SCRATCH/out" || { cat "$SCRATCH/out"; return 1; }; }
check "doctor says what is missing and how to get it" \
    says "$BARE" doctor 'not found, skipping: third-reader was not built; .*libvmdk-dev'
check "a replay does without it" status 0 "$BARE" replay "$CASE"
printf '#!/bin/sh\necho "error while loading shared libraries" >&2\nexit 127\n' >"$READER"
chmod +x "$READER"
check "a reader whose libraries are gone is skipped" \
    says "$BARE" doctor 'not found, skipping: .*does not run here \(exit 127\): error while loading'
check "and a replay does without it, too" status 0 "$BARE" replay "$CASE"
without() { make -s THIRD_HEADERS=no-such-header.h programs; }
check "make builds all else, and says so" says without x 'third-reader is not built: libqcow-dev'

if [ ! -x build/third-reader ]; then
    echo "not built here: build/third-reader"
    finish
fi
check "doctor names the libraries" says "$FUZZ" doctor "third-reader found at $ROOT/build/third-reader \(libyal: libqcow [0-9]"
check "its reading is told" says "$FUZZ" replay 'third reader +reads the content of the input +reads the content' "$CASE"

# What third_support.c excepts and our own writers do not build (the rest: tests/unit/run_third.c).
# not_read FORMAT IMAGE RAW [RANGE]: refused, or not what qemu-img reads.
not_read() {
    rm -f "$SCRATCH/third"
    ! build/third-reader "$1" "$2" "$SCRATCH/third" "${@:4}" || ! cmp -s "$3" "$SCRATCH/third"
}
IMG=$SCRATCH/image
truncate -s 2M "$SCRATCH/raw"
printf 'something' | dd of="$SCRATCH/raw" conv=notrunc status=none
made() { qemu-img convert -f raw -O "$@" "$SCRATCH/raw" "$IMG"; }
made qcow2 && check "the raw file is a fair judge" status 1 not_read qcow2 "$IMG" "$SCRATCH/raw"
qemu-img create -q -f qcow2 -F qcow2 -b "$IMG" "$IMG.above"
check "third_backing is needed: qcow2" not_read qcow2 "$IMG.above" "$SCRATCH/raw"
printf '\002' | dd of="$IMG" bs=1 seek=79 conv=notrunc status=none # the corrupt bit
check "third_corrupt is needed" not_read qcow2 "$IMG" "$SCRATCH/raw"
made qcow2 -o data_file="$IMG.data"
check "third_data_file is needed" not_read qcow2 "$IMG" "$SCRATCH/raw"
made vmdk && qemu-img create -q -f vmdk -F vmdk -b "$IMG" "$IMG.above2"
check "third_backing is needed: vmdk" not_read vmdk "$IMG.above2" "$SCRATCH/raw"
made vpc -o force_size=on && check "a vpc with its footer at the end is read" status 1 not_read vpc "$IMG" "$SCRATCH/raw"
truncate -s +65024 "$IMG"
check "third_footer_not_last is needed" not_read vpc "$IMG" "$SCRATCH/raw"
truncate -s 8G "$SCRATCH/raw"
printf 'something' | dd of="$SCRATCH/raw" oflag=seek_bytes seek=$(((8 << 30) - 512)) conv=notrunc status=none
made vhdx -o subformat=fixed
check "third_beyond_4_gib is needed" not_read vhdx "$IMG" "$SCRATCH/raw" $(((8 << 30) - 4096))+4096
made vhdx
third_end() {
    build/third-reader vhdx "$IMG" "$SCRATCH/third" $(((8 << 30) - 4096))+4096 &&
        cmp <(tail -c 4096 "$SCRATCH/raw") <(tail -c 4096 "$SCRATCH/third")
}
rm -f "$SCRATCH/third"
check "a dynamic one of that size is read" third_end

# misreads PATTERN: a reader that adds a byte at 65536 to what it reads in files of that name.
misreads() {
    cat >"$READER" <<script
#!/bin/sh
"$ROOT/build/third-reader" "\$@" || exit
case \$2 in $1) printf x | /bin/dd of="\$3" bs=1 seek=65536 conv=notrunc 2>/dev/null ;; esac
script
}
FOUND=third_reader_divergence-convert-raw-qcow2-content
misreads 'a.*'
check "one output misread, other images not: a divergence" says "$BARE" replay "${FOUND}_instar" "$CASE"
check "that ends with 1" status 1 "$BARE" replay "$CASE"
misreads 'b.*'
check "it names the side" says "$BARE" replay "${FOUND}_qemu_img" "$CASE"
misreads '[ab].*'
check "both outputs misread: inconclusive" says "$BARE" replay 'inconclusive: third_reader_divergence \(third_without_control\)' "$CASE"
misreads 'a.*|own.*'
check "our own image misread: inconclusive" says "$BARE" replay 'inconclusive: third_reader_divergence \(third_without_control\)' "$CASE"
check "nothing of that is a divergence" status 0 "$BARE" replay "$CASE"

# A finding of another rule tells whose side the third reader takes.
STANDIN_LIE=wrong-byte-near-end "$FUZZ" replay "$CASE" >"$SCRATCH/out" 2>&1
check "a finding tells its opinion" grep -E 'third reader +reads' "$SCRATCH/out"
finish
