"""Whole lives, second by second: which condition is raised when, and when it ends. Times were worked out by hand."""

import json
from pathlib import Path

import pytest

from tests.micropython.alarm_vectors import in_order, live
from tools.rig.micropython import run_micropython

ROOT = Path(__file__).resolve().parents[3]
PATH = ROOT / "tests/vectors/alarms.json"
VECTORS = json.loads(PATH.read_text())
IDS = [vector["id"] for vector in VECTORS]


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_a_life_raises_what_it_should_and_when(vector: dict) -> None:
    assert in_order(live(vector["life"])) == in_order(vector["expected"]), vector["why"]


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_a_life_is_the_same_through_bytes_each_second(vector: dict) -> None:
    assert in_order(live(vector["life"], through_bytes=True)) == in_order(vector["expected"])


def test_the_same_lives_hold_on_micropython() -> None:
    done = run_micropython(ROOT / "tests/micropython/alarm_vectors.py", str(PATH))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == ["checked", str(len(VECTORS))]


def test_every_alarm_of_the_wearable_is_in_some_life() -> None:
    from crs_core import code_texts, codes

    raised = {name.partition(":")[0] for vector in VECTORS for _, name in vector["expected"]}
    own = {code_texts.alarm_name(alarm) for alarm in range(1, codes.LAST_WEARABLE_ALARM + 1)}
    assert raised == own | {"PAUSE_OVER"}
