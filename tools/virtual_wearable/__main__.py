"""Run the virtual wearable: `python -m tools.virtual_wearable --scenario F` (see README.md)."""

import argparse
import contextlib
import fcntl
import os
import signal
import sys
import tempfile
from pathlib import Path

from tools.conductor.turns import Turns
from tools.data.recording.reader import read_recording
from tools.data.table.problems import TableError
from tools.data.track import Track
from tools.virtual_wearable.build import Build, chip_id_of
from tools.virtual_wearable.cable import Cable, CableError
from tools.virtual_wearable.chip_process import heap_bytes
from tools.virtual_wearable.flash_plan import FlashPlan
from tools.virtual_wearable.lockstep import ChipHangsError, Lockstep
from tools.virtual_wearable.radio import PROFILES, AirError, Radio
from tools.virtual_wearable.scenario import ScenarioError, read_scenario
from tools.virtual_wearable.supervisor import BoardDeadError, Supervisor
from tools.virtual_wearable.world import THERMOMETERS, World

SECTOR = 4096
_LIVES_APART = 7919
SECTORS = 352  # 1.4 MB: the file system of a stock Pico W


class _RefusedError(Exception):
    pass


def whole_speed(text: str) -> int:
    """A whole number in any spelling (60, 60.0): the clock multiplies integers. ArgumentTypeError otherwise."""
    try:
        value = float(text)
    except ValueError:
        value = 0.5
    if not 1 <= value <= 1000 or value != int(value):
        raise argparse.ArgumentTypeError(f"{text}: a whole number from 1 to 1000")
    return int(value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.virtual_wearable",
        description="A wearable without hardware: unmodified firmware on real MicroPython, simulated sensors. "
        "Everything it produces is flagged simulated.",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--scenario", type=Path, help="TOML file with keyframes (tools/virtual_wearable/scenarios)"
    )
    what.add_argument("--recording", type=Path, help="CSV t_s,temp_c,spo2_pct,hr_bpm[,pi_pct]")
    parser.add_argument(
        "--speed", type=whole_speed, default=1, metavar="N", help="the wearable's clock runs N times faster"
    )
    parser.add_argument("--image", type=Path, help="flash image; made blank if it does not exist")
    parser.add_argument("--link", type=Path, help="symbolic link to make to the port")
    parser.add_argument(
        "--hold", action="store_true", help="stay at the first values until the control command play"
    )
    parser.add_argument("--control", type=Path, help="unix socket for control (JSON lines)")
    parser.add_argument(
        "--heap", default="192wK", help="MicroPython heap (default 192 k words, as a Pico 2 W)"
    )
    parser.add_argument(
        "--bps", type=int, default=0, help="bits per second towards the chip; 0 = not limited"
    )
    parser.add_argument("--erase-ms", type=int, default=50, help="how long a sector erase stalls everything")
    parser.add_argument("--cut", type=int, metavar="N", help="cut the power at the Nth flash operation")
    parser.add_argument(
        "--torn", type=int, default=0, metavar="PCT", help="how much of that operation is written"
    )
    parser.add_argument("--off-ms", type=int, default=200, help="how long a power cut lasts")
    parser.add_argument("--once", action="store_true", help="end at the first power cut")
    parser.add_argument(
        "--flash-eio", type=int, default=0, metavar="N", help="the next N writes fail; -1 = all"
    )
    parser.add_argument(
        "--seed",
        type=int,
        help="everything random on the board comes from it (default: only the sensors' noise, from 1; "
        "under a conductor its seed)",
    )
    parser.add_argument(
        "--conductor",
        metavar="SOCKET",
        help="take the time from this conductor (tools/conductor), not real time",
    )
    parser.add_argument("--name", default="wearable", help="what the conductor calls it")
    parser.add_argument(
        "--chip", metavar="TEXT", help="what the chip's unique id is made from (default: the image's path)"
    )
    parser.add_argument(
        "--thermometer",
        choices=sorted(THERMOMETERS),
        default="tmp117",
        help="which thermometer chip is on the bus",
    )
    parser.add_argument(
        "--ble", choices=PROFILES, help="give it a radio, with the stack of ESP32-S3 or of stock Pico 2 W"
    )
    parser.add_argument(
        "--air",
        type=Path,
        metavar="SOCKET",
        help="chip socket of a running tools.ble_air (default: an own air)",
    )
    return parser


def _track(arguments: argparse.Namespace) -> Track:
    try:
        if arguments.scenario:
            return read_scenario(arguments.scenario)
        recording = read_recording(arguments.recording)
    except (ScenarioError, TableError) as error:
        raise _RefusedError(str(error)) from error
    except OSError as error:
        raise _RefusedError(f"{error.filename}: {error.strerror}") from error
    for note in recording.notes:
        print(note, file=sys.stderr)
    return recording.track()


def _open_image(path: Path) -> int:
    """Make a blank image if there is none, check its size, and own it; returns the lock's descriptor."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise _RefusedError(f"{path}: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise _RefusedError(f"{path}: another virtual wearable runs on this image") from error
    size = os.fstat(fd).st_size
    if size == 0:
        os.pwrite(fd, b"\xff" * SECTOR * SECTORS, 0)
    elif size % SECTOR or size < 8 * SECTOR:
        raise _RefusedError(
            f"{path}: {size} bytes is no flash image (a multiple of {SECTOR}, at least 8 sectors)"
        )
    return fd


def _radio(arguments: argparse.Namespace, chip_id: str, stack: contextlib.ExitStack) -> Radio | None:
    if arguments.ble is None:
        return None
    try:
        radio = Radio(arguments.ble, arguments.air, chip_id)
    except AirError as error:
        raise _RefusedError(str(error)) from error
    stack.callback(radio.close)
    return radio


def _seed_of_life(seed: int | None, lockstep: Lockstep | None) -> int | None:
    """What is random on the chip: not the same again when the wearable is started again in one run."""
    return seed if seed is None or lockstep is None else seed + _LIVES_APART * (lockstep.turns.life - 1)


def _run(arguments: argparse.Namespace) -> None:
    if not 0 <= arguments.torn <= 100:
        raise _RefusedError(f"--torn {arguments.torn}: percent, from 0 to 100")
    try:
        heap_bytes(arguments.heap)
    except ValueError as error:
        raise _RefusedError(f"--heap: {error}") from error
    if arguments.air is not None and arguments.ble is None:
        raise _RefusedError("--air: say with --ble which stack the wearable has")
    track = _track(arguments)
    with contextlib.ExitStack() as stack:
        image = arguments.image
        if image is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="virtual-flash-"))
            image = Path(folder) / "flash.img"
        stack.callback(os.close, _open_image(image))
        lockstep = Lockstep(Turns(arguments.conductor, arguments.name)) if arguments.conductor else None
        seed = arguments.seed if lockstep is None or arguments.seed is not None else lockstep.turns.seed
        chip_id = chip_id_of(arguments.chip or str(image.resolve()))
        build = Build(
            image,
            arguments.speed,
            arguments.heap,
            arguments.erase_ms,
            arguments.bps,
            arguments.off_ms,
            arguments.once,
            _radio(arguments, chip_id, stack),
            _seed_of_life(seed, lockstep),
            chip_id,
        )
        plan = FlashPlan(arguments.cut, arguments.torn, arguments.flash_eio)
        world = World(
            track, arguments.speed, arguments.hold, 1 if seed is None else seed, arguments.thermometer,
            lockstep.axis if lockstep else None,
        )  # fmt: skip
        cable = Cable(arguments.link)
        board = Supervisor(build, world, plan, arguments.control, lockstep, cable)
        stack.callback(board.close)
        try:
            cable.lead_to(board.port.name)
        except CableError as error:
            raise _RefusedError(str(error)) from error
        stack.callback(cable.remove)
        signal.signal(signal.SIGTERM, board.stop)  # whoever reads READY may end it at once
        print("READY", board.port.name, flush=True)
        if build.radio:
            print(f"BLE address={build.radio.address} hci={build.radio.hci or '-'}", flush=True)
        board.run()


def main() -> int:
    """Exit 0 when stopped, 1 when the board died, 2 when the command or a file was refused."""
    try:
        _run(_parser().parse_args())
    except _RefusedError as refused:
        print(refused, file=sys.stderr)
        return 2
    except (BoardDeadError, ChipHangsError) as dead:
        print(f"virtual wearable: {dead}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
