"""The whole mission in about a minute, on real parts and without hardware: `make demo`.

A virtual wearable is flashed and provisioned, an agent enrolled and started, a simulated adult bound, and a fever or a
recording played. The last line says what reached the laptop and the webhook. Exit 0; 1 with what failed, or which file
was refused before anything was started; 2: no such option.
"""

import argparse
import contextlib
import math
import subprocess
import sys
import tempfile
from pathlib import Path

from crs_core.errors import CoreError
from littlefs import LittleFSError

from host_agent.errors import HostAgentError
from host_agent.terminal.streams import run_clean
from tools.board.build_firmware import BuildError
from tools.board.port import PortError
from tools.board.provision import ProvisionError
from tools.conductor.errors import ConductorError
from tools.conductor.process_random import drawn_from
from tools.data.flash_image import RestlessImageError
from tools.data.recording.reader import read_recording
from tools.data.table.problems import TableError
from tools.demo.mission import UNFLUSHED_S, run, say
from tools.rig.journal_check import JournalDiffersError
from tools.rig.laptop import LaptopError
from tools.rig.micropython import ROOT
from tools.rig.waiting import NotInTimeError
from tools.rig.wearable import WearableError
from tools.virtual_wearable.__main__ import whole_speed
from tools.virtual_wearable.scenario import ScenarioError, read_scenario

SCENARIO = ROOT / "tools/virtual_wearable/scenarios/fever.toml"
SCENARIO_SPEED = 15
# A recording plays as slowly as fits into about a minute: above 25 an erase of the flash lets PPG samples pass.
RECORDING_SPEEDS = (10, 60)
RECORDING_PLAYS_S = 55


class _RefusedError(Exception):
    """An option or file is not usable; the text says what and where."""


def recording_speed(end_s: float) -> int:
    """How fast a recording of `end_s` seconds plays by default; more than an hour takes longer than a minute."""
    slowest, fastest = RECORDING_SPEEDS
    return max(slowest, min(fastest, math.ceil((end_s + UNFLUSHED_S) / RECORDING_PLAYS_S)))


def _played(options: argparse.Namespace) -> tuple[dict[str, Path], int]:
    """Read the file before anything is started; (what is played, as `mission.run` takes it, and the speed)."""
    try:
        if options.recording is None:
            read_scenario(options.scenario)
            return {"scenario": options.scenario.resolve()}, options.speed or SCENARIO_SPEED
        recording = read_recording(options.recording)
    except (TableError, ScenarioError) as error:
        raise _RefusedError(str(error)) from error
    except OSError as error:
        raise _RefusedError(f"{error.filename}: {error.strerror}") from error
    end_s = recording.points[-1].t_s
    made = ", values between charted ones interpolated" if recording.interpolated else ""
    say(f"{options.recording}: {len(recording.points)} rows, {end_s / 60:.1f} min{made}")
    for note in recording.notes:
        say(f"note: {note}")
    return {"recording": options.recording.resolve()}, options.speed or recording_speed(end_s)


def _seed(options: argparse.Namespace) -> int | None:
    """The seed of a run in simulated time; None: real time."""
    if options.seed is not None and options.real_time:
        raise _RefusedError("--seed with --real-time: real time comes from no seed. Leave one of them out")
    if options.real_time:
        return None
    return 1 if options.seed is None else int(options.seed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--scenario", type=Path, default=SCENARIO, help="a scenario (default: a fever)")
    source.add_argument("--recording", type=Path, help="a CSV file: t_s,temp_c,spo2_pct,hr_bpm[,pi_pct]")
    parser.add_argument(
        "--speed", type=whole_speed,
        help=f"times real time, 1 to 60; default {SCENARIO_SPEED}, a recording {RECORDING_SPEEDS[0]} to "
        f"{RECORDING_SPEEDS[1]}, so that it takes about a minute",
    )  # fmt: skip
    parser.add_argument(
        "--link",
        choices=("serial", "ble"),
        default="serial",
        help="what the agent syncs over (default: serial)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        help="what everything random comes from (default 1): the same seed gives the same run",
    )
    parser.add_argument(
        "--real-time",
        action="store_true",
        help="by this computer's clock: never the same twice",
    )
    parser.add_argument("--keep", type=Path, help="keep image, store and logs in this new or empty folder")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Exit 0 after the last line, 1 when a step failed or a file was refused."""
    options = _parser().parse_args(argv)
    say("CytoWatch demonstration: SIMULATED wearer. Research prototype, not a medical device.")
    with tempfile.TemporaryDirectory(prefix="cytowatch-demo-") as temporary:
        try:
            if options.speed is not None and not 1 <= options.speed <= 60:
                raise _RefusedError(f"--speed {options.speed}: must be 1 to 60")
            seed = _seed(options)
            played, speed = _played(options)
            folder = _folder(options.keep) if options.keep else Path(temporary)
            if seed is not None:
                say(f"simulated time, seed {seed}")
            with contextlib.nullcontext() if seed is None else drawn_from(f"demonstration {seed}"):
                say(run(folder, played, speed, link=options.link, seed=seed).line)
        except _RefusedError as error:
            print(f"demo refused: {error}", file=sys.stderr)
            return 1
        except (
            WearableError, LaptopError, NotInTimeError, PortError, BuildError, ProvisionError, HostAgentError,
            JournalDiffersError, RestlessImageError, ConductorError, LittleFSError, CoreError,
            subprocess.SubprocessError, OSError,
        ) as error:  # fmt: skip
            print(f"demo failed: {error}", file=sys.stderr)
            if not options.real_time and options.link != "ble":
                print(f"the same again: --seed {options.seed or 1}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("demo stopped", file=sys.stderr)
            return 1
    return 0


def _folder(keep: Path) -> Path:
    """Make the folder; an older demonstration in it would mix with this one."""
    try:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise _RefusedError(f"--keep {keep}: the folder is not empty")
    except OSError as error:
        raise _RefusedError(f"--keep {error.filename}: {error.strerror}") from error
    return keep.resolve()


if __name__ == "__main__":
    run_clean(main)
