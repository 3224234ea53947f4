"""The golden vectors of the wire, on CPython one by one and on the real MicroPython in one run."""

import re
from pathlib import Path

import pytest

from tests.core.wire import vector_checks
from tools.rig.micropython import ROOT, run_micropython

FOLDER = str(ROOT / "tests" / "vectors")
FRAMES = vector_checks.load(FOLDER, "frames")
MESSAGES = vector_checks.load(FOLDER, "messages")
SESSIONS = vector_checks.load(FOLDER, "sessions")


def by_name(cases):
    return [pytest.param(case, id=case.get("name", case.get("payload", ""))[:24]) for case in cases]


@pytest.mark.parametrize("case", by_name(FRAMES["encode"]))
def test_frame_encode(case):
    vector_checks.check_frame_encode(case)


@pytest.mark.parametrize("case", by_name(FRAMES["decode"]))
def test_frame_decode_whole_byte_by_byte_and_in_garbage(case):
    vector_checks.check_frame_decode(case)


@pytest.mark.parametrize("case", by_name(MESSAGES["good"]))
def test_message_both_ways(case):
    vector_checks.check_message(case)


@pytest.mark.parametrize("case", by_name(MESSAGES["refused"]))
def test_message_refused(case):
    vector_checks.check_refused_message(case)


def test_every_message_type_has_a_vector():
    named = {case["name"] for case in MESSAGES["good"]}
    from crs_core.wire import message

    assert {cls.__name__ for cls, _ in message.LAYOUTS.values()} <= named


def test_foreign_crypto_vectors():
    vector_checks.check_crypto(vector_checks.load(FOLDER, "crypto"))


@pytest.mark.parametrize(
    "check", [vector_checks.check_session, vector_checks.check_sealed, vector_checks.check_refusals]
)
def test_session(check):
    check(SESSIONS)


def test_the_same_vectors_on_micropython():
    done = run_micropython(Path(ROOT / "tests" / "micropython" / "wire_vectors.py"), FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr
    checked = re.search(r"checked (\d+) on micropython", done.stdout)
    cases = [FRAMES["encode"], FRAMES["decode"], MESSAGES["good"], MESSAGES["refused"]]
    assert checked and int(checked[1]) == sum(map(len, cases)) + 4
