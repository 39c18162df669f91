# SPDX-License-Identifier: Apache-2.0
#
# What each script of ci/ and bench/ reads first: asked with -h or --help, it prints its own first comment,
# which says what it does and takes, and ends; so that none begins hours of work when it is asked what it is.
# shellcheck shell=sh
case ${1:-} in -h | --help)
    awk 'NR > 3 && !/^#/ {exit} NR > 3 {sub(/^# ?/, ""); print}' "$0"
    exit 0 ;;
esac

# takes_no_words "$@": for a script that variables alone steer.
takes_no_words() {
    [ $# = 0 ] && return
    echo "${0##*/} takes no words (got '$1'); --help says which variables it takes" >&2
    exit 2
}
