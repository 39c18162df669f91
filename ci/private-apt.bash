# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# apt with lists and a cache of its own, for what is fetched and not installed: source packages, another
# suite's binaries. To be sourced; no file of the system is changed.

# The files of apt's configuration that name the distribution itself, not somebody else's packages.
distribution_entries() {
    local ids
    # shellcheck disable=SC1091 # a file of the system's
    ids=$(. /etc/os-release && echo "$ID ${ID_LIKE:-}")
    # shellcheck disable=SC2016 # apt's variables, not the shell's
    apt-get indextargets --format '$(ORIGIN)|$(SOURCESENTRY)' 'Created-By: Packages' 2>/dev/null |
        awk -F '|' -v ids="$ids" 'BEGIN {split(ids, known, " ")}
            {for (i in known) if (index(tolower($1), known[i]) == 1) {sub(/:[0-9]*$/, "", $2); print $2; next}}' |
        sort -u
}

# private_apt FOLDER SOURCES-SED LIST-SED: from here on apt uses FOLDER, with the distribution's entries
# as the one sed program makes them of a file of stanzas (.sources), the other of one of lines. The names
# of those files are in FOLDER/entries, which is empty where apt has no lists yet.
private_apt() {
    local folder=$1 entry
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial" "$folder/parts" || return
    rm -f "$folder"/parts/*
    distribution_entries >"$folder/entries"
    while read -r entry; do
        case $entry in
        *.sources) sed "$2" "$entry" ;;
        *) sed -n "$3" "$entry" ;;
        esac >"$folder/parts/$(basename "$entry")"
    done <"$folder/entries"
    cat >"$folder/options" <<END
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$folder/parts";
Dir::State::Lists "$folder/lists";
Dir::Cache "$folder/cache";
APT::Sandbox::User "";
Acquire::Retries "2";
END
    export APT_CONFIG=$folder/options
}
