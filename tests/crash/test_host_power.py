"""The host between commit and acknowledgement: a kill and a cut of power at every write that it really makes.

The process runs once under strace; the database is then rebuilt as a kill or a cut would have left it at each point.
"""

import asyncio
import os
import random
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_agent.store.db import Store
from tests.fakes.disk_trace import Disk, calls, record
from tests.fakes.traced_ingest import syncing
from tools.rig.protocol_wearable import FakeDevice

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "cytowatch.db"
POINTS = 8  # cuts after which the wearable comes back

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


class Lost(Exception):  # noqa: N818 said of a promise
    """What was acknowledged is not in the store, or the store holds what the wearable never wrote."""


class Traced:
    """One traced run: the calls, the database before them, and what the wearable holds."""

    def __init__(self, folder: Path, *sabotage: str) -> None:
        self.home, self.marks, trace = folder / "home", folder / "marks", folder / "trace"
        self.home.mkdir()
        Store(self.home / DATABASE).close()  # made, synced and closed: the schema is not what is swept here
        self.disk = Disk(self.home, DATABASE)
        program = [sys.executable, "-m", "tests.fakes.traced_ingest"]
        arguments = [str(self.home / DATABASE), str(folder / "flash"), str(self.marks)]
        env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'firmware'}"}
        record([*program, *arguments, *sabotage], trace, env)
        self.calls = list(calls(trace, self.marks))
        self.blocks = blocks_of(FakeDevice(folder / "flash", boot=2))


def blocks_of(device: FakeDevice) -> dict[int, tuple[int, bytes]]:
    """{first sequence: (last, bytes)} of every block on the wearable's flash."""
    found: dict[int, tuple[int, bytes]] = {}
    seq = 1
    while (step := device.journal.read_from(seq)) is not None:
        last = step[1].first_seq + step[1].count - 1
        found[step[1].first_seq] = (last, step[2])
        seq = last + 1
    return found


def check(files: dict[str, bytes], folder: Path, traced: Traced, acked: int, what: object) -> None:
    """What was acknowledged is there with its bytes, nothing that the wearable never wrote, and the file is sound."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    conn = sqlite3.connect(folder / DATABASE)
    try:
        problems = [row[0] for row in conn.execute("PRAGMA integrity_check(3)")]
        rows = conn.execute("SELECT first_seq, last_seq, raw FROM blocks").fetchall()
        numbered = [
            seq for (seq,) in conn.execute("SELECT seq FROM readings UNION ALL SELECT seq FROM events")
        ]
        incidents = [
            conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("gaps", "forks")
        ]
    except sqlite3.DatabaseError as error:
        raise Lost(f"{what}: {error}") from error
    finally:
        conn.close()
    if problems != ["ok"]:
        raise Lost(f"{what}: {problems}")
    stored = {first: (last, raw) for first, last, raw in rows}
    for first, block in stored.items():
        if traced.blocks.get(first) != block:
            raise Lost(f"{what}: a block that the wearable never wrote at {first}")
    for first, (last, _) in traced.blocks.items():
        if last <= acked and first not in stored:
            raise Lost(f"{what}: acknowledged up to {acked}, and {first} to {last} is gone")
    whole = sorted(seq for first, (last, _) in stored.items() for seq in range(first, last + 1))
    if sorted(numbered) != whole or incidents != [0, 0]:
        raise Lost(f"{what}: rows and blocks differ, or a gap or fork that never was: {incidents}")


def states(disk: Disk, chance: random.Random) -> Iterator[tuple[str, dict[str, bytes]]]:
    """What a kill and two cuts of power leave at this point."""
    yield "kill", disk.after_kill()
    yield "power, nothing more", disk.after_power_cut()
    yield "power, some sectors more", disk.after_power_cut(chance)


def sweep(traced: Traced, folder: Path, every: int, seed: int) -> dict[str, int]:
    """Check the states at every acknowledgement, before and after every sync, and at each `every`th write; counts."""
    chance = random.Random(seed)
    acked = 0
    tally = {"checked": 0, "acknowledgements": 0, "checkpoints": 0}
    for number, call in enumerate(traced.calls):
        is_due = call.kind in ("mark", "sync") or number % every == 0
        if call.kind == "mark":
            acked = max(acked, int(call.data))
            tally["acknowledgements"] += 1
        elif call.kind == "sync" and call.path.endswith(".db"):
            tally["checkpoints"] += 1
        elif not call.path.startswith(str(traced.home)):
            continue
        if is_due and call.kind == "sync":  # as it is while the disk still works
            tally["checked"] += look(traced, folder, acked, (seed, number, "before"), chance)
        traced.disk.apply(call)
        if is_due:
            tally["checked"] += look(traced, folder, acked, (seed, number, call.kind), chance)
    assert acked == max(last for last, _ in traced.blocks.values()), "the run was not acknowledged to its end"
    return tally


def look(traced: Traced, folder: Path, acked: int, where: tuple[object, ...], chance: random.Random) -> int:
    """Check each state at one point; returns how many there were."""
    done = 0
    for kind, files in states(traced.disk, chance):
        check(files, folder, traced, acked, (kind, *where))
        done += 1
    return done


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_kill_and_a_power_cut_at_every_write(tmp_path: Path) -> None:
    seed = int(os.environ.get("CW_SEED", random.SystemRandom().randrange(10**6)))
    print(f"CW_SEED={seed}")
    tally = sweep(Traced(tmp_path), tmp_path / "found", 1, seed)
    print(tally)
    assert tally["checked"] >= 300
    assert tally["acknowledgements"] >= 14
    assert tally["checkpoints"] >= 2, "no checkpoint was met"


@pytest.mark.slow
async def test_a_store_found_after_a_cut_of_power_takes_up_the_rest_once(tmp_path: Path) -> None:
    traced = Traced(tmp_path)
    chance = random.Random(int(os.environ.get("CW_SEED", "1")))
    head = max(last for last, _ in traced.blocks.values())
    points = sorted(chance.sample(range(len(traced.calls)), POINTS))
    for number, call in enumerate(traced.calls):
        traced.disk.apply(call)
        if number not in points:
            continue
        folder = tmp_path / f"after{number}"
        shutil.copytree(tmp_path / "flash", folder / "flash")
        for name, content in traced.disk.after_power_cut(chance).items():
            (folder / name).write_bytes(content)
        device = FakeDevice(folder / "flash", boot=2)
        acked: list[int] = []
        with Store(folder / DATABASE) as store:
            async with asyncio.timeout(20), syncing(store, device, acked.append):
                while not acked or acked[-1] < head:
                    await asyncio.sleep(0.005)
        files = {path.name: path.read_bytes() for path in folder.glob(DATABASE + "*")}
        check(files, tmp_path / "found", traced, head, ("went on", number))


@pytest.mark.parametrize(
    ("sabotage", "kind"),
    [
        ("ack_first", "kill"),  # acknowledged before the commit
        ("no_fsync", "power"),  # committed without waiting for the disk
    ],
)
def test_without_one_safeguard_of_the_host_the_sweep_fails(tmp_path: Path, sabotage: str, kind: str) -> None:
    with pytest.raises(Lost, match=kind) as caught:
        sweep(Traced(tmp_path, sabotage), tmp_path / "found", 50, 1)
    assert "is gone" in str(caught.value)
