#!/usr/bin/env bash
# run.sh OUTDIR COMMAND [ARGUMENT...]: runs the command in a guest with real BlueZ, in the caller's directory, prints
# what it prints and exits with its exit code. OUTDIR is the only place where the guest can leave something.
# Own exit codes: 2 asked wrongly, 3 something is missing, 124 the time limit, 125 the guest ended without a word.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
limit_s=${BLUEZ_LANE_TIMEOUT_S:-300}
memory_mib=${BLUEZ_LANE_MEMORY_MIB:-512}

say() { echo "bluez_lane: $*" >&2; }

[ $# -ge 2 ] || { say "usage: $0 OUTDIR COMMAND [ARGUMENT...]"; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd -P)
shift
# Both go onto the kernel's command line, which knows no quoting, and into mount options.
case $out$here in *[!A-Za-z0-9/._+@%:-]*) say "a path has a character other than letters, digits and /._+@%:-: $out, $here"; exit 2 ;; esac

bluetoothd=
for path in /usr/libexec/bluetooth/bluetoothd /usr/lib/bluetooth/bluetoothd; do
    [ ! -x "$path" ] || { bluetoothd=$path; break; }
done
missing=()
[ -n "$bluetoothd" ] || missing+=(bluez)
command -v dbus-daemon >/dev/null && command -v dbus-send >/dev/null || missing+=(dbus)
[ -x /bin/busybox ] || missing+=(busybox-static)
if [ ${#missing[@]} -gt 0 ]; then
    say "missing in the guest, whose root is this machine's: apt-get install --no-install-recommends ${missing[*]}"
    exit 3
fi
linux=${BLUEZ_LANE_KERNEL:-$("$here/build_kernel.sh" | tail -n 1)}
[ -x "$linux" ] || { say "no kernel at '$linux'"; exit 3; }

rm -f "$out"/{command,exit_code,boot_s,kernel.log,bluetoothd.log,dmesg,btsnoop}
{
    printf 'cd %q || exit 127\n' "$PWD"
    printf 'exec'
    printf ' %q' "$@"
    echo
} >"$out/command"

# The guest's memory is a file that is mapped and deleted; on a disk every page of it would be written out.
scratch=/dev/shm
[ "$(df --output=avail -BM /dev/shm 2>/dev/null | tr -dc 0-9 || true)0" -ge "${memory_mib}0" ] || scratch=$out

# random.trust_cpu: a guest without devices gathers no entropy, and the first key pair would wait for it for ever.
# A session of its own: the guest's processes are processes of the host, and ending the session's group ends them all.
mkdir -p "$out/uml"
TMPDIR=$scratch setsid "$linux" mem="${memory_mib}M" uml_dir="$out/uml/" rootfstype=hostfs rootflags=/ ro init="$here/guest_init.sh" \
    con0=null,fd:1 con=null console=stderr0 stderr=1 quiet loglevel=4 panic=-1 random.trust_cpu=on \
    LANE_OUT="$out" LANE_BLUETOOTHD="$bluetoothd" LANE_SNOOP="${BLUEZ_LANE_SNOOP:-}" \
    </dev/null 2>"$out/kernel.log" &
kernel=$!
end_guest() {
    trap '' INT TERM # a second signal would end this script before the guest has ended
    kill -KILL -- "-$kernel" 2>/dev/null || true
    rm -rf "$out/uml"
}
trap end_guest EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

SECONDS=0
while kill -0 "$kernel" 2>/dev/null; do
    if [ "$SECONDS" -ge "$limit_s" ]; then
        say "ended after $limit_s s (BLUEZ_LANE_TIMEOUT_S)"
        exit 124
    fi
    sleep 0.1
done
wait "$kernel" || true
if [ ! -s "$out/exit_code" ]; then
    say "the guest ended without an exit code; see $out/kernel.log"
    exit 125
fi
exit "$(cat "$out/exit_code")"
