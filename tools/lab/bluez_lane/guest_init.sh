#!/bin/sh
# Process 1 of the guest. The root is the host's `/`, read-only; whatever is written goes to memory and is gone at
# power-off, but for the directory LANE_OUT, which the kernel's command line names and the host sees.
# busybox does what the system's own tools would, so that the guest needs neither util-linux nor iproute2 nor systemd.
set -eu

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/run/home TMPDIR=/run/tmp LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
bb=/bin/busybox
power_off() { $bb sync; $bb poweroff -f; }
trap power_off EXIT # process 1 that merely ends is a panic, and the exit code of the command would be lost

$bb mount -t proc proc /proc
$bb mount -t sysfs sysfs /sys
$bb mount -t devtmpfs devtmpfs /dev
exec </dev/null >/dev/tty0 2>&1 # what run.sh prints
$bb stty -opost <&1             # a line ends with one byte, as the command wrote it
$bb mkdir -p /dev/pts /dev/shm
$bb mount -t devpts -o ptmxmode=666 devpts /dev/pts
$bb mount -t tmpfs tmpfs /dev/shm
$bb ln -s /proc/self/fd /dev/fd

for place in /run /var/lib/bluetooth /var/tmp; do $bb mount -t tmpfs tmpfs $place; done
$bb mkdir -p /run/dbus /run/lock /run/home /run/tmp /run/over/upper /run/over/work
# /tmp may hold what the host prepared for the run, so it is covered with a layer and not with emptiness
$bb mount -t overlay -o lowerdir=/tmp,upperdir=/run/over/upper,workdir=/run/over/work overlay /tmp
$bb chmod 1777 /tmp /run/tmp /dev/shm
$bb mount -t hostfs -o "$LANE_OUT" none "$LANE_OUT"
$bb ifconfig lo 127.0.0.1 up
$bb hostname guest

dbus-daemon --system --fork --nopidfile
[ -z "${LANE_SNOOP:-}" ] || { btmon -w "$LANE_OUT/btsnoop" >/dev/null 2>&1 & }
# An empty configuration, so that what the host's owner set for his own adapter changes no test.
: >/run/bluetooth.conf
"$LANE_BLUETOOTHD" -n -f /run/bluetooth.conf >"$LANE_OUT/bluetoothd.log" 2>&1 &
tries=0
until dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
    string:org.bluez | grep -q 'boolean true'; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { echo "bluez_lane: bluetoothd did not come up; see bluetoothd.log"; exit 1; }
    $bb sleep 0.1
done
read -r up rest </proc/uptime
echo "$up" >"$LANE_OUT/boot_s"

code=0
$bb sh "$LANE_OUT/command" || code=$?
$bb dmesg >"$LANE_OUT/dmesg" || true
echo $code >"$LANE_OUT/exit_code"
