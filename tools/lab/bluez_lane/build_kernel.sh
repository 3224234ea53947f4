#!/usr/bin/env bash
# Builds the guest kernel of the BlueZ lane once and keeps it; the last line on stdout is its path.
# Exit 0: there is a kernel. 1: the build failed. 3: this machine cannot build it (the message says what is missing).
set -euo pipefail

PACKAGE=linux-source-6.1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
config=$here/kernel.config
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cytowatch/bluez

say() { echo "bluez_lane: $*" >&2; }
cannot() { say "$*"; exit 3; }

# The name of the kernel is what it was made from, so a change of either makes a new one.
kernel_path() {
    local key
    key=$({ cat "$config"; echo "$1"; } | sha256sum | cut -c1-16)
    echo "$cache/linux-$key"
}
source_version() {
    # awk reads to the end: leaving early would break the pipe, which pipefail calls a failure
    LC_ALL=C apt-cache policy "$PACKAGE" 2>/dev/null | awk '/Candidate:/ && $2 != "(none)" { print $2 }'
}
leave_if_built() {
    local path
    path=$(kernel_path "$1")
    if [ -x "$path" ]; then
        echo "$path"
        exit 0
    fi
}

command -v apt-get >/dev/null || cannot "no apt-get: $PACKAGE comes from Debian 12 (or Ubuntu with that package)"
[ "$(uname -m)" = x86_64 ] || cannot "user-mode Linux needs an x86-64 machine, this one is $(uname -m)"

version=$(source_version)
[ -z "$version" ] || leave_if_built "$version"

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # a second builder waits here and then finds the kernel

as_root=$([ "$(id -u)" = 0 ] && echo yes || echo no)
if [ "$as_root" = yes ]; then
    # Without this an image whose lists are old asks for a version that the archive has dropped.
    say "apt-get update"
    apt-get update -qq >&2 || say "apt-get update failed; going on with the lists that are there"
    version=$(source_version)
fi
[ -n "$version" ] || cannot "apt knows no $PACKAGE (run 'apt-get update' as root; Debian 12 has it)"
leave_if_built "$version"

missing=()
for pair in flex:flex bison:bison bc:bc xz:xz-utils gcc:gcc make:make; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
for header in libelf.h:libelf-dev stdio.h:libc6-dev; do
    [ -e "/usr/include/${header%%:*}" ] || missing+=("${header##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
    [ "$as_root" = yes ] || cannot "missing: as root, apt-get install ${missing[*]}"
    say "apt-get install ${missing[*]}"
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >&2 </dev/null ||
        cannot "could not install: ${missing[*]}"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/cytowatch-kernel.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

say "$PACKAGE $version: download"
# The sandbox user of apt may not write into a private directory, and the signature is checked all the same.
apt-get -o APT::Sandbox::User=root download -qq "$PACKAGE=$version" >&2 || cannot "could not download $PACKAGE $version"

say "unpack"
mkdir tree
# Two thirds of the tree are drivers and texts that an allnoconfig never compiles; only their Kconfig files are read.
dpkg-deb --fsys-tarfile ./*.deb | tar -xO --wildcards '*/linux-source-*.tar.xz' |
    tar -xJ -C tree --strip-components=1 \
        --exclude='*/drivers/gpu/*.[chS]' --exclude='*/drivers/net/ethernet/*.[ch]' \
        --exclude='*/drivers/net/wireless/*.[ch]' --exclude='*/drivers/media/*.[ch]' --exclude='*/sound/*.[ch]' \
        --exclude='*/tools/testing' --exclude='*/boot/dts' --exclude='*/Documentation/*.rst' \
        --exclude='*/Documentation/*.yaml' --exclude='*/Documentation/*.txt'
rm -f ./*.deb
cd tree

say "configure"
build() {
    nice -n 10 make ARCH=um "$@" >"$work/log" 2>&1 && return
    # make says what was wrong long before its last line
    grep -nE 'error|\*\*\*|not found' "$work/log" | head -n 20 >&2 || tail -n 20 "$work/log" >&2
    say "make $* failed"
    exit 1
}
build KCONFIG_ALLCONFIG="$config" allnoconfig
# Kconfig drops what it cannot satisfy without a word, and the lane would fail much later and far away.
if ! dropped=$(grep '^CONFIG_' "$config" | grep -vxFf .config); then dropped=; fi
[ -z "$dropped" ] || { say "the kernel's configuration has not:"; echo "$dropped" >&2; exit 1; }

say "compile (about five minutes)"
# Fixed names, so that the file says nothing about the machine that made it.
export KBUILD_BUILD_USER=cytowatch KBUILD_BUILD_HOST=bluez-lane KBUILD_BUILD_TIMESTAMP="$version"
build -j2 linux
strip linux

path=$(kernel_path "$version")
cp linux "$path.new"
mv "$path.new" "$path" # at once, so that nobody ever runs half a kernel
say "built $(basename "$path") from $PACKAGE $version in $SECONDS s, $(stat -c %s "$path") bytes"
echo "$path"
