# SPDX-License-Identifier: Apache-2.0
#
# What a campaign's folder holds and how it is read; for ci/campaign and ci/campaign-supervisor, which
# set DIR to its absolute path.
#
#   campaign.conf    what start was told: engine, bounds, and the variables that its programs see
#   program/         copies of the programs, seeds and dictionary, so that a build changes no campaign
#   lock, pid, go    held by the supervisor, its number, and what is there until it shall end
#   state            "starting", "running", or how it ended: one line
#   sitting, seconds how often it was started, and for how long it has run in all
#   jobs/NAME        one file a job of this sitting: its number, starts, what it was started with
#   timeline.tsv     a row of totals each minute (docs/report.md)
#   afl/, corpus/    what AFL++ and libFuzzer keep; crashes/ of libFuzzer; log/
#   stats/, findings/, seen/, ...   the harness's own: DIR is its INSTAR_FUZZ_OUT
#   index.html       the page
# shellcheck shell=bash

# put FILE: stdin becomes the file, whole or not at all.
put() { cat >"$1.new" && mv "$1.new" "$1"; }
read_or() { cat "$1" 2>/dev/null || echo "$2"; }
is_number() { case ${1:-} in '' | *[!0-9]* | 0?*) return 1 ;; esac; } # as bash reads it: no octal

# Is there as much left on the folder's file system as shall stay free?
FREE_KIB=$((1 << 20))
has_room() {
    local free
    free=$(df -Pk "$DIR" | awk 'NR == 2 {print $4}')
    [ "${free:-$FREE_KIB}" -ge $FREE_KIB ]
}

# Does a supervisor hold the lock? It goes with the process, however that ends.
# A look is shared: two at once do not take each other for a supervisor.
is_running() {
    [ -e "$DIR/lock" ] || return
    flock -n -s -E 75 "$DIR/lock" true
    [ $? = 75 ]
}

# Processes that count for this campaign have this in their environment, and the supervisor has not. It
# is a name of its own: INSTAR_FUZZ_OUT may be set in somebody's shell, and then in all that is started
# there.
processes() { grep -lsazxF "INSTAR_CAMPAIGN=$DIR" /proc/[0-9]*/environ | cut -d / -f 3; }

# end_processes: what a killed supervisor left behind, or a stopped one's engines; first in peace, after
# ten seconds without. 1: some would not go.
end_processes() {
    local signal began left
    for signal in TERM KILL; do
        mapfile -t left < <(processes)
        [ ${#left[@]} = 0 ] || kill -$signal "${left[@]}" 2>/dev/null
        began=$SECONDS
        while mapfile -t left < <(processes); do
            [ ${#left[@]} -gt 0 ] || return 0
            [ $((SECONDS - began)) -lt 10 ] || break
            sleep 0.2
        done
        [ $signal = KILL ] || echo "after 10 s these have not ended: $(ps -o pid=,args= -p "$(IFS=,; echo "${left[*]}")" | cut -c 1-120)" >&2
    done
    return 1
}

# "3 d 4 h", "12 min", "8 s": the two largest units.
in_words() {
    local s=$1
    if [ "$s" -ge 86400 ]; then echo "$((s / 86400)) d $((s % 86400 / 3600)) h"
    elif [ "$s" -ge 3600 ]; then echo "$((s / 3600)) h $((s % 3600 / 60)) min"
    elif [ "$s" -ge 60 ]; then echo "$((s / 60)) min $((s % 60)) s"
    else echo "$s s"; fi
}

# of_stats FILE NAME: a value of AFL++'s fuzzer_stats, or nothing.
of_stats() { sed -n "s/^$2 *: *\([^ %]*\).*/\1/p" "$1" 2>/dev/null | head -n 1; }

# most NAME: the largest value over the jobs; each imports what the others found.
most() {
    local stats value most=0
    for stats in "$DIR"/afl/*/fuzzer_stats; do
        value=$(of_stats "$stats" "$1")
        if is_number "$value" && [ "$value" -gt "$most" ]; then most=$value; fi
    done
    echo "$most"
}

# What engines kept, and how much of what they feel it reaches: edges of AFL++'s map, or libFuzzer's
# features.
corpus_size() {
    case $ENGINE in
    afl) most corpus_count ;;
    libfuzzer) find "$DIR/corpus" -type f 2>/dev/null | wc -l ;;
    esac
}
features() {
    local log last most=0
    case $ENGINE in
    afl) most edges_found ;;
    libfuzzer)
        for log in "$DIR"/log/libfuzzer-*.log; do
            last=$(tail -n 200 "$log" 2>/dev/null | sed -n 's/.* ft: \([0-9]*\) .*/\1/p' | tail -n 1)
            if is_number "$last" && [ "$last" -gt "$most" ]; then most=$last; fi
        done
        echo "$most" ;;
    esac
}
