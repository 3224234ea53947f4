"""Short lives by seed find no fault. With one safeguard taken away they find it, and the seed repeats it."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.conductor.process_random import drawn_from
from tools.lab.seeds.life import Beginning, Left, live
from tools.lab.seeds.plan import planned
from tools.lab.seeds.search import kind, lives
from tools.rig.micropython import ROOT
from tools.rig.processes import loaded
from tools.rig.waiting import until

# each life keeps a conductor of its own
pytestmark = [pytest.mark.slow, pytest.mark.own_time]

SEEDS = range(1, 21)
# Where a search begins, so that it is short; `python -m tools.lab.seeds --sabotage NAME` begins at 1.
BEGIN = {"ack_first": 1, "both_own": 51}
LIVES_MOST = 40


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beginning]:
    """Where every life begins."""
    with loaded(), drawn_from("beginning"):
        yield Beginning(tmp_path_factory.mktemp("seeds") / "beginning")


def lived(beginning: Beginning, folder: Path, seed: int, sabotage: str | None = None) -> Left:
    return live(folder, beginning, seed, changes=[f"tools.lab.seeds.sabotage:{sabotage}"] if sabotage else [])


@pytest.mark.xdist_group("seeds")
def test_the_first_seeds_find_no_fault(beginning: Beginning, tmp_path: Path) -> None:
    with contextlib.closing(lives(tmp_path / "lives", SEEDS)) as found:
        faults = {one.seed: one.faults for one in found if one.faults}
    assert not faults, f"repeat: python -m tools.lab.seeds --from {min(faults)} --count 1"


# What each found once: a lid that closes before the agent is asked to end; a full disk while links change.
FOUND_ONCE = (5008, 5301)


@pytest.mark.xdist_group("seeds")
@pytest.mark.parametrize("seed", FOUND_ONCE)
def test_a_seed_that_found_a_fault_once_finds_none(beginning: Beginning, tmp_path: Path, seed: int) -> None:
    assert not lived(beginning, tmp_path / "life", seed).faults


@pytest.mark.xdist_group("seeds")
@pytest.mark.parametrize(
    ("sabotage", "says"),
    [
        ("ack_first", "were acknowledged and the store has them"),
        ("both_own", "two links"),
    ],
)
def test_a_race_is_found_by_a_seed_and_the_seed_repeats_it(
    beginning: Beginning, tmp_path: Path, sabotage: str, says: str
) -> None:
    found = None
    for seed in itertools.islice(candidates(sabotage), LIVES_MOST):
        left = lived(beginning, tmp_path / f"found{seed}", seed, sabotage)
        if any(says in fault for fault in left.faults):
            found = left
            break
    assert found is not None, "the race was not found"
    seed = found.plan.seed
    for again in range(2):
        repeated = lived(beginning, tmp_path / f"again{again}", seed, sabotage)
        assert (repeated.faults, repeated.digest) == (found.faults, found.digest)
    assert not lived(beginning, tmp_path / "sound", seed).faults


def candidates(sabotage: str) -> Iterator[int]:
    """Seeds whose lives can meet the race at all."""
    for seed in itertools.count(BEGIN[sabotage]):
        plan = planned(seed)
        kills = any(event.kind == "agent_killed_at_edge" for event in plan.events)
        if kills if sabotage == "ack_first" else plan.name_comes_s is not None:
            yield seed


@pytest.mark.xdist_group("seeds")
def test_one_seed_is_one_life_to_the_byte_and_another_is_another(
    beginning: Beginning, tmp_path: Path
) -> None:
    one, again, other = (
        lived(beginning, tmp_path / name, seed) for name, seed in (("1", 2), ("2", 2), ("3", 3))
    )
    assert (one.digest, one.counts, one.faults) == (again.digest, again.counts, again.faults)
    assert other.digest != one.digest


def test_a_plan_depends_on_its_seed_alone_and_keeps_what_is_asked() -> None:
    def told(seed: int, only: set[int] | None = None) -> list[tuple[int, float, str, float]]:
        return [(e.number, e.at_s, e.kind, e.chance.random()) for e in planned(seed, only).events]

    assert told(5) == told(5) != told(6)
    some = {told(5)[0][0]}
    assert told(5, some) == [event for event in told(5) if event[0] in some]


def test_a_fault_is_known_again_by_its_words() -> None:
    assert kind("record 12 is on flash and not in the store") == kind(
        "record 9 is on flash and not in the store"
    )
    assert kind("record 12 is nowhere") != kind("number 12 is in the store twice")


def test_ctrl_c_ends_a_search_with_a_summary_and_leaves_no_process(tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    search = subprocess.Popen(
        [sys.executable, "-m", "tools.lab.seeds", "--jobs", "1", "--keep", str(keep)], cwd=ROOT,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert search.stderr is not None
    search.stderr.readline()
    search.send_signal(signal.SIGINT)
    out, error = search.communicate(timeout=60)
    assert search.returncode == 130 and "Traceback" not in error, error
    assert "row: seeds: lives with a fault | 0 of 0" in out
    until(lambda: not left_of(keep), 20, "the end of what the killed lives had started")


def left_of(folder: Path) -> list[bytes]:
    """Command lines that name the folder."""
    lines = [content(path) for path in Path("/proc").glob("[0-9]*/cmdline")]
    return [line for line in lines if str(folder).encode() in line]


def content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it ended just now
        return b""


@pytest.mark.parametrize("words", [("--count", "0"), ("--only", "x"), ("--sabotage", "nothing")])
def test_nonsense_is_refused(words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.lab.seeds", *words], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ},
    )  # fmt: skip
    assert done.returncode == 2 and "usage" in done.stderr
