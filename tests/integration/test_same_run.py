"""A mission in simulated time is a function of its recording and its seed; a program that hangs is named."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from tools.conductor.conductor import Conductor
from tools.conductor.errors import ConductorError
from tools.conductor.process_random import drawn_from
from tools.demo.mission import run
from tools.rig.image import CUSTODIAN, build_image
from tools.rig.laptop import Laptop
from tools.rig.waiting import under
from tools.rig.wearable import Wearable, ready

pytestmark = [pytest.mark.slow, pytest.mark.own_conductor]

RECORDING = "t_s,temp_c,spo2_pct,hr_bpm,pi_pct\n0,37.4,96,88,1.5\n240,38.6,88,104,1.5\n360,38.6,88,104,1.5\n"


class Left(NamedTuple):
    """What a mission left."""

    line: str
    journal: bytes
    store: list[str]
    events: list[dict[str, object]]


def flown(folder: Path, seed: int) -> Left:
    folder.mkdir()
    (folder / "recording.csv").write_text(RECORDING)

    def enrol(_: Wearable, laptop: Laptop) -> None:
        laptop.enrol(CUSTODIAN)

    with drawn_from("a test"):
        build_image(folder / "flash.img", binding_id=None)
        outcome = run(folder, {"recording": folder / "recording.csv"}, 60, prepare=enrol, seed=seed)
    with closing(sqlite3.connect(folder / "bedside" / "cytowatch.db")) as store:
        return Left(outcome.line, (folder / "flash.img").read_bytes(), list(store.iterdump()), outcome.events)


def test_one_seed_is_one_run_to_the_byte_and_another_seed_is_another(tmp_path: Path) -> None:
    one, again, other = (flown(tmp_path / name, seed) for name, seed in (("1", 1), ("2", 1), ("3", 2)))
    assert "HYPOXAEMIA:HIGH" in one.line and one.events
    assert one == again
    assert other.events and other.journal != one.journal and other.store != one.store


def test_a_program_that_looks_at_no_clock_is_ended_and_named(tmp_path: Path) -> None:
    with (
        Conductor(seed=1) as time,
        under(time),
        ready(tmp_path, extra={"/main.py": b"while True: pass\n"}) as wearable,
    ):
        with pytest.raises(ConductorError, match="wearable"):
            time.pass_s(5)
        assert "without a look at a clock" in wearable.log.read_text()
