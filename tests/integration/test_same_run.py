"""A mission in simulated time is a function of its recording and its seed, by cable and by radio; a hang is named."""

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from tools.conductor.conductor import Conductor
from tools.conductor.errors import ConductorError
from tools.conductor.process_random import drawn_from
from tools.demo.mission import run
from tools.rig.image import CUSTODIAN, SETTINGS, build_image
from tools.rig.laptop import RADIO_TOO, Laptop
from tools.rig.waiting import under, until
from tools.rig.wearable import Wearable, ready

pytestmark = [pytest.mark.slow, pytest.mark.own_time]

RECORDING = "t_s,temp_c,spo2_pct,hr_bpm,pi_pct\n0,37.4,96,88,1.5\n240,38.6,88,104,1.5\n360,38.6,88,104,1.5\n"


class Left(NamedTuple):
    """What a mission left."""

    line: str
    journal: bytes
    store: list[str]
    events: list[dict[str, object]]


@contextlib.contextmanager
def beside(busy_loops: int) -> Iterator[None]:
    """Other programs take every core until the block ends."""
    command = [sys.executable, "-c", "while True: pass"]
    loops = [subprocess.Popen(command, stdin=subprocess.DEVNULL) for _ in range(busy_loops)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def left(folder: Path, line: str = "", events: list[dict[str, object]] | None = None) -> Left:
    with closing(sqlite3.connect(folder / "bedside" / "cytowatch.db")) as store:
        return Left(line, (folder / "flash.img").read_bytes(), list(store.iterdump()), events or [])


def flown(folder: Path, seed: int, link: str) -> Left:
    folder.mkdir()
    (folder / "recording.csv").write_text(RECORDING)

    def enrol(_: Wearable, laptop: Laptop) -> None:
        laptop.enrol(CUSTODIAN)

    with drawn_from("a test"):
        build_image(folder / "flash.img", binding_id=None)
        outcome = run(
            folder, {"recording": folder / "recording.csv"}, 60, prepare=enrol, link=link, seed=seed
        )
    return left(folder, outcome.line, outcome.events)


def handed_over(folder: Path, seed: int) -> Left:
    """The agent syncs by cable; the cable is pulled, and the radio takes over."""
    folder.mkdir()
    board = ("--ble", "nimble", "--seed", str(seed), "--chip", "of a test")

    def serves(laptop: Laptop, kind: str) -> bool:
        ports = laptop.status().get("ports") or []
        return laptop.caught_up() and any(
            port["state"] == "open" and port["port"].startswith("ble:") == (kind == "radio") for port in ports
        )

    with (
        drawn_from("a test"),
        Conductor(seed=seed) as time,
        under(time),
        ready(folder, *board, settings={**SETTINGS, "reading_interval_s": "1"}) as wearable,
    ):
        laptop = Laptop(folder / "bedside", CUSTODIAN, config=RADIO_TOO)
        laptop.use_radio(wearable.hci)
        laptop.start(str(wearable.link), 60)
        try:
            until(lambda: serves(laptop, "cable"), 20, "sync by cable")
            time.pass_s(3)
            cable = str(wearable.link)
            wearable.link.unlink()
            laptop.cytowatch("release", cable, "--for", "60s")
            until(lambda: serves(laptop, "radio"), 30, "sync by radio")
            before = laptop.readings()
            time.pass_s(5)
            assert laptop.readings() > before
        finally:
            laptop.stop()
    return left(folder)


@pytest.mark.parametrize("link", ["serial", "ble"])
def test_one_seed_is_one_run_to_the_byte_and_another_seed_is_another(tmp_path: Path, link: str) -> None:
    one = flown(tmp_path / "1", 1, link)
    with beside(4):
        again = flown(tmp_path / "2", 1, link)
    other = flown(tmp_path / "3", 2, link)
    assert "HYPOXAEMIA:HIGH" in one.line and one.events
    assert one == again
    assert other.events and other.journal != one.journal and other.store != one.store


def test_a_cable_that_is_pulled_and_a_radio_that_takes_over_are_one_run_too(tmp_path: Path) -> None:
    one = handed_over(tmp_path / "1", 1)
    with beside(4):
        again = handed_over(tmp_path / "2", 1)
    assert one == again
    assert handed_over(tmp_path / "3", 2).store != one.store


def test_a_program_that_looks_at_no_clock_is_ended_and_named(tmp_path: Path) -> None:
    with (
        Conductor(seed=1) as time,
        under(time),
        ready(tmp_path, extra={"/main.py": b"while True: pass\n"}) as wearable,
    ):
        with pytest.raises(ConductorError, match="wearable"):
            time.pass_s(5)
        assert "without a look at a clock" in wearable.log.read_text()
