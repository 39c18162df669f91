# SPDX-License-Identifier: Apache-2.0
#
# Which edges of an instrumented program belong to which source file: "first, count, file", a tab
# between. The runtime numbers the guards of a program as they lie in it (clang's section
# __sancov_guards, four bytes an edge), and the linker's map has what each object put there. The source
# of an object is ninja's to say: an object's name does not tell a folder from an underscore.
#
#   awk -f ci/edges.awk build.ninja link.map        fails where an edge would belong to nobody
function hex(word,  i, value) {
    for (i = 3; i <= length(word); i++) value = value * 16 + index("0123456789abcdef", substr(word, i, 1)) - 1
    return value
}
function put() { if (count) printf "%d\t%d\t%s\n", first, count, file }
# build OBJECT: c_COMPILER SOURCE | ...
FNR == NR {
    if ($1 == "build" && $3 == "c_COMPILER") {sub(/:$/, "", $2); sub(/^(\.\.\/)+/, "", $4); source[$2] = $4}
    next
}
/^Linker script and memory map/ {in_map = 1}
!in_map {next}
# A long name has address, size and object on the next line.
/^ ?__sancov_guards$/ {if ((getline more) <= 0) exit 1; $0 = $0 " " more}
$1 != "__sancov_guards" || $2 !~ /^0x/ {next}
/^_/ {at = start = hex($2); end = start + hex($3); next}
{
    if (hex($2) != at || !($4 in source)) {print "not in order: " $0 >"/dev/stderr"; failed = 1; exit 1}
    if (source[$4] != file) {put(); first = (at - start) / 4; count = 0; file = source[$4]}
    count += hex($3) / 4
    at += hex($3)
}
END {
    if (!failed) put()
    exit failed || at != end || !count
}
