#!/usr/bin/env bash
# test.sh PYTHON: the scenarios in a guest, as `make test-bluez` runs them; results and logs are in build/bluez.
# Exit 0: all passed, or this machine cannot run the lane (one loud line says why). Otherwise what run.sh or they say.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."
python=$1
out=build/bluez
export BLUEZ_LANE_TIMEOUT_S=${BLUEZ_LANE_TIMEOUT_S:-600} PYTHONPATH=$PWD:$PWD/firmware

mkdir -p "$out"
"$python" -m tools.lab.bluez_lane.scenarios --make-image "$out/flash.img" # four times as fast here as in the guest
exec 4> >(tee "$out/stderr" >&2)
tee=$!
"$here/run.sh" "$out" env PYTHONPATH="$PYTHONPATH" \
    "$python" -m tools.lab.bluez_lane.scenarios --image "$out/flash.img" 2>&4 4>&- &
run=$!
trap 'kill "$run"' INT TERM # run.sh ends its guest
exec 4>&-
code=0
wait "$run" || code=$?
wait "$tee" # what it shows is in the file now
if [ "$code" = 3 ]; then
    echo "SKIPPED: the BlueZ lane cannot run here: $(grep '^bluez_lane: ' "$out/stderr" | tail -n 1 | cut -d' ' -f2-)"
    exit 0
fi
exit "$code"
