#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The stand-in's promise: without a lie it agrees with qemu-img in everything that the harness
# compares, and each lie changes what it says it changes and nothing else needs to. Images come from
# qemu-img and qemu-io, so that no code of this repository judges itself.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
set -e
export LC_ALL=C TZ=UTC
requires qemu-img
requires qemu-io
instar=${INSTAR:-$STANDIN}
[ -x "$instar" ] || { echo "$instar is not built"; exit 1; }
cd "$SCRATCH"

ok() {
    passed=$((passed + 1))
    echo "ok - $1"
}
not_ok() {
    failed=$((failed + 1))
    echo "not ok - $1"
    shift
    [ $# -eq 0 ] || printf '#   %s\n' "$@"
}
# same NAME EXPECTED ACTUAL
same() {
    if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "expected: $2" "got:      $3"; fi
}
# status COMMAND...: prints its exit status, and nothing else
status() {
    local rc=0
    "$@" >/dev/null 2>&1 || rc=$?
    echo $rc
}

# --- images -----------------------------------------------------------------------------------
# Each is "name format"; the name says what it is.
images=()
image() { # NAME FORMAT OPTIONS SIZE [qemu-io command...]
    local name=$1 format=$2 options=$3 size=$4 commands=()
    shift 4
    if [ "$format" = raw ]; then
        truncate -s "$size" "$name"
    else
        qemu-img create -q -f "$format" ${options:+-o "$options"} "$name" "$size" >/dev/null
    fi
    for command in "$@"; do commands+=(-c "$command"); done
    # A write may be refused (a compressed one over an allocated cluster): the image is what counts.
    [ $# -eq 0 ] || qemu-io -f "$format" "${commands[@]}" "$name" >/dev/null 2>&1 || true
    images+=("$name $format")
}

# The directory's offset is the last field of the header extension; the flags are the last bytes
# before type, granularity, name length.
use_first_bitmap() {
    local at directory
    at=$(LC_ALL=C grep -abo -m1 -P '\x23\x85\x28\x75' "$1" | head -n 1 | cut -d: -f1)
    directory=$(od -An -tu8 --endian=big -j $((at + 24)) -N 8 "$1" | tr -d ' ')
    printf '\3' | dd of="$1" bs=1 seek=$((directory + 15)) conv=notrunc status=none
}

make_images() {
    local size bits kind n
    for size in 0 1 511 512 513 1000 65537 1000000; do image "raw-$size" raw "" $size; done
    image raw-scattered raw "" 16M "write -P 1 4k 4k" "write -P 2 1M 1k" "write -P 3 16777000 200"
    image raw-odd-data raw "" 1000001 "write -P 1 999999 1" "write -P 0 65536 65536"
    image raw-full raw "" 3M "write -P 7 0 3M"
    image raw-2T raw "" 2T "write -P 7 1T 64k" "write -P 8 2199023255040 512"
    for bits in 9 12 14 16 18 21; do
        size=$((1 << bits))
        image "qcow2-c$size" qcow2 cluster_size=$size 9M "write -P 1 3000 5000" \
            "write -z 4M 2M" "write -P 0 1M 64k" "write -P 5 9436672 512" "write -c -P 9 2M $size"
        image "qcow2-v2-c$size" qcow2 cluster_size=$size,compat=0.10 5000192 "write -P 1 0 700" \
            "write -P 4 4999680 512" "write -z 2M 2M"
        image "qcow2-meta-c$size" qcow2 cluster_size=$size,preallocation=metadata 5M \
            "write -P 1 1M 4k" "write -P 2 3145000 77"
    done
    for n in 1 2 4 8 32 64; do
        image "qcow2-rc$n" qcow2 refcount_bits=$n 3M "write -P 1 1M 100k" "write -z 2M 64k"
    done
    for kind in lazy_refcounts=on extended_l2=on compression_type=zstd preallocation=falloc \
        extended_l2=on,cluster_size=16k; do
        image "qcow2-$kind" qcow2 "$kind" 6M "write -P 1 1M 3k" "write -z 3M 2k" \
            "write -c -P 2 2M 64k" "write -z -u 4M 128k"
    done
    for kind in off on; do
        image "qcow2-data-$kind" qcow2 data_file=data-$kind.raw,data_file_raw=$kind 5000192 \
            "write -P 1 0 3000" "write -P 2 4990000 10192" "write -z 1M 1M"
        image "qcow2-data-meta-$kind" qcow2 \
            data_file=data-meta-$kind.raw,data_file_raw=$kind,preallocation=metadata 5M \
            "write -P 1 1M 4k" "write -P 2 3145000 77"
        image "qcow2-data-2M-$kind" qcow2 \
            data_file=data-2M-$kind.raw,data_file_raw=$kind,cluster_size=2M,extended_l2=on 20M \
            "write -P 1 9M 4k" "write -P 2 0 1"
    done
    for size in 512 65536; do
        image "qcow2-bitmaps-c$size" qcow2 cluster_size=$size 20M "write -P 1 3M 100k"
        qemu-img bitmap --add -g 512 "qcow2-bitmaps-c$size" first
        qemu-img bitmap --add -g 1M "qcow2-bitmaps-c$size" "$(printf '%0500d' 7)"
        qemu-img bitmap --add --disable "qcow2-bitmaps-c$size" disabled
        qemu-io -c "write -P 2 1M 64k" "qcow2-bitmaps-c$size" >/dev/null
        image "qcow2-snapshots-c$size" qcow2 cluster_size=$size 3M "write -P 1 0 1M" "write -c -P 7 2M $size"
        qemu-img snapshot -c first "qcow2-snapshots-c$size"
        qemu-io -c "write -P 2 512k 1M" "qcow2-snapshots-c$size" >/dev/null
        qemu-img snapshot -c 1 "qcow2-snapshots-c$size"
        qemu-img resize -q "qcow2-snapshots-c$size" 5M
        qemu-io -c "write -P 3 4M 1M" -c "write -z 0 64k" "qcow2-snapshots-c$size" >/dev/null
        qemu-img snapshot -c "the third one" "qcow2-snapshots-c$size"
        qemu-img resize -q --shrink "qcow2-snapshots-c$size" 4M
    done
    cp qcow2-bitmaps-c512 qcow2-bitmap-in-use
    images+=("qcow2-bitmap-in-use qcow2")
    use_first_bitmap qcow2-bitmap-in-use
    image qcow2-empty qcow2 "" 1M
    image qcow2-0 qcow2 "" 0
    image qcow2-1T qcow2 "" 1T "write -P 6 512G 1M"
    for kind in "" zeroed_grain=on; do
        image "vmdk-$kind" vmdk "$kind" 10M "write -P 1 70000 3" "write -z 1M 1M" "write -P 3 9M 1M"
    done
    image vmdk-odd vmdk "" 1000448 "write -P 1 999936 512"
    image vmdk-stream vmdk subformat=streamOptimized 4M "write -P 1 64k 64k" "write -P 2 1M 64k"
    image vmdk-8G vmdk "" 8G "write -P 1 5G 64k"
    for kind in monolithicFlat twoGbMaxExtentSparse twoGbMaxExtentFlat; do
        image "vmdk-$kind" vmdk subformat=$kind 10M "write -P 1 70000 3" "write -z 1M 1M" \
            "write -P 3 9M 300k"
        # Two extents, data on both sides of the seam.
        image "vmdk-3G-$kind" vmdk subformat=$kind 3G "write -P 1 2147400000 200k" "write -P 2 3G-512 512"
    done
    for kind in force_size=on force_size=off subformat=fixed subformat=fixed,force_size=on; do
        image "vpc-$kind" vpc "$kind" 9437696 "write -P 1 1000 2000" "write -P 2 5M 64k" "write -z 6M 1M"
    done
    image vpc-0 vpc "" 0
    for kind in block_size=1M block_size=8M; do
        image "vhdx-$kind" vhdx "$kind" 20M "write -P 1 3M 5k" "write -P 2 19M 1M" "write -z 8M 1M"
    done
    image vhdx-empty vhdx "" 1M
}

# --- agreement --------------------------------------------------------------------------------
# The output of both, byte for byte, and whether they succeed.
measure_agrees() { # NAME FORMAT TARGET qemu-options stand-in-options...
    local name=$1 format=$2 target=$3 options=$4 theirs ours rc=0 our_rc=0
    shift 4
    theirs=$(qemu-img measure -f "$format" -O "$target" ${options:+-o "$options"} --output json \
        "$name" 2>/dev/null) || rc=$?
    ours=$("$instar" measure --output json -O "$target" "$@" "$name" 2>/dev/null) || our_rc=$?
    same "measure $name -O $target $options" "$rc $theirs" "$our_rc $ours"
}

measure_all() {
    local line name format size
    for line in "${images[@]}"; do
        read -r name format <<<"$line"
        measure_agrees "$name" "$format" raw ""
        measure_agrees "$name" "$format" qcow2 ""
        for size in 512 4096 2097152; do
            measure_agrees "$name" "$format" qcow2 cluster_size=$size --cluster-size $size
        done
    done
    for line in "${images[@]}"; do
        read -r name format <<<"$line"
        case $name in
        raw-scattered | qcow2-c4096 | vmdk-zeroed* | vpc-force_size=on | vhdx-block_size=1M) ;;
        *) continue ;;
        esac
        measure_agrees "$name" "$format" qcow2 refcount_bits=64,cluster_size=512 -o cluster_size=512 \
            --refcount-bits=64
        measure_agrees "$name" "$format" qcow2 refcount_bits=1 --refcount-bits 1
        measure_agrees "$name" "$format" qcow2 compat=0.10 --compat=0.10
        measure_agrees "$name" "$format" qcow2 extended_l2=on --extended-l2
        measure_agrees "$name" "$format" qcow2 extended_l2=on,cluster_size=8k \
            -o extended_l2=on,cluster_size=8k
        measure_agrees "$name" "$format" qcow2 compat=0.10,refcount_bits=8 --compat 0.10 \
            --refcount-bits 8
        measure_agrees "$name" "$format" qcow2 cluster_size=4M -o cluster_size=4M
        measure_agrees "$name" "$format" qcow2 preallocation=full --preallocation full
    done
}

# A line a run: start, length, zero, data, and present but for vpc, where instar (as it documents)
# follows the table and qemu-img does not. Runs that differ in the host's offset alone are one; the
# last sector of an odd raw file is one thing.
map_runs() { # SIZE KEEP-PRESENT
    sed -n 's/.*"start": \([0-9]*\), "length": [0-9]*, "depth": 0, "present": \([a-z]*\), "zero": \([a-z]*\), "data": \([a-z]*\).*/\1 \2 \3 \4/p' |
        awk -v size="$1" -v keep="$2" '
            size % 512 && $1 > size - size % 512 {next}
            {what = (keep ? $2 " " : "") $3 " " $4}
            what == last {next}
            {print $1, what; last = what}'
}
map_all() {
    local line name format size keep theirs ours
    for line in "${images[@]}"; do
        read -r name format <<<"$line"
        [ "$format" != vhdx ] || continue # no block status in qemu-img
        case $name in vmdk-*Flat* | vmdk-*twoGb*)
            same "map refuses $name, as instar does" 1 "$(status "$instar" map --output json "$name")"
            continue ;;
        esac
        size=$(stat -c %s "$name") keep=1
        [ "$format" = raw ] || size=0
        [ "$format" != vpc ] || keep=
        theirs=$(qemu-img map -f "$format" --output json "$name" | map_runs "$size" "$keep")
        ours=$("$instar" map --qemu-version 7.2 --output json "$name" | map_runs "$size" "$keep")
        case $name in *-0) theirs=$ours ;; esac # a run of length 0
        same "map $name" "$theirs" "$ours"
    done
    same "map of a part" "4096 8192 true" \
        "$("$instar" map --output json --start-offset 4k --max-length 8k raw-full | sed -n 's/.*"start": \([0-9]*\), "length": \([0-9]*\).*"data": \([a-z]*\).*/\1 \2 \3/p')"
    same "map past the end" "[]" "$("$instar" map --output json --start-offset 1G raw-full)"
    same "map for people" "$(qemu-img map -f raw raw-scattered | awk 'NR > 1 {print $1, $2, $3}')" \
        "$("$instar" map raw-scattered | awk 'NR > 1 {print $1, $2, $3}')"
    same "map says compressed from 8.2 on" "0 1" \
        "$("$instar" map --output json --qemu-version 8.1 raw-full | grep -c '"compressed"' || true) $("$instar" map --output json --qemu-version 8.2 raw-full | grep -c '"compressed"')"
    qemu-img create -q -f qcow2 -b raw-full -F raw above
    same "map refuses a file with a parent" 1 "$(status "$instar" map --output json above)"
}

compare_all() {
    local line name format
    truncate -s 3M zeros
    for line in "${images[@]}"; do
        read -r name format <<<"$line"
        case $name in *2T* | *1T* | *8G* | *3G* | *127G*) continue ;; esac # read in full
        same "compare $name" "$(status qemu-img compare -f "$format" -F raw "$name" zeros)" \
            "$(status "$instar" compare --output json "$name" zeros)"
    done
    same "compare in words" "$(printf 'Warning: Image size mismatch!\nContent mismatch at offset 4096!')" \
        "$("$instar" compare raw-scattered zeros || true)"
    same "... where it is the same" "Images are identical." "$("$instar" compare zeros zeros)"
    same "... strictly" "Strict mode: Image size mismatch!" "$("$instar" compare -s raw-512 zeros || true)"
    same "compare's JSON keys" "identical first-mismatch-offset total-bytes-compared size-mismatch" \
        "$("$instar" compare --output json zeros zeros | sed -n 's/^    "\([a-z-]*\)".*/\1/p' | xargs)"
    same "... of a difference" '"identical":false,"first-mismatch-offset":4096,' \
        "$( ("$instar" compare --output json raw-scattered zeros || true) | sed -n 2,3p | tr -d ' \n')"
}

# What the harness compares of info, without names, spaces and line ends; instar prints neither
# snapshots nor bitmaps.
info_words() {
    sed '/^    "snapshots": \[/,/^    \]/d; /^            "bitmaps": \[/,/^            \]/d' |
        grep -v '"filename"' | tr -d ' \n'
}
info_all() {
    local line name format theirs ours
    for line in "${images[@]}"; do
        read -r name format <<<"$line"
        theirs=$(qemu-img info -f "$format" --output json "$name" | info_words)
        ours=$("$instar" info --unsafe-quirks --qemu-version 7.2 --output json "$name" | info_words)
        same "info $name" "$theirs" "$ours"
    done
}

check_all() {
    local line name format rc
    for line in "${images[@]}"; do
        read -r name format <<<"$line"
        rc=0
        [ "$format" != raw ] || rc=63
        same "check $name" $rc "$(status "$instar" check --output json "$name")"
    done
    cp qcow2-c65536 leaking
    # One cluster more than the tables use: a refcount of 1 for the cluster behind the last one.
    local block end
    block=$(od -An -tu8 --endian=big -j 65536 -N 8 leaking | tr -d ' ')
    end=$(($(stat -c %s leaking) / 65536 + 1))
    printf '\0\1' | dd of=leaking bs=1 seek=$((block + 2 * end)) conv=notrunc status=none
    truncate -s $(((end + 1) * 65536)) leaking
    same "check of a leak" "$(status qemu-img check -f qcow2 leaking)" "$(status "$instar" check leaking)"
    cp qcow2-c65536 corrupt
    printf '\0\0' | dd of=corrupt bs=1 seek="$block" conv=notrunc status=none
    same "check of a corruption" "$(status qemu-img check -f qcow2 corrupt)" \
        "$(status "$instar" check corrupt)"
    same "check raw says why on stdout" "This image format (raw) does not support checks" \
        "$("$instar" check raw-512 || true)"
}

# A conversion keeps the content, passes qemu-img's check, and fits into what measure promised.
convert_keeps() { # NAME FORMAT TARGET MEASURE-OPTIONS convert-options...
    local name=$1 format=$2 target=$3 measured=$4 what fully size
    shift 4
    what="convert $name -O $target $*"
    rm -f out
    if ! "$instar" convert "$@" -O "$target" "$name" out 2>why; then
        not_ok "$what" "$(cat why)"
        return
    fi
    if ! qemu-img compare -f "$format" -F "$target" "$name" out >why 2>&1 ||
        grep -q 'size mismatch' why; then
        not_ok "$what" "$(cat why)"
        return
    fi
    case $target in
    qcow2 | vmdk | vhdx)
        if ! qemu-img check -f "$target" out >why 2>&1; then
            not_ok "$what" "$(cat why)"
            return
        fi
        ;;
    esac
    # shellcheck disable=SC2086 # several words
    fully=$("$instar" measure -O "$target" $measured "$name" | sed -n 's/^fully allocated size: //p')
    size=$(stat -c %s out)
    [ "${1-} ${2-}" != "--subformat monolithicFlat" ] || size=$((size + $(stat -c %s out-flat.vmdk)))
    if [ "$size" -gt $((fully + 65536)) ]; then
        not_ok "$what" "$size bytes, but at most $fully measured"
        return
    fi
    ok "$what"
}

convert_all() {
    local line name format target
    for line in "${images[@]}"; do
        read -r name format <<<"$line"
        case $name in # what no target can hold, and what compare would read in full
        raw-0 | qcow2-0 | vpc-0 | raw-2T | qcow2-1T | vmdk-8G | vmdk-3G-*) continue ;;
        qcow2-v2* | qcow2-rc* | raw-511 | raw-512 | raw-513) continue ;;
        esac
        for target in raw qcow2 vmdk vpc vhdx; do convert_keeps "$name" "$format" $target ""; done
    done
    for line in "raw-scattered raw" "qcow2-c512 qcow2" "vhdx-block_size=1M vhdx"; do
        read -r name format <<<"$line"
        convert_keeps "$name" "$format" qcow2 "--cluster-size 512" --cluster-size 512
        convert_keeps "$name" "$format" qcow2 "--cluster-size 2097152" --cluster-size=2097152
        convert_keeps "$name" "$format" qcow2 "" -c
        convert_keeps "$name" "$format" vmdk "--grain-size 4096" --grain-size 4096
        convert_keeps "$name" "$format" vmdk "--subformat streamOptimized" -c
        convert_keeps "$name" "$format" vmdk "--subformat monolithicFlat" --subformat monolithicFlat
        convert_keeps "$name" "$format" vpc "--block-size 524288" --block-size 524288
        convert_keeps "$name" "$format" vhdx "--block-size 1048576" --block-size 1048576
    done
}

# A snapshot by its ID, else by its name, in the active disk's size as qemu-img gives it.
convert_snapshots() {
    local size snapshot target
    for size in 512 65536; do
        for snapshot in 1 2 3 first "the third one"; do
            for target in raw qcow2 vmdk; do
                rm -f out theirs
                qemu-img convert -f qcow2 -O raw -l "$snapshot" "qcow2-snapshots-c$size" theirs
                "$instar" convert -O $target --snapshot "$snapshot" "qcow2-snapshots-c$size" out
                same "convert --snapshot '$snapshot' of qcow2-snapshots-c$size -O $target" \
                    "Images are identical." "$(qemu-img compare -f raw -F $target theirs out 2>&1)"
            done
        done
        for snapshot in 4 "" firs; do
            same "there is no snapshot '$snapshot'" "1 1" \
                "$(status qemu-img convert -l "$snapshot" -O raw "qcow2-snapshots-c$size" theirs) $(status "$instar" convert --snapshot "$snapshot" "qcow2-snapshots-c$size" out)"
        done
    done
    same "a raw file has no snapshots" "1 1" \
        "$(status qemu-img convert -l 1 -f raw -O raw raw-512 theirs) $(status "$instar" convert --snapshot 1 raw-512 out)"
}

# Empty and huge disks: accepted and refused as qemu-img does, and quickly.
convert_edges() {
    local line name format target
    for line in "raw-0 raw" "qcow2-0 qcow2" "raw-2T raw" "qcow2-1T qcow2" "vmdk-8G vmdk"; do
        read -r name format <<<"$line"
        for target in raw qcow2 vmdk vpc vhdx; do
            rm -f out theirs
            same "exit class of convert $name -O $target" \
                "$(status qemu-img convert -f "$format" -O $target "$name" theirs)" \
                "$(status "$instar" convert -O $target "$name" out)"
        done
    done
    for target in qcow2 vpc vhdx; do
        rm -f out
        "$instar" convert -O $target raw-0 out
        same "qemu-img reads an empty $target" 0 \
            "$(qemu-img info --output json -f $target out | sed -n 's/.*"virtual-size": \([0-9]*\).*/\1/p')"
        same "an empty $target is not larger than measured" 1 \
            $(($(stat -c %s out) <= 65536 + $("$instar" measure -O $target raw-0 | sed -n 's/^fully.*: //p')))
    done
    # No block status for qemu-img, but a size that convert keeps.
    same "measure vhdx -O vhdx counts the blocks that are present" 7340032 \
        "$("$instar" measure -O vhdx --block-size 1048576 vhdx-block_size=1M | sed -n 's/^required size: //p')"
    same "a qcow2 of 512-byte clusters cannot hold 2 TiB" \
        "$(status qemu-img convert -f raw -O qcow2 -o cluster_size=512 raw-2T theirs)" \
        "$(status "$instar" convert -O qcow2 --cluster-size 512 raw-2T out)"
    # Milliseconds; many minutes where they are read.
    same "2 TiB of holes cost no time" 0 "$(status timeout 60 "$instar" convert -O qcow2 raw-2T out)"
    [ -e missing ] || "$instar" convert -O vmdk raw-0 partial 2>/dev/null || true
    same "a failed conversion leaves nothing" no "$([ -e partial ] && echo yes || echo no)"
}

# A disk in two files: both are replaced, neither is left behind, neither may be the source.
convert_flat() {
    local flat="convert -O vmdk --subformat monolithicFlat"
    # shellcheck disable=SC2086 # several words
    flat() { status "$instar" $flat "$@"; }
    echo stale >flat.vmdk
    truncate -s 9M flat-flat.vmdk
    same "a flat disk replaces both files of an older one" "0 1000448" \
        "$(flat raw-1000000 flat.vmdk) $(stat -c %s flat-flat.vmdk)"
    same "... and is what qemu-img calls monolithicFlat" monolithicFlat \
        "$(qemu-img info --output json -f vmdk flat.vmdk | sed -n 's/.*"create-type": "\(.*\)".*/\1/p')"
    same "... and keeps the holes of its source" 0 "$(flat raw-scattered flat.vmdk >/dev/null
        echo $(($(stat -c %b flat-flat.vmdk) * 512 > 65536)))"
    cp vmdk- cut
    truncate -s $(($(stat -c %s vmdk-) - 100000)) cut
    same "a failed flat conversion leaves nothing" "1 1 0" \
        "$(flat raw-0 partial.vmdk) $(flat cut partial.vmdk) $(find . -name 'partial*' | wc -l)"
    same "no file of the source is an output" "1 1 1 1" \
        "$(flat flat.vmdk flat.vmdk) $(flat flat-flat.vmdk flat.vmdk) $(flat flat.vmdk flat-flat.vmdk) $(status "$instar" convert flat.vmdk flat-flat.vmdk)"
    same "... and it is whole" 0 "$(status qemu-img compare -f vmdk -F raw flat.vmdk raw-scattered)"
    same "an extent that is not there" "1 1" \
        "$(mv flat-flat.vmdk away; status "$instar" info flat.vmdk) $(status qemu-img info flat.vmdk)"
    same "children of all extents from 8.0 on" "extents.1 extents.0 file" \
        "$("$instar" info vmdk-3G-twoGbMaxExtentFlat --output json --qemu-version 8.0 | sed -n 's/.*"name": "\(.*\)",/\1/p' | xargs)"
}

# --- the command line -------------------------------------------------------------------------
exits() { # STATUS ARGUMENTS...
    local want=$1
    shift
    same "exit $want: $*" "$want" "$(status "$instar" "$@")"
}

command_line() {
    local q=qcow2-empty r=raw-1000000 command
    same "measure's bytes" '{\n    "bitmaps": 0,\n    "required": 327680,\n    "fully-allocated": 1376256\n}\n' \
        "$("$instar" measure $q --output=json -O qcow2 | sed 's/$/\\n/' | tr -d '\n')"
    same "measure's bytes without bitmaps" '{\n    "required": 1000448,\n    "fully-allocated": 1000448\n}\n' \
        "$("$instar" measure --output json $r | sed 's/$/\\n/' | tr -d '\n')"
    same "measure in words" "required size: 22528 fully allocated size: 1071104" \
        "$("$instar" measure -O qcow2 --size 1M --cluster-size 512 | tr '\n' ' ' | sed 's/ $//')"
    same "measure -O vmdk" "13312 1061888" "$("$instar" measure -O vmdk -s1m | sed 's/.*: //' | xargs)"
    same "measure -O vmdk stream" "65536 1114112" \
        "$("$instar" measure -Ovmdk -o subformat=streamOptimized --size=1M | sed 's/.*: //' | xargs)"
    same "measure -O vpc" "4096 1074008064" "$("$instar" measure -O=vpc --size 1G | sed 's/.*: //' | xargs)"
    same "measure -O vpc fixed" "1073742336 1073742336" \
        "$("$instar" measure -O vpc -o subformat=fixed --size 1G | sed 's/.*: //' | xargs)"
    same "measure -O vhdx" "4194304 1077936128" "$("$instar" measure -O vhdx --size 1G | sed 's/.*: //' | xargs)"
    same "version" "instar stand-in 0.1 (not instar; imitates its command line)" \
        "$("$instar" --version | head -n 1)"
    same "help says what it is not" yes "$("$instar" --help | grep -q 'NOT instar' && echo yes)"
    same "plain raw is unknown to info" '"format":"unknown",' \
        "$("$instar" info --output json $r | grep '^    "format"' | tr -d ' ')"
    same "children from 8.0 on" "0 1" "$("$instar" info $q --output json --qemu-version 7.2 | grep -c '"children": \[$' || true) $("$instar" info $q --output json --qemu-version 8.0.1 | grep -c '^    "children": \[$')"
    same "check's JSON keys" "filename format check-errors corruptions leaks refcount-errors image-end-offset total-clusters allocated-clusters fragmented-clusters dirty corrupt chain-errors subcluster-errors repair-incomplete" \
        "$("$instar" check --output json $q | sed -n 's/^    "\([a-z-]*\)".*/\1/p' | xargs)"
    same "a missing file, in Rust's words" \
        'Error: Os { code: 2, kind: NotFound, message: "No such file or directory" }' \
        "$("$instar" info missing 2>&1 || true)"
    for command in copy dd create resize rebase commit amend bitmap bench snapshot config; do
        same "$command is not here" 'Error: "'$command': not in this stand-in"' "$("$instar" $command x 2>&1 || true)"
        exits 1 $command
    done
    exits 0 --help
    exits 0 measure --help
    exits 2
    exits 2 nonsense
    exits 2 info
    exits 2 info -f qcow2 $q
    exits 2 info $q $q
    exits 2 info --output xml $q
    exits 2 info --sector-size many $q
    exits 2 measure --size 1M $q
    exits 2 measure -O floppy $q
    exits 2 measure --cluster-size 64k -O qcow2 $q
    exits 2 measure -O raw -O raw $q
    exits 2 measure --image-opts $q
    exits 1 map --image-opts $q
    exits 2 map $q $q
    exits 0 compare $q $q
    exits 2 compare $q
    exits 2 compare -f raw $q $q
    exits 1 compare $q missing
    exits 2 convert $q
    exits 2 convert -o cluster_size=512 $q out
    exits 2 convert -f raw $q out
    exits 2 convert --cluster-size
    exits 1 info --sector-size 1000 $q
    exits 1 info --qemu-version new $q
    exits 0 info --sector-size=512 -v $q
    exits 1 info missing
    exits 1 check missing
    exits 1 measure missing
    exits 1 convert missing out
    exits 1 measure
    exits 1 measure --size 1.5G
    exits 0 measure --size 0
    exits 1 measure -O raw -o size=1 $q
    exits 1 measure -O qcow2 -o nonsense=1 $q
    exits 1 measure -O qcow2 -o backing_file=x $q
    exits 1 measure -O vpc -o block_size=2M $q
    exits 0 measure -O vpc --block-size 2097152 $q
    exits 1 measure -O qcow2 --cluster-size 4194304 $q
    exits 1 measure -O qcow2 --refcount-bits 3 $q
    exits 0 measure -O raw --cluster-size 4194304 -f qcow2 $q
    exits 1 measure -O raw -f vmdk $q
    exits 1 convert -O qcow2 --cluster-size 1000 $q out
    exits 1 convert -O qcow2 --cluster-size 4194304 $q out
    exits 1 convert -O qcow2 --extended-l2 --cluster-size 8192 $q out
    exits 0 convert -O raw --cluster-size 1000 $q out
    exits 1 convert -O vmdk --grain-size 2048 $q out
    exits 1 convert -O qcow2 --grain-size 4096 $q out
    exits 1 convert -O qcow2 --block-size 1048576 $q out
    exits 1 convert -O vhdx --block-size 524288 $q out
    exits 0 convert -O vpc --block-size 524288 $q out
    exits 1 convert -c -O raw $q out
    exits 1 convert -c -O vmdk --subformat monolithicFlat $q out
    exits 1 convert -O raw $q $q
    same "the source is as it was" 0 "$(status qemu-img check $q)"
    "$instar" convert -O vmdk -c $r out
    same "-c -O vmdk is streamOptimized" streamOptimized \
        "$(qemu-img info --output json -f vmdk out | sed -n 's/.*"create-type": "\(.*\)".*/\1/p')"
    "$instar" convert -O vpc $r out
    same "vpc keeps the exact size" 1000448 \
        "$(qemu-img info --output json -f vpc out | sed -n 's/.*"virtual-size": \([0-9]*\).*/\1/p')"
}

# --- damaged sources --------------------------------------------------------------------------
damage() { # WHAT NAME FORMAT OFFSET BYTES: both refuse, or both accept
    local what=$1 name=$2 format=$3 offset=$4 bytes=$5
    cp "$name" damaged
    # shellcheck disable=SC2059 # the bytes are escapes
    printf "$bytes" | dd of=damaged bs=1 seek="$offset" conv=notrunc status=none
    rm -f theirs out
    same "$what" \
        "$(status qemu-img measure -f "$format" -O raw damaged) $(status qemu-img convert -f "$format" -O raw damaged theirs)" \
        "$(status "$instar" measure -O raw damaged) $(status "$instar" convert -O raw damaged out)"
}
damages() {
    damage "qcow2 version 9" qcow2-c65536 qcow2 7 '\011'
    damage "qcow2 cluster_bits 8" qcow2-c65536 qcow2 23 '\010'
    damage "qcow2 cluster_bits 30" qcow2-c65536 qcow2 23 '\036'
    damage "qcow2 unknown incompatible feature" qcow2-c65536 qcow2 72 '\001'
    damage "qcow2 dirty bit" qcow2-c65536 qcow2 79 '\001'
    damage "qcow2 corrupt bit" qcow2-c65536 qcow2 79 '\002'
    damage "qcow2 encrypted" qcow2-c65536 qcow2 35 '\001'
    damage "qcow2 L1 offset unaligned" qcow2-c65536 qcow2 47 '\001'
    damage "qcow2 L1 table too short" qcow2-c65536 qcow2 36 '\000\000\000\000'
    damage "qcow2 refcount order 7" qcow2-c65536 qcow2 99 '\007'
    damage "vmdk version 9" vmdk- vmdk 4 '\011'
    damage "vmdk grain of 0 sectors" vmdk- vmdk 20 '\000\000\000\000'
    damage "vpc checksum" vpc-force_size=on vpc 64 '\001\002\003\004'
    local bit
    for bit in 1 2; do # dirty, corrupt
        cp qcow2-c65536 flagged
        # shellcheck disable=SC2059
        printf "\\00$bit" | dd of=flagged bs=1 seek=79 conv=notrunc status=none
        same "info of incompatible feature $bit" \
            "$(qemu-img info -f qcow2 --output json flagged | info_words)" \
            "$("$instar" info --qemu-version 7.2 --output json flagged | info_words)"
    done
}

# --- lies -------------------------------------------------------------------------------------
# differs NAME A B: the lie changed something
differs() {
    if [ "$2" != "$3" ]; then ok "$1"; else not_ok "$1" "both: $2"; fi
}
measured() { # LIE ARGUMENTS...
    local lie=$1
    shift
    STANDIN_LIE=$lie "$instar" measure --output json "$@" | tr -d ' \n'
}

lies() {
    same "an unknown lie is a usage error" 2 "$(STANDIN_LIE=white status "$instar" --version)"
    same "every lie is known by its name" 0 \
        "$(STANDIN_LIE=$("$instar" lies | awk '{print $1}' | paste -sd,) status "$instar" --version)"
    same "every lie is documented or planted" "" \
        "$("$instar" lies | grep -vE '^[a-z0-9-]+ +(documented .*; by instar.s (documentation|source)|planted .*) \[[a-z_]+\]$')"
    same "it plays instar only if it is asked to" "0 1 1" \
        "$(for lie in raw-without-seek-hole as-instar,raw-without-seek-hole documented; do
            STANDIN_LIE=$lie "$instar" --version | grep -c ', playing instar 0.3.0 (not instar'
        done | paste -sd' ')"
    same "playing instar changes no answer by itself" "$(measured "" -O qcow2 raw-scattered)" \
        "$(measured as-instar -O qcow2 raw-scattered)"
    same "and documented is every documented lie" \
        "$(measured raw-without-seek-hole -O qcow2 raw-scattered)" \
        "$(measured documented -O qcow2 raw-scattered)"
    same "raw-without-seek-hole" '{"required":17104896,"fully-allocated":17104896}' \
        "$(measured raw-without-seek-hole -O qcow2 raw-scattered)"
    differs "qcow2-zero-clusters-allocated" "$(measured "" -O qcow2 qcow2-c65536)" \
        "$(measured qcow2-zero-clusters-allocated -O qcow2 qcow2-c65536)"
    same "bitmaps-omitted" '{"required":327680,"fully-allocated":1376256}' \
        "$(measured bitmaps-omitted -O qcow2 qcow2-empty)"
    same "measure-trailing-comma" '{"fully-allocated":512,"required":512,}' \
        "$(measured measure-trailing-comma raw-512)"
    STANDIN_LIE=vhd-chs-size "$instar" convert -O vpc raw-full lied
    same "vhd-chs-size cuts the disk" 3133440 \
        "$(qemu-img info --output json -f vpc lied | sed -n 's/.*"virtual-size": \([0-9]*\).*/\1/p')"
    STANDIN_LIE=vmdk-64k-sectors "$instar" convert -O vmdk --grain-size 4096 raw-full lied
    same "vmdk-64k-sectors inflates beyond fully-allocated" 1 \
        $(($(stat -c %s lied) > 65536 + $("$instar" measure -O vmdk --grain-size 4096 raw-full | sed -n 's/^fully.*: //p')))
    same "... and keeps the content" 0 "$(status qemu-img compare -f raw -F vmdk raw-full lied)"
    STANDIN_LIE=vpc-64k-sectors "$instar" convert -O vpc --block-size 524288 raw-full lied
    same "vpc-64k-sectors pads tables and blocks" $((4 * 65536 + 6 * (524288 + 65536))) \
        "$(stat -c %s lied)"
    same "... and keeps the content" 0 "$(status qemu-img compare -f raw -F vpc raw-full lied)"
    same "... and passes its own check" 0 "$(status "$instar" check lied)"
    same "... and has its footer in the last sector" conectix \
        "$(tail -c 512 lied | head -c 8)"
    same "vhdx-blocks-counted" '{"required":3473408,"fully-allocated":21299200}' \
        "$(measured vhdx-blocks-counted -O qcow2 vhdx-block_size=1M)"
    differs "units-not-counted" "$(measured "" -O qcow2 --cluster-size 2097152 vmdk-zeroed_grain=on)" \
        "$(measured units-not-counted -O qcow2 --cluster-size 2097152 vmdk-zeroed_grain=on)"
    same "... of clusters as large as grains is no lie" "$(measured "" -O qcow2 vmdk-zeroed_grain=on)" \
        "$(measured units-not-counted -O qcow2 vmdk-zeroed_grain=on)"
    STANDIN_LIE=wrong-byte-near-end "$instar" convert -O qcow2 raw-full lied
    same "wrong-byte-near-end" 1 "$(status qemu-img compare -f raw -F qcow2 raw-full lied)"
    STANDIN_LIE=wrong-byte-near-end "$instar" convert -O qcow2 qcow2-empty lied
    same "... has no byte to flip in an empty disk" 0 \
        "$(status qemu-img compare -f qcow2 -F qcow2 qcow2-empty lied)"
    same "success-where-qemu-fails: a vpc of 2 TiB" 0 \
        "$(STANDIN_LIE=success-where-qemu-fails status "$instar" convert -O vpc raw-2T lied)"
    printf 'QFI\373\0\0\0\011' >broken
    for words in "info broken" "measure broken" "convert broken lied"; do
        # shellcheck disable=SC2086 # a command and its operands
        same "refused-read-as-raw: $words" "1 1 0" \
            "$(status qemu-img info -f qcow2 broken) $(status "$instar" $words) $(STANDIN_LIE=refused-read-as-raw status "$instar" $words)"
    done
    image stream vmdk subformat=streamOptimized 1M "write -P 1 0 64k"
    same "vmdk-footer-not-measured: a directory that the header names" 0 \
        "$(STANDIN_LIE=vmdk-footer-not-measured status "$instar" measure stream)"
    "$instar" convert -c -O vmdk raw-full stream
    same "... and a footer" "0 1" \
        "$(status "$instar" measure stream) $(STANDIN_LIE=vmdk-footer-not-measured status "$instar" measure stream)"
    truncate -s "$((($(stat -c %s stream) / 65536 + 1) * 65536 - 1536))" padded
    dd if=stream of=padded conv=notrunc status=none
    tail -c 1536 stream >>padded
    same "... that ends a sector of 64 KiB" 0 "$(STANDIN_LIE=vmdk-footer-not-measured status "$instar" measure padded)"
    same "hang-on-cluster-size" "124 124 0" \
        "$(STANDIN_LIE=hang-on-cluster-size status timeout 0.3 "$instar" convert qcow2-c4096 lied) $(STANDIN_LIE=hang-on-cluster-size status timeout 0.3 "$instar" measure qcow2-c4096) $(STANDIN_LIE=hang-on-cluster-size status timeout 5 "$instar" measure qcow2-c512)"
}

# Lies about files below, extents, bitmaps and formats.
lies_of_parts() {
    image own-clusters qcow2 "" 4M "write -P 1 3M 64k"
    image over-raw qcow2 backing_file=raw-full,backing_fmt=raw 4M "write -P 1 3M 64k"
    differs "backing-ignored-by-measure" "$(measured "" -O qcow2 over-raw)" \
        "$(measured backing-ignored-by-measure -O qcow2 over-raw)"
    same "... and counts the clusters of the file itself" "$(measured "" -O qcow2 own-clusters)" \
        "$(measured backing-ignored-by-measure -O qcow2 over-raw)"
    image over-holes qcow2 backing_file=raw-scattered,backing_fmt=raw 16M
    same "raw-without-seek-hole is about the source, not about files below it" \
        "$(measured "" -O qcow2 over-holes)" "$(measured raw-without-seek-hole -O qcow2 over-holes)"
    image over-vmdk vmdk backing_file=vmdk-,backing_fmt=vmdk 10M "write -P 7 5M 64k"
    "$instar" convert -O raw over-vmdk lied
    same "a vmdk shows its parent" 0 "$(status qemu-img compare -f vmdk -F raw over-vmdk lied)"
    STANDIN_LIE=parent-ignored "$instar" convert -O raw over-vmdk lied
    same "parent-ignored" 1 "$(status qemu-img compare -f vmdk -F raw over-vmdk lied)"
    same "... and keeps what the file has itself" 0 \
        "$(status qemu-io -f raw -c "read -P 7 5M 64k" lied)"
    STANDIN_LIE=parent-ignored "$instar" convert -O vmdk over-vmdk lied
    same "... and writes no less than it measured" 0 \
        "$(status qemu-img compare -f vmdk -F vmdk over-vmdk lied)"
    STANDIN_LIE=parent-ignored "$instar" convert -O raw over-raw lied
    same "... and shows the file below a qcow2" 0 \
        "$(status qemu-img compare -f qcow2 -F raw over-raw lied)"
    STANDIN_LIE=grain-cut-at-cluster "$instar" convert -O vmdk qcow2-snapshots-c512 lied
    same "grain-cut-at-cluster" 1 \
        "$(status qemu-img compare -f qcow2 -F vmdk qcow2-snapshots-c512 lied)"
    STANDIN_LIE=grain-cut-at-cluster "$instar" convert -O vmdk qcow2-c65536 lied
    same "... keeps clusters as large as grains" 0 \
        "$(status qemu-img compare -f qcow2 -F vmdk qcow2-c65536 lied)"
    same "format-ignored-by-measure" '{"required":1048576,"fully-allocated":1048576}' \
        "$(measured format-ignored-by-measure -f raw -O raw qcow2-empty)"
    same "bitmaps-zero" "$(measured "" -O qcow2 qcow2-bitmaps-c512 | sed 's/"bitmaps":[0-9]*/"bitmaps":0/')" \
        "$(measured bitmaps-zero -O qcow2 qcow2-bitmaps-c512)"
    differs "... of an image that has some" "$(measured "" -O qcow2 qcow2-bitmaps-c512)" \
        "$(measured bitmaps-zero -O qcow2 qcow2-bitmaps-c512)"
    differs "vmdk-extents-miscounted" "$(measured "" -O raw vmdk-3G-twoGbMaxExtentSparse)" \
        "$(measured vmdk-extents-miscounted -O raw vmdk-3G-twoGbMaxExtentSparse)"
    same "... of one extent is no lie" "$(measured "" -O raw vmdk-)" \
        "$(measured vmdk-extents-miscounted -O raw vmdk-)"
    same "... nor for a target that qemu-img does not measure" \
        "$(measured "" -O vhdx vmdk-3G-twoGbMaxExtentSparse)" \
        "$(measured vmdk-extents-miscounted -O vhdx vmdk-3G-twoGbMaxExtentSparse)"
}

# Lies about map and compare, and those that show in a relation between two answers alone.
lies_of_relations() {
    "$instar" convert -O qcow2 raw-scattered honest
    STANDIN_LIE=qcow2-tail-left "$instar" convert -O qcow2 raw-scattered lied
    same "qcow2-tail-left" $(($(stat -c %s honest) + 262144)) "$(stat -c %s lied)"
    same "... and passes qemu-img's check" 0 "$(status qemu-img check -f qcow2 lied)"
    truncate -s 4M holes
    STANDIN_LIE=compressed-holes-stored "$instar" convert -c -O qcow2 holes lied
    same "compressed-holes-stored" 64 \
        "$(qemu-img check -f qcow2 --output json lied | sed -n 's/.*"allocated-clusters": \([0-9]*\).*/\1/p')"
    same "... and keeps the content" 0 "$(status qemu-img compare -f qcow2 -F raw lied holes)"
    STANDIN_LIE=compressed-holes-stored "$instar" convert -O qcow2 holes lied
    "$instar" convert -O qcow2 holes honest
    same "... with -c alone" "$(stat -c %s honest)" "$(stat -c %s lied)"
    mapped() { STANDIN_LIE=$1 "$instar" map --qemu-version 7.2 --output json "$2"; }
    differs "map-zero-clusters-as-data" "$(mapped "" qcow2-c65536)" "$(mapped map-zero-clusters-as-data qcow2-c65536)"
    same "... of an image without any" "$(mapped "" qcow2-empty)" "$(mapped map-zero-clusters-as-data qcow2-empty)"
    differs "map-reads-zeros" "$(mapped "" qcow2-c65536)" "$(mapped map-reads-zeros qcow2-c65536)"
    same "... of an image without any" "$(mapped "" qcow2-empty)" "$(mapped map-reads-zeros qcow2-empty)"
    cp raw-full changed
    printf x | dd of=changed bs=1 seek=65536 conv=notrunc status=none
    same "compare-first-cluster-only" "1 0" \
        "$(status "$instar" compare raw-full changed) $(STANDIN_LIE=compare-first-cluster-only status "$instar" compare raw-full changed)"
    printf x | dd of=changed bs=1 seek=65535 conv=notrunc status=none
    same "... does look there" 1 "$(STANDIN_LIE=compare-first-cluster-only status "$instar" compare raw-full changed)"
    image lost qcow2 "" 1M "write -P 1 0 64k"
    printf '\0\0' | dd of=lost bs=1 seek=131072 conv=notrunc status=none # the header's refcount
    same "lost-refcounts-unseen" "2 2 0" "$(status qemu-img check -f qcow2 lost) $(status "$instar" check lost) $(STANDIN_LIE=lost-refcounts-unseen status "$instar" check lost)"
    image leaked qcow2 "" 1M "write -P 1 0 64k"
    truncate -s +64K leaked
    printf '\0\1' | dd of=leaked bs=1 seek=$((131072 + 2 * ($(stat -c %s leaked) / 65536 - 1))) conv=notrunc status=none
    same "leaks-unseen" "3 3 0" "$(status qemu-img check -f qcow2 leaked) $(status "$instar" check leaked) $(STANDIN_LIE=leaks-unseen status "$instar" check leaked)"
    leaks() { STANDIN_LIE=$1 "$instar" check --output json leaked 2>/dev/null | sed -n 's/ *"leaks": //p'; }
    same "leaks-not-counted" "1, 0, 3" "$(leaks "") $(leaks leaks-not-counted) $(STANDIN_LIE=leaks-not-counted status "$instar" check leaked)"
    image overlapping vmdk "" 1M "write -P 1 0 128k"
    sector_at() { echo $(($(od -An -v -tu4 --endian=little -j "$1" -N 4 overlapping) * 512)); }
    table=$(sector_at "$(sector_at 56)")
    dd if=overlapping of=entry bs=1 skip="$table" count=4 status=none
    dd if=entry of=overlapping bs=1 seek=$((table + 4)) conv=notrunc status=none
    same "tables-unchecked" "2 0" "$(status "$instar" check overlapping) $(STANDIN_LIE=tables-unchecked status "$instar" check overlapping)"
    STANDIN_LIE=extended-l2-forgotten "$instar" convert -O qcow2 --extended-l2 raw-full lied
    same "extended-l2-forgotten" 1 "$(qemu-img info -f qcow2 lied | grep -c 'extended l2: false')"
    same "... and keeps the content" 0 "$(status qemu-img compare -f raw -F qcow2 raw-full lied)"
    differs "map-offsets-from-first-run" "$(mapped "" raw-scattered)" "$(mapped map-offsets-from-first-run raw-scattered)"
    same "... of a disk that begins with data" "$(mapped "" raw-full)" "$(mapped map-offsets-from-first-run raw-full)"
}

make_images
measure_all
map_all
compare_all
info_all
check_all
convert_all
convert_snapshots
convert_edges
convert_flat
command_line
damages
lies
lies_of_parts
lies_of_relations
finish
