"""A short life under harm, real processes on both sides; a harmed store does not pass. CW_SEED=n lives another."""

import hashlib
import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from crs_core.journal import block_layout, record_layout, record_reader, record_types

from tools.lab.soak.archive import Archive
from tools.lab.soak.harms import HARMS
from tools.lab.soak.schedule import planned
from tools.lab.soak.verdict import judge
from tools.rig.micropython import ROOT
from tools.rig.waiting import pass_s

# the soak brings its own conductor
pytestmark = [pytest.mark.slow, pytest.mark.own_time]

# One worker lives the life that several tests look at, and has them all.
ONE_LIFE = pytest.mark.xdist_group("one soaked life")
SECONDS, FEWER_SECONDS = 30, 8
SEED = os.environ.get("CW_SEED", "1")
Kept = tuple[Path, dict[str, Any]]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "tools.lab.soak", *map(str, arguments)]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A life that was kept, and what was said about it."""
    folder = tmp_path_factory.mktemp("soak") / "kept"
    return folder, soaked(folder, SECONDS)


def soaked(folder: Path, seconds: int) -> dict[str, Any]:
    """What is said about a life that is kept in `folder`."""
    done = subprocess.run(
        command("--seconds", seconds, "--seed", SEED, "--keep", folder, "--json"),
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"CW_SEED={SEED}\n{done.stderr}\n{done.stdout}"
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def on_flash(folder: Path) -> Archive:
    archive = Archive()
    archive.look(folder / "flash.img")
    return archive


def harmed(folder: Path, copy: Path, sql: str) -> Path:
    """A copy of the store, on which somebody ran `sql`."""
    for file in (folder / "soaked").glob("cytowatch.db*"):
        shutil.copy(file, copy / file.name)
    database = copy / "cytowatch.db"
    with sqlite3.connect(database) as store:
        assert store.execute(sql).rowcount == 1
    return database


@ONE_LIFE
def test_a_short_life_loses_and_doubles_nothing(life: Kept) -> None:
    _, said = life
    assert said["passed"]
    assert (
        [] == said["losses"] == said["duplicates"] == said["misstated"] == said["content"] == said["findings"]
    )
    assert said["unseen"] == 0, "every record was compared"
    assert said["readings"] > 0 and said["events"] >= said["boots"] >= 1 and set(said["harms"]) == set(HARMS)
    assert sum(said["harms"].values()) >= 1


def test_one_seed_is_one_life_to_the_byte(tmp_path: Path) -> None:
    left = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        said = soaked(folder, FEWER_SECONDS)
        del said["seconds"]
        files = [folder / name for name in ("flash.img", "harms.txt", "soaked/cytowatch.db")]
        left.append((said, [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]))
    assert sum(left[0][0]["harms"].values()) >= 1
    assert left[0] == left[1]


@ONE_LIFE
def test_a_store_as_it_was_left_passes_again(life: Kept) -> None:
    folder, said = life
    verdict = judge(on_flash(folder), folder / "soaked" / "cytowatch.db")
    assert verdict.passed, verdict
    assert (verdict.readings, verdict.events) == (said["readings"], said["events"])


MIDDLE = "(SELECT seq FROM {0} ORDER BY seq LIMIT 1 OFFSET (SELECT count(*) FROM {0}) / 2)"


@ONE_LIFE
@pytest.mark.parametrize("table", ["readings", "events"])
def test_one_row_deleted_by_hand_is_a_loss(life: Kept, tmp_path: Path, table: str) -> None:
    folder, _ = life
    sql = f"DELETE FROM {table} WHERE seq = {MIDDLE.format(table)}"
    verdict = judge(on_flash(folder), harmed(folder, tmp_path, sql))
    assert not verdict.passed and len(verdict.losses) == 1
    assert "is on flash and not in the store" in verdict.losses[0]
    assert verdict.content, "the store's own check sees it, too"


@ONE_LIFE
def test_one_changed_value_is_a_loss(life: Kept, tmp_path: Path) -> None:
    folder, _ = life
    sql = f"UPDATE readings SET hr_bpm = ifnull(hr_bpm, 60) + 1 WHERE seq = {MIDDLE.format('readings')}"
    verdict = judge(on_flash(folder), harmed(folder, tmp_path, sql))
    assert len(verdict.losses) == 1 and "differs" in verdict.losses[0]


@ONE_LIFE
def test_one_row_doubled_by_hand_is_a_duplicate(life: Kept, tmp_path: Path) -> None:
    folder, _ = life
    sql = (
        "INSERT INTO readings SELECT journal, (SELECT max(seq) FROM readings) + 100000, boot, t_ms, temp_cc,"
        " spo2_tenths, hr_bpm, pi_hundredths, status, simulated"
        f" FROM readings WHERE seq = {MIDDLE.format('readings')}"
    )
    verdict = judge(on_flash(folder), harmed(folder, tmp_path, sql))
    assert not verdict.losses
    alone, twice = verdict.duplicates
    assert "never was on flash" in alone and "holds one reading as" in twice


@ONE_LIFE
def test_a_whole_block_that_is_gone_is_a_loss_of_each_of_its_records(life: Kept, tmp_path: Path) -> None:
    folder, _ = life
    archive = on_flash(folder)
    cut = archive.must_have = archive.head
    database = harmed(folder, tmp_path, "UPDATE journals SET cursor = 1 WHERE is_current = 1")
    with sqlite3.connect(database) as store:
        (last,) = store.execute("SELECT max(last_seq) FROM blocks").fetchone()
        for table, key in (("readings", "seq"), ("events", "seq"), ("blocks", "last_seq")):
            store.execute(f"DELETE FROM {table} WHERE {key} > {last - 5}")
    missing = [text for text in judge(archive, database).losses if "not in the store" in text]
    assert len(missing) == cut - last + 5, (
        "what flash had when it was given time to be read counts, cursor or not"
    )


@ONE_LIFE
def test_a_restart_that_states_its_gap_wrongly_is_told(life: Kept) -> None:
    folder, _ = life
    archive = on_flash(folder)
    seq, boot = max(
        (seq, row)
        for seq, row in archive.records.items()
        if isinstance(row.record, block_layout.Event) and row.record.type == record_layout.BOOT
    )
    said = record_reader.decode(boot.record.type, boot.record.payload)
    lie = record_types.encode(said._replace(prev_last_ms=said.prev_last_ms + 2000))
    archive.records[seq] = boot._replace(record=boot.record._replace(payload=lie))
    verdict = judge(archive, folder / "soaked" / "cytowatch.db")
    assert len(verdict.misstated) == 1
    assert (
        f"BOOT {seq} says boot {said.prev_boot} ended at {said.prev_last_ms + 2000} ms"
        in verdict.misstated[0]
    )
    assert len(verdict.losses) == 1, "and the store holds another BOOT"


@ONE_LIFE
def test_a_number_with_two_contents_on_flash_is_a_loss(life: Kept) -> None:
    folder, _ = life
    archive = on_flash(folder)
    seq = archive.head // 2
    archive.records[seq] = archive.records[seq]._replace(boot=999)
    archive._blocks.clear()  # as if it had been looked at before
    archive.look(folder / "flash.img")
    assert archive.faults == [f"number {seq} stands for two contents on flash"]
    assert not judge(archive, folder / "soaked" / "cytowatch.db").passed


def test_the_same_seed_plans_the_same_harms() -> None:
    def plan(seed: int) -> list[tuple[str, float, float]]:
        return [(h.kind, h.pause_s, h.chance.random()) for h in itertools.islice(planned(seed), 200)]

    assert plan(5) == plan(5) != plan(6)
    assert {kind for kind, _, _ in plan(5)[: len(HARMS)]} == set(HARMS), "the first round has every kind"


def test_ctrl_c_ends_everything_and_says_what_was_reached(tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    process = subprocess.Popen(
        command("--seed", 1, "--keep", keep), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # whatever started the tests
    )  # fmt: skip
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "readings, " in line:
                break
        pass_s(1)
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, error
    assert out == "" and "stopped before it could be compared" in error and "Traceback" not in error
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(keep).encode() in content_of(path)]
    assert not left


def content_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it ended just now
        return b""


@pytest.mark.parametrize(
    "arguments",
    [("--seconds", "0"), ("--readings", "many"), ("--nonsense",), ("--real-time", "--seed", "1")],
)
def test_nonsense_is_refused(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
