#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Prints the tables of docs/findings.md, section "Odd sizes": what becomes of disks whose size is no
# multiple of a sector, or zero. STANDIN= is the stand-in; without one its table is left out.
standin=${STANDIN:-$(cd "$(dirname "$0")/../../.." && pwd)/build/standin/instar}
# shellcheck source=docs/findings/prelude.sh
. "$(dirname "$0")/../prelude.sh"

sizes="0 1 511 512 513 1000000"
targets="raw qcow2 vpc vmdk vhdx"

# An odd size in a qcow2 header has to be written into it: qemu-img's create rounds up.
make_sources() {
    for size in $sizes; do
        truncate -s "$size" "src-$size.raw"
        create -f qcow2 "src-$size.qcow2" 1M
        patch "src-$size.qcow2" 24 "\\0\\0\\0\\0$(printf '\\%03o\\%03o\\%03o\\%03o' \
            $((size >> 24)) $((size >> 16 & 255)) $((size >> 8 & 255)) $((size & 255)))"
    done
}

# cell FORMAT FILE STATUS: the size that qemu-img shows of an output.
cell() {
    if [ "$3" = 0 ]; then virtual_size "$1" "$2"; else echo refused; fi
}
by_qemu_img() { # SOURCE SIZE TARGET
    cell "$3" out "$(status convert -f "$1" -O "$3" "src-$2.$1" out)"
}
shown_by_qemu_img() { virtual_size "$1" "src-$2.$1"; }
by_standin() {
    cell "$3" out "$(status "$standin" convert -O "$3" "src-$2.$1" out)"
}
shown_by_standin() {
    "$standin" info --unsafe-quirks --qemu-version 7.2 --output json "src-$2.$1" | member virtual-size
}
# instar's documentation: a disk of size 0 is not converted; a raw file is as long as a device of
# 64 KiB sectors; the size in a qcow2 header counts to the byte, and only vpc and raw can say so.
by_documentation() {
    size=$2
    [ "$1" = qcow2 ] || size=$(((size + 65535) / 65536 * 65536))
    case $3 in qcow2 | vmdk | vhdx) size=$(((size + 511) / 512 * 512)) ;; esac
    if [ "$2" = 0 ]; then echo refused; else echo "$size"; fi
}
shown_by_documentation() { echo "not stated"; }

table() { # TITLE WHO
    printf '\n**%s**\n\n| source | size | shown |' "$1"
    for target in $targets; do printf ' %s |' "$target"; done
    printf '\n|---|---|---|---|---|---|---|---|\n'
    for source in raw qcow2; do
        for size in $sizes; do
            printf '| %s | %s | %s |' "$source" "$size" "$("shown_by_$2" "$source" "$size")"
            for target in $targets; do
                printf ' %s |' "$("by_$2" "$source" "$size" "$target")"
                rm -f out
            done
            echo
        done
    done
}

# measure --size: required = fully-allocated for a raw target.
measure_table() {
    printf '\n**measure -O raw --size, required size**\n\n'
    printf '| size | qemu-img | stand-in | instar, as documented |\n'
    printf '|---|---|---|---|\n'
    for size in $sizes; do
        printf '| %s | %s | %s | %s |\n' "$size" "$(measured required -O raw --size "$size")" \
            "$("$standin" measure --output json -O raw --size "$size" 2>/dev/null | member required)" \
            "$(if [ "$size" = 0 ]; then echo "not stated"; else echo "$size"; fi)"
    done
}

make_sources
table "qemu-img $(version)" qemu_img
if [ -x "$standin" ]; then
    table "the stand-in" standin
    table "instar, as its documentation has it (not run)" documentation
    measure_table
fi
