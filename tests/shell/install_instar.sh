#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ci/install-instar, with packages made here of the stand-in and served from loopback: what is
# unpacked, what is refused, and what it says of a machine that cannot run it.
# shellcheck source=tests/shell/lib.bash
. "$(dirname "$0")/lib.bash"
[ -x "$STANDIN" ] || { echo "the stand-in is not built"; exit 77; }
install() { (cd "$ROOT" && SUMS=${SUMS:-$SCRATCH/sums} KVM=${KVM:-/dev/null} ci/install-instar "$@"); }
says() { # says STATUS PATTERN COMMAND...
    local expected=$1 pattern=$2
    shift 2
    "$@" >"$SCRATCH/said" 2>&1
    local got=$?
    cat "$SCRATCH/said"
    [ "$got" = "$expected" ] || { echo "expected status $expected, got $got"; return 1; }
    grep -q -- "$pattern" "$SCRATCH/said"
}

# --- packages: version 9.8.7 in the three forms ----------------------------------------------------
V=9.8.7 TGZ=$SCRATCH/served/v9.8.7/instar-v9.8.7-x86_64-unknown-linux-gnu.tar.gz
mkdir -p "$(dirname "$TGZ")" "$SCRATCH/tree/instar-$V" "$SCRATCH/deb/DEBIAN" "$SCRATCH/deb/usr/bin" "$SCRATCH/deb/usr/lib/instar"
cp "$STANDIN" "$SCRATCH/tree/instar-$V/instar"
for guest in core info check measure convert compare map; do echo "$guest" >"$SCRATCH/tree/instar-$V/$guest.bin"; done
tar -czf "$TGZ" -C "$SCRATCH/tree" "instar-$V"
cp "$STANDIN" "$SCRATCH/deb/usr/bin/instar"
cp "$SCRATCH/tree/instar-$V/"*.bin "$SCRATCH/deb/usr/lib/instar/"
printf 'Package: instar\nVersion: %s-1\nArchitecture: amd64\nMaintainer: nobody <nobody@example.org>\nDescription: for a test\n' $V >"$SCRATCH/deb/DEBIAN/control"
DEB=$SCRATCH/instar_$V-1_amd64.deb

tarball() {
    install "$TGZ" --to "$SCRATCH/a" >"$SCRATCH/out" || return 1
    [ "$(tail -n 1 "$SCRATCH/out")" = "INSTAR=$SCRATCH/a/instar" ] && [ -f "$SCRATCH/a/core.bin" ] && [ ! -e "$SCRATCH/a/.partial" ]
}
check "a tarball is unpacked into one folder" tarball
check "the stand-in from it runs" "$SCRATCH/a/instar" --version
check "what is there is not written over" says 2 'holds an instar already' install "$TGZ" --to "$SCRATCH/a"

deb() {
    dpkg-deb --root-owner-group -b "$SCRATCH/deb" "$DEB" >/dev/null || return 1
    install "$DEB" --to "$SCRATCH/b" && [ -f "$SCRATCH/b/measure.bin" ] && "$SCRATCH/b/instar" --version
}
if command -v dpkg-deb >/dev/null; then check "a Debian package brings program and guests together" deb; fi

# Lead, an empty signature header, an empty header, and a cpio archive: all that an rpm is to bsdtar.
rpm() {
    local file=$SCRATCH/instar-$V-1.x86_64.rpm
    { printf '\355\253\356\333\003\000'; head -c 90 /dev/zero
        for _ in 1 2; do printf '\216\255\350\001\0\0\0\0\0\0\0\0\0\0\0\0'; done
        (cd "$SCRATCH/deb" && find usr | LC_ALL=C sort | bsdtar -cnf - --format newc -T - | gzip -n); } >"$file"
    install "$file" --to "$SCRATCH/c" && [ -f "$SCRATCH/c/convert.bin" ] && "$SCRATCH/c/instar" --version
}
if command -v bsdtar >/dev/null; then check "so does an rpm" rpm; else echo "not tried: rpm (bsdtar)"; fi

# --- download ----------------------------------------------------------------------------------------
if command -v python3 >/dev/null && command -v curl >/dev/null; then
    (cd "$SCRATCH/served" && exec python3 -u -m http.server --bind 127.0.0.1 0) >"$SCRATCH/server" 2>&1 &
    server=$!
    trap 'kill $server 2>/dev/null; chmod -R u+rwx "$SCRATCH" 2>/dev/null; rm -rf "$SCRATCH"' EXIT
    listens() { port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$SCRATCH/server"); [ -n "$port" ]; }
    soon listens
    export RELEASES=http://127.0.0.1:$port
    check "a release is downloaded by its version" install $V --to "$SCRATCH/d"
    check "and by its tag" install v$V --to "$SCRATCH/e"
    check "one that does not exist" says 3 'cannot download .*v9.9.9' install 9.9.9 --to "$SCRATCH/f"
    export RELEASES=http://127.0.0.1:1
    check "a server that is not there" says 3 'cannot download' install $V --to "$SCRATCH/f"
    check "nothing is left behind" test ! -e "$SCRATCH/f"
else
    echo "not tried: downloads (python3 and curl)"
fi

# --- which file it is ----------------------------------------------------------------------------------
first_use() {
    rm -f "$SCRATCH/sums"
    says 0 'was not in .* commit it' install "$TGZ" --to "$SCRATCH/g" &&
        grep -q "^$(sha256sum "$TGZ" | cut -d ' ' -f 1)  $(basename "$TGZ")\$" "$SCRATCH/sums" &&
        ! install "$TGZ" --to "$SCRATCH/h" 2>&1 | grep 'was not in'
}
check "a sum is recorded at the first use, and believed from then on" first_use
other_file() {
    mkdir -p "$SCRATCH/other"
    { cat "$TGZ"; echo more; } >"$SCRATCH/other/$(basename "$TGZ")"
    says 4 'not the file that it should be' install "$SCRATCH/other/$(basename "$TGZ")" --to "$SCRATCH/i" && [ ! -e "$SCRATCH/i" ]
}
check "another file of that name is refused" other_file
check "a given sum counts" says 4 'not the file that it should be' \
    install "$TGZ" --to "$SCRATCH/j" --sha256 "$(printf '%064d' 7)"
check "the right sum" install "$TGZ" --to "$SCRATCH/j" --sha256 "$(sha256sum "$TGZ" | cut -d ' ' -f 1)"
damaged() {
    head -c 3000 "$TGZ" >"$SCRATCH/damaged.tar.gz"
    says 4 'cannot be unpacked' install "$SCRATCH/damaged.tar.gz" --to "$SCRATCH/k" && [ ! -e "$SCRATCH/k" ] &&
        ! grep -q damaged "$SCRATCH/sums"
}
check "a damaged file leaves nothing, no sum either" damaged
empty() { tar -czf "$SCRATCH/empty.tar.gz" -C "$SCRATCH/served" . && says 4 'no program called instar' install "$SCRATCH/empty.tar.gz"; }
check "an archive without instar" empty

# --- machines that cannot run it -------------------------------------------------------------------------
no_kvm() { KVM=$SCRATCH/nothing says 1 "there is no $SCRATCH/nothing" install "$TGZ" --to "$SCRATCH/l"; }
check "no KVM: it is there, and cannot run" no_kvm
check "its path is told all the same" grep -q "^INSTAR=$SCRATCH/l/instar\$" "$SCRATCH/said"
old_glibc() {
    fake bin/objdump <<<"echo '0000 DF *UND* 0 (GLIBC_9.99) puts'" >/dev/null
    PATH=$SCRATCH/bin:$PATH says 1 'needs glibc 9.99; this machine has [0-9.]*$' install "$TGZ" --to "$SCRATCH/m"
}
check "a C library that is too old" old_glibc
no_guests() {
    tar -czf "$SCRATCH/bare.tar.gz" -C "$SCRATCH/tree" "instar-$V/instar" "instar-$V/core.bin" "instar-$V/info.bin"
    says 1 'lacks the guest binary measure.bin' install "$SCRATCH/bare.tar.gz" --to "$SCRATCH/n"
}
check "guest binaries that a package forgot" no_guests
does_not_start() {
    mkdir -p "$SCRATCH/broken" && cp "$SCRATCH/tree/instar-$V"/*.bin "$SCRATCH/broken/"
    fake broken/instar <<<'echo "no such thing" >&2; exit 1' >/dev/null
    tar -czf "$SCRATCH/broken.tar.gz" -C "$SCRATCH" broken
    says 1 'does not start: no such thing' install "$SCRATCH/broken.tar.gz" --to "$SCRATCH/o"
}
check "a program that does not start" does_not_start
no_version() { # as releases are: --help and no --version
    mkdir -p "$SCRATCH/clap" && cp "$SCRATCH/tree/instar-$V"/*.bin "$SCRATCH/clap/"
    fake clap/instar >/dev/null <<E
case \$1 in --help) echo "Usage: instar"; exit ;; measure) exec "$STANDIN" "\$@" ;; esac
echo "error: unexpected argument '\$1' found" >&2; exit 2
E
    tar -czf "$SCRATCH/clap.tar.gz" -C "$SCRATCH" clap
    says 0 '^INSTAR=' install "$SCRATCH/clap.tar.gz" --to "$SCRATCH/p"
}
check "a program that knows no --version" no_version
read_only() {
    mkdir "$SCRATCH/locked" && chmod a-w "$SCRATCH/locked"
    if [ -w "$SCRATCH/locked" ]; then echo "root writes everywhere; a file in the way does as well"; touch "$SCRATCH/file"; set -- "$SCRATCH/file/x"; else set -- "$SCRATCH/locked/x"; fi
    says 2 'cannot write to' install "$TGZ" --to "$1"
}
check "a folder that cannot be written" read_only

check "no argument" says 2 '^usage: ci/install-instar' install
check "an unknown flag" says 2 '^usage' install --from x
check "a version that is none" says 2 '^usage' install 1.x
check "a file that is not there" says 3 'there is no file' install "$SCRATCH/none.deb"
check "a sum that is none" says 2 'no SHA-256 sum' install "$TGZ" --sha256 xyz
check "another kind of file" says 2 'is no .tar.gz' install "$ROOT/README.md"
finish
