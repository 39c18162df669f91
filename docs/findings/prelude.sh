# SPDX-License-Identifier: Apache-2.0
#
# What every reproduce.sh begins with: a scratch folder that is removed at the end, and the few words
# that the scripts are written in. QEMU_IMG= and QEMU_IO= try another build.
# shellcheck shell=sh disable=SC2034 # `gone` is what every script ends with
set -u
export LC_ALL=C
: "${QEMU_IMG:=qemu-img}" "${QEMU_IO:=qemu-io}"
for tool in "$QEMU_IMG" "$QEMU_IO"; do
    command -v "$tool" >/dev/null || { echo "needs $tool"; exit 77; }
done
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 2
gone=0

# shows WHAT EXPECTED ACTUAL: prints one fact; another value than expected ends with status 1.
shows() {
    echo "$1: $3"
    [ "$2" = "$3" ] && return
    echo "    expected $2: this no longer reproduces"
    gone=1
}
# member NAME: the value of a member of the outermost JSON object on stdin.
member() {
    while IFS= read -r line; do
        case $line in
        "    \"$1\": "*)
            line=${line#*: }
            echo "${line%,}"
            return
            ;;
        esac
    done
    echo absent
}
# status COMMAND...: its exit status; what it printed is in the file `said`.
status() {
    "$@" >said 2>&1
    echo $?
}
says() { # TEXT: is it in `said`?
    case $(cat said) in *"$1"*) echo yes ;; *) echo no ;; esac
}
img() { "$QEMU_IMG" "$@"; }
create() { "$QEMU_IMG" create -q "$@" >/dev/null 2>&1; }
convert() { "$QEMU_IMG" convert "$@"; }
virtual_size() { "$QEMU_IMG" info --output=json -f "$1" "$2" 2>/dev/null | member virtual-size; } # FORMAT FILE
# measured NAME ARGUMENTS...: the value of a member of measure's answer.
measured() {
    name=$1
    shift
    "$QEMU_IMG" measure --output=json "$@" 2>/dev/null | member "$name"
}
length() { stat -c %s "$1"; }
# patch FILE OFFSET ESCAPES: bytes in printf's octal escapes.
patch() {
    # shellcheck disable=SC2059 # the escapes are the point
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
version() { # "7.2"
    version=$("$QEMU_IMG" --version)
    version=${version#qemu-img version }
    major=${version%%.*}
    version=${version#*.}
    echo "$major.${version%%[!0-9]*}"
}
